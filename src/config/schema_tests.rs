//! The schema agrees with the program's own checks, by a small validator of its own and, where it is there, by Python's.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

use super::*;
use crate::config::file;
use crate::config::{default_file, parameter};

/// Whether a value is what the schema allows. Knows the words that [`schema`] uses, and fails on any other.
fn is_valid(schema: &Json, value: &Json) -> bool {
    schema.as_object().expect("a schema is an object").iter().all(|(word, rule)| {
        let limit = || rule.as_f64().expect("a limit is a number");
        let list = || rule.as_array().expect("a list");
        match word.as_str() {
            "$schema" | "title" | "description" | "default" | "deprecated" | "x-taplo" => true,
            "type" => match rule.as_str().expect("one type") {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "number" => value.is_number(),
                "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
                other => panic!("type {other}"),
            },
            "enum" => list()
                .iter()
                .any(|known| known == value || known.as_f64().is_some_and(|n| value.as_f64() == Some(n))),
            "anyOf" => list().iter().any(|schema| is_valid(schema, value)),
            "minimum" => value.as_f64().is_none_or(|number| number >= limit()),
            "maximum" => value.as_f64().is_none_or(|number| number <= limit()),
            "minItems" => value.as_array().is_none_or(|items| items.len() as f64 >= limit()),
            "maxItems" => value.as_array().is_none_or(|items| items.len() as f64 <= limit()),
            "items" => value.as_array().is_none_or(|items| items.iter().all(|item| is_valid(rule, item))),
            "required" => value.as_object().is_none_or(|table| {
                list().iter().all(|name| table.contains_key(name.as_str().expect("a name")))
            }),
            "properties" => value.as_object().is_none_or(|table| {
                table.iter().all(|(name, value)| rule.get(name).is_none_or(|schema| is_valid(schema, value)))
            }),
            "additionalProperties" => {
                assert_eq!(rule, false);
                let known = &schema["properties"];
                value.as_object().is_none_or(|table| table.keys().all(|name| known.get(name).is_some()))
            }
            // What texts allow beyond that is the program's affair; Python reads the patterns.
            "pattern" => true,
            other => panic!("the schema has {other:?}"),
        }
    })
}

fn json_of_text(text: &str) -> Json {
    let document: toml_edit::DocumentMut = text.parse().unwrap();
    json_of(&document.as_table().clone().into_inline_table().into())
}

/// Configs with what the program's own checks say of them.
fn samples() -> Vec<(String, bool)> {
    let mut samples = vec![default_file(), String::new()];
    let of = |path: &str, value: &str| format!("{path} = {value}\n");
    for known in parameters() {
        let values = [
            "true",
            "0",
            "1",
            "-1",
            "5",
            "0.5",
            "1e9",
            "nan",
            "\"\"",
            "\"off\"",
            "\"auto\"",
            "\"2x2\"",
            "\"416x416\"",
            "\"finest\"",
            "[]",
            "[1, 2]",
            "[\"person\"]",
            "[0.25, 0, 0.5, 1]",
            "[[[0, 0], [1, 0], [1, 0.5]]]",
            "[[[0, 0], [1, 0]]]",
            "{ x = 1 }",
        ];
        samples.extend(values.map(|value| of(known.path, value)));
        for alias in known.aliases {
            samples.push(of(alias, &known.default().to_string()));
        }
    }
    for (path, _) in REMOVED {
        samples.push(of(path, "1"));
    }
    for odd in
        ["detector = 5", "[detecter]\nconfidence = 0.5", "confidence = 0.5", "[detector]\nconfidnce = 0.5"]
    {
        samples.push(odd.to_owned());
    }
    for list in ["mask", "region"] {
        for table in [
            "points = [[0, 0], [1, 0], [1, 1]]",
            "name = \"a\"",
            "points = 5",
            "points = [[0, 0], [1, 0], [1, 1]]\nenabled = 1",
            "points = [[0, 0], [1, 0], [1, 1]]\nname = \"a\"\nenabled = false",
            "points = [[0, 0], [1, 0], [1, 2]]",
            "points = [[0, 0], [1, 0], [1, 1]]\nnam = \"a\"",
        ] {
            samples.push(format!("[[{list}]]\n{table}\n"));
        }
    }
    for heading in ["[ground]", "[[ground]]"] {
        for keys in [
            "",
            "points = []",
            "points = [{ at = [0.1, 0.5] }]",
            "points = 5",
            "lengths = [{ from = [0, 1], to = [0, 2], metres = 1 }]",
            "origin = [48, 11]",
            "origin = [48]",
            "origin = []\nfixed_to = \"scene\"",
            "view_degrees = 500",
            "viewdegrees = 50",
        ] {
            samples.push(format!("{heading}\n{keys}\n"));
        }
    }
    let judged = |text: String| {
        let right = file::parse("c.toml".as_ref(), &text).mistakes.is_empty();
        (text, right)
    };
    samples.into_iter().map(judged).collect()
}

/// Texts of which a pattern says less than the program knows: `48x48` is no multiple of 32, `25:00` no time of day.
const LEFT_TO_THE_PROGRAM: [&str; 4] =
    ["source.began", "source.camera.format", "detector.input", "enhance.tiles"];

#[test]
fn the_schema_says_what_the_checks_say() {
    let schema = schema();
    for (text, right) in samples() {
        // JSON knows no such number.
        if text.contains("= nan") {
            continue;
        }
        let value = json_of_text(&text);
        let says = is_valid(&schema, &value);
        let lenient = LEFT_TO_THE_PROGRAM.iter().any(|path| text.starts_with(path));
        assert!(says == right || lenient && says, "{text}: the checks say {right}, the schema {says}");
    }
}

#[test]
fn every_setting_has_its_default_and_meaning_in_the_schema() {
    let schema = schema();
    for known in parameters() {
        let place = known.path.split('.').fold(&schema, |object, part| &object["properties"][part]);
        assert_eq!(place["default"], json_of(&known.default()), "{}", known.path);
        assert!(place["description"].as_str().unwrap().starts_with(known.comment), "{}", known.path);
    }
    let confidence = &schema["properties"]["detector"]["properties"]["confidence"];
    assert_eq!((&confidence["minimum"], &confidence["maximum"]), (&json!(0.0), &json!(1.0)));
    assert!(parameter("detector.confidence").is_some());
}

/// The same with another's validator.
#[test]
fn another_validator_agrees() {
    const SCRIPT: &str = "
import json, sys
from jsonschema import Draft7Validator
schema, samples = json.load(sys.stdin)
Draft7Validator.check_schema(schema)
validator = Draft7Validator(schema)
print(json.dumps([validator.is_valid(sample) for sample in samples]))
";
    let has = Command::new("python3").args(["-c", "import jsonschema"]).stderr(Stdio::null()).status();
    if !has.is_ok_and(|status| status.success()) {
        let required = std::env::var_os("REQUIRE_TOOLS").is_some_and(|value| value == "1");
        assert!(!required, "python3 has no jsonschema");
        return;
    }
    let samples: Vec<_> = samples().into_iter().filter(|(text, _)| !text.contains("= nan")).collect();
    let values: Vec<Json> = samples.iter().map(|(text, _)| json_of_text(text)).collect();
    let mut child = Command::new("python3")
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = serde_json::to_string(&json!([schema(), values])).unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let says: Vec<bool> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(says.len(), samples.len());
    for ((text, right), says) in samples.iter().zip(says) {
        let lenient = LEFT_TO_THE_PROGRAM.iter().any(|path| text.starts_with(path));
        assert!(says == *right || lenient && says, "{text}: the checks say {right}, the schema {says}");
    }
}
