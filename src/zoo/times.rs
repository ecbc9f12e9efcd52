//! How long each model took on this machine: measured once, remembered in the cache.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use super::cache::Cache;
use super::table::Entry;
use crate::{atomic_file, bounded};

/// No such file is longer (bytes).
const LONGEST: u64 = 1 << 20;
/// So many are kept: another processor, version or setting makes another.
const MOST: usize = 1000;

/// Seconds by model and by what they depend on.
#[derive(Debug, Clone, Default)]
pub struct Times {
    file: Option<PathBuf>,
    seconds: BTreeMap<String, f64>,
}

impl Times {
    /// What is remembered; nothing where that cannot be read.
    pub fn load(cache: Option<&Cache>) -> Self {
        let file = cache.map(|cache| cache.folder().join(".times.json"));
        let text = file.as_deref().and_then(|file| bounded::read_text(file, LONGEST).ok());
        let seconds = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        Self { file, seconds }
    }

    /// What the time of a model depends on, as a key; `how` is how it is run.
    pub fn key(entry: &Entry, how: &str) -> String {
        let hash = entry.sha256.get(..16).unwrap_or_default();
        format!("{} {hash} {how} on {} by {}", entry.name, processor(), env!("CARGO_PKG_VERSION"))
    }

    /// The seconds for a key.
    pub fn get(&self, key: &str) -> Option<f64> {
        self.seconds.get(key).copied().filter(|seconds| seconds.is_finite() && *seconds > 0.0)
    }

    /// Remembers the seconds for a key. That they cannot be written is no failure: they are measured again.
    pub fn remember(&mut self, key: String, seconds: f64) {
        if self.seconds.len() >= MOST {
            self.seconds.clear();
        }
        self.seconds.insert(key, seconds);
        let Some(file) = &self.file else { return };
        let write = || -> std::io::Result<()> {
            if let Some(folder) = file.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let text = serde_json::to_string_pretty(&self.seconds)?;
            atomic_file::replace_beside(file, crate::atomic_file::Durability::OnDisk, |out| {
                out.write_all(text.as_bytes())
            })
        };
        if let Err(error) = write() {
            log::debug!("cannot remember how fast models are in {}: {error}", file.display());
        }
    }
}

/// The processor, as far as the system names it, and how many threads it runs.
fn processor() -> String {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let told = bounded::read_begin("/proc/cpuinfo".as_ref(), 1 << 16).unwrap_or_default();
    let told = String::from_utf8_lossy(&told).into_owned();
    let name = told.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let name = name.map_or(std::env::consts::ARCH, |(_, name)| name.trim());
    format!("{name} x{threads}")
}

#[cfg(test)]
mod tests {
    use super::super::table::Table;
    use super::*;

    #[test]
    fn times_are_remembered_by_what_they_depend_on() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("new"));
        let table = Table::with(None).unwrap();
        let key = |name: &str, how: &str| Times::key(table.find(name).unwrap(), how);
        let mut times = Times::load(Some(&cache));
        times.remember(key("yolox-s", "2 threads"), 0.25);
        let times = Times::load(Some(&cache));
        assert_eq!(times.get(&key("yolox-s", "2 threads")), Some(0.25));
        assert_eq!(times.get(&key("yolox-s", "1 thread")), None);
        assert_eq!(times.get(&key("yolox-tiny", "2 threads")), None);
        assert_eq!(cache.size(), (0, 0), "it is no model");
        std::fs::write(cache.folder().join(".times.json"), "{\"a\": ").unwrap();
        assert_eq!(Times::load(Some(&cache)).seconds.len(), 0);
    }
}
