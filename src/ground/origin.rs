//! Metres as latitude and longitude.

/// Half the greatest diameter of the earth in metres, and its flattening: WGS 84.
const RADIUS: f64 = 6_378_137.0;
const FLATTENING: f64 = 1.0 / 298.257_223_563;

/// Where on earth the metres of a ground begin.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Origin {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Where Y points: degrees clockwise from north. X points to the right of it.
    pub bearing: f64,
}

impl Origin {
    /// Latitude and longitude (WGS 84, degrees) of a place in metres. The earth is taken to be flat around the origin: over ten
    /// kilometres that is wrong by some metres.
    pub fn on_earth(&self, x: f64, y: f64) -> (f64, f64) {
        let (sin, cos) = (libm::sin(self.bearing.to_radians()), libm::cos(self.bearing.to_radians()));
        let (east, north) = (x * cos + y * sin, y * cos - x * sin);
        let latitude = self.latitude.to_radians();
        let eccentricity = FLATTENING * (2.0 - FLATTENING);
        let root = libm::sqrt(1.0 - eccentricity * libm::sin(latitude).powi(2));
        let (along, across) =
            (RADIUS * (1.0 - eccentricity) / root.powi(3), RADIUS / root * libm::cos(latitude));
        let longitude = self.longitude + (east / across).to_degrees();
        (self.latitude + (north / along).to_degrees(), (longitude + 540.0).rem_euclid(360.0) - 180.0)
    }
}
