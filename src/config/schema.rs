//! The JSON Schema of the config file, for editors: completion, meanings, and marks under what is wrong.
//!
//! Draft-07, and of it only what every draft since knows: that is what Taplo checks TOML by, and with it the TOML extension
//! of Visual Studio Code. Rules about two settings at once (`tracker.low_score` is at most `tracker.high_score`) are left to
//! `trailsight config check`.

use serde_json::{Map, Value as Json, json};
use toml_edit::Value;

use super::params::{Parameter, REMOVED, SECTIONS, parameters};

/// The schema, as `trailsight config schema` prints it.
pub fn schema() -> Json {
    let mut root = object("Settings of trailsight.");
    root["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    root["title"] = "trailsight config.toml".into();
    for &(section, about) in SECTIONS {
        put(&mut root, section, object(about));
    }
    for parameter in parameters() {
        put(&mut root, parameter.path, described(parameter));
        for alias in parameter.aliases {
            put(&mut root, alias, outdated(parameter.schema(), format!("old name of {}", parameter.path)));
        }
    }
    for (path, why) in REMOVED {
        put(&mut root, path, outdated(json!({}), format!("has no effect: {why}")));
    }
    root
}

/// One setting: what is allowed, its default, and what it means.
fn described(parameter: &Parameter) -> Json {
    let mut schema = parameter.schema();
    if parameter.list.as_ref().is_some_and(|list| list.alone) {
        schema = json!({ "anyOf": [schema["items"].clone(), schema] });
    }
    let unit = if parameter.unit.is_empty() { String::new() } else { format!(" [{}]", parameter.unit) };
    schema["description"] = format!("{}{unit}", parameter.comment).into();
    schema["default"] = json_of(&parameter.default());
    schema
}

/// A name that still works and is not to be offered.
fn outdated(mut schema: Json, description: String) -> Json {
    schema["description"] = description.into();
    schema["deprecated"] = true.into();
    schema["x-taplo"] = json!({ "hidden": true });
    schema
}

fn object(description: &str) -> Json {
    json!({ "type": "object", "description": description, "properties": {}, "additionalProperties": false })
}

/// Puts a schema at its place, which its section was put before.
fn put(root: &mut Json, path: &str, schema: Json) {
    let place = path.split('.').fold(root, |object, part| &mut object["properties"][part]);
    *place = schema;
}

/// A TOML value as JSON.
pub(super) fn json_of(value: &Value) -> Json {
    match value {
        Value::String(text) => text.value().as_str().into(),
        Value::Integer(number) => (*number.value()).into(),
        Value::Float(number) => (*number.value()).into(),
        Value::Boolean(switch) => (*switch.value()).into(),
        Value::Datetime(time) => time.value().to_string().into(),
        Value::Array(list) => list.iter().map(json_of).collect(),
        Value::InlineTable(table) => {
            table.iter().map(|(key, value)| (key.to_owned(), json_of(value))).collect::<Map<_, _>>().into()
        }
    }
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
