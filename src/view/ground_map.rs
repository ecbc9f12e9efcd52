//! The ground from above, to scale: a pane in the lower right corner with trails and places in metres. Away from the camera is
//! up.

use super::canvas::{Canvas, Paint};
use super::palette;
use super::stroke::StrokePoint;
use super::text::Text;
use super::theme::{LIGHT, LINE, QUIET, TEXT_BOX, TEXT_SIZE};
use crate::geometry::Rect;
use crate::ground::Ground;
use crate::scene::{Scene, Track, TrackState, Trail};

/// The pane's sides as shares of the shorter side of the canvas.
const SIDES: (f32, f32) = (0.46, 0.46);
/// Of the picture as much is shown as has pixels up to so many times as large on the ground as the smallest.
const LARGEST: f64 = 40.0;
/// The grid has at most so many lines each way.
const MOST_LINES: u32 = 64;

/// Which metres lie where on the canvas.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// Canvas pixels by metres: to the right by X and Y, down by X and Y.
    turn: [[f64; 2]; 2],
    shift: (f64, f64),
    /// Canvas pixels a metre.
    scale: f64,
    pane: Rect,
}

impl Plan {
    /// Shows all of the ground that the picture shows well within the pane.
    fn new(ground: &Ground, pane: Rect) -> Option<Self> {
        let (width, height) = ground.size();
        let (width, height) = (f64::from(width), f64::from(height));
        let samples = (0..=12).flat_map(|row| (0..=8).map(move |column| (column, row)));
        let places = samples.filter_map(|(column, row)| {
            ground.place(width * f64::from(column) / 8.0, height * f64::from(row) / 12.0)
        });
        let places: Vec<_> = places.collect();
        let nearest = places.iter().min_by(|a, b| a.square_metres().total_cmp(&b.square_metres()))?;
        let limit = LARGEST * nearest.square_metres();
        // Up on the canvas is where the picture's up is, in the middle of its nearest part.
        let middle =
            (1..=12).rev().find_map(|row| ground.place(width / 2.0, height * f64::from(row) / 12.0))?;
        let [[right_x, up_x], [right_y, up_y]] = middle.per_pixel;
        let length = up_x.hypot(up_y);
        let up = (-up_x / length, -up_y / length);
        // To the right of that, or, where the metres are mirrored, to the left.
        let mirrored = right_x * up_y - right_y * up_x > 0.0;
        let right = if mirrored { (-up.1, up.0) } else { (up.1, -up.0) };
        let turned = |x: f64, y: f64| (right.0 * x + right.1 * y, -(up.0 * x + up.1 * y));
        let shown: Vec<_> = places
            .iter()
            .filter(|place| place.square_metres() <= limit)
            .map(|place| turned(place.x, place.y))
            .collect();
        let range = |of: fn(&(f64, f64)) -> f64| {
            let values = || shown.iter().map(of);
            (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max))
        };
        let ((left, far_right), (top, bottom)) = (range(|at| at.0), range(|at| at.1));
        let (across, down) = ((far_right - left).max(0.1), (bottom - top).max(0.1));
        let scale = (f64::from(pane.width) / across).min(f64::from(pane.height) / down) * 0.94;
        let middle = ((left + far_right) / 2.0, (top + bottom) / 2.0);
        let center = pane.center();
        let plan = Self {
            turn: [[scale * right.0, scale * right.1], [-scale * up.0, -scale * up.1]],
            shift: (f64::from(center.0) - scale * middle.0, f64::from(center.1) - scale * middle.1),
            scale,
            pane,
        };
        (plan.scale.is_finite() && plan.scale > 0.0).then_some(plan)
    }

    fn at(&self, x: f64, y: f64) -> (f32, f32) {
        let [across, down] = self.turn.map(|[by_x, by_y]| by_x * x + by_y * y);
        ((self.shift.0 + across) as f32, (self.shift.1 + down) as f32)
    }

    /// Where a point of the picture is on the canvas; `None` outside of the pane and where there is no ground.
    fn seen(&self, ground: &Ground, x: f32, y: f32) -> Option<(f32, f32)> {
        let place = ground.place(x.into(), y.into())?;
        let at = self.at(place.x, place.y);
        self.pane.contains(at.0, at.1).then_some(at)
    }
}

