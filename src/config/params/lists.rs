//! Lists of tables, such as `[[mask]]`: what each table may hold, and how one value in one of them is changed.
//!
//! A list is a setting like any other, whose value is an array of inline tables: it is layered, compared and reloaded as a
//! whole. What is the default in a table is left out of that value.
//!
//! A new list is a type with its default, a table of its [`Field`]s, and one line in `table.rs`.

use serde_json::{Value as Json, json};
use toml_edit::{Array, InlineTable, TableLike, Value};

use super::ground::{KnownLengths, KnownPoints, OnEarth};
use super::kinds::{ANCHORED, FIXED_TO, Kind, Names, Real, Real32, Switch};
use super::shapes::{Corners, PlainCorners, Points};
use super::{Parameter, parameters};
use crate::analyse::{GroundPlane, LineSettings, RuleSettings, When, ZoneSettings};
use crate::config::Settings;
use crate::enhance::NamedArea;
use crate::suggest;

/// The most tables in a list.
const MOST: usize = 64;

/// What is wrong with a table: the key at fault, where it is one that is there, and what, in words.
pub(in crate::config) type Problem = (Option<String>, String);

/// One key of a table in a list.
pub(in crate::config) struct Field<T> {
    name: &'static str,
    comment: &'static str,
    required: bool,
    /// What is wrong with a value, where that takes more than to say what is allowed.
    wrong: fn(&Value) -> Option<String>,
    read: fn(&mut T, &Value) -> Result<(), String>,
    write: fn(&T) -> Value,
    allowed: fn() -> String,
    schema: fn() -> Json,
}

/// One key of a table in a list, for all that describes it.
pub(in crate::config) struct FieldInfo {
    pub(in crate::config) name: &'static str,
    pub(in crate::config) comment: &'static str,
    /// A table without it is a mistake.
    pub(in crate::config) required: bool,
    /// Its value where it is left out; of one that is required, an example.
    pub(in crate::config) default: Value,
    pub(in crate::config) allowed: String,
}

/// What a setting that is a list has beside other settings.
#[derive(Debug)]
pub(in crate::config) struct List {
    /// The keys of each table.
    pub(in crate::config) fields: fn() -> Vec<FieldInfo>,
    /// What is wrong with one table.
    pub(in crate::config) problems: fn(&dyn TableLike) -> Vec<Problem>,
    /// One table may also stand as `[path]`.
    pub(in crate::config) alone: bool,
}

/// A list of tables of these fields.
pub(super) struct Tables<T: 'static>(pub(super) &'static [Field<T>]);

impl<T: Default> Tables<T> {
    pub(super) fn fields(&self) -> Vec<FieldInfo> {
        let info = |field: &Field<T>| FieldInfo {
            name: field.name,
            comment: field.comment,
            required: field.required,
            default: (field.write)(&T::default()),
            allowed: (field.allowed)(),
        };
        self.0.iter().map(info).collect()
    }

    pub(super) fn problems(&self, table: &dyn TableLike) -> Vec<Problem> {
        self.read_table(table).err().unwrap_or_default()
    }

    fn read_table(&self, table: &dyn TableLike) -> Result<T, Vec<Problem>> {
        let mut read = T::default();
        let mut problems = Vec::new();
        for (name, item) in table.iter() {
            let Some(field) = self.0.iter().find(|field| field.name == name) else {
                let names: Vec<_> = self.0.iter().map(|field| field.name).collect();
                let hint = suggest::hint(name, names.iter().copied());
                problems.push((
                    Some(name.to_owned()),
                    format!("there is no key \"{name}\"{hint} (known: {})", names.join(", ")),
                ));
                continue;
            };
            if let Some(wrong) = item.as_value().and_then(|value| (field.wrong)(value)) {
                problems.push((Some(name.to_owned()), format!("{name} {wrong}")));
                continue;
            }
            let result = item
                .as_value()
                .map_or_else(|| Err((field.allowed)()), |value| (field.read)(&mut read, value));
            if let Err(allowed) = result {
                let shown: String = item.to_string().trim().chars().take(60).collect();
                problems
                    .push((Some(name.to_owned()), format!("{name} cannot be {shown}: allowed is {allowed}")));
            }
        }
        for field in self.0.iter().filter(|field| field.required && !table.contains_key(field.name)) {
            problems.push((None, format!("{} is missing: {}", field.name, (field.allowed)())));
        }
        if problems.is_empty() { Ok(read) } else { Err(problems) }
    }
}

impl<T: Default> Kind for Tables<T> {
    type Set = Vec<T>;

    fn read(&self, value: &Value) -> Result<Vec<T>, String> {
        let list = value.as_array().filter(|list| list.len() <= MOST).ok_or_else(|| self.allowed())?;
        let table = |value: &Value| {
            let table = value.as_inline_table().ok_or_else(|| self.allowed())?;
            self.read_table(table).map_err(|problems| {
                problems.into_iter().map(|(_, problem)| problem).collect::<Vec<_>>().join("; ")
            })
        };
        list.iter().map(table).collect()
    }

