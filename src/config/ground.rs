//! `[ground]`: what is wrong with one that its keys alone do not tell.

use crate::analyse::GroundSettings;

/// A picture of a usual shape: the size of the real one is not known yet.
const USUAL: (u32, u32) = (1920, 1080);

/// What is wrong with each ground.
pub(super) fn problems(settings: &GroundSettings) -> Vec<String> {
    let several = settings.planes.len() > 1;
    let found = settings.planes.iter().enumerate().filter_map(|(index, plane)| {
        let name = if several { format!("ground.{}", index + 1) } else { "ground".to_owned() };
        if !plane.points.is_empty() && !plane.lengths.is_empty() {
            return Some(format!("{name} has points and lengths: one of both has to go"));
        }
        // Lengths depend on the shape of the picture: of these only what is wrong in any.
        let wrong = match plane.ground(USUAL) {
            Err(error) if plane.lengths.is_empty() || error.is_of_any_picture() => Some(error),
            _ => None,
        };
        wrong.map(|error| format!("{name}: {error}"))
    });
    found.collect()
}
