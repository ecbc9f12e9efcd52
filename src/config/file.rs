//! A config file's text as values, each checked and with its line.

use std::collections::BTreeMap;
use std::path::Path;

use toml_edit::{Document, Item, TableLike, Value};

use super::Settings;
use super::error::{Mistake, Origin};
use super::keys::{KEYS, Key, key, sections, unknown_key};
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

/// The key, and the value as the program would write it.
///
/// # Errors
/// What is wrong, in words: there is no such key, or the value is not allowed.
pub(super) fn checked(path: &str, value: &Value) -> Result<(&'static Key, Value), String> {
    let key = key(path).ok_or_else(|| unknown_key(path))?;
    let mut scratch = Settings::default();
    key.set(&mut scratch, value).map_err(|allowed| {
        let shown: String = value.to_string().trim().chars().take(60).collect();
        format!("{path} cannot be {shown}: allowed is {allowed}")
    })?;
    Ok((key, key.get(&scratch)))
}

/// Whether a text is TOML at all.
pub(super) fn is_toml(text: &str) -> bool {
    Document::parse(text).is_ok()
}

/// The values of a file; what is wrong in it is added to `mistakes`.
pub(super) fn parse(path: &Path, text: &str, mistakes: &mut Vec<Mistake>) -> Values {
    let line = |offset: usize| 1 + text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count();
    let at = |offset: Option<usize>| Origin::File(path.to_owned(), line(offset.unwrap_or(0)));
    let mut values = Values::new();
    match Document::parse(text) {
        Ok(document) => take_table("", document.as_table(), &at, &mut values, mistakes),
        Err(error) => {
            let origin = at(error.span().map(|span| span.start));
            mistakes.push(Mistake { origin, problem: error.message().trim().to_owned() });
        }
    }
    values
}

fn take_table(
    section: &str,
    table: &dyn TableLike,
    at: &dyn Fn(Option<usize>) -> Origin,
    values: &mut Values,
    mistakes: &mut Vec<Mistake>,
) {
    for (name, item) in table.iter() {
        let path = if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
        let span = table.key(name).and_then(|key| key.span()).or_else(|| item.span());
        let origin = at(span.map(|span| span.start));
        let is_section = sections().iter().any(|s| *s == path || s.starts_with(&format!("{path}.")));
        let problem = match (item, item.as_table_like()) {
            (_, Some(inner)) if is_section => {
                take_table(&path, inner, at, values, mistakes);
                continue;
            }
            (_, Some(_)) if !KEYS.iter().any(|key| key.path == path) => {
                let hint = suggest::hint(&path, sections());
                format!("there is no section [{path}]{hint} (known: {})", sections().join(", "))
            }
            (Item::Value(value), _) if !is_section => match checked(&path, value) {
                Ok((key, value)) => {
                    values.insert(key.path, Held { value, origin });
                    continue;
                }
                Err(problem) => problem,
            },
            _ if is_section => format!("{path} is a section, not a value"),
            _ => format!("{path} is a value, not a section"),
        };
        mistakes.push(Mistake { origin, problem });
    }
}
