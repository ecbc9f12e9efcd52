//! A Motion-JPEG AVI, read without any other program. Any other AVI is for `ffmpeg`. How the file is walked is the
//! business of [`file`]; here its pictures are decoded and made frames.

pub(super) mod file;

use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Source, SourceError, SourceInfo, SourceKind};
use crate::frame::{Frame, MAX_SIDE, Picture};
pub(in crate::source) use file::UNKNOWN;
use file::{AviFile, Header, Step};

/// Whether the file is an AVI whose pictures are Motion JPEG, so that [`AviSource`] is the one to read it, or to say what
/// is wrong with it. Decodes the first picture, as interlaced ones are not for us.
pub fn is_motion_jpeg(path: &Path) -> bool {
    !matches!(AviSource::open(path), Err(SourceError::Open { .. }))
}

/// The frames of a Motion-JPEG AVI. The size of all frames is that of the first picture that decodes.
pub struct AviSource {
    info: SourceInfo,
    file: AviFile,
    /// The last good picture, shown again where one is repeated or damaged.
    last: Arc<Picture>,
    /// The number of the frame whose picture is the first good one; those before it show it too.
    first_good: u64,
    /// Frames to give before the file is read on: those up to the first good picture, or the one that was sought.
    pending: u64,
    /// The number of the next frame.
    sequence: u64,
    damaged: u64,
    /// Whether frames were left out or given twice, so that they cannot be counted.
    sought: bool,
    ended: bool,
}

impl AviSource {
    /// Opens the file and decodes its first good picture.
    ///
    /// # Errors
    /// [`SourceError::Open`] where the file cannot be opened or is no Motion-JPEG AVI, [`SourceError::Read`] where it holds
    /// no picture that decodes.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let what = path.display().to_string();
        let file = AviFile::open(path).map_err(|why| SourceError::Open { what: what.clone(), why })?;
        let name = path.file_name().map_or_else(|| what.clone(), |name| name.to_string_lossy().into_owned());
        let sound = file.header.sound.then(|| path.to_owned());
        Self::begin(file, what, name, sound)
    }

    /// The same from bytes in memory; `name` is what messages call them.
    ///
    /// # Errors
    /// As [`AviSource::open`].
    pub fn from_bytes(bytes: impl AsRef<[u8]> + Send + 'static, name: &str) -> Result<Self, SourceError> {
        let (what, length) = (name.to_owned(), bytes.as_ref().len() as u64);
        let file = AviFile::read(Box::new(Cursor::new(bytes)), length)
            .map_err(|why| SourceError::Open { what: what.clone(), why })?;
        Self::begin(file, what.clone(), what, None)
    }

    fn begin(
        mut file: AviFile,
        what: String,
        name: String,
        sound: Option<PathBuf>,
    ) -> Result<Self, SourceError> {
        let read = |why: String| SourceError::Read { what: what.clone(), why };
        let (mut pending, mut damaged, mut reason) = (0, 0, None);
        let last = loop {
            pending += 1;
            match file.next_picture().map_err(|error| read(error.to_string()))? {
                Step::Repeat => {}
                Step::Damaged => damaged += 1,
                Step::Picture => match decode(&file.jpeg) {
                    Ok(picture) => break picture,
                    Err(why) => {
                        damaged += 1;
                        reason.get_or_insert(why);
                    }
                },
                Step::End => {
                    let reason = reason.map(|why| format!(" ({why})")).unwrap_or_default();
                    return Err(read(format!(
                        "no picture in it can be decoded{reason}; it is empty or damaged"
                    )));
                }
            }
        };
        let Header { rate, frames, .. } = file.header;
        if file.header.height == last.height().saturating_mul(2) {
            let why = "its pictures are interlaced fields; install ffmpeg to read it".to_owned();
            return Err(SourceError::Open { what, why });
        }
        if file.header.oblong {
            let why = "its pixels are not square; install ffmpeg to read it".to_owned();
            return Err(SourceError::Open { what, why });
        }
        let info = SourceInfo {
            name,
            kind: SourceKind::Recording,
            size: Some(last.size()),
            rate: Some(rate.fps()),
            frames: (frames > 0).then_some(frames),
            duration: (frames > 0).then(|| rate.time(frames) - rate.time(0)),
            sound,
        };
        Ok(Self {
            info,
            file,
            last: Arc::new(last),
            first_good: pending - 1,
            pending,
            sequence: 0,
            damaged,
            sought: false,
            ended: false,
        })
    }

    /// Goes to frame `wanted`, or the last one where there are fewer, so that it comes next. Nothing that is skipped is
    /// decoded.
    fn go_to(&mut self, wanted: u64) -> io::Result<()> {
        let wanted = self.file.find_frame(wanted)?;
        let mut good = wanted.max(self.first_good);
        // A frame that repeats the one before or is damaged shows the last good picture before it.
        let picture = loop {
            if let Some(picture) = self.good_picture(good)? {
                break picture;
            }
            if good <= self.first_good {
                // It decoded when the file was opened.
                return Err(io::Error::other("the file has changed"));
            }
            good -= 1;
        };
        self.last = Arc::new(picture);
        // Between the good picture and the wanted frame there is nothing to show.
        self.pending = good.saturating_sub(wanted) + 1;
        self.file.go_behind(good.max(wanted))?;
        self.sequence = wanted;
        Ok(())
    }

    /// The picture of frame `number` itself, where it is a good one.
    fn good_picture(&mut self, number: u64) -> io::Result<Option<Picture>> {
        if !self.file.go_to(number) {
            return Ok(None);
        }
        Ok(match self.file.next_picture()? {
            Step::Picture => {
                decode(&self.file.jpeg).ok().filter(|picture| picture.size() == self.last.size())
            }
            _ => None,
        })
    }

    /// Reads on to the next frame, so that `last` is its picture; `false` at the end.
    fn advance(&mut self) -> io::Result<bool> {
        if self.pending > 0 {
            self.pending -= 1;
            return Ok(true);
        }
        let why = match self.file.next_picture()? {
            Step::End => return Ok(false),
            Step::Repeat => return Ok(true),
            Step::Damaged => "its chunk is broken".to_owned(),
            Step::Picture => match decode(&self.file.jpeg) {
                // A picture of another size is damage too: AVI has one size.
                Ok(picture) if picture.size() == self.last.size() => {
                    self.last = Arc::new(picture);
                    return Ok(true);
                }
                Ok(picture) => format!("its size is {}×{}", picture.width(), picture.height()),
                Err(why) => why,
            },
        };
        if self.sought {
            return Ok(true);
        }
        if self.damaged == 0 {
            log::warn!(
                "{}: frame {} is damaged ({why}); the one before is shown again",
                self.info.name,
                self.sequence
            );
        }
        self.damaged += 1;
        Ok(true)
    }

    /// What there is to say at the end.
    fn end(&mut self) -> Result<Option<Frame>, SourceError> {
        self.ended = true;
        if self.sought {
            return Ok(None);
        }
        if self.damaged > 0 {
            log::warn!("{}: {} of {} frames are damaged", self.info.name, self.damaged, self.sequence);
        }
        let promised = self.file.header.frames;
        if promised > self.sequence {
            let detail = if self.file.cut { "; the file is cut off" } else { "" }.to_owned();
            return Err(SourceError::Short {
                what: self.info.name.clone(),
                got: self.sequence,
                promised,
                detail,
            });
        }
        if self.file.cut {
            log::warn!("{}: the file ends within a frame, which is left out", self.info.name);
        }
        Ok(None)
    }
}

