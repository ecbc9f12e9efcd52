//! `trailsight models list`, `rm`, `verify` and `path`: what is there of the models known by name.

use std::path::Path;

use crate::commands::{Failure, print, progress};
use crate::zoo::{Cache, Entry, FileState, Table, named};

/// What a file calls its outputs and classes may be anything: signs that a terminal takes for commands are shown as such.
pub(super) fn row(name: &str, value: &str) -> String {
    format!("{name:<12}{}\n", progress::showable(value))
}

/// The model of the table that a value of `detector.model` means.
pub(super) fn known(value: Option<&Path>) -> Result<Option<Entry>, Failure> {
    let Some(value) = value else { return Ok(None) };
    Ok(named(value)?)
}

/// Whether it can be loaded, as far as that is seen from outside.
pub(super) fn is_here(entry: &Entry) -> bool {
    entry.built_in || Cache::of_user().is_ok_and(|cache| cache.file(entry).is_ok())
}

pub(super) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// What the table says of a model, a line each.
pub(super) fn rows(entry: &Entry) -> Result<String, Failure> {
    let mut text = row("model", &format!("{} ({})", entry.name, entry.title));
    if entry.built_in {
        text.push_str(&row("", "built into the program"));
    } else {
        let cache = Cache::of_user()?;
        text.push_str(&row("file", &cache.path(entry).display().to_string()));
        if !is_here(entry) {
            text.push_str(&row("", &state(&cache, entry)));
        }
    }
    text.push_str(&row("accuracy", &format!("{} AP at {} ({})", entry.ap, entry.input, entry.ap_from)));
    text.push_str(&row("licences", &format!("code {}, weights {}", entry.licence, entry.weights)));
    text.push_str(&row("", &format!("trained on {}", entry.data)));
    text.push_str(&row("size", &megabytes(entry.bytes)));
    text.push_str(&row("SHA-256", &entry.sha256));
    text.push_str(&row("", &format!("as in {}", entry.pinned)));
    for (at, address) in entry.addresses.iter().enumerate() {
        text.push_str(&row(if at == 0 { "from" } else { "" }, address));
    }
    if !entry.notes.is_empty() {
        text.push_str(&row("note", &entry.notes));
    }
    Ok(text)
}

/// Where a model is, or how it comes.
fn state(cache: &Cache, entry: &Entry) -> String {
    let pull = format!("trailsight models pull {}", entry.name);
    match cache.state(entry) {
        FileState::BuiltIn => "built in".to_owned(),
        FileState::There => "here".to_owned(),
        FileState::Changed(bytes) => format!("broken ({} of {} bytes): {pull}", bytes, entry.bytes),
        FileState::Partial(bytes) => format!("{} of it: {pull}", megabytes(bytes)),
        FileState::Missing => pull,
    }
}

/// Rows of a table, each column as wide as it must be.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// All models known by name, the cache, and those to bring.
pub(super) fn list() -> Result<String, Failure> {
    let (table, cache) = (Table::load()?, Cache::of_user()?);
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let mut rows = vec![words(&["NAME", "FAMILY", "INPUT", "AP", "SIZE", "LICENCE", "WHERE"])];
    let mut entries: Vec<&Entry> = table.entries.iter().collect();
    entries.sort_by(|a, b| a.ap.total_cmp(&b.ap));
    for entry in entries {
        let licence = match entry.licence == entry.weights {
            true => entry.licence.clone(),
            false => format!("{}, weights {}", entry.licence, entry.weights),
        };
        let (ap, size) = (format!("{:.1}", entry.ap), megabytes(entry.bytes));
        let (name, family, input) = (entry.name.clone(), entry.family.clone(), entry.input.clone());
        rows.push(vec![name, family, input, ap, size, licence, state(&cache, entry)]);
    }
    let mut text = aligned(&rows);
    let (files, bytes) = cache.size();
    let holds = match files {
        0 => "is empty".to_owned(),
        1 => format!("holds 1 file, {}", megabytes(bytes)),
        _ => format!("holds {files} files, {}", megabytes(bytes)),
    };
    text.push_str(&format!("\nThe cache {} {holds}.\n", cache.folder().display()));
    if !table.bring.is_empty() {
        text.push_str("\nTo bring yourself, as an ONNX file (detector.model = FILE):\n");
        let rows = table.bring.iter().map(|bring| {
            vec![bring.title.clone(), format!("{} AP", bring.ap), bring.licence.clone(), bring.how.clone()]
        });
        text.push_str(&aligned(&rows.collect::<Vec<_>>()));
    }
    Ok(progress::showable(&text))
}

/// Removes models from the cache.
pub(super) fn remove(names: &[String], quiet: bool) -> Result<(), Failure> {
    let (table, cache) = (Table::load()?, Cache::of_user()?);
    // All names are known before anything is removed.
    let entries = names.iter().map(|name| table.find(name)).collect::<Result<Vec<_>, _>>()?;
    for entry in entries {
        let freed = cache.remove(entry)?;
        if !quiet {
            progress::say(&format!("removed {}, {}", entry.name, megabytes(freed)));
        }
    }
    Ok(())
}

/// Checks the models of these names, or all that are there.
pub(super) fn verify(names: &[String]) -> Result<(), Failure> {
    let (table, cache) = (Table::load()?, Cache::of_user()?);
    let entries: Vec<&Entry> = match names {
        [] => {
            let is_there =
                |entry: &&Entry| matches!(cache.state(entry), FileState::There | FileState::Changed(_));
            table.entries.iter().filter(is_there).collect()
        }
        names => names.iter().map(|name| table.find(name)).collect::<Result<_, _>>()?,
    };
    if entries.is_empty() {
        return print(&format!("there is no model in {}\n", cache.folder().display())).map(drop);
    }
    let mut bad = 0;
    for entry in entries {
        let outcome = if entry.built_in { Ok(()) } else { cache.verify(entry) };
        match outcome {
            Ok(()) if entry.built_in => drop(print(&format!("{}: built in\n", entry.name))?),
            Ok(()) => drop(print(&format!("{}: whole and unchanged\n", entry.name))?),
            Err(error) => {
                progress::say(&format!("trailsight: {error}"));
                bad += 1;
            }
        }
    }
    if bad == 0 { Ok(()) } else { Err(Failure::Told) }
}

/// The line with the place of a model's file.
pub(super) fn path(name: &str) -> Result<String, Failure> {
    let path = Cache::of_user()?.file(Table::load()?.find(name)?)?;
    Ok(format!("{}\n", path.display()))
}
