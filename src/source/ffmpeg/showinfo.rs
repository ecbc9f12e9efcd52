//! Reads what ffmpeg's filter `showinfo` prints for each frame: the time stamp, the size, the pixel format and the
//! colours of the raw frame that follows on the other pipe. Text in, values out; processes and pipes are the business
//! of [`ffmpeg`](super).

use super::hdr::Transfer;

/// The YUV-to-RGB matrix that a frame names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::source) enum Matrix {
    #[default]
    Unknown,
    Bt601,
    Bt709,
    Bt2020,
    Fcc,
    Smpte240,
}

impl Matrix {
    /// By ffmpeg's name of it.
    fn of(name: Option<&str>) -> Self {
        match name {
            Some("bt470bg" | "smpte170m") => Self::Bt601,
            Some("bt709") => Self::Bt709,
            Some("bt2020nc" | "bt2020c") => Self::Bt2020,
            Some("fcc") => Self::Fcc,
            Some("smpte240m") => Self::Smpte240,
            _ => Self::Unknown,
        }
    }
}

/// What is told of a picture's colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::source) struct Colours {
    /// Whether samples use 0–255 (`pc`) and not 16–235 (`tv`), where told.
    pub(in crate::source) full_range: Option<bool>,
    pub(in crate::source) matrix: Matrix,
}

impl Colours {
    /// By ffmpeg's names of the range and the matrix.
    pub(in crate::source) fn of(range: Option<&str>, space: Option<&str>) -> Self {
        let full_range = match range {
            Some("pc") => Some(true),
            Some("tv") => Some(false),
            _ => None,
        };
        Self { full_range, matrix: Matrix::of(space) }
    }

    /// These, and where they tell nothing, `others`.
    pub(in crate::source) fn or(self, others: Self) -> Self {
        let matrix = if self.matrix == Matrix::Unknown { others.matrix } else { self.matrix };
        Self { full_range: self.full_range.or(others.full_range), matrix }
    }
}

/// One raw frame as announced.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::source) struct Announced {
    /// Seconds; `None` where the container gives none.
    pub(in crate::source) time: Option<f64>,
    pub(in crate::source) width: u32,
    pub(in crate::source) height: u32,
    /// ffmpeg's name of the pixel format, such as `yuv420p`.
    pub(in crate::source) format: String,
    pub(in crate::source) colours: Colours,
    pub(in crate::source) transfer: Transfer,
    /// Whether the primaries are those of BT.2020.
    pub(in crate::source) wide: bool,
}

/// Follows the log line by line.
///
/// For each frame there is a line `n: 0 pts: 0 … fmt:yuv420p … s:320x180 …`, and, after lines about side data, a line
/// `color_range:tv color_space:bt709 …`; both come before the frame's bytes. The time base is told once, and again
/// whenever ffmpeg rebuilds its filters because the picture's size changes.
#[derive(Debug, Default)]
pub(in crate::source) struct Parser {
    time_base: Option<(i64, i64)>,
    /// The number that the next frame must carry: a lost line would give every later frame a wrong time.
    expected: u64,
    pending: Option<Announced>,
}

/// The log contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source) struct OutOfStep(pub(in crate::source) String);

impl Parser {
    /// Whether a line is one of the filter's own, which is no message to anyone.
    pub(in crate::source) fn is_own(line: &str) -> bool {
        line.contains("[Parsed_showinfo_")
    }