/// Draws the pane.
pub(crate) fn draw_map(
    canvas: &mut Canvas,
    text: &mut Text,
    scene: &Scene,
    ground: &Ground,
    time: f64,
    scale: f32,
) {
    let (width, height) = (canvas.width() as f32, canvas.height() as f32);
    let gap = (8.0 * scale).round();
    let side = width.min(height);
    let (across, down) = ((side * SIDES.0).round(), (side * SIDES.1).round());
    // Above the time line of a window.
    let pane = Rect::new(width - across - gap, (height - down - 44.0 * scale).max(0.0), across, down);
    let inner = Rect::new(pane.left + gap, pane.top + gap, pane.width - 2.0 * gap, pane.height - 2.0 * gap);
    let Some(plan) = Plan::new(ground, inner) else { return };
    canvas.fill_rounded(pane, 4.0 * scale, TEXT_BOX);
    draw_edge(canvas, &plan, ground);
    for track in scene.tracks.iter().filter(|track| track.state != TrackState::Tentative) {
        let trail = scene.trails.iter().find(|trail| trail.id == track.id);
        draw_track(canvas, text, &plan, ground, (track, trail), track.rect_after(time - scene.time), scale);
    }
    draw_ruler(canvas, text, &plan, scale);
}

/// What the picture shows of the ground, and a grid in it.
fn draw_edge(canvas: &mut Canvas, plan: &Plan, ground: &Ground) {
    let (width, height) = (ground.size().0 as f32, ground.size().1 as f32);
    let faint = |points: Vec<Option<(f32, f32)>>, alpha: f32| -> Vec<StrokePoint> {
        let lost = (f32::NAN, f32::NAN);
        let points = points.into_iter().map(|point| point.unwrap_or(lost));
        points.map(|(x, y)| StrokePoint { x, y, alpha, width: 1.0 }).collect()
    };
    // Along the edge, in pieces: it is bent where the lens bends.
    let steps = || (0..=40).map(|step| step as f32 / 40.0);
    let edges: [fn(f32) -> (f32, f32); 4] =
        [|share| (share, 1.0), |share| (1.0, share), |share| (share, 0.0), |share| (0.0, share)];
    for edge in edges {
        let points = steps().map(|share| {
            let (x, y) = edge(share);
            plan.seen(ground, x * width, y * height)
        });
        canvas.stroke(&faint(points.collect(), 0.7), QUIET);
    }
    let spacing = spacing(plan);
    let corners = [
        (plan.pane.left, plan.pane.top),
        (plan.pane.right(), plan.pane.top),
        (plan.pane.left, plan.pane.bottom()),
        (plan.pane.right(), plan.pane.bottom()),
    ];
    // The turn is one of a map that keeps angles: its inverse is its transpose by the square of the scale.
    let metres = corners.map(|(x, y)| {
        let (across, down) = (f64::from(x) - plan.shift.0, f64::from(y) - plan.shift.1);
        [0, 1]
            .map(|axis| (plan.turn[0][axis] * across + plan.turn[1][axis] * down) / (plan.scale * plan.scale))
    });
    let least = |axis: usize| metres.iter().map(|at| at[axis]).fold(f64::INFINITY, f64::min);
    let most = |axis: usize| metres.iter().map(|at| at[axis]).fold(f64::NEG_INFINITY, f64::max);
    for axis in 0..2 {
        let first = (least(axis) / spacing).ceil();
        for line in 0..MOST_LINES {
            // Also where metres are so large that a step is lost beside them.
            let at = (first + f64::from(line)) * spacing;
            if at.is_nan() || at > most(axis) {
                break;
            }
            let steps = (0..=60).map(|step| {
                let along = least(1 - axis) + (most(1 - axis) - least(1 - axis)) * f64::from(step) / 60.0;
                let (x, y) = if axis == 0 { plan.at(at, along) } else { plan.at(along, at) };
                plan.pane.contains(x, y).then_some((x, y))
            });
            canvas.stroke(&faint(steps.collect(), 0.18), QUIET);
        }
    }
}

/// Metres between two lines of the grid: 1, 2 or 5 and zeros, some 40 pixels apart.
fn spacing(plan: &Plan) -> f64 {
    let wanted = f64::from(plan.pane.width) / plan.scale / 6.0;
    let power = 10f64.powf(wanted.max(1e-6).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|step| *step >= wanted).unwrap_or(wanted)
}

