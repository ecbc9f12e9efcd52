//! What exporters write of a model beside its graph.
//!
//! Ultralytics writes `names` (a Python dictionary as text), `stride`, `task`, `imgsz`, `head`, `end2end` and more; others write
//! `names` as JSON, or nothing. All of it is a hint: what the shapes say counts more.

use std::collections::BTreeMap;

use prost::Message;
use tract_onnx::pb::ModelProto;

/// No list of names in a file is longer.
const MOST_NAMES: usize = u16::MAX as usize;

/// The pairs of keys and values, and who made the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::detect) struct Metadata {
    pairs: BTreeMap<String, String>,
    /// The program that wrote the file, with its version.
    pub(in crate::detect) producer: String,
}

impl Metadata {
    /// Of the bytes of a model's file; nothing where they are none.
    pub(in crate::detect) fn parse(bytes: &[u8]) -> Self {
        ModelProto::decode(bytes).map(|model| Self::of(&model)).unwrap_or_default()
    }

    pub(super) fn of(model: &ModelProto) -> Self {
        let pairs = model.metadata_props.iter().map(|entry| (entry.key.clone(), entry.value.clone()));
        let producer = format!("{} {}", model.producer_name, model.producer_version).trim().to_owned();
        Self { pairs: pairs.collect(), producer }
    }

    /// The value of a key, without blanks around it.
    pub(in crate::detect) fn get(&self, key: &str) -> Option<&str> {
        self.pairs.get(key).map(|value| value.trim())
    }

    /// Whether a key is there.
    pub(in crate::detect) fn has(&self, key: &str) -> bool {
        self.pairs.contains_key(key)
    }

    /// Whether a key says yes; Python's and JSON's words.
    pub(in crate::detect) fn is_true(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
    }

    /// The names of the classes in the order of their numbers; `None` where there are none that can be read.
    pub(in crate::detect) fn names(&self) -> Option<Vec<String>> {
        let text = self.get("names").or_else(|| self.get("classes")).or_else(|| self.get("labels"))?;
        names(text)
    }

    /// Whether Ultralytics' exporter wrote the file: its keys are of its making.
    pub(in crate::detect) fn is_ultralytics(&self) -> bool {
        let says =
            |key: &str| self.get(key).is_some_and(|value| value.to_ascii_lowercase().contains("ultralytics"));
        self.has("stride") && self.has("names") && (self.has("task") || says("author") || says("description"))
    }
}

/// Reads `{0: 'person', 1: "car"}`, `{"0": "person"}`, `['person', 'car']` and `person,car`.
fn names(text: &str) -> Option<Vec<String>> {
    let inner = |open, close| text.strip_prefix(open).and_then(|rest: &str| rest.strip_suffix(close));
    let (inner, keyed) = match (inner('{', '}'), inner('[', ']').or_else(|| inner('(', ')'))) {
        (Some(inner), _) => (inner, true),
        (_, Some(inner)) => (inner, false),
        _ if text.starts_with(['{', '[', '(']) => return None,
        _ => {
            let names: Vec<String> = text.split([',', '\n']).map(|name| name.trim().to_owned()).collect();
            let fine = names.len() <= MOST_NAMES && names.iter().all(|name| !name.is_empty());
            return fine.then_some(names);
        }
    };
    let mut rest = Literals(inner.trim());
    let mut names = BTreeMap::new();
    while !rest.0.is_empty() {
        let key = if keyed {
            let key = rest.literal()?.trim().parse().ok()?;
            rest.sign(':')?;
            key
        } else {
            names.len()
        };
        if key >= MOST_NAMES || names.insert(key, rest.literal()?).is_some() {
            return None;
        }
        if !rest.0.is_empty() {
            rest.sign(',')?;
        }
    }
    let count = names.last_key_value()?.0 + 1;
    Some((0..count).map(|class| names.remove(&class).unwrap_or_else(|| format!("class {class}"))).collect())
}

/// Literals of Python and JSON, one behind the other.
struct Literals<'a>(&'a str);

impl Literals<'_> {
    fn sign(&mut self, sign: char) -> Option<()> {
        self.0 = self.0.strip_prefix(sign)?.trim_start();
        Some(())
    }

    /// A text in quotes, or a word up to the next sign.
    fn literal(&mut self) -> Option<String> {
        let quote = self.0.chars().next().filter(|first| matches!(first, '\'' | '"'));
        let Some(quote) = quote else {
            let end = self.0.find([',', ':']).unwrap_or(self.0.len());
            let (word, rest) = self.0.split_at(end);
            self.0 = rest;
            return Some(word.trim().to_owned()).filter(|word| !word.is_empty());
        };
        let mut text = String::new();
        let mut signs = self.0.char_indices().skip(1);
        while let Some((at, sign)) = signs.next() {
            match sign {
                _ if sign == quote => {
                    self.0 = self.0.get(at + 1..)?.trim_start();
                    return Some(text);
                }
                '\\' => {
                    let (_, escaped) = signs.next()?;
                    let digits = match escaped {
                        'n' => {
                            text.push('\n');
                            0
                        }
                        't' => {
                            text.push('\t');
                            0
                        }
                        'x' => 2,
                        'u' => 4,
                        other => {
                            text.push(other);
                            0
                        }
                    };
                    if digits > 0 {
                        let code: String = signs.by_ref().take(digits).map(|(_, digit)| digit).collect();
                        text.push(
                            u32::from_str_radix(&code, 16)
                                .ok()
                                .and_then(char::from_u32)
                                .unwrap_or('\u{fffd}'),
                        );
                    }
                }
                other => text.push(other),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_every_exporter_are_read() {
        let all = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        for (text, expected) in [
            ("{0: 'person', 1: 'traffic light'}", all(&["person", "traffic light"])),
            (r#"{0: "driver's seat", 1: 'a, b: c'}"#, all(&["driver's seat", "a, b: c"])),
            (r"{0: 'it\'s', 1: 'caf\xe9', 2: '\u0436'}", all(&["it's", "café", "ж"])),
            (r#"{"1": "car", "0": "person"}"#, all(&["person", "car"])),
            ("['person', 'car']", all(&["person", "car"])),
            (r#"["person"]"#, all(&["person"])),
            ("person, car", all(&["person", "car"])),
            ("{0: person, 1: car}", all(&["person", "car"])),
            ("{0: 'a', 2: 'c'}", all(&["a", "class 1", "c"])),
            ("{}", None),
            ("[]", None),
            ("", None),
            ("{0: 'a', 0: 'b'}", None),
            ("{0: 'a'", None),
            ("{0: 'a}", None),
            ("{x: 'a'}", None),
            ("{-1: 'a'}", None),
            ("{99999999: 'a'}", None),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not(text in r#"[\{\[]?[ -~ж]{0,40}[\}\]]?"#) {
            if let Some(names) = names(&text) {
                prop_assert!(!names.is_empty());
            }
        }
    }
}