    /// Takes one line of the log and returns a frame once everything about it has been told.
    ///
    /// # Errors
    /// [`OutOfStep`] where a frame's line is unreadable or one is missing.
    pub(in crate::source) fn line(&mut self, line: &str) -> Result<Option<Announced>, OutOfStep> {
        let Some((_, line)) = line.split_once("[Parsed_showinfo_") else { return Ok(None) };
        let Some((_, text)) = line.split_once("] ") else { return Ok(None) };
        let text = text.strip_prefix("[info] ").unwrap_or(text);
        if let Some(config) = text.strip_prefix("config in ") {
            self.time_base = value(config, "time_base:").and_then(ratio);
            self.expected = 0;
            return Ok(None);
        }
        if let Some(rest) = text.strip_prefix("n:") {
            // A frame without a line about its colours is complete when the next one begins.
            let complete = self.pending.take();
            self.pending = Some(self.frame(rest)?);
            return Ok(complete);
        }
        if text.starts_with("color_range:")
            && let Some(mut frame) = self.pending.take()
        {
            frame.colours = Colours::of(value(text, "color_range:"), value(text, "color_space:"));
            frame.transfer = Transfer::of(value(text, "color_trc:").unwrap_or_default());
            frame.wide = value(text, "color_primaries:") == Some("bt2020");
            return Ok(Some(frame));
        }
        Ok(None)
    }

    /// What is left when the log ends.
    pub(in crate::source) fn end(&mut self) -> Option<Announced> {
        self.pending.take()
    }

    /// `rest` is what follows `n:`.
    fn frame(&mut self, rest: &str) -> Result<Announced, OutOfStep> {
        let wrong =
            |what: &str| OutOfStep(format!("{what} in `n:{}`", rest.chars().take(120).collect::<String>()));
        let number: u64 = first_word(rest).parse().map_err(|_| wrong("no frame number"))?;
        if number != self.expected {
            return Err(wrong(&format!("frame {} expected", self.expected)));
        }
        self.expected += 1;
        let pts = value(rest, " pts:").ok_or_else(|| wrong("no time stamp"))?;
        let time = match pts {
            "NOPTS" => None,
            _ => {
                let pts: i64 = pts.parse().map_err(|_| wrong("no time stamp"))?;
                let (numerator, denominator) = self.time_base.ok_or_else(|| wrong("no time base"))?;
                // The ticks times the base, not the printed seconds: those are rounded to six digits.
                Some(pts as f64 * numerator as f64 / denominator as f64)
            }
        };
        let (width, height) = value(rest, " s:")
            .and_then(|size| size.split_once('x'))
            .and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)))
            .ok_or_else(|| wrong("no size"))?;
        let format = value(rest, " fmt:").ok_or_else(|| wrong("no pixel format"))?.to_owned();
        let (colours, transfer) = (Colours::default(), Transfer::Standard);
        Ok(Announced { time, width, height, format, colours, transfer, wide: false })
    }
}

/// The word after `key`, which may be followed by spaces.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(key)?;
    let word = first_word(rest).trim_end_matches(',');
    (!word.is_empty()).then_some(word)
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

