//! Lines and points in the picture plane.

/// Where an object was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spot {
    /// In pixels.
    pub(super) point: (f32, f32),
    /// The height of its box in pixels.
    pub(super) height: f32,
    /// Source time in seconds.
    pub(super) time: f64,
}

/// Where a straight way meets a segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Meeting {
    /// How far along the way, from 0 to 1.
    pub(super) share: f32,
    pub(super) point: (f32, f32),
    /// The way goes over to the right-hand side of the segment.
    pub(super) to_the_right: bool,
}

/// Positive to the right of the way from `a` to `b`, as it is seen on the screen, by the distance times the segment's length.
pub(super) fn side(a: (f32, f32), b: (f32, f32), point: (f32, f32)) -> f32 {
    (b.0 - a.0) * (point.1 - a.1) - (b.1 - a.1) * (point.0 - a.0)
}

/// Where the way from `from` to `to` crosses the segment from `a` to `b`. A point on a line counts as to its right, so that a
/// way which ends on the segment crosses it once, and one through a point where two segments meet crosses one of them.
pub(super) fn meet(from: (f32, f32), to: (f32, f32), a: (f32, f32), b: (f32, f32)) -> Option<Meeting> {
    let (before, behind) = (side(a, b, from), side(a, b, to));
    let to_the_right = behind >= 0.0;
    if (before >= 0.0) == to_the_right || (side(from, to, a) >= 0.0) == (side(from, to, b) >= 0.0) {
        return None;
    }
    let share = before / (before - behind);
    let point = (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1));
    Some(Meeting { share, point, to_the_right })
}

/// Whether a point lies in a polygon, by the even-odd rule.
pub(super) fn contains(corners: &[(f32, f32)], (x, y): (f32, f32)) -> bool {
    let ends = corners.iter().cycle().skip(1);
    let crossed = corners
        .iter()
        .zip(ends)
        .filter(|((x0, y0), (x1, y1))| (*y0 <= y) != (*y1 <= y) && x < x0 + (y - y0) / (y1 - y0) * (x1 - x0));
    crossed.count() % 2 == 1
}

/// The distance of a point from the sides of a polygon.
pub(super) fn distance(corners: &[(f32, f32)], (x, y): (f32, f32)) -> f32 {
    let ends = corners.iter().cycle().skip(1);
    let squares = corners.iter().zip(ends).map(|(&(x0, y0), &(x1, y1))| {
        let (along, up) = (x1 - x0, y1 - y0);
        let length = (along * along + up * up).max(f32::MIN_POSITIVE);
        let place = (((x - x0) * along + (y - y0) * up) / length).clamp(0.0, 1.0);
        (x0 + place * along - x).powi(2) + (y0 + place * up - y).powi(2)
    });
    squares.fold(f32::INFINITY, f32::min).sqrt()
}

/// Where on the way from one point to another the sides of a polygon are crossed last, as a share of the way.
pub(super) fn last_crossing(corners: &[(f32, f32)], from: (f32, f32), to: (f32, f32)) -> Option<f32> {
    let ends = corners.iter().cycle().skip(1);
    let meetings = corners.iter().zip(ends).filter_map(|(&a, &b)| meet(from, to, a, b));
    meetings.map(|meeting| meeting.share).max_by(f32::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_is_right_on_the_screen() {
        // To the right of a way to the right is down.
        assert!(side((0.0, 0.0), (10.0, 0.0), (5.0, 1.0)) > 0.0);
        assert!(side((0.0, 0.0), (0.0, 10.0), (-1.0, 5.0)) > 0.0);
    }

    #[test]
    fn inside_and_how_far() {
        let corners = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (5.0, 2.0), (0.0, 10.0)];
        assert!(contains(&corners, (1.0, 5.0)) && contains(&corners, (9.0, 5.0)));
        assert!(!contains(&corners, (5.0, 5.0)) && !contains(&corners, (-1.0, 5.0)));
        assert!((distance(&corners, (-3.0, 4.0)) - 3.0).abs() < 1e-5);
        assert!((distance(&corners, (13.0, -4.0)) - 5.0).abs() < 1e-5);
        let share = last_crossing(&corners, (-5.0, 1.0), (5.0, 1.0));
        assert!(share.is_some_and(|share| (share - 0.5).abs() < 1e-6), "{share:?}");
        assert_eq!(last_crossing(&corners, (1.0, 1.0), (2.0, 1.0)), None);
    }
}
