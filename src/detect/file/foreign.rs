//! Files that people take for ONNX models: each is named for what it is, with the way to an ONNX file.

/// What a file surely is that is no ONNX file, by how it begins.
pub(super) fn named_surely(bytes: &[u8]) -> Option<String> {
    let begins = |with: &[u8]| bytes.starts_with(with);
    let told = if bytes.is_empty() {
        "it is empty"
    } else if begins(b"PK\x03\x04") {
        "it is a zip file, as PyTorch saves checkpoints (.pt, .pth); export it to ONNX with the program that it was \
         trained with, for example torch.onnx.export"
    } else if begins(b"\x80\x02") && bytes.get(2).is_some_and(|next| b"}c]\x8a(".contains(next)) {
        "it is a pickle file, as old PyTorch saves checkpoints (.pt, .pth); export it to ONNX with the program that it was \
         trained with, for example torch.onnx.export"
    } else if bytes.get(4..8) == Some(b"TFL3") {
        "it is a TensorFlow Lite model; convert it to ONNX with tf2onnx (python -m tf2onnx.convert --tflite FILE --output \
         FILE.onnx)"
    } else if begins(b"\x89HDF\r\n\x1a\n") {
        "it is an HDF5 file, as Keras saves models; convert it to ONNX with tf2onnx"
    } else if is_safetensors(bytes) {
        "it is a safetensors file, which holds weights alone; export the model to ONNX with the library that it is for, \
         for example optimum-cli export onnx"
    } else if begins(b"RIFF") || begins(b"\xff\xd8\xff") || begins(b"\x89PNG") {
        "it is a picture or a film"
    } else if begins(b"7767517") {
        "it is an ncnn model; the ONNX file that it was made from is needed"
    } else if begins(b"ORTM") || bytes.get(4..8) == Some(b"ORTM") {
        "it is a model in onnxruntime's own form (.ort); the ONNX file that it was made from is needed"
    } else if begins(b"version https://git-lfs") {
        "it is the address of a file kept by Git LFS, not the file: git lfs pull fetches it"
    } else {
        return None;
    };
    Some(told.to_owned())
}

/// What a file is that does not decode.
pub(super) fn named(bytes: &[u8]) -> Option<String> {
    let head = bytes.get(..bytes.len().min(512)).unwrap_or_default();
    let text = String::from_utf8_lossy(head).trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    let told = if text.starts_with("<!doctype html") || text.starts_with("<html") {
        "it is a web page; the download gave a page in place of the file"
    } else if text.starts_with("<?xml") || text.starts_with("<net") {
        "it is XML, as OpenVINO writes models; the ONNX file that it was made from is needed"
    } else if text.starts_with('{') {
        "it is JSON"
    } else {
        return None;
    };
    Some(told.to_owned())
}

/// Eight bytes of length, then a JSON object.
fn is_safetensors(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else { return false };
    let length = u64::from_le_bytes(*length);
    (2..100_000_000).contains(&length) && rest.starts_with(b"{\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_called_by_its_name() {
        let mut safetensors = 64_u64.to_le_bytes().to_vec();
        safetensors.extend_from_slice(b"{\"weight\":{}}");
        for (bytes, word) in [
            (&b""[..], "empty"),
            (b"PK\x03\x04....", "PyTorch"),
            (b"\x80\x02}q\x00", "PyTorch"),
            (b"\x1c\0\0\0TFL3", "TensorFlow Lite"),
            (b"\x89HDF\r\n\x1a\n", "Keras"),
            (&safetensors, "safetensors"),
            (b"\x89PNG\r\n", "picture"),
            (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        ] {
            assert!(named_surely(bytes).is_some_and(|told| told.contains(word)), "{word}");
        }
        for (bytes, word) in
            [(&b"\n <!DOCTYPE html>"[..], "web page"), (b"<?xml version=", "OpenVINO"), (b"{ ", "JSON")]
        {
            assert!(named(bytes).is_some_and(|told| told.contains(word)), "{word}");
            assert_eq!(named_surely(bytes), None);
        }
        // An ONNX file begins with the version of its form.
        assert_eq!((named_surely(b"\x08\x06\x12\x07"), named(b"\x08\x06\x12\x07")), (None, None));
    }
}