    fn write(&self, set: &Vec<T>) -> Value {
        let default = T::default();
        let table = |row: &T| -> Value {
            let written = self.0.iter().map(|field| (field, (field.write)(row)));
            let kept = written.filter(|(field, value)| {
                field.required || value.to_string() != (field.write)(&default).to_string()
            });
            Value::InlineTable(kept.map(|(field, value)| (field.name, value)).collect::<InlineTable>())
        };
        Value::Array(set.iter().map(table).collect::<Array>())
    }

    fn allowed(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|field| field.name).collect();
        format!("a list of at most {MOST} tables, each with {}", names.join(", "))
    }

    fn schema(&self) -> Json {
        let mut table = json!({ "type": "object", "properties": {}, "additionalProperties": false });
        for field in self.0 {
            let mut schema = (field.schema)();
            schema["description"] = field.comment.into();
            table["properties"][field.name] = schema;
        }
        let required: Vec<_> = self.0.iter().filter(|field| field.required).map(|field| field.name).collect();
        table["required"] = required.into();
        json!({ "type": "array", "items": table, "maxItems": MOST })
    }
}

macro_rules! field {
    ($field:ident, $kind:expr, $required:expr, $comment:expr) => {
        Field {
            name: stringify!($field),
            comment: $comment,
            required: $required,
            wrong: |_| None,
            read: |row, value| {
                row.$field = $kind.read(value)?;
                Ok(())
            },
            write: |row| $kind.write(&row.$field),
            allowed: || $kind.allowed(),
            schema: || $kind.schema(),
        }
    };
}

/// Any text.
struct Name;

impl Kind for Name {
    type Set = String;

    fn read(&self, value: &Value) -> Result<String, String> {
        value.as_str().map(str::to_owned).ok_or_else(|| self.allowed())
    }

    fn write(&self, set: &String) -> Value {
        set.as_str().into()
    }

    fn allowed(&self) -> String {
        "a text in quotes".to_owned()
    }

    fn schema(&self) -> Json {
        json!({ "type": "string" })
    }
}

/// Of `[[mask]]` and `[[region]]`.
pub(super) const AREAS: Tables<NamedArea> = Tables(&[
    field!(name, Name, false, "its name, for people and for --set"),
    field!(enabled, Switch, false, "false: the area has no effect"),
    field!(points, Corners, true, "its corners [x, y] in shares of the picture's sides"),
]);

/// A name that is needed.
struct OwnName;

impl Kind for OwnName {
    type Set = String;

    fn read(&self, value: &Value) -> Result<String, String> {
        let fits =
            |name: &&str| (1..=100).contains(&name.chars().count()) && !name.contains(char::is_control);
        let name = value.as_str().map(str::trim).filter(fits);
        name.map(str::to_owned).ok_or_else(|| self.allowed())
    }

    fn write(&self, set: &String) -> Value {
        set.as_str().into()
    }

    fn allowed(&self) -> String {
        "a text in quotes of 1 to 100 letters without control characters, which no other has".to_owned()
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "minLength": 1, "maxLength": 100 })
    }
}

const BAND: Real32 = Real32(0.0..=2.0);
const STAY: Real = Real(0.0..=3600.0);

/// What lines and zones have in common, in words.
const OF_SOURCE: &str = "the source that it belongs to: its name, a pattern (\"gate*\"), or its number from 1; \"\": every source";
const STAYS_WITH: &str = "where the camera moves it stays with the \"screen\" or with the \"scene\"";

/// Of `[[line]]`.
pub(super) const LINES: Tables<LineSettings> = Tables(&[
    field!(name, OwnName, true, "its name, in events, counts and on the screen"),
    field!(
        points,
        Points,
        true,
        "its points [x, y] in shares of the picture's sides; \"in\" is a crossing towards the right-hand side of the way from the first to the last"
    ),
    field!(classes, Names, false, "count only these, such as [\"person\"]; []: everything"),
    field!(
        anchor,
        ANCHORED,
        false,
        "which point of the box has to cross: \"bottom\" (feet, wheels), \"center\" or \"top\""
    ),
    field!(
        band,
        BAND,
        false,
        "how far past the line it has to come at most, as a share of the box's height: as far as its box trembles; nearer, it counts after a while"
    ),
    field!(stay_seconds, STAY, false, "for how many seconds it has to stay on the other side"),
    field!(source, Name, false, OF_SOURCE),
    field!(fixed_to, FIXED_TO, false, STAYS_WITH),
]);