fn ratio(text: &str) -> Option<(i64, i64)> {
    let (numerator, denominator) = text.split_once('/')?;
    let (numerator, denominator) = (numerator.parse().ok()?, denominator.parse().ok()?);
    (numerator > 0 && denominator > 0).then_some((numerator, denominator))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frames(log: &str) -> Result<Vec<Announced>, OutOfStep> {
        let mut parser = Parser::default();
        let mut all = Vec::new();
        for line in log.lines() {
            all.extend(parser.line(line)?);
        }
        all.extend(parser.end());
        Ok(all)
    }

    const LOG: &str = "\
[info] Input #0, mov,mp4, from 'file:a.mp4':
[Parsed_showinfo_3 @ 0x5580f37f9800] [info] config in time_base: 1/30000, frame_rate: 30000/1001
[Parsed_showinfo_3 @ 0x5580f37f9800] [info] config out time_base: 0/0, frame_rate: 0/0
[Parsed_showinfo_3 @ 0x5580f37f9800] [info] n:   0 pts:      0 pts_time:0       pos:       48 fmt:yuv420p sar:1/1 s:180x320 i:P iskey:1 type:I 
[Parsed_showinfo_3 @ 0x5580f37f9800] [info]   side data - User Data Unregistered:
[Parsed_showinfo_3 @ 0x5580f37f9800] [info] User Data=78323634
[Parsed_showinfo_3 @ 0x5580f37f9800] [info] color_range:tv color_space:bt709 color_primaries:unknown color_trc:unknown
[h264 @ 0x55] [error] some damage
[Parsed_showinfo_3 @ 0x5580f37f9800] [info] n:   1 pts:   1001 pts_time:0.0333667 duration:   1001 duration_time:0.0333667 fmt:yuvj420p cl:left sar:1/1 s:180x320 i:P iskey:0 type:P [h264 @ 0x1] [error] in between
[Parsed_showinfo_3 @ 0x5580f37f9800] [info] color_range:pc color_space:unknown color_primaries:unknown color_trc:unknown
";

    #[test]
    fn frames_are_read_as_two_versions_print_them() {
        let all = frames(LOG).unwrap();
        let first = Announced {
            time: Some(0.0),
            width: 180,
            height: 320,
            format: "yuv420p".to_owned(),
            colours: Colours { full_range: Some(false), matrix: Matrix::Bt709 },
            transfer: Transfer::Standard,
            wide: false,
        };
        let second = Announced {
            time: Some(1001.0 / 30000.0),
            format: "yuvj420p".to_owned(),
            colours: Colours { full_range: Some(true), matrix: Matrix::Unknown },
            ..first.clone()
        };
        assert_eq!(all, [first, second]);
    }

    #[test]
    fn a_new_size_brings_a_new_count_and_time_base() {
        let log = format!(
            "{LOG}[Parsed_showinfo_3 @ 0x7] [info] config in time_base: 1/10, frame_rate: 10/1\n\
             [Parsed_showinfo_3 @ 0x7] [info] n:   0 pts:     -5 pts_time:-0.5 fmt:gray sar:1/1 s:8x9 i:P\n"
        );
        let last = frames(&log).unwrap().pop().unwrap();
        assert_eq!((last.time, last.width, last.height), (Some(-0.5), 8, 9));
    }

    #[test]
    fn what_is_missing_is_noticed() {
        let lost = LOG.replace("n:   1 ", "n:   2 ");
        assert!(frames(&lost).unwrap_err().0.contains("frame 1 expected"));
        assert!(frames(&LOG.replace("s:180x320", "")).is_err());
        assert!(frames(&LOG.replace("1/30000", "0/0")).unwrap_err().0.contains("time base"));
        assert_eq!(frames(&LOG.replace("pts:   1001 ", "pts:  NOPTS ")).unwrap()[1].time, None);
    }

    proptest! {
        #[test]
        fn no_log_ends_the_program(lines in proptest::collection::vec("\\PC{0,60}", 0..8)) {
            let mut parser = Parser::default();
            for line in &lines {
                let _ = parser.line(line);
                let _ = parser.line(&format!("[Parsed_showinfo_0 @ 0x1] [info] {line}"));
                let _ = parser.line(&format!("[Parsed_showinfo_0 @ 0x1] [info] n:{line}"));
                let _ = parser.line(&format!("[Parsed_showinfo_0 @ 0x1] [info] config in time_base: {line}"));
            }
        }

        #[test]
        fn numbers_come_through(pts in any::<i64>(), w in any::<u32>(), h in any::<u32>(), den in 1..i64::MAX) {
            let log = format!(
                "[Parsed_showinfo_0 @ 0x1] [info] config in time_base: 1/{den}, frame_rate: 1/0\n\
                 [Parsed_showinfo_0 @ 0x1] [info] n:   0 pts:{pts:7} pts_time:x fmt:yuv420p sar:0/1 s:{w}x{h} i:P\n"
            );
            let all = frames(&log).unwrap();
            prop_assert_eq!((all[0].width, all[0].height), (w, h));
            prop_assert_eq!(all[0].time, Some(pts as f64 / den as f64));
        }
    }
}
