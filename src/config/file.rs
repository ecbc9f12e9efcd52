//! A config file's text as values, each checked and with its line.

use std::collections::BTreeMap;
use std::path::Path;

use toml_edit::{Document, Item, TableLike, Value};

use super::Settings;
use super::error::{Mistake, Notice, Origin};
use super::params::{List, Named, Parameter, lists, named, sections, unknown};
use crate::suggest;

/// A value that one layer holds, as the program would write it, and where it was written.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// What one layer holds, by the full names of the keys.
pub(super) type Values = BTreeMap<&'static str, Held>;

/// Whether two layers (or one at two times) hold the same for a key, however it was written.
pub(super) fn same(a: Option<&Held>, b: Option<&Held>) -> bool {
    a.map(|held| held.value.to_string()) == b.map(|held| held.value.to_string())
}

/// A name and a value that are allowed.
pub(super) struct Checked {
    /// The setting, with the value as the program would write it; `None` where the setting is no more.
    pub(super) value: Option<(&'static Parameter, Value)>,
    /// An old name, and what to know about it.
    pub(super) old: Option<(&'static str, String)>,
}

/// Checks a value for the setting of this full name.
///
/// # Errors
/// What is wrong, in words: there is no such setting, or the value is not allowed.
pub(super) fn checked(path: &str, value: &Value) -> Result<Checked, String> {
    let (parameter, old) = match named(path).ok_or_else(|| unknown(path))? {
        Named::Parameter(parameter) => (parameter, None),
        Named::Renamed(parameter, name) => {
            let text = format!("{name} is now called {}; the old name still works", parameter.path);
            (parameter, Some((name, text)))
        }
        Named::Removed(name, why) => {
            let text = format!("{name} is gone and has no effect: {why}");
            return Ok(Checked { value: None, old: Some((name, text)) });
        }
    };
    let mut scratch = Settings::default();
    parameter.set(&mut scratch, value).map_err(|allowed| {
        let shown: String = value.to_string().trim().chars().take(60).collect();
        format!("{path} cannot be {shown}: allowed is {allowed}")
    })?;
    Ok(Checked { value: Some((parameter, parameter.get(&scratch))), old })
}

/// Whether a text is TOML at all.
pub(super) fn is_toml(text: &str) -> bool {
    Document::parse(text).is_ok()
}

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) values: Values,
    pub(super) mistakes: Vec<Mistake>,
    pub(super) notices: Vec<Notice>,
}

/// Reads and checks a file's text.
pub(super) fn parse(path: &Path, text: &str) -> Parsed {
    let mut reader = Reader { path, text, parsed: Parsed::default() };
    match Document::parse(text) {
        Ok(document) => reader.take_table("", document.as_table()),
        Err(error) => {
            let origin = reader.at(error.span().map(|span| span.start));
            reader.mistake(origin, error.message().trim().to_owned());
        }
    }
    reader.parsed
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    parsed: Parsed,
}

