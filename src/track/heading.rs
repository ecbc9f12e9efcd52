//! Which way a track goes, by where it was detected: the filter's velocity is too smooth to tell a turn early.

use super::similarity::Heading;
use crate::geometry::Affine;

/// How many detections are looked back on.
const PLACES: usize = 6;
/// How far they are looked back on, in seconds, where there are enough.
const SECONDS: f64 = 0.15;
/// Less far than this share of the box's height is standing still.
const STILL: f32 = 0.02;

/// The last few places of a track: time in seconds and centre in pixels, newest first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path {
    places: [(f64, (f32, f32)); PLACES],
    length: usize,
}

impl Path {
    pub(super) fn new(time: f64, place: (f32, f32)) -> Self {
        Self { places: [(time, place); PLACES], length: 1 }
    }

    pub(super) fn push(&mut self, time: f64, place: (f32, f32)) {
        self.places.rotate_right(1);
        self.places[0] = (time, place);
        self.length = (self.length + 1).min(PLACES);
    }

    /// Goes along with the picture when the camera moves.
    pub(super) fn follow(&mut self, camera: &Affine) {
        for (_, place) in &mut self.places {
            *place = camera.point(place.0, place.1);
        }
    }

    /// The direction from a moment ago to the newest place; `None` for one that stands still, or is new.
    pub(super) fn heading(&self, height: f32) -> Option<Heading> {
        let known = &self.places[..self.length];
        let (&(now, to), earlier) = known.split_first()?;
        let &(_, from) = earlier.iter().find(|(time, _)| now - time >= SECONDS).or(earlier.last())?;
        let (x, y) = (to.0 - from.0, to.1 - from.1);
        let length = (x * x + y * y).sqrt();
        (length > STILL * height).then(|| Heading { from, direction: (x / length, y / length) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walker_has_a_heading_and_who_stands_has_none() {
        let (mut walker, mut stander) = (Path::new(0.0, (0.0, 0.0)), Path::new(0.0, (0.0, 0.0)));
        assert_eq!(walker.heading(100.0), None);
        for i in 1..20 {
            walker.push(f64::from(i) * 0.05, (3.0 * i as f32, -4.0 * i as f32));
            stander.push(f64::from(i) * 0.05, ((i % 2) as f32, 0.0));
        }
        let heading = walker.heading(100.0).expect("it walks");
        assert!((heading.direction.0 - 0.6).abs() < 1e-6 && (heading.direction.1 + 0.8).abs() < 1e-6);
        assert_eq!(heading.from, (48.0, -64.0), "three detections ago");
        assert_eq!(stander.heading(100.0), None);
    }

    #[test]
    fn the_camera_takes_the_path_along() {
        let mut path = Path::new(0.0, (0.0, 0.0));
        path.push(0.2, (10.0, 0.0));
        path.follow(&Affine { matrix: [[0.0, -1.0, 5.0], [1.0, 0.0, 0.0]] });
        let heading = path.heading(50.0).expect("it goes down now");
        assert_eq!((heading.from, heading.direction), ((5.0, 0.0), (0.0, 1.0)));
    }
}
