//! Values with a shape: parts of the picture and polygons in it.

use serde_json::{Value as Json, json};
use toml_edit::{Array, Value};

use super::kinds::{Kind, Real32};
use crate::enhance::Polygon;
use crate::geometry::{Polyline, Rect};

/// A list of numbers, whole ones included; `None` where it is something else.
fn numbers(value: &Value) -> Option<Vec<f32>> {
    let number = |value: &Value| value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
    value.as_array()?.iter().map(|value| number(value).map(|number| number as f32)).collect()
}

/// Numbers as a file has them: 0.1 is not to become 0.10000000149011612.
fn written(numbers: &[f32]) -> Value {
    Value::Array(numbers.iter().map(|&number| Real32(0.0..=0.0).write(&number)).collect())
}

/// `[left, top, width, height]` in shares of the picture's sides, or `[]` for none.
pub(super) struct Part;

impl Kind for Part {
    type Set = Option<Rect>;

    fn read(&self, value: &Value) -> Result<Option<Rect>, String> {
        let allowed = || self.allowed();
        match numbers(value).ok_or_else(allowed)?.as_slice() {
            [] => Ok(None),
            &[left, top, width, height] => {
                let rect = Rect::new(left, top, width, height);
                // A hair more than 1 is what decimals add up to.
                let within = left >= 0.0 && top >= 0.0 && rect.right() <= 1.0001 && rect.bottom() <= 1.0001;
                let sound = within && width >= 0.01 && height >= 0.01;
                sound.then_some(Some(rect)).ok_or_else(allowed)
            }
            _ => Err(allowed()),
        }
    }

    fn write(&self, set: &Option<Rect>) -> Value {
        set.map_or_else(
            || Value::Array(Array::new()),
            |rect| written(&[rect.left, rect.top, rect.width, rect.height]),
        )
    }

    fn allowed(&self) -> String {
        "[left, top, width, height] in shares of the picture's sides, such as [0.25, 0, 0.5, 1], or []"
            .to_owned()
    }

    fn schema(&self) -> Json {
        let none = json!({ "type": "array", "maxItems": 0 });
        json!({ "anyOf": [none, { "type": "array", "items": share(), "minItems": 4, "maxItems": 4 }] })
    }
}

/// Three numbers, one for red, green and blue, or `[]` for none.
pub(super) struct Triple;

impl Kind for Triple {
    type Set = Option<[f32; 3]>;

    fn read(&self, value: &Value) -> Result<Option<[f32; 3]>, String> {
        match numbers(value).ok_or_else(|| self.allowed())?.as_slice() {
            [] => Ok(None),
            &[red, green, blue] => {
                let sound = [red, green, blue].iter().all(|number| (0.0..=255.0).contains(number));
                sound.then_some(Some([red, green, blue])).ok_or_else(|| self.allowed())
            }
            _ => Err(self.allowed()),
        }
    }

    fn write(&self, set: &Option<[f32; 3]>) -> Value {
        set.map_or_else(|| Value::Array(Array::new()), |numbers| written(&numbers))
    }

    fn allowed(&self) -> String {
        "[red, green, blue], numbers from 0 to 255, or []".to_owned()
    }

    fn schema(&self) -> Json {
        let number = json!({ "type": "number", "minimum": 0, "maximum": 255 });
        let none = json!({ "type": "array", "maxItems": 0 });
        json!({ "anyOf": [none, { "type": "array", "items": number, "minItems": 3, "maxItems": 3 }] })
    }
}

/// A polygon: a list of corners `[x, y]` in shares of the picture's sides.
pub(super) struct Corners;

impl Kind for Corners {
    type Set = Polygon;

    fn read(&self, value: &Value) -> Result<Polygon, String> {
        let corner = |value: &Value| match numbers(value)?.as_slice() {
            &[x, y] => Some((x, y)),
            _ => None,
        };
        let corners = value.as_array().and_then(|list| list.iter().map(corner).collect());
        corners.and_then(Polygon::new).ok_or_else(|| self.allowed())
    }

    fn write(&self, set: &Polygon) -> Value {
        Value::Array(set.corners().iter().map(|&(x, y)| written(&[x, y])).collect())
    }

    fn allowed(&self) -> String {
        format!(
            "a polygon of 3 to {} corners [x, y] in shares of the picture's sides, not all on one line, such as \
             [[0, 0], [0.4, 0], [0, 0.3]]",
            Polygon::MOST
        )
    }

