//! A Motion-JPEG AVI, read without any other program. Any other AVI is for `ffmpeg`.
//!
//! The file is walked from front to back, chunk by chunk, with the index left unread: so a file without an index, a cut
//! one and one of several parts (OpenDML `AVIX`) are all the same. What is damaged is stepped over by looking for the
//! next picture. Layout: Microsoft's "AVI RIFF File Reference" and the OpenDML AVI extensions 1.02.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Source, SourceError, SourceInfo, SourceKind};
use crate::frame::{Frame, MAX_SIDE, Picture};

/// A compressed picture larger than that is damage, in bytes.
const MAX_JPEG: u64 = 1 << 28;
/// Replaces the first two bytes of a JPEG: the start marker, and the segment that says that Huffman tables left out are
/// the standard ones, as cameras leave them out.
const JPEG_START: [u8; 20] =
    [0xff, 0xd8, 0xff, 0xe0, 0, 16, b'A', b'V', b'I', b'1', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// How `biCompression` names Motion JPEG, in upper case.
const CODECS: [&[u8]; 4] = [b"MJPG", b"JPEG", b"DMB1", b"AVRN"];

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
    /// Frames to give before the file is read on: those up to the first good picture.
    pending: u64,
    /// Frames given.
    sequence: u64,
    damaged: u64,
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
    pub fn from_bytes(bytes: &'static [u8], name: &str) -> Result<Self, SourceError> {
        let what = name.to_owned();
        let file = AviFile::read(Box::new(Cursor::new(bytes)), bytes.len() as u64)
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
        let info = SourceInfo {
            name,
            kind: SourceKind::Recording,
            size: Some(last.size()),
            rate: Some(rate.fps()),
            frames: (frames > 0).then_some(frames),
            duration: (frames > 0).then(|| rate.time(frames) - rate.time(0)),
            sound,
        };
        Ok(Self { info, file, last: Arc::new(last), pending, sequence: 0, damaged, ended: false })
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

/// Frames a second as a fraction, and the number that the first frame has on that scale.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Rate {
    rate: u32,
    scale: u32,
    start: u32,
}

impl Rate {
    /// What is left when a header tells nothing usable.
    const FALLBACK: Self = Self { rate: 25, scale: 1, start: 0 };

    fn fps(self) -> f64 {
        f64::from(self.rate) / f64::from(self.scale)
    }

    /// The time of a frame in seconds.
    fn time(self, sequence: u64) -> f64 {
        (sequence as f64 + f64::from(self.start)) * f64::from(self.scale) / f64::from(self.rate)
    }

    /// Only what can be: between a frame in 100 seconds and 1000 a second, and begun within the first hour.
    fn sound(self) -> Option<Self> {
        if self.rate == 0 || self.scale == 0 || !(0.01..=1000.0).contains(&self.fps()) {
            return None;
        }
        Some(if self.time(0) > 3600.0 { Self { start: 0, ..self } } else { self })
    }
}

/// What the head of the file says.
#[derive(Debug, Clone, Copy)]
struct Header {
    /// The id of the chunks that hold the pictures, without its last letter: `00d`.
    id: [u8; 3],
    rate: Rate,
    /// Frames promised; 0 where nothing is.
    frames: u64,
    /// Pixels down, as the head has them (twice a picture's, where pictures are fields).
    height: u32,
    sound: bool,
}

/// What comes next in the file.
enum Step {
    /// A compressed picture, in [`AviFile::jpeg`].
    Picture,
    /// The picture before, again.
    Repeat,
    /// A picture whose chunk is broken.
    Damaged,
    End,
}

/// The chunks of an AVI file, from the first picture on.
struct AviFile {
    reader: BufReader<Box<dyn ReadSeek>>,
    /// Bytes in the file.
    length: u64,
    /// Where the next chunk starts.
    position: u64,
    header: Header,
    /// The compressed picture read last, with [`JPEG_START`] as its start.
    jpeg: Vec<u8>,
    /// Whether the file ended within a picture.
    cut: bool,
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |four| u32::from_le_bytes(*four))
}

/// What an AVI can be read from.
trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

/// What is said of a head that cannot be read.
fn cannot_read(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "it ends within its head; it is no whole AVI file".to_owned(),
        _ => error.to_string(),
    }
}

