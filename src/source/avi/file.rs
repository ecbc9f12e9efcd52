//! The chunks of a Motion-JPEG AVI, from the first picture on; decoding them is the business of [`avi`](super).
//!
//! The file is walked from front to back, chunk by chunk, with the index left unread: so a file without an index, a cut
//! one and one of several parts (OpenDML `AVIX`) are all the same. What is damaged is stepped over by looking for the
//! next picture. Where each frame starts is remembered, so that the walk can go back. Layout: Microsoft's "AVI RIFF
//! File Reference" and the OpenDML AVI extensions 1.02.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

/// The length of an AVI that ffmpeg writes to where it cannot go back: it means that nobody knows.
pub(in crate::source) const UNKNOWN: u64 = 1 << 30;
/// How many frames' places in the file are remembered for seeking (8 bytes each): 46 hours at 25 frames a second. A
/// seek beyond goes to the last of them.
const PLACES: usize = 1 << 22;
/// A compressed picture larger than that is damage, in bytes.
const MAX_JPEG: u64 = 1 << 28;
/// Replaces the first two bytes of a JPEG: the start marker, and the segment that says that Huffman tables left out are
/// the standard ones, as cameras leave them out.
const JPEG_START: [u8; 20] =
    [0xff, 0xd8, 0xff, 0xe0, 0, 16, b'A', b'V', b'I', b'1', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// How `biCompression` names Motion JPEG, in upper case.
const CODECS: [&[u8]; 4] = [b"MJPG", b"JPEG", b"DMB1", b"AVRN"];

/// Frames a second as a fraction, and the number that the first frame has on that scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::source) struct Rate {
    rate: u32,
    scale: u32,
    start: u32,
}

impl Rate {
    /// What is left when a header tells nothing usable.
    const FALLBACK: Self = Self { rate: 25, scale: 1, start: 0 };

    #[cfg(test)]
    pub(in crate::source) fn new(rate: u32, scale: u32) -> Self {
        Self { rate, scale, start: 0 }
    }

    pub(in crate::source) fn fps(self) -> f64 {
        f64::from(self.rate) / f64::from(self.scale)
    }

    /// The time of a frame in seconds.
    pub(in crate::source) fn time(self, sequence: u64) -> f64 {
        (sequence as f64 + f64::from(self.start)) * f64::from(self.scale) / f64::from(self.rate)
    }

    /// The number of the last frame whose time is at or before `time`; 0 where none is.
    pub(in crate::source) fn frame_at(self, time: f64) -> u64 {
        // What is below zero, or no number, becomes 0; what is out of range the largest.
        let guess = (time * self.fps() - f64::from(self.start)) as u64;
        // The division and its reverse may round apart.
        let around = [guess.saturating_add(1), guess, guess.saturating_sub(1)];
        around.into_iter().find(|&frame| self.time(frame) <= time).unwrap_or(0)
    }

    /// Only what can be: from a frame in eleven days, for time lapse, to a million a second, for high-speed cameras; and
    /// begun within the first hour.
    fn sound(self) -> Option<Self> {
        if self.rate == 0 || self.scale == 0 || !(1e-6..=1e6).contains(&self.fps()) {
            return None;
        }
        Some(if self.time(0) > 3600.0 { Self { start: 0, ..self } } else { self })
    }
}

/// What the head of the file says.
#[derive(Debug, Clone, Copy)]
pub(in crate::source) struct Header {
    /// The id of the chunks that hold the pictures, without its last letter: `00d`.
    id: [u8; 3],
    pub(in crate::source) rate: Rate,
    /// Frames promised; 0 where nothing is.
    pub(in crate::source) frames: u64,
    /// Pixels down, as the head has them (twice a picture's, where pictures are fields).
    pub(in crate::source) height: u32,
    pub(in crate::source) sound: bool,
    /// Whether the pixels are told to be wider or higher than square.
    pub(in crate::source) oblong: bool,
}

/// What comes next in the file.
pub(in crate::source) enum Step {
    /// A compressed picture, in [`AviFile::jpeg`].
    Picture,
    /// The picture before, again.
    Repeat,
    /// A picture whose chunk is broken.
    Damaged,
    End,
}

/// The chunks of an AVI file, from the first picture on.
pub(in crate::source) struct AviFile {
    reader: BufReader<Box<dyn ReadSeek>>,
    /// Bytes in the file.
    length: u64,
    /// Where the next chunk starts.
    position: u64,
    /// Where the chunks of the frames so far start, or what is to be skipped before them; [`PLACES`] at most.
    places: Vec<u64>,
    /// The number of the next frame.
    frame: u64,
    pub(in crate::source) header: Header,
    /// The compressed picture read last, with [`JPEG_START`] as its start.
    pub(in crate::source) jpeg: Vec<u8>,
    /// Whether the file ended within a picture.
    pub(in crate::source) cut: bool,
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |four| u32::from_le_bytes(*four))
}

