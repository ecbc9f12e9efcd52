//! Values of `[ground]`: points with known metres, known lengths, and a place on earth.

use serde_json::{Value as Json, json};
use toml_edit::{Array, InlineTable, Value};

use super::kinds::Kind;
use crate::ground::{KnownLength, KnownPoint};

/// The most points or lengths.
const MOST: usize = 64;

/// A number, whole or not, as it stands in a file.
fn number(value: &Value) -> Option<f64> {
    let number = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))?;
    number.is_finite().then_some(number)
}

fn pair(value: Option<&Value>) -> Option<(f64, f64)> {
    match value?.as_array()?.iter().map(number).collect::<Option<Vec<_>>>()?.as_slice() {
        &[x, y] => Some((x, y)),
        _ => None,
    }
}

fn written((x, y): (f64, f64)) -> Value {
    Value::Array([x, y].into_iter().collect::<Array>())
}

/// Two shares of the picture's sides.
fn share(value: Option<&Value>) -> Option<(f64, f64)> {
    pair(value).filter(|(x, y)| (0.0..=1.0).contains(x) && (0.0..=1.0).contains(y))
}

fn pair_schema(least: f64, most: f64) -> Json {
    let number = json!({ "type": "number", "minimum": least, "maximum": most });
    json!({ "type": "array", "items": number, "minItems": 2, "maxItems": 2 })
}

/// A list of tables with these keys and no other.
fn tables<T>(value: &Value, keys: &[&str], read: impl Fn(&InlineTable) -> Option<T>) -> Option<Vec<T>> {
    let list = value.as_array().filter(|list| list.len() <= MOST)?;
    let table = |value: &Value| {
        let table = value.as_inline_table()?;
        table.iter().all(|(key, _)| keys.contains(&key)).then(|| read(table))?
    };
    list.iter().map(table).collect()
}

fn tables_schema(properties: Json, required: &[&str]) -> Json {
    let table = json!({
        "type": "object", "properties": properties, "required": required, "additionalProperties": false
    });
    json!({ "type": "array", "items": table, "maxItems": MOST })
}

/// `[{ at = [x, y], metres = [X, Y] }, …]`.
pub(super) struct KnownPoints;

impl Kind for KnownPoints {
    type Set = Vec<KnownPoint>;

    fn read(&self, value: &Value) -> Result<Vec<KnownPoint>, String> {
        let point = |table: &InlineTable| {
            Some(KnownPoint { at: share(table.get("at"))?, metres: pair(table.get("metres"))? })
        };
        tables(value, &["at", "metres"], point).ok_or_else(|| self.allowed())
    }

    fn write(&self, set: &Vec<KnownPoint>) -> Value {
        let table = |point: &KnownPoint| {
            let keys = [("at", written(point.at)), ("metres", written(point.metres))];
            Value::InlineTable(keys.into_iter().collect())
        };
        Value::Array(set.iter().map(table).collect())
    }

    fn allowed(&self) -> String {
        format!(
            "[] or 4 to {MOST} points {{ at = [x, y], metres = [X, Y] }}, x and y in shares of the picture's sides from 0 to 1"
        )
    }

    fn schema(&self) -> Json {
        let metres = json!({ "type": "array", "items": { "type": "number" }, "minItems": 2, "maxItems": 2 });
        tables_schema(json!({ "at": pair_schema(0.0, 1.0), "metres": metres }), &["at", "metres"])
    }
}

/// `[{ from = [x, y], to = [x, y], metres = 3.5 }, …]`.
pub(super) struct KnownLengths;

impl Kind for KnownLengths {
    type Set = Vec<KnownLength>;

    fn read(&self, value: &Value) -> Result<Vec<KnownLength>, String> {
        let length = |table: &InlineTable| {
            let metres = number(table.get("metres")?).filter(|metres| *metres > 0.0)?;
            Some(KnownLength { from: share(table.get("from"))?, to: share(table.get("to"))?, metres })
        };
        tables(value, &["from", "to", "metres"], length).ok_or_else(|| self.allowed())
    }

    fn write(&self, set: &Vec<KnownLength>) -> Value {
        let table = |length: &KnownLength| {
            let keys = [
                ("from", written(length.from)),
                ("to", written(length.to)),
                ("metres", length.metres.into()),
            ];
            Value::InlineTable(keys.into_iter().collect())
        };
        Value::Array(set.iter().map(table).collect())
    }

    fn allowed(&self) -> String {
        format!(
            "[] or 2 to {MOST} lengths {{ from = [x, y], to = [x, y], metres = L }}, x and y in shares of the picture's sides from 0 to 1, L above 0"
        )
    }

    fn schema(&self) -> Json {
        let (from, to) = (pair_schema(0.0, 1.0), pair_schema(0.0, 1.0));
        let metres = json!({ "type": "number", "minimum": 0 });
        tables_schema(json!({ "from": from, "to": to, "metres": metres }), &["from", "to", "metres"])
    }
}

/// `[latitude, longitude]` in degrees, or `[]`.
pub(super) struct OnEarth;

impl Kind for OnEarth {
    type Set = Option<(f64, f64)>;

    fn read(&self, value: &Value) -> Result<Option<(f64, f64)>, String> {
        if value.as_array().is_some_and(Array::is_empty) {
            return Ok(None);
        }
        // At the poles there is no east.
        let sound = |(latitude, longitude): &(f64, f64)| latitude.abs() <= 89.0 && longitude.abs() <= 180.0;
        pair(Some(value)).filter(sound).map(Some).ok_or_else(|| self.allowed())
    }

    fn write(&self, set: &Option<(f64, f64)>) -> Value {
        set.map_or_else(|| Value::Array(Array::new()), written)
    }

    fn allowed(&self) -> String {
        "[latitude, longitude] in degrees (north up to 89, east up to 180, south and west below 0), or []"
            .to_owned()
    }

    fn schema(&self) -> Json {
        let none = json!({ "type": "array", "maxItems": 0 });
        json!({ "anyOf": [none, pair_schema(-180.0, 180.0)] })
    }
}