impl AviFile {
    /// Opens a file and reads its head; the error says why it is not for us.
    fn open(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(cannot_read)?;
        let metadata = file.metadata().map_err(cannot_read)?;
        if !metadata.is_file() {
            return Err("it is no regular file".to_owned());
        }
        Self::read(Box::new(file), metadata.len())
    }

    /// Reads the head of what is already open, `length` bytes long.
    fn read(inner: Box<dyn ReadSeek>, length: u64) -> Result<Self, String> {
        let mut reader = BufReader::with_capacity(1 << 16, inner);
        let mut head = [0; 12];
        reader.read_exact(&mut head).map_err(cannot_read)?;
        if !(head.starts_with(b"RIFF") && head.ends_with(b"AVI ")) {
            return Err("it is no AVI file".to_owned());
        }
        let header = Header { id: *b"00d", rate: Rate::FALLBACK, frames: 0, height: 0, sound: false };
        let mut file = Self { reader, length, position: 12, header, jpeg: Vec::new(), cut: false };
        file.read_head().map_err(cannot_read)??;
        Ok(file)
    }

    /// Reads up to the list of pictures. The lists in the head are walked as if they were flat.
    fn read_head(&mut self) -> io::Result<Result<(), String>> {
        let (mut microseconds, mut frames) = (0, 0);
        let (mut streams, mut codec) = (0u8, None);
        // The stream that is being described, where it is a video.
        let mut video: Option<(Rate, u64)> = None;
        let mut found = false;
        loop {
            let start = self.position;
            self.seek(start)?;
            let mut head = [0; 8];
            self.reader.read_exact(&mut head)?;
            let size = u32_at(&head, 4);
            let mut data = Vec::new();
            if matches!(&head[..4], b"avih" | b"strh" | b"strf" | b"dmlh" | b"LIST") {
                self.reader.by_ref().take(u64::from(size).min(64)).read_to_end(&mut data)?;
            }
            self.position = start + 8 + u64::from(size) + u64::from(size % 2);
            match &head[..4] {
                b"avih" => {
                    microseconds = u32_at(&data, 0);
                    frames = frames.max(u64::from(u32_at(&data, 16)));
                }
                b"dmlh" => frames = frames.max(u64::from(u32_at(&data, 0))),
                b"strh" => {
                    streams = streams.saturating_add(1);
                    self.header.sound |= data.starts_with(b"auds");
                    let rate =
                        Rate { rate: u32_at(&data, 24), scale: u32_at(&data, 20), start: u32_at(&data, 28) };
                    video = data.starts_with(b"vids").then_some((rate, u64::from(u32_at(&data, 32))));
                }
                b"strf" => {
                    let four: Vec<u8> = data.get(16..20).unwrap_or_default().to_ascii_uppercase();
                    match video.take() {
                        Some((rate, length)) if !found && CODECS.contains(&four.as_slice()) => {
                            found = true;
                            let number = streams - 1;
                            self.header.id = [b'0' + number / 10 % 10, b'0' + number % 10, b'd'];
                            let by_head = Rate { rate: 1_000_000, scale: microseconds, start: 0 };
                            self.header.rate = rate.sound().or(by_head.sound()).unwrap_or(Rate::FALLBACK);
                            self.header.height = u32_at(&data, 8).cast_signed().unsigned_abs();
                            frames = frames.max(length);
                        }
                        Some(_) => codec = Some(four),
                        None => {}
                    }
                }
                b"LIST" => match data.get(..4) {
                    Some(b"hdrl" | b"strl" | b"odml") => self.position = start + 12,
                    Some(b"movi") => {
                        self.position = start + 12;
                        self.header.frames = frames;
                        return Ok(match (found, codec) {
                            (true, _) => Ok(()),
                            (false, None) => Err("it has no video".to_owned()),
                            (false, Some(codec)) => Err(format!(
                                "its pictures are {}, not Motion JPEG; install ffmpeg to read it",
                                codec.escape_ascii()
                            )),
                        });
                    }
                    _ => {}
                },
                _ => {}
            }
        }
    }

