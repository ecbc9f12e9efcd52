//! What `detector.model` means: the file of that name, else the model of that name, else nothing.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

use super::cache::{Cache, FileState};
use super::error::ZooError;
use super::table::{Entry, Table};
use crate::sync::lock;

/// The word for the best model that is there.
pub const AUTO: &str = "auto";

/// Whether this value leaves the choice to the program. A file of that name is a file.
pub fn is_auto(value: &Path) -> bool {
    value.as_os_str() == AUTO && !value.exists()
}

/// The model of the table that a value of `detector.model` means; `None`: it is the path of a file. A word without folder and
/// ending may be a name; where a file has the same name, it is the file. [`AUTO`] is the best model that is there.
///
/// # Errors
/// [`ZooError::Neither`] where a word is neither, and what is wrong with the table where one is looked up.
pub fn named(value: &Path) -> Result<Option<Entry>, ZooError> {
    let Some(name) = word(value).filter(|_| !value.exists()) else { return Ok(None) };
    let table = Table::load()?;
    if name == AUTO {
        return best(&table).map(Some);
    }
    match table.find(name) {
        Ok(entry) => Ok(Some(entry.clone())),
        Err(_) => Err(ZooError::Neither { name: name.to_owned(), hint: table.hint(name) }),
    }
}

/// A path that may be a name.
fn word(value: &Path) -> Option<&str> {
    let name = value.to_str()?;
    let sign = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (!name.is_empty() && name.chars().all(sign)).then_some(name)
}

/// The models that [`AUTO`] may choose among and that are there, the best first: by published accuracy, the smaller of equals.
pub fn there(table: &Table) -> Vec<Entry> {
    // Without a cache there is the model in the program.
    there_in(table, Cache::of_user().ok().as_ref())
}

/// The same with another cache.
pub(super) fn there_in(table: &Table, cache: Option<&Cache>) -> Vec<Entry> {
    let is_there =
        |entry: &&Entry| entry.built_in || cache.is_some_and(|cache| cache.state(entry) == FileState::There);
    let mut all: Vec<Entry> =
        table.entries.iter().filter(|entry| entry.auto).filter(is_there).cloned().collect();
    all.sort_by(|a, b| b.ap.total_cmp(&a.ap).then(a.bytes.cmp(&b.bytes)));
    all
}

/// The best model that is there, however slow it is: the same on each machine that has the same models.
///
/// # Errors
/// [`ZooError::Unknown`] where a table of one's own has replaced all of them.
pub fn best(table: &Table) -> Result<Entry, ZooError> {
    let first = there(table).into_iter().next();
    first.ok_or_else(|| ZooError::Unknown { name: AUTO.to_owned(), hint: String::new() })
}

/// Says which model was chosen, once for each line: the log shows this room's also without `-v`.
pub fn announce(line: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if lock(&SAID).insert(line.to_owned()) {
        log::info!("{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_word_may_be_a_name() {
        for path in ["yolox-s", "YOLOX-S", "auto", "a_b"] {
            assert_eq!(word(Path::new(path)), Some(path));
        }
        for path in ["", "a.onnx", "./yolox-s", "models/yolox-s", "a b", "ä"] {
            assert_eq!(word(Path::new(path)), None, "{path}");
        }
        assert_eq!(named(Path::new("no-such-model.onnx")).unwrap(), None);
        assert_eq!(named(Path::new("yolox-tiny")).unwrap().unwrap().bytes, 20_219_662);
        let error = named(Path::new("yolox-tny")).unwrap_err().to_string();
        assert!(
            error.contains("no file yolox-tny") && error.contains("did you mean \"yolox-tiny\"?"),
            "{error}"
        );
        // A folder of tests is a thing of that name.
        assert_eq!(named(Path::new("tests")).unwrap(), None);
    }
}
