//! That a better model is a command away: said once to each user, and never again.

use std::fs::{self, OpenOptions};
use std::path::PathBuf;

use super::cache::Cache;
use super::lookup;
use super::table::Table;

/// What to say where the model in the program is used and nothing better was fetched; `None` where that was said before, or
/// where it cannot be noted that it was.
pub fn first_hint(model: &Option<PathBuf>) -> Option<String> {
    hint(model, &Cache::of_user().ok()?)
}

fn hint(model: &Option<PathBuf>, cache: &Cache) -> Option<String> {
    if model.is_some() {
        return None;
    }
    let table = Table::load().ok()?;
    let built_in = table.entries.iter().find(|entry| entry.built_in)?;
    let best = table.entries.iter().filter(|entry| entry.auto).max_by(|a, b| a.ap.total_cmp(&b.ap))?;
    let there = lookup::there_in(&table, Some(cache)).first().map(|entry| entry.ap).unwrap_or_default();
    if best.ap <= built_in.ap || there > built_in.ap {
        return None;
    }
    fs::create_dir_all(cache.folder()).ok()?;
    let said = cache.folder().join(".better-models-told");
    // The file is there from the first time on.
    OpenOptions::new().write(true).create_new(true).open(said).ok()?;
    Some(format!(
        "the built-in {} is the smallest of its kind ({} AP); a better one is one command away: trailsight models pull {} \
         ({:.0} MB, {} AP), then --set detector.model={}",
        built_in.title,
        built_in.ap,
        best.name,
        best.bytes as f64 / 1e6,
        best.ap,
        best.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_once() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("models"));
        assert_eq!(hint(&Some("best.onnx".into()), &cache), None);
        let said = hint(&None, &cache).unwrap();
        assert!(said.contains("trailsight models pull yolox-s (36 MB, 40.5 AP)"), "{said}");
        assert_eq!(hint(&None, &cache), None);
        assert_eq!(cache.size(), (0, 0));
        // Where it cannot be noted, it is not said each time.
        let closed = Cache::at(folder.path().join("file/models"));
        std::fs::write(folder.path().join("file"), "").unwrap();
        assert_eq!(hint(&None, &closed), None);
    }

    #[test]
    fn it_is_not_said_where_a_better_one_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let table = Table::with(None).unwrap();
        let tiny = table.find("yolox-tiny").unwrap();
        std::fs::File::create(cache.path(tiny)).unwrap().set_len(tiny.bytes).unwrap();
        assert_eq!(hint(&None, &cache), None);
    }
}
