//! The search space: the parameters of the tracker that a search tries, each with its range, from the tracker's own table.

use crate::track::{TRACK_PARAMETERS, TrackParameter, TrackSettings};

/// The parameters that have a search range, in the order of the config file.
pub fn search_space() -> impl Iterator<Item = &'static TrackParameter> {
    TRACK_PARAMETERS.iter().filter(|parameter| parameter.search.is_some())
}

/// Changes a parameter to a value within its search range, rounded to three digits: more would say more than is known.
pub(super) fn set_rounded(parameter: &TrackParameter, settings: &mut TrackSettings, value: f64) {
    let (low, high) = parameter.search.unwrap_or(parameter.range);
    let value = value.clamp(low, high);
    let unit = 10f64.powf(value.abs().max(1e-3).log10().floor() - 2.0);
    parameter.set(settings, ((value / unit).round() * unit).clamp(low, high));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_round_and_in_range() {
        let speed =
            search_space().find(|parameter| parameter.path == "tracker.start_speed").expect("it is there");
        let mut settings = TrackSettings::default();
        set_rounded(speed, &mut settings, 1.234_567);
        assert!((speed.get(&settings) - 1.23).abs() < 1e-6);
        set_rounded(speed, &mut settings, 99.0);
        assert_eq!(speed.get(&settings), 6.0);
        for parameter in search_space() {
            for value in [-1e9, 1e9] {
                set_rounded(parameter, &mut settings, value);
                let (low, high) = parameter.search.expect("it is searched");
                assert!((low - 1e-6..=high + 1e-6).contains(&parameter.get(&settings)), "{}", parameter.path);
            }
        }
    }
}