    fn schema(&self) -> Json {
        let corner = json!({ "type": "array", "items": share(), "minItems": 2, "maxItems": 2 });
        json!({ "type": "array", "items": corner, "minItems": 3, "maxItems": Polygon::MOST })
    }
}

/// A list of points `[x, y]`; `None` where it is something else.
fn pairs(value: &Value) -> Option<Vec<(f32, f32)>> {
    let pair = |value: &Value| match numbers(value)?.as_slice() {
        &[x, y] => Some((x, y)),
        _ => None,
    };
    value.as_array()?.iter().map(pair).collect()
}

/// What is wrong with the first point that lies outside the picture.
fn outside(points: &[(f32, f32)], what: &str) -> Option<String> {
    let within = |share: f32| (0.0..=1.0).contains(&share);
    let index = points.iter().position(|&(x, y)| !within(x) || !within(y))?;
    let &(x, y) = points.get(index)?;
    Some(format!(
        "{what} within the picture, from 0 to 1 across and down; number {} is [{x}, {y}]",
        index + 1
    ))
}

/// A polygon that does not cross itself.
pub(super) struct PlainCorners;

impl Kind for PlainCorners {
    type Set = Polygon;

    fn read(&self, value: &Value) -> Result<Polygon, String> {
        if let Some(problem) = pairs(value).and_then(|corners| outside(&corners, "corners")) {
            return Err(problem);
        }
        let polygon = Corners.read(value)?;
        match polygon.crossing_sides() {
            None => Ok(polygon),
            Some((first, second)) => {
                let count = polygon.corners().len();
                let side =
                    |from: usize| format!("from corner {} to corner {}", from + 1, (from + 1) % count + 1);
                Err(format!(
                    "a polygon that does not cross itself; the side {} crosses the one {}",
                    side(first),
                    side(second)
                ))
            }
        }
    }

    fn write(&self, set: &Polygon) -> Value {
        Corners.write(set)
    }

    fn allowed(&self) -> String {
        Corners.allowed()
    }

    fn schema(&self) -> Json {
        Corners.schema()
    }
}

/// A line: a list of points `[x, y]` in shares of the picture's sides.
pub(super) struct Points;

impl Kind for Points {
    type Set = Polyline;

    fn read(&self, value: &Value) -> Result<Polyline, String> {
        let points = pairs(value).ok_or_else(|| self.allowed())?;
        match outside(&points, "points") {
            Some(problem) => Err(problem),
            None => Polyline::new(points).ok_or_else(|| self.allowed()),
        }
    }

    fn write(&self, set: &Polyline) -> Value {
        Value::Array(set.points().iter().map(|&(x, y)| written(&[x, y])).collect())
    }

    fn allowed(&self) -> String {
        format!(
            "2 to {} points [x, y] in shares of the picture's sides, each apart from the one before, such as \
             [[0.1, 0.5], [0.9, 0.5]]",
            Polyline::MOST
        )
    }

    fn schema(&self) -> Json {
        let point = json!({ "type": "array", "items": share(), "minItems": 2, "maxItems": 2 });
        json!({ "type": "array", "items": point, "minItems": 2, "maxItems": Polyline::MOST })
    }
}

/// A list of polygons.
pub(super) struct Polygons;

/// The most polygons.
const MOST_POLYGONS: usize = 64;

impl Kind for Polygons {
    type Set = Vec<Polygon>;

    fn read(&self, value: &Value) -> Result<Vec<Polygon>, String> {
        let list = value.as_array().filter(|list| list.len() <= MOST_POLYGONS);
        let polygons = list.and_then(|list| list.iter().map(|value| Corners.read(value).ok()).collect());
        polygons.ok_or_else(|| self.allowed())
    }

    fn write(&self, set: &Vec<Polygon>) -> Value {
        Value::Array(set.iter().map(|polygon| Corners.write(polygon)).collect())
    }

    fn allowed(&self) -> String {
        format!(
            "a list of at most {MOST_POLYGONS} polygons, each of 3 to {} corners [x, y] in shares of the picture's \
             sides, such as [[[0, 0], [0.4, 0], [0, 0.3]]]",
            Polygon::MOST
        )
    }

    fn schema(&self) -> Json {
        json!({ "type": "array", "items": Corners.schema(), "maxItems": MOST_POLYGONS })
    }
}

/// A share of a side of the picture.
fn share() -> Json {
    json!({ "type": "number", "minimum": 0, "maximum": 1 })
}
