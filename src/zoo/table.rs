//! The table of models known by name: `models/zoo.toml`, which is in the program, and rows of one's own.

use std::path::Path;

use toml_edit::{Document, TableLike};

use super::error::ZooError;
use crate::{bounded, suggest};

/// The table in the program.
const BUILT_IN: &str = include_str!("../../models/zoo.toml");

/// The environment variable that may name a file with more rows. A row with a known name replaces it.
pub const TABLE_VARIABLE: &str = "TRAILSIGHT_MODEL_TABLE";

/// No table is longer (bytes).
const LONGEST: u64 = 1 << 20;
/// No name is longer (letters).
const LONGEST_NAME: usize = 64;
/// No model is larger (bytes): the reader of models takes no more.
const LARGEST: u64 = 1 << 29;

/// A model known by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What it is called on the command line and in settings: small letters, digits and `-`.
    pub name: String,
    /// What its makers call it.
    pub title: String,
    /// The family that it is of.
    pub family: String,
    /// The size of input that its accuracy was published for, such as `416x416`.
    pub input: String,
    /// Mean average precision on COCO val2017 in percent, as published.
    pub ap: f64,
    /// Where that is published.
    pub ap_from: String,
    /// The length of its file.
    pub bytes: u64,
    /// The SHA-256 of its file: 64 small hexadecimal digits.
    pub sha256: String,
    /// The public repository in which that hash was seen.
    pub pinned: String,
    /// Whether it is a part of the program.
    pub built_in: bool,
    /// Whether `detector.model = "auto"` may choose it.
    pub auto: bool,
    /// The licence of the code that it comes from.
    pub licence: String,
    /// The licence of its weights.
    pub weights: String,
    /// The data that it was trained on, and its terms.
    pub data: String,
    /// Where its file is, the first that works.
    pub addresses: Vec<String>,
    /// What else to know.
    pub notes: String,
}

impl Entry {
    /// The name of its file, in the cache and on a mirror.
    pub fn file_name(&self) -> String {
        format!("{}.onnx", self.name)
    }
}

/// A model that a user must get without this program's help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bring {
    /// What its makers call it.
    pub title: String,
    /// Its accuracy as published.
    pub ap: String,
    /// Its licence.
    pub licence: String,
    /// Where to get it, and how to export it.
    pub how: String,
}

/// All models known by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// In the order of the file; those of one's own behind.
    pub entries: Vec<Entry>,
    /// Models to bring oneself.
    pub bring: Vec<Bring>,
}

impl Table {
    /// The table in the program, with the rows of the file that [`TABLE_VARIABLE`] names.
    ///
    /// # Errors
    /// [`ZooError::Table`] where that file has a mistake, [`ZooError::File`] where it cannot be read.
    pub fn load() -> Result<Self, ZooError> {
        let own = std::env::var_os(TABLE_VARIABLE).filter(|path| !path.is_empty());
        Self::with(own.as_deref().map(Path::new))
    }

    /// The table in the program, with the rows of a file.
    ///
    /// # Errors
    /// As [`Table::load`].
    pub fn with(own: Option<&Path>) -> Result<Self, ZooError> {
        let mut table = Self::parse("models/zoo.toml", BUILT_IN)?;
        let Some(path) = own else { return Ok(table) };
        let text = bounded::read_text(path, LONGEST);
        let text = text.map_err(|why| ZooError::File { path: path.to_owned(), tried: "read", why })?;
        let mut own = Self::parse(&path.display().to_string(), &text)?;
        // What is in the program is the program's to say.
        own.entries.iter_mut().for_each(|entry| entry.built_in = false);
        table.entries.retain(|known| own.entries.iter().all(|entry| entry.name != known.name));
        table.entries.extend(own.entries);
        table.bring.extend(own.bring);
        Ok(table)
    }

    /// Reads a table; `file` is what messages call it.
    ///
    /// # Errors
    /// [`ZooError::Table`] with the row and what is wrong in it.
    pub fn parse(file: &str, text: &str) -> Result<Self, ZooError> {
        let fail = |why: String| ZooError::Table { file: file.to_owned(), why };
        let document = Document::parse(text).map_err(|error| {
            let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or(text);
            fail(format!("line {}: {}", before.matches('\n').count() + 1, error.message().trim()))
        })?;
        let mut table = Self::default();
        for (key, item) in document.as_table().iter() {
            let rows = item.as_array_of_tables();
            let rows = rows.ok_or_else(|| fail(format!("{key} is no list: write [[model]] or [[bring]]")))?;
            for (at, row) in rows.iter().enumerate() {
                let row = Row { row, what: format!("[[{key}]] {}", at + 1) };
                match key {
                    "model" => {
                        let entry = row.entry().map_err(fail)?;
                        if table.entries.iter().any(|known| known.name == entry.name) {
                            return Err(fail(format!("{} is in it twice", entry.name)));
                        }
                        table.entries.push(entry);
                    }
                    "bring" => table.bring.push(row.bring().map_err(fail)?),
                    _ => return Err(fail(format!("[[{key}]] is not known: write [[model]] or [[bring]]"))),
                }
            }
        }
        Ok(table)
    }