/// Of `[[zone]]`.
pub(super) const ZONES: Tables<ZoneSettings> = Tables(&[
    field!(name, OwnName, true, "its name, in events, counts and on the screen"),
    field!(corners, PlainCorners, true, "its corners [x, y] in shares of the picture's sides"),
    field!(classes, Names, false, "count only these, such as [\"person\"]; []: everything"),
    field!(
        anchor,
        ANCHORED,
        false,
        "which point of the box has to be in it: \"bottom\" (feet, wheels), \"center\" or \"top\""
    ),
    field!(
        band,
        BAND,
        false,
        "how far past its edge it has to come, as a share of the box's height; nearer, it counts after a second"
    ),
    field!(stay_seconds, STAY, false, "for how many seconds it has to stay inside, or outside"),
    field!(source, Name, false, OF_SOURCE),
    field!(fixed_to, FIXED_TO, false, STAYS_WITH),
]);

/// Of `[ground]`.
pub(super) const GROUNDS: Tables<GroundPlane> = Tables(&[
    field!(
        points,
        KnownPoints,
        false,
        "four or more points with known metres: [{ at = [x, y], metres = [X, Y] }, …], not three of four on one line"
    ),
    field!(
        lengths,
        KnownLengths,
        false,
        "or two or more known lengths on the ground: [{ from = [x, y], to = [x, y], metres = 3.5 }, …], of a level camera; without points and lengths the ground is found from the heights of people"
    ),
    field!(person_metres, Real(0.5..=3.0), false, "there: how tall people are"),
    field!(
        view_degrees,
        Real(5.0..=150.0),
        false,
        "for lengths and people: the angle from the left edge of the picture to the right"
    ),
    field!(
        distortion,
        Real(-0.8..=0.8),
        false,
        "of the lens (division model, by the distance of the corners): below 0 straight edges bulge outwards, as with wide lenses"
    ),
    field!(origin, OnEarth, false, "[latitude, longitude] of X = 0, Y = 0, for GeoJSON; []: not known"),
    field!(bearing, Real(-360.0..=360.0), false, "where Y points, in degrees clockwise from north"),
    field!(source, Name, false, OF_SOURCE),
    field!(fixed_to, FIXED_TO, false, STAYS_WITH),
]);

/// Text that is read as a condition elsewhere.
struct Condition;

impl Kind for Condition {
    type Set = String;

    fn read(&self, value: &Value) -> Result<String, String> {
        Name.read(value).map_err(|_| self.allowed())
    }

    fn write(&self, set: &String) -> Value {
        set.as_str().into()
    }

    fn allowed(&self) -> String {
        "a condition, such as \"person in square for 5 s\" (docs/rules.md)".to_owned()
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "minLength": 1 })
    }
}

/// Of `[[rule]]`.
pub(super) const RULES: Tables<RuleSettings> = Tables(&[
    field!(name, OwnName, true, "its name, in events and on the screen"),
    Field {
        wrong: |value| Some(value.as_str()?.parse::<When>().err()?.to_string()),
        ..field!(
            when,
            Condition,
            true,
            "what has to hold: classes, zones, lines, numbers, times of day (docs/rules.md)"
        )
    },
    field!(
        cool_down_seconds,
        Real(0.0..=604_800.0),
        false,
        "for how long after one of its events has started or ended none starts"
    ),
    field!(source, Name, false, OF_SOURCE),
]);

/// A value for one key of one table, `mask.door.enabled` or `mask.2.enabled` (counted from 1), as a value for the whole
/// list: the one in force with that change. `None` where the path is of another form.
pub(in crate::config) fn in_list(
    path: &str,
    value: &Value,
    settings: &Settings,
) -> Option<Result<(&'static Parameter, Value), String>> {
    let (place, key) = path.rsplit_once('.')?;
    let lists = parameters().iter().filter(|parameter| parameter.list.is_some());
    let (list, name) =
        lists.filter_map(|list| Some((list, place.strip_prefix(list.path)?.strip_prefix('.')?))).next()?;
    let mut whole = list.get(settings);
    let tables = whole.as_array_mut()?;
    let named = |value: &Value| {
        value.as_inline_table().and_then(|table| table.get("name")?.as_str()).unwrap_or_default().to_owned()
    };
    let index = tables
        .iter()
        .position(|table| named(table) == name)
        .or_else(|| name.parse::<usize>().ok()?.checked_sub(1).filter(|index| *index < tables.len()));
    let Some(table) = index.and_then(|index| tables.get_mut(index)?.as_inline_table_mut()) else {
        let names: Vec<_> = tables.iter().map(named).filter(|name| !name.is_empty()).collect();
        let hint = suggest::hint(name, names.iter().map(String::as_str));
        return Some(Err(format!(
            "there is no [[{}]] \"{name}\"{hint} (there are {})",
            list.path,
            tables.len()
        )));
    };
    table.insert(key, value.clone());
    Some(Ok((list, whole)))
}