/// What an AVI can be read from.
pub(in crate::source) trait ReadSeek: Read + Seek + Send {}

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
    pub(in crate::source) fn open(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(cannot_read)?;
        let metadata = file.metadata().map_err(cannot_read)?;
        if !metadata.is_file() {
            return Err("it is no regular file".to_owned());
        }
        Self::read(Box::new(file), metadata.len())
    }

    /// Reads the head of what is already open, `length` bytes long.
    pub(in crate::source) fn read(inner: Box<dyn ReadSeek>, length: u64) -> Result<Self, String> {
        // Small: walking over the chunks reads this much of each; a picture is read past it.
        let mut reader = BufReader::with_capacity(1 << 12, inner);
        let mut head = [0; 12];
        reader.read_exact(&mut head).map_err(cannot_read)?;
        if !(head.starts_with(b"RIFF") && head.ends_with(b"AVI ")) {
            return Err("it is no AVI file".to_owned());
        }
        let header =
            Header { id: *b"00d", rate: Rate::FALLBACK, frames: 0, height: 0, sound: false, oblong: false };
        let mut file = Self {
            reader,
            length,
            position: 12,
            places: Vec::new(),
            frame: 0,
            header,
            jpeg: Vec::new(),
            cut: false,
        };
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
            if matches!(&head[..4], b"avih" | b"strh" | b"strf" | b"vprp" | b"dmlh" | b"LIST") {
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
                // Behind the head of our video, and before that of another stream.
                b"vprp" if found && codec.is_none() => self.header.oblong |= is_oblong(&data),
                b"LIST" => match data.get(..4) {
                    Some(b"hdrl" | b"strl" | b"odml") => self.position = start + 12,
                    Some(b"movi") => {
                        self.position = start + 12;
                        self.header.frames = if frames == UNKNOWN { 0 } else { frames };
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

    /// The next picture of the video, read.
    pub(in crate::source) fn next_picture(&mut self) -> io::Result<Step> {
        self.next_step(true)
    }

    /// Goes to frame `wanted`, or the last one where there are fewer; gives the number of the frame where it is now.
    pub(in crate::source) fn find_frame(&mut self, wanted: u64) -> io::Result<u64> {
        let known = self.places.len() as u64;
        if wanted >= known && known > 0 {
            // From the last place known on; nothing is decoded, or even read.
            self.go_to(known - 1);
            while self.frame <= wanted && self.places.len() < PLACES {
                if matches!(self.next_step(false)?, Step::End) {
                    break;
                }
            }
        }
        Ok(wanted.min((self.places.len() as u64).saturating_sub(1)))
    }

    /// Goes to where frame `number` starts; `false` where that is not known.
    pub(in crate::source) fn go_to(&mut self, number: u64) -> bool {
        let place = usize::try_from(number).ok().and_then(|number| self.places.get(number));
        let Some(&place) = place else { return false };
        (self.position, self.frame) = (place, number);
        true
    }

    /// Goes to where frame `number` ends.
    pub(in crate::source) fn go_behind(&mut self, number: u64) -> io::Result<()> {
        if self.go_to(number) {
            self.next_step(false)?;
        }
        Ok(())
    }

    /// The next picture of the video, read where `read` says so.
    fn next_step(&mut self, read: bool) -> io::Result<Step> {
        let start = self.position;
        let step = self.find_step(read)?;
        if !matches!(step, Step::End) {
            if self.frame == self.places.len() as u64 && self.places.len() < PLACES {
                self.places.push(start);
            }
            self.frame += 1;
        }
        Ok(step)
    }

    fn find_step(&mut self, read: bool) -> io::Result<Step> {
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
                return self.picture(data, end, read);
            } else if is_id(&head[..4]) && end <= self.length {
                self.position = self.after(end)?.unwrap_or(end);
            } else if !self.find_picture(start + 1)? {
                self.position = self.length;
                return Ok(Step::End);
            }
        }
    }

    /// Steps over the picture that should lie from `data` to `end`, having read it where `read` says so.
    fn picture(&mut self, data: u64, end: u64, read: bool) -> io::Result<Step> {
        if let (true, Some(next)) = (end <= self.length && end - data <= MAX_JPEG, self.after(end)?) {
            self.position = next;
            if data == end {
                return Ok(Step::Repeat);
            }
            if !read {
                return Ok(Step::Picture);
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

/// Whether the video properties, `vprp`, give pixels that are not square: the shape of the shown frame (`width:height` in
/// two halves of a word, the height first) against its pixels.
fn is_oblong(properties: &[u8]) -> bool {
    let (shape, width, height) = (u32_at(properties, 20), u32_at(properties, 24), u32_at(properties, 28));
    let (across, down) = (f64::from(shape >> 16), f64::from(shape & 0xffff));
    let aspect = across * f64::from(height) / (down * f64::from(width));
    // Whole numbers of up to 16 bits do not give every shape exactly.
    aspect.is_finite() && aspect > 0.0 && (aspect - 1.0).abs() > 0.005
}

/// Whether these four bytes can be the name of a chunk.
fn is_id(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| (b' '..=b'~').contains(byte))
}