    /// The model of this name; large and small letters count as the same.
    ///
    /// # Errors
    /// [`ZooError::Unknown`] with the name that was probably meant.
    pub fn find(&self, name: &str) -> Result<&Entry, ZooError> {
        let found = self.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name.trim()));
        found.ok_or_else(|| ZooError::Unknown { name: name.to_owned(), hint: self.hint(name) })
    }

    /// `; did you mean "x"?` or nothing.
    pub(super) fn hint(&self, name: &str) -> String {
        suggest::hint(name, self.entries.iter().map(|entry| entry.name.as_str()))
    }
}

/// A row of the file.
struct Row<'a> {
    row: &'a dyn TableLike,
    /// What messages call it.
    what: String,
}

impl Row<'_> {
    fn fault(&self, key: &str, expected: &str) -> String {
        let name = self.row.get("name").and_then(|item| item.as_str());
        let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
        format!("{}{name}: {key} must be {expected}", self.what)
    }

    fn text(&self, key: &str) -> Result<String, String> {
        let text = self.row.get(key).and_then(|item| item.as_str()).filter(|text| !text.trim().is_empty());
        text.map(str::to_owned).ok_or_else(|| self.fault(key, "text"))
    }

    fn text_or_nothing(&self, key: &str) -> Result<String, String> {
        if self.row.contains_key(key) { self.text(key) } else { Ok(String::new()) }
    }

    fn switch(&self, key: &str) -> Result<bool, String> {
        let Some(item) = self.row.get(key) else { return Ok(false) };
        item.as_bool().ok_or_else(|| self.fault(key, "true or false"))
    }

    fn only(&self, keys: &[&str]) -> Result<(), String> {
        match self.row.iter().find(|(key, _)| !keys.contains(key)) {
            Some((key, _)) => {
                Err(format!("{}: {key} is not known{}", self.what, suggest::hint(key, keys.iter().copied())))
            }
            None => Ok(()),
        }
    }

    fn entry(&self) -> Result<Entry, String> {
        self.only(&[
            "name",
            "title",
            "family",
            "input",
            "ap",
            "ap_from",
            "bytes",
            "sha256",
            "pinned",
            "built_in",
            "auto",
            "licence",
            "weights",
            "data",
            "addresses",
            "notes",
        ])?;
        let name = self.text("name")?;
        // It becomes a file's name, and must be no path and no file with an ending.
        let sign = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !name.chars().all(sign)
            || name.starts_with('-')
            || name.len() > LONGEST_NAME
            || name == super::AUTO
        {
            return Err(
                self.fault("name", "small letters, digits and -, at most 64 of them, and not \"auto\"")
            );
        }
        let ap = self.row.get("ap");
        let ap = ap.and_then(|item| item.as_float().or_else(|| item.as_integer().map(|whole| whole as f64)));
        let ap =
            ap.filter(|ap| (0.0..=100.0).contains(ap)).ok_or_else(|| self.fault("ap", "from 0 to 100"))?;
        let bytes = self.row.get("bytes").and_then(|item| item.as_integer());
        let bytes = bytes.and_then(|bytes| u64::try_from(bytes).ok());
        let bytes = bytes.filter(|bytes| (1..=LARGEST).contains(bytes));
        let bytes =
            bytes.ok_or_else(|| self.fault("bytes", &format!("a whole number from 1 to {LARGEST}")))?;
        let sha256 = self.text("sha256")?.to_ascii_lowercase();
        if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(self.fault("sha256", "64 hexadecimal digits"));
        }
        let addresses = self.row.get("addresses").and_then(|item| item.as_array());
        let addresses: Option<Vec<String>> = addresses.map(|addresses| {
            addresses.iter().filter_map(|address| address.as_str().map(str::to_owned)).collect()
        });
        let web = |address: &String| address.starts_with("https://") || address.starts_with("http://");
        let addresses = addresses.filter(|addresses| !addresses.is_empty() && addresses.iter().all(web));
        let addresses = addresses.ok_or_else(|| self.fault("addresses", "a list of https:// addresses"))?;
        Ok(Entry {
            title: self.text("title")?,
            family: self.text("family")?,
            input: self.text("input")?,
            ap_from: self.text("ap_from")?,
            pinned: self.text("pinned")?,
            built_in: self.switch("built_in")?,
            auto: self.switch("auto")?,
            licence: self.text("licence")?,
            weights: self.text("weights")?,
            data: self.text("data")?,
            notes: self.text_or_nothing("notes")?,
            name,
            ap,
            bytes,
            sha256,
            addresses,
        })
    }

    fn bring(&self) -> Result<Bring, String> {
        self.only(&["title", "ap", "licence", "how"])?;
        Ok(Bring {
            title: self.text("title")?,
            ap: self.text("ap")?,
            licence: self.text("licence")?,
            how: self.text("how")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_in_the_program_is_sound() {
        let table = Table::with(None).unwrap();
        let built_in: Vec<&Entry> = table.entries.iter().filter(|entry| entry.built_in).collect();
        assert_eq!(built_in.len(), 1, "there is one model in the program");
        let bytes =
            std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("models/yolox_nano.onnx")).unwrap();
        assert_eq!(bytes.len() as u64, built_in[0].bytes);
        assert_eq!(super::super::cache::sha256(&bytes), built_in[0].sha256);
        for entry in &table.entries {
            assert!(entry.addresses.iter().all(|address| address.starts_with("https://")), "{}", entry.name);
        }
        assert!(table.bring.len() >= 5);
    }

    #[test]
    fn the_nearest_name_is_suggested() {
        let table = Table::with(None).unwrap();
        assert_eq!(table.find("YOLOX-S").unwrap().name, "yolox-s");
        let error = table.find("yolo-s").unwrap_err().to_string();
        assert!(error.contains("did you mean \"yolox-s\"?") && error.contains("models list"), "{error}");
    }

    const ROW: &str = "[[model]]\nname = \"a\"\ntitle = \"A\"\nfamily = \"YOLOX\"\ninput = \"64x64\"\nap = 1\nap_from = \"x\"\n\
        bytes = 5\nsha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"\npinned = \"x\"\n\
        licence = \"x\"\nweights = \"x\"\ndata = \"x\"\naddresses = [\"http://x/a\"]\n";

    #[test]
    fn rows_of_ones_own_come_in_and_replace() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own.toml");
        std::fs::write(&file, format!("{ROW}\n{}", ROW.replace("\"a\"", "\"yolox-s\""))).unwrap();
        let table = Table::with(Some(&file)).unwrap();
        assert_eq!((table.find("a").unwrap().bytes, table.find("yolox-s").unwrap().bytes), (5, 5));
        assert_eq!(table.entries.iter().filter(|entry| entry.name == "yolox-s").count(), 1);
        assert!(table.find("yolox-tiny").is_ok());
    }

    #[test]
    fn mistakes_are_told_with_their_row() {
        assert!(Table::parse("t", ROW).is_ok());
        for (from, to, expected) in [
            ("\"a\"", "\"../a\"", "[[model]] 1 (../a): name must be"),
            ("\"a\"", "\"auto\"", "name must be"),
            ("ap = 1", "ap = 101", "(a): ap must be"),
            ("bytes = 5", "bytes = -5", "bytes must be"),
            ("bytes = 5", "bytes = 99999999999", "bytes must be"),
            ("\"0000", "\"x000", "sha256 must be 64"),
            ("\"0000", "\"000", "sha256 must be 64"),
            ("http://x/a", "file:///etc/passwd", "addresses must be"),
            ("weights = \"x\"", "weights = \" \"", "weights must be text"),
            ("weights = \"x\"", "wieghts = \"x\"", "wieghts is not known; did you mean \"weights\"?"),
            ("[[model]]", "[model]", "model is no list"),
            ("[[model]]", "[[models]]", "[[models]] is not known"),
            ("ap = 1", "ap 1", "line 6"),
        ] {
            let error = Table::parse("t.toml", &ROW.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains("t.toml: ") && error.contains(expected), "{expected}: {error}");
        }
        let twice = Table::parse("t", &ROW.repeat(2)).unwrap_err().to_string();
        assert!(twice.contains("a is in it twice"), "{twice}");
    }
}
