//! Values put into a config file: only their own places in the text change.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use toml_edit::{Array, ArrayOfTables, Document, DocumentMut, Item, Table, TableLike};

use super::file::{Parsed, Values, parse, same};
use super::params::{parameter, parameters};
use super::write_lists::ListChange;
use crate::atomic_file::{self, Durability};

/// `text` (which holds `old`) with the values `wanted`. A value that is there is exchanged where it stands, and the
/// comment behind it keeps its column; one that is not there is added to its section.
///
/// # Errors
/// Says so where the result would not hold just that, which no layout known leads to.
pub(super) fn with_values(text: &str, old: &Values, wanted: &Values) -> Result<String, String> {
    let odd = || "its layout cannot be changed from here; use an editor".to_owned();
    let document = Document::parse(text).map_err(|error| error.message().trim().to_owned())?;
    let mut places = Vec::new();
    let mut missing = Vec::new();
    let mut changes = Vec::new();
    for (&path, held) in wanted {
        // A value that has an old name keeps it.
        let aliases = parameter(path).map_or(&[][..], |parameter| parameter.aliases);
        let item = [path].iter().chain(aliases).find_map(|name| find(document.as_table(), name));
        if let Some(rules) = parameter(path).and_then(|parameter| parameter.list.as_ref())
            && item.is_none_or(Item::is_array_of_tables)
        {
            let change = ListChange::new(path, rules, old.get(path).map(|held| &held.value), &held.value);
            places.extend(
                item.and_then(Item::as_array_of_tables)
                    .map(|tables| change.places(tables))
                    .unwrap_or_default(),
            );
            changes.push(change);
            continue;
        }
        match item.and_then(Item::span) {
            Some(span) => places.push((span, held.value.to_string())),
            None => missing.push((path, held)),
        }
    }
    // From the end, so that the places before stay where they are.
    places.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut new = text.to_owned();
    for (span, value) in places {
        let before = text.get(span.clone()).ok_or_else(odd)?;
        let behind = new.get(span.end..).ok_or_else(odd)?;
        let spaces = behind.len() - behind.trim_start_matches(' ').len();
        let gap = if spaces > 1 && behind.trim_start_matches(' ').starts_with('#') {
            (spaces + before.chars().count()).saturating_sub(value.chars().count()).max(1)
        } else {
            spaces
        };
        new.replace_range(span.start..span.end + spaces, &format!("{value}{:gap$}", ""));
    }
    if !missing.is_empty() || !changes.is_empty() {
        let mut document: DocumentMut = new.parse().map_err(|_| odd())?;
        for (path, held) in missing {
            let (section, name) = parameter(path).ok_or_else(odd)?.section_and_name();
            let table = section_of(document.as_table_mut(), section).ok_or_else(odd)?;
            table.insert(name, Item::Value(held.value.clone()));
        }
        for change in changes {
            let table = document.as_table_mut();
            if change.is_empty() {
                table.remove(change.path);
            } else {
                let item =
                    table.entry(change.path).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
                change.complete(item).ok_or_else(odd)?;
            }
        }
        let crlf = new.contains("\r\n");
        new = document.to_string();
        if crlf {
            new = new.replace("\r\n", "\n").replace('\n', "\r\n");
        }
    }

    let Parsed { values: is, mistakes, .. } = parse(Path::new(""), &new);
    let right = parameters().iter().map(|parameter| parameter.path).all(|path| {
        let wanted = wanted.get(path).or_else(|| old.get(path));
        // A list without tables stands nowhere.
        let is_none = wanted.is_some_and(|held| held.value.as_array().is_some_and(Array::is_empty));
        same(is.get(path), wanted) || is_none && !is.contains_key(path)
    });
    if right && mistakes.is_empty() { Ok(new) } else { Err(odd()) }
}

fn find<'a>(table: &'a Table, path: &str) -> Option<&'a Item> {
    let mut parts = path.split('.');
    let mut item = table.get(parts.next()?)?;
    for part in parts {
        item = item.as_table_like()?.get(part)?;
    }
    Some(item)
}

/// The section, made where it is missing; without a heading of its own where it only holds another.
fn section_of<'a>(table: &'a mut Table, section: &str) -> Option<&'a mut dyn TableLike> {
    let parts: Vec<_> = section.split('.').collect();
    let mut table: &mut dyn TableLike = table;
    for (depth, part) in parts.iter().enumerate() {
        let item = table.entry(part).or_insert_with(|| {
            let mut made = Table::new();
            made.set_implicit(depth + 1 < parts.len());
            Item::Table(made)
        });
        table = item.as_table_like_mut()?;
    }
    Some(table)
}

/// Puts a text in the place of a file (the one that a link leads to) in one step: whoever reads it sees the old text or
/// the new one whole. Gives the file.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<PathBuf> {
    let target = follow_links(path);
    let permissions = match fs::metadata(&target) {
        Ok(found) if found.permissions().readonly() => {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only"));
        }
        found => found.ok().map(|found| found.permissions()),
    };
    atomic_file::replace_beside(&target, Durability::OnDisk, |file| {
        file.write_all(text.as_bytes())?;
        match permissions {
            // Of a file that is written in place, and may be another user's, they need not be set.
            Some(permissions) if file.metadata()?.permissions() != permissions => {
                file.set_permissions(permissions)
            }
            _ => Ok(()),
        }
    })?;
    Ok(target)
}

/// The file that a link leads to, also where it is not there (yet).
pub(super) fn follow_links(path: &Path) -> PathBuf {
    let mut target = path.to_owned();
    for _ in 0..16 {
        let Ok(next) = fs::read_link(&target) else { break };
        target = target.parent().map_or_else(|| next.clone(), |folder| folder.join(&next));
    }
    target
}