impl Source for AviSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
        if self.ended {
            return Ok(None);
        }
        match self.advance() {
            Ok(true) => {
                let (sequence, time) = (self.sequence, self.file.header.rate.time(self.sequence));
                self.sequence += 1;
                Ok(Some(Frame {
                    picture: Arc::clone(&self.last),
                    sequence,
                    time,
                    captured: Instant::now(),
                    file: None,
                }))
            }
            Ok(false) => self.end(),
            Err(error) => {
                self.ended = true;
                Err(SourceError::Read { what: self.info.name.clone(), why: error.to_string() })
            }
        }
    }

    fn seek(&mut self, time: f64) -> Result<bool, SourceError> {
        self.sought = true;
        let outcome = self.go_to(self.file.header.rate.frame_at(time));
        self.ended = outcome.is_err();
        match outcome {
            Ok(()) => Ok(true),
            Err(error) => Err(SourceError::Read { what: self.info.name.clone(), why: error.to_string() }),
        }
    }
}

/// Decodes a JPEG to RGB; the size is checked before anything is allocated for it.
fn decode(jpeg: &[u8]) -> Result<Picture, String> {
    let options = DecoderOptions::new_fast()
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_max_width(MAX_SIDE as usize)
        .set_max_height(MAX_SIDE as usize);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options);
    decoder.decode_headers().map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions().ok_or("it has no size")?;
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    let (width, height) = (side(width), side(height));
    let mut pixels = vec![0; Picture::bytes(width, height).map_err(|error| error.to_string())?];
    decoder.decode_into(&mut pixels).map_err(|error| error.to_string())?;
    Picture::new(width, height, pixels).map_err(|error| error.to_string())
}