    /// Goes to a place in the file, within the buffer where it can.
    fn seek(&mut self, to: u64) -> io::Result<()> {
        let by = to.cast_signed().wrapping_sub(self.reader.stream_position()?.cast_signed());
        self.reader.seek_relative(by)
    }

    /// As much of `buffer` as the file still has from `at` on.
    fn peek<'a>(&mut self, at: u64, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
        self.seek(at)?;
        let mut read = 0;
        while read < buffer.len() {
            match self.reader.read(&mut buffer[read..])? {
                0 => break,
                more => read += more,
            }
        }
        Ok(&buffer[..read])
    }

    /// Whether these are the first bytes of a chunk with a picture.
    fn is_picture(&self, id: &[u8]) -> bool {
        id.starts_with(&self.header.id) && matches!(id.get(3), Some(b'c' | b'b'))
    }

    /// The next picture of the video.
    fn next_picture(&mut self) -> io::Result<Step> {
        loop {
            let start = self.position;
            let mut head = [0; 12];
            let head = self.peek(start, &mut head)?;
            if head.len() < 8 {
                return Ok(Step::End);
            }
            let (data, size) = (start + 8, u64::from(u32_at(head, 4)));
            let end = data + size;
            let opens = head.starts_with(b"LIST") && matches!(&head[8..], b"movi" | b"rec ");
            if opens || head.starts_with(b"RIFF") {
                self.position = start + 12;
            } else if self.is_picture(head) {
                return self.picture(data, end);
            } else if is_id(&head[..4]) && end <= self.length {
                self.position = self.after(end)?.unwrap_or(end);
            } else if !self.find_picture(start + 1)? {
                self.position = self.length;
                return Ok(Step::End);
            }
        }
    }

    /// Reads the picture that should lie from `data` to `end`.
    fn picture(&mut self, data: u64, end: u64) -> io::Result<Step> {
        if let (true, Some(next)) = (end <= self.length && end - data <= MAX_JPEG, self.after(end)?) {
            self.position = next;
            if data == end {
                return Ok(Step::Repeat);
            }
            self.seek(data)?;
            self.jpeg.clear();
            self.jpeg.extend_from_slice(&JPEG_START);
            let mut start = [0; 2];
            self.reader.read_exact(&mut start[..(end - data).min(2) as usize])?;
            self.reader.by_ref().take((end - data).saturating_sub(2)).read_to_end(&mut self.jpeg)?;
            return Ok(if start == [0xff, 0xd8] { Step::Picture } else { Step::Damaged });
        }
        // The length is wrong, or the file is cut here: only the next picture can tell.
        if self.find_picture(data)? {
            return Ok(Step::Damaged);
        }
        self.cut = true;
        self.position = self.length;
        Ok(Step::End)
    }

    /// Where the chunk after the one that ends at `end` starts: there, or behind a byte of padding (a zero, and not every
    /// writer has it). `None` where none starts there.
    fn after(&mut self, end: u64) -> io::Result<Option<u64>> {
        let mut bytes = [0; 5];
        let bytes = self.peek(end, &mut bytes)?;
        let starts = |at: usize| bytes.len() < at + 4 || is_id(&bytes[at..at + 4]);
        Ok([0, 1].into_iter().find(|&at| starts(at)).map(|at| end + at as u64))
    }

    /// Looks for a whole chunk with a picture from `from` on and goes there; `false` where there is none.
    fn find_picture(&mut self, from: u64) -> io::Result<bool> {
        const HEAD: usize = 10;
        let mut block = vec![0; 1 << 16];
        let mut at = from;
        loop {
            let block = self.peek(at, &mut block)?;
            for (offset, head) in block.windows(HEAD).enumerate() {
                if !(self.is_picture(head) && head.ends_with(&[0xff, 0xd8])) {
                    continue;
                }
                let (start, size) = (at + offset as u64, u64::from(u32_at(head, 4)));
                let end = start + 8 + size;
                if size <= MAX_JPEG && end <= self.length && self.after(end)?.is_some() {
                    self.position = start;
                    return Ok(true);
                }
            }
            if block.len() < HEAD {
                return Ok(false);
            }
            at += (block.len() - HEAD + 1) as u64;
        }
    }
}

/// Whether these four bytes can be the name of a chunk.
fn is_id(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| (b' '..=b'~').contains(byte))
}
