//! Weights that lie in a second file beside the model, as PyTorch's default exporter writes them (`FILE.onnx.data`): read in, so
//! that everything behind knows one kind of file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use tract_onnx::pb::tensor_proto::DataLocation;
use tract_onnx::pb::{GraphProto, ModelProto, TensorProto};

/// All weights together are no larger; bytes.
const MOST: u64 = 1 << 30;

/// Reads in what lies beside the model.
///
/// # Errors
/// In words: where there is no folder to look in, a name leads out of it, or a file is not there or too short.
pub(super) fn inline(model: &mut ModelProto, folder: Option<&Path>) -> Result<(), String> {
    let mut source = Source { folder, files: HashMap::new(), left: MOST };
    match &mut model.graph {
        Some(graph) => source.graph(graph),
        None => Ok(()),
    }
}

struct Source<'a> {
    folder: Option<&'a Path>,
    files: HashMap<PathBuf, File>,
    /// Bytes that may still be read.
    left: u64,
}

impl Source<'_> {
    fn graph(&mut self, graph: &mut GraphProto) -> Result<(), String> {
        for weight in &mut graph.initializer {
            self.tensor(weight)?;
        }
        for attribute in graph.node.iter_mut().flat_map(|node| &mut node.attribute) {
            if let Some(tensor) = &mut attribute.t {
                self.tensor(tensor)?;
            }
            for tensor in &mut attribute.tensors {
                self.tensor(tensor)?;
            }
            if let Some(graph) = &mut attribute.g {
                self.graph(graph)?;
            }
        }
        Ok(())
    }

    fn tensor(&mut self, tensor: &mut TensorProto) -> Result<(), String> {
        if tensor.data_location != Some(DataLocation::External.into()) {
            return Ok(());
        }
        let about = |key: &str| {
            tensor.external_data.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str())
        };
        let number = |key: &str| match about(key) {
            None => Ok(None),
            Some(text) => text
                .parse::<u64>()
                .map(Some)
                .map_err(|_| format!("the {key} of {} is no number", tensor.name)),
        };
        let location =
            about("location").ok_or_else(|| format!("it does not say where {} is", tensor.name))?.to_owned();
        let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
        let path = Path::new(&location);
        if location.is_empty()
            || !path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
        {
            return Err(format!("its weights are said to lie in {location}, which is not beside it"));
        }
        let folder = self
            .folder
            .ok_or_else(|| format!("its weights lie in {location}, beside a file that is not known"))?;
        let path = folder.join(path);
        let missing = |error: std::io::Error| {
            format!("its weights lie in {}, which has to be beside it: {error}", path.display())
        };
        if !self.files.contains_key(&path) {
            // Before it is opened: a pipe would wait for somebody to write.
            if !path.metadata().map_err(missing)?.is_file() {
                return Err(format!("its weights are said to lie in {}, which is no file", path.display()));
            }
            self.files.insert(path.clone(), File::open(&path).map_err(missing)?);
        }
        let Some(file) = self.files.get_mut(&path) else { return Ok(()) };
        let all = file.metadata().map_err(missing)?.len();
        let length = length.unwrap_or(all.saturating_sub(offset));
        if offset.checked_add(length).is_none_or(|end| end > all) {
            return Err(format!("{} is cut: {} should lie behind its end", path.display(), tensor.name));
        }
        self.left = self
            .left
            .checked_sub(length)
            .ok_or_else(|| format!("its weights are larger than {MOST} bytes"))?;
        file.seek(SeekFrom::Start(offset)).map_err(missing)?;
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes).map_err(missing)?;
        tensor.raw_data = bytes;
        tensor.external_data.clear();
        tensor.data_location = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::StringStringEntryProto;

    use super::*;

    fn model(location: &str, offset: &str, length: &str) -> ModelProto {
        let entry = |(key, value): (&str, &str)| StringStringEntryProto {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        let weight = TensorProto {
            name: "weight".to_owned(),
            data_location: Some(DataLocation::External.into()),
            external_data: [("location", location), ("offset", offset), ("length", length)]
                .map(entry)
                .to_vec(),
            ..TensorProto::default()
        };
        ModelProto {
            graph: Some(GraphProto { initializer: vec![weight], ..GraphProto::default() }),
            ..ModelProto::default()
        }
    }

    #[test]
    fn what_lies_beside_is_read_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.data"), b"0123456789").unwrap();
        let read = |location: &str, offset, length| {
            let mut model = model(location, offset, length);
            inline(&mut model, Some(folder.path()))
                .map(|()| model.graph.unwrap().initializer[0].raw_data.clone())
        };
        assert_eq!(read("a.data", "2", "3").unwrap(), b"234");
        assert_eq!(read("./a.data", "0", "10").unwrap(), b"0123456789");
        for (location, offset, length, why) in [
            ("a.data", "8", "3", "cut"),
            ("a.data", "18446744073709551615", "2", "cut"),
            ("a.data", "x", "2", "no number"),
            ("b.data", "0", "1", "has to be beside it"),
            ("../a.data", "0", "1", "not beside it"),
            ("/etc/hostname", "0", "1", "not beside it"),
            ("", "0", "1", "not beside it"),
            (".", "0", "1", "no file"),
        ] {
            let error = read(location, offset, length).unwrap_err();
            assert!(error.contains(why), "{location}: {error}");
        }
        assert!(inline(&mut model("a.data", "0", "1"), None).unwrap_err().contains("not known"));
    }
}