impl Reader<'_> {
    /// The place of a byte of the text; without one, its beginning.
    fn at(&self, offset: Option<usize>) -> Origin {
        let before = self.text.get(..offset.unwrap_or(0)).unwrap_or(self.text);
        let line = 1 + before.matches('\n').count();
        let column = 1 + before.rsplit('\n').next().unwrap_or(before).chars().count();
        Origin::File { path: self.path.to_owned(), line, column }
    }

    fn mistake(&mut self, origin: Origin, problem: String) {
        self.parsed.mistakes.push(Mistake { origin, problem });
    }

    fn take_table(&mut self, section: &str, table: &dyn TableLike) {
        for (name, item) in table.iter() {
            let path = if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
            let span = table.key(name).and_then(|key| key.span()).or_else(|| item.span());
            let origin = self.at(span.map(|span| span.start));
            let is_section = sections().iter().any(|s| *s == path || s.starts_with(&format!("{path}.")));
            if let Some((list, rules)) = lists().find(|(list, _)| list.path == path) {
                self.take_list(list, rules, item, origin);
                continue;
            }
            let problem = match (item, item.as_table_like()) {
                (Item::ArrayOfTables(_), _) if !is_section => {
                    let known: Vec<_> = lists().map(|(list, _)| list.path).collect();
                    let hint = suggest::hint(&path, known.iter().copied());
                    format!("there is no list of tables [[{path}]]{hint} (known: {})", known.join(", "))
                }
                (Item::ArrayOfTables(_), _) => format!("{path} is a section, not a list: write [{path}]"),
                (_, Some(inner)) if is_section => {
                    self.take_table(&path, inner);
                    continue;
                }
                (_, Some(_)) if named(&path).is_none() => {
                    let hint = suggest::hint(&path, sections());
                    format!("there is no section [{path}]{hint} (known: {})", sections().join(", "))
                }
                (Item::Value(value), _) if !is_section => {
                    self.take_value(&path, value, origin);
                    continue;
                }
                _ if is_section => format!("{path} is a section, not a value"),
                _ => format!("{path} is a value, not a section"),
            };
            self.mistake(origin, problem);
        }
    }

    /// Takes a list of tables, or the same as an array of inline tables; each mistake is told at its own place.
    fn take_list(&mut self, list: &Parameter, rules: &List, item: &Item, origin: Origin) {
        let tables: Option<Vec<&dyn TableLike>> = match item {
            Item::ArrayOfTables(tables) => Some(tables.iter().map(|table| table as &dyn TableLike).collect()),
            Item::Value(Value::Array(array)) => array
                .iter()
                .map(|value| value.as_inline_table().map(|table| table as &dyn TableLike))
                .collect(),
            Item::Table(table) if rules.alone => Some(vec![table as &dyn TableLike]),
            Item::Table(_) => {
                let path = list.path;
                return self.mistake(origin, format!("{path} is a list of tables: write [[{path}]]"));
            }
            _ => None,
        };
        let before = self.parsed.mistakes.len();
        for (index, table) in tables.iter().flatten().enumerate() {
            for (key, problem) in (rules.problems)(*table) {
                let key = key.and_then(|key| table.key(&key)?.span());
                let spans = [key, self.span_of(item, index)];
                let place = spans.into_iter().flatten().next();
                let origin = place.map_or_else(|| origin.clone(), |span| self.at(Some(span.start)));
                self.mistake(origin, format!("{}.{}: {problem}", list.path, index + 1));
            }
        }
        if self.parsed.mistakes.len() == before {
            match item.clone().into_value() {
                Ok(table @ Value::InlineTable(_)) if rules.alone => {
                    self.take_value(list.path, &Value::Array([table].into_iter().collect()), origin);
                }
                Ok(value) => self.take_value(list.path, &value, origin),
                Err(_) => self
                    .mistake(origin, format!("{} cannot be this: allowed is {}", list.path, list.allowed())),
            }
        }
    }

    /// Where one table of a list begins.
    fn span_of(&self, item: &Item, index: usize) -> Option<std::ops::Range<usize>> {
        match item {
            Item::ArrayOfTables(tables) => tables.get(index)?.span(),
            Item::Table(table) => table.span(),
            item => item.as_array()?.get(index)?.span(),
        }
    }

    fn take_value(&mut self, path: &str, value: &Value, origin: Origin) {
        let checked = match checked(path, value) {
            Ok(checked) => checked,
            Err(problem) => return self.mistake(origin, problem),
        };
        if let Some((parameter, value)) = checked.value {
            let held = Held { value, origin: origin.clone() };
            match checked.old {
                // Where both names stand, the new one counts, wherever it stands.
                Some(_) => drop(self.parsed.values.entry(parameter.path).or_insert(held)),
                None => drop(self.parsed.values.insert(parameter.path, held)),
            }
        }
        if let Some((name, text)) = checked.old {
            self.parsed.notices.push(Notice { origin, name, text });
        }
    }
}