fn draw_track(
    canvas: &mut Canvas,
    text: &mut Text,
    plan: &Plan,
    ground: &Ground,
    (track, trail): (&Track, Option<&Trail>),
    now: Rect,
    scale: f32,
) {
    let colour = palette::colour(track.id);
    if let Some(trail) = trail {
        // Trails of the middle of boxes lie half a height above the ground.
        let middle = trail.points.last().is_some_and(|point| {
            (point.y - track.rect.center().1).abs() < (point.y - track.rect.bottom()).abs()
        });
        let lower = if middle { track.rect.height / 2.0 } else { 0.0 };
        let (count, lost) = (trail.points.len().max(1) as f32, (f32::NAN, f32::NAN));
        let points: Vec<_> = trail
            .points
            .iter()
            .enumerate()
            .map(|(index, point)| {
                let (x, y) = plan.seen(ground, point.x, point.y + lower).unwrap_or(lost);
                let youth = (index as f32 + 1.0) / count;
                StrokePoint { x, y, alpha: 0.2 + 0.7 * youth, width: LINE * scale }
            })
            .collect();
        canvas.stroke(&points, colour);
    }
    let Some((x, y)) = plan.seen(ground, now.center().0, now.bottom()) else { return };
    let radius = 4.0 * scale;
    let strength = if track.state == TrackState::Lost { 0.4 } else { 1.0 };
    let dot = Rect::from_center(x, y, 2.0 * radius, 2.0 * radius);
    canvas.fill_rounded(dot, radius, Paint::new(colour, strength));
    let size = TEXT_SIZE * 0.85 * scale;
    text.draw(
        canvas,
        x + radius + 2.0,
        y - size * 0.75,
        &track.id.to_string(),
        size,
        Paint::new(LIGHT, strength),
    );
}

/// How long a piece of the grid is.
fn draw_ruler(canvas: &mut Canvas, text: &mut Text, plan: &Plan, scale: f32) {
    let metres = spacing(plan);
    let (left, bottom) = (plan.pane.left, plan.pane.bottom());
    let right = left + (metres * plan.scale) as f32;
    let point = |x: f32, y: f32| StrokePoint { x, y, alpha: 1.0, width: LINE * 0.75 * scale };
    let tick = 4.0 * scale;
    let ruler =
        [point(left, bottom - tick), point(left, bottom), point(right, bottom), point(right, bottom - tick)];
    canvas.stroke(&ruler, LIGHT);
    let size = TEXT_SIZE * 0.9 * scale;
    let words = if metres < 1.0 { format!("{:.0} cm", metres * 100.0) } else { format!("{metres:.0} m") };
    text.draw(canvas, left + 3.0, bottom - tick - Text::line_height(size), &words, size, Paint::solid(LIGHT));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::KnownPoint;

    /// A field seen from above, 40 m by 20 m, with Y up or, mirrored, down in the picture.
    fn field(mirrored: bool) -> Ground {
        let y = |share: f64| if mirrored { 20.0 * share } else { 20.0 * (1.0 - share) };
        let corner =
            |across: f64, down: f64| KnownPoint { at: (across, down), metres: (40.0 * across, y(down)) };
        let corners = [corner(0.0, 0.0), corner(1.0, 0.0), corner(1.0, 1.0), corner(0.0, 1.0)];
        Ground::from_points((400, 200), &corners, 0.0).unwrap()
    }

    #[test]
    fn the_plan_is_to_scale_and_up_is_up_however_the_axes_lie() {
        for mirrored in [false, true] {
            let ground = field(mirrored);
            let plan = Plan::new(&ground, Rect::new(10.0, 20.0, 300.0, 300.0)).unwrap();
            let at = |x: f32, y: f32| plan.seen(&ground, x, y).unwrap();
            let (a, b, c) = (at(100.0, 150.0), at(300.0, 150.0), at(100.0, 50.0));
            // Twenty metres to the right, ten metres up.
            let metre = plan.scale as f32;
            assert!((b.0 - a.0 - 20.0 * metre).abs() < 0.01 && (b.1 - a.1).abs() < 0.01, "{a:?} {b:?}");
            assert!((a.1 - c.1 - 10.0 * metre).abs() < 0.01 && (a.0 - c.0).abs() < 0.01, "{a:?} {c:?}");
            assert!((metre - 300.0 * 0.94 / 40.0).abs() < 0.01, "{metre}");
            assert_eq!(spacing(&plan), 10.0);
        }
    }

    #[test]
    fn it_stays_on_small_canvases() {
        for (width, height) in [(0, 0), (1, 1), (30, 20), (300, 200)] {
            let mut canvas = Canvas::new(width, height);
            draw_map(&mut canvas, &mut Text::new(), &Scene::default(), &field(false), 0.0, 1.0);
        }
    }
}
