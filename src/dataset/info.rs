//! `seqinfo.ini`: how long, how fast and how large a sequence is.

use std::path::Path;

use super::DatasetError;
use crate::bounded;

/// Longer sequences than a day at 25 frames a second are a mistake.
pub(super) const MAX_FRAMES: usize = 2_500_000;
/// The file is a few lines.
const MAX_BYTES: u64 = 65_536;

/// What is known of a recording.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SequenceInfo {
    /// How many frames it has.
    pub frames: Option<usize>,
    /// Frames a second.
    pub fps: Option<f64>,
    /// Width of the picture in pixels.
    pub width: Option<u32>,
    /// Height of the picture in pixels.
    pub height: Option<u32>,
    /// The folder of the pictures, in that of the sequence.
    pub image_folder: Option<String>,
    /// The ending of their names, with its dot.
    pub image_ending: Option<String>,
}

impl SequenceInfo {
    /// Reads `seqinfo.ini`; where there is no such file nothing is known.
    ///
    /// # Errors
    /// [`DatasetError`] with the line where a value is not as it should be.
    pub fn read(path: &Path) -> Result<Self, DatasetError> {
        let name = path.display().to_string();
        match bounded::read_text(path, MAX_BYTES) {
            Ok(text) => Self::parse(&text, &name),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(DatasetError::Folder { path: name, error }),
        }
    }

    /// The length of a sequence of KITTI in the list of lengths (`0000 empty 000000 000154`) that lies beside the folder of
    /// the labels, or in it; `None` where there is none, or it does not say.
    pub(super) fn length_in_map(labels: &Path, name: &str) -> Option<usize> {
        let folders = [Some(labels), labels.parent()];
        let maps = folders.into_iter().flatten().flat_map(|folder| {
            ["", ".training", ".val", ".test"]
                .map(|part| folder.join(format!("evaluate_tracking.seqmap{part}")))
        });
        let length = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [found, _, _, length, ..] = words.as_slice() else { return None };
            let length = length.parse::<usize>().ok().filter(|length| (1..=MAX_FRAMES).contains(length));
            length.filter(|_| *found == name)
        };
        maps.filter_map(|map| bounded::read_text(&map, MAX_BYTES).ok())
            .find_map(|text| text.lines().find_map(length))
    }

    /// The same from text; `name` is for messages.
    ///
    /// # Errors
    /// As [`SequenceInfo::read`].
    pub fn parse(text: &str, name: &str) -> Result<Self, DatasetError> {
        fn above_zero<T: std::str::FromStr + PartialOrd + Default>(value: &str) -> Result<Option<T>, String> {
            match value.parse::<T>() {
                Ok(number) if number > T::default() => Ok(Some(number)),
                _ => Err(format!("expected a number above 0, found `{}`", value.escape_debug())),
            }
        }
        let mut info = Self::default();
        let mut elsewhere = false;
        for (index, line) in text.lines().enumerate() {
            let section = line.trim_start_matches('\u{feff}').trim();
            if let Some(section) = section.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                // Other sections have keys of their own.
                elsewhere = !section.trim().eq_ignore_ascii_case("sequence");
                continue;
            }
            if elsewhere {
                continue;
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            let (key, value) = (key.trim().to_lowercase(), value.trim());
            let read = match key.as_str() {
                "seqlength" => above_zero(value)
                    .and_then(|frames| match frames {
                        Some(frames) if frames > MAX_FRAMES => Err(format!("more than {MAX_FRAMES} frames")),
                        _ => Ok(frames),
                    })
                    .map(|frames| info.frames = frames),
                // Not known.
                "framerate" | "imwidth" | "imheight" if value.parse() == Ok(0.0) => Ok(()),
                "framerate" => {
                    above_zero::<f64>(value).map(|fps| info.fps = fps.filter(|fps| fps.is_finite()))
                }
                "imdir" | "imext" if value.is_empty() => Ok(()),
                "imdir" => {
                    info.image_folder = Some(value.trim_matches('/').to_owned());
                    Ok(())
                }
                "imext" => {
                    info.image_ending = Some(value.to_owned());
                    Ok(())
                }
                "imwidth" => above_zero(value).map(|width| info.width = width),
                "imheight" => above_zero(value).map(|height| info.height = height),
                _ => Ok(()),
            };
            read.map_err(|why| DatasetError::Info {
                path: name.to_owned(),
                line: index + 1,
                why: format!("{key}: {why}"),
            })?;
        }
        Ok(info)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_whatever_stands_around() {
        let text =
            "\u{feff}[Sequence]\r\nname=X\r\n frameRate = 14.5 \r\nseqLength=600\nimWidth=1920\nimExt=.jpg\n";
        let info = SequenceInfo::parse(text, "x").unwrap();
        let expected = SequenceInfo {
            frames: Some(600),
            fps: Some(14.5),
            width: Some(1920),
            image_ending: Some(".jpg".to_owned()),
            ..SequenceInfo::default()
        };
        assert_eq!(info, expected);
        assert_eq!(SequenceInfo::read(Path::new("/no/such/seqinfo.ini")).unwrap(), SequenceInfo::default());
    }

    #[test]
    fn other_sections_and_zeros_say_nothing() {
        let text = "[Other]\nseqLength=many\n[ sequence ]\nframeRate=0\nimWidth=0\nseqLength=9\n[Late]\nseqLength=7\n";
        let info = SequenceInfo::parse(text, "x").unwrap();
        assert_eq!(info, SequenceInfo { frames: Some(9), ..SequenceInfo::default() });
        assert_eq!(SequenceInfo::parse("seqLength=3", "x").unwrap().frames, Some(3));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (line, wanted) in [
            ("seqLength=many", "seqlength: expected a number above 0, found `many`"),
            ("seqLength=0", "above 0"),
            ("seqLength=99999999999", "more than"),
            ("frameRate=-5", "framerate"),
            ("frameRate=nan", "framerate"),
            ("imWidth=1e3", "imwidth"),
        ] {
            let said = SequenceInfo::parse(&format!("[Sequence]\n{line}\n"), "a/seqinfo.ini").unwrap_err();
            let said = said.to_string();
            assert!(said.starts_with("a/seqinfo.ini, line 2: ") && said.contains(wanted), "{line}: {said}");
        }
    }
}
