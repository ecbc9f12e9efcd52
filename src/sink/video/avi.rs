//! Motion-JPEG AVI, written without any other program: constant rate, any length, no sound.
//!
//! The file can be played at any moment, also after the program was killed: pictures are whole chunks, and the counts in
//! the head are brought up to date every second. It is written in parts of about a gigabyte (OpenDML AVI extensions
//! 1.02), so that no 32-bit length overflows; each part has its index.

use std::path::Path;
use std::time::{Duration, Instant};

use jpeg_encoder::{ColorType, Encoder as JpegEncoder};

use super::super::{End, PartialFile, SinkError};
use super::Encoder;

/// A part is closed when it is that large, in bytes.
const PART_BYTES: u64 = 1 << 30;
/// A part is closed when it has that many pictures (repeated ones are nearly free, their index is not).
const PART_FRAMES: usize = 1 << 18;
/// Parts that the head has room for.
const MAX_PARTS: usize = 1024;
/// How often the counts in the head are brought up to date.
const REFRESH: Duration = Duration::from_secs(1);
/// A longer standstill of the source is cut out, in seconds: a recording with a day's gap stays a file one can watch.
const MAX_GAP: f64 = 600.0;
/// Marks a picture that needs no other one, in an old index.
const KEY_FRAME: u32 = 0x10;
/// Marks a picture that needs another one, in a new index.
const NO_KEY_FRAME: u32 = 0x8000_0000;

/// Frames a second as a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    rate: u32,
    scale: u32,
}

impl Rate {
    /// The fraction for a rate, exact for whole rates and for those of television (30000/1001).
    fn of(fps: f64) -> Self {
        let television = fps * 1.001;
        if fps < 1.0 {
            // Time lapse: seconds from one picture to the next, in millionths or, where those are too many, whole.
            let (rate, seconds) = if fps > 1e-3 { (1_000_000, 1e6 / fps) } else { (1, 1.0 / fps) };
            Self { rate, scale: seconds.round() as u32 }
        } else if (fps - fps.round()).abs() < 1e-6 {
            Self { rate: fps.round() as u32, scale: 1 }
        } else if (television - television.round()).abs() < 1e-3 {
            Self { rate: television.round() as u32 * 1000, scale: 1001 }
        } else {
            let scale = if fps > 1e4 { 100 } else { 100_000 };
            Self { rate: (fps * f64::from(scale)).round() as u32, scale }
        }
    }

    fn fps(self) -> f64 {
        f64::from(self.rate) / f64::from(self.scale)
    }
}

/// A picture in the index: where its bytes start in the file, and how many there are (0: the one before again).
#[derive(Debug, Clone, Copy)]
struct Entry {
    offset: u64,
    size: u32,
}

/// A part that is closed.
#[derive(Debug, Clone, Copy)]
struct Part {
    /// Where its index lies in the file.
    index: u64,
    index_size: u32,
    frames: u32,
}

/// Writes pictures of one size at a constant rate.
#[derive(Debug)]
pub(super) struct AviWriter {
    file: PartialFile,
    rate: Rate,
    /// 1 to 100.
    quality: u8,
    /// `(width, height)`, from the first picture on.
    size: Option<(u16, u16)>,
    /// A part is closed when it is larger, in bytes.
    part_bytes: u64,
    /// Bytes in the file.
    position: u64,
    /// Where the part being written starts.
    part_start: u64,
    /// The pictures of the part being written.
    entries: Vec<Entry>,
    parts: Vec<Part>,
    /// The length of the first part and of its list of pictures, once it is closed.
    first: Option<(u32, u32)>,
    largest: u32,
    /// Pictures in the file.
    frames: u32,
    dropped: u64,
    /// The source time of picture 0 in seconds.
    origin: f64,
    refreshed: Instant,
    /// A chunk being put together.
    chunk: Vec<u8>,
}

impl Encoder for AviWriter {
    fn name(&self) -> String {
        self.file.name().to_owned()
    }

    /// Pictures are repeated or left out, so that each one shown is within half a frame of its time.
    fn write(&mut self, bgra: &[u8], size: (usize, usize), time: f64) -> Result<(), SinkError> {
        let (width, height) = self.begin(size, time)?;
        let next = f64::from(self.frames);
        let slot = ((time - self.origin) * self.rate.fps()).round();
        let gap = (slot - next) / self.rate.fps();
        if gap > MAX_GAP {
            log::warn!("{}: a gap of {gap:.0} seconds is left out of the video", self.file.name());
            self.origin += gap;
        } else if slot < next && self.frames > 0 {
            self.dropped += 1;
            return Ok(());
        } else {
            for _ in 0..(slot - next).max(0.0) as u32 {
                self.append_picture(&[])?;
            }
        }
        let mut jpeg = Vec::with_capacity(self.largest as usize);
        JpegEncoder::new(&mut jpeg, self.quality)
            .encode(bgra, width, height, ColorType::Bgra)
            .map_err(|error| self.refuse(error.to_string()))?;
        self.append_picture(&jpeg)?;
        if self.frames == 1 || self.refreshed.elapsed() >= REFRESH {
            self.refresh()?;
        }
        Ok(())
    }

    fn end(self: Box<Self>, end: End) -> Result<(), SinkError> {
        if end == End::Complete { self.finish() } else { self.file.end(end) }
    }
}

impl AviWriter {
    /// Opens the file; nothing is written before the first picture. `fps` must lie in `1e-6..=1e6`, `quality` in
    /// `1..=100`.
    pub(super) fn create(path: &Path, fps: f64, quality: u8) -> Result<Self, SinkError> {
        Ok(Self {
            file: PartialFile::create(path)?,
            rate: Rate::of(fps),
            quality,
            size: None,
            part_bytes: PART_BYTES,
            position: 0,
            part_start: 0,
            entries: Vec::new(),
            parts: Vec::new(),
            first: None,
            largest: 0,
            frames: 0,
            dropped: 0,
            origin: 0.0,
            refreshed: Instant::now(),
            chunk: Vec::new(),
        })
    }

    /// Writes the last index and the counts, and gives the file its name.
    fn finish(mut self) -> Result<(), SinkError> {
        if self.size.is_some() {
            self.close_part()?;
            self.refresh()?;
        }
        if self.dropped > 0 {
            log::info!(
                "{}: {} frames came faster than the video's rate and were left out",
                self.name(),
                self.dropped
            );
        }
        self.file.finish()
    }

    fn refuse(&self, why: String) -> SinkError {
        SinkError::Picture { path: self.file.name().to_owned(), why }
    }

    /// The size of the video; writes the head before the first picture.
    fn begin(&mut self, (width, height): (usize, usize), time: f64) -> Result<(u16, u16), SinkError> {
        if let Some(size) = self.size {
            return Ok(size);
        }
        let (Ok(width @ 1..), Ok(height @ 1..)) = (u16::try_from(width), u16::try_from(height)) else {
            return Err(self.refuse(format!(
                "{width}×{height} pixels are out of range for Motion JPEG (1 to 65535 a side)"
            )));
        };
        self.size = Some((width, height));
        self.origin = time;
        self.append(&self.head())?;
        Ok((width, height))
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        self.file.append(bytes)?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// Appends the chunk of a picture; an empty one shows the one before again.
    fn append_picture(&mut self, jpeg: &[u8]) -> Result<(), SinkError> {
        if self.position - self.part_start > self.part_bytes || self.entries.len() >= PART_FRAMES {
            self.close_part()?;
            self.part_start = self.position;
            self.append(&part_head(0))?;
        }
        let size = u32::try_from(jpeg.len())
            .map_err(|_| self.refuse("a picture is too large for AVI".to_owned()))?;
        let mut chunk = std::mem::take(&mut self.chunk);
        chunk.clear();
        chunk.put_chunk(b"00dc", jpeg);
        self.entries.push(Entry { offset: self.position + 8, size });
        self.append(&chunk)?;
        self.chunk = chunk;
        self.largest = self.largest.max(size);
        self.frames = self.frames.saturating_add(1);
        Ok(())
    }

    /// Where the four bytes `movi` of the part being written lie.
    fn movi(&self) -> u64 {
        if self.part_start == 0 { HEAD_BYTES as u64 - 4 } else { self.part_start + 20 }
    }

    /// Writes the indexes of the part being written.
    fn close_part(&mut self) -> Result<(), SinkError> {
        if self.parts.len() >= MAX_PARTS {
            return Err(
                self.refuse("the video has become too long for one AVI file; use .mkv or .mp4".to_owned())
            );
        }
        let entries = std::mem::take(&mut self.entries);
        let movi = self.movi();
        let mut index = Vec::with_capacity(24 + entries.len() * 8);
        index.put16(2).put16(0x0100).put32(entries.len() as u32).put(b"00dc").put64(movi).put32(0);
        for entry in &entries {
            let flag = if entry.size == 0 { NO_KEY_FRAME } else { 0 };
            index.put32((entry.offset - movi) as u32).put32(entry.size | flag);
        }
        let mut tail = Vec::new();
        tail.put_chunk(b"ix00", &index);
        self.parts.push(Part {
            index: self.position,
            index_size: tail.len() as u32,
            frames: entries.len() as u32,
        });
        self.append(&tail)?;
        let list = (self.position - movi) as u32;
        if self.part_start == 0 {
            let mut old = Vec::with_capacity(entries.len() * 16);
            for entry in &entries {
                let flag = if entry.size == 0 { 0 } else { KEY_FRAME };
                old.put(b"00dc").put32(flag).put32((entry.offset - 8 - movi) as u32).put32(entry.size);
            }
            tail.clear();
            tail.put_chunk(b"idx1", &old);
            self.append(&tail)?;
            self.first = Some(((self.position - 8) as u32, list));
        } else {
            self.file.replace(self.part_start, &part_head(list))?;
        }
        Ok(())
    }

    /// Brings the lengths and counts in the file up to date.
    fn refresh(&mut self) -> Result<(), SinkError> {
        if self.part_start > 0 && !self.entries.is_empty() {
            self.file.replace(self.part_start, &part_head((self.position - self.movi()) as u32))?;
        }
        self.file.replace(0, &self.head())?;
        self.refreshed = Instant::now();
        Ok(())
    }

    /// The head of the file as of now, [`HEAD_BYTES`] long: up to and with the `movi` of the first list of pictures.
    fn head(&self) -> Vec<u8> {
        let (width, height) =
            self.size.map_or((0, 0), |(width, height)| (u32::from(width), u32::from(height)));
        let Rate { rate, scale } = self.rate;
        let first_frames = self.parts.first().map_or(self.frames, |part| part.frames);
        // Until there is a picture the lengths are 0, which readers take for "up to the end".
        let so_far = if self.frames == 0 { 0 } else { self.position as u32 };
        let (riff, list) =
            self.first.unwrap_or((so_far.saturating_sub(8), so_far.saturating_sub(HEAD_BYTES as u32 - 4)));

        let mut avih = Vec::new();
        avih.put32((1e6 / self.rate.fps()).round() as u32).put32(0).put32(0);
        // Has an index, is interleaved, and its chunks tell the key frames.
        avih.put32(0x10 | 0x100 | 0x800).put32(first_frames).put32(0).put32(1).put32(self.largest);
        avih.put32(width).put32(height).put(&[0; 16]);

        let mut strh = Vec::new();
        strh.put(b"vidsMJPG").put32(0).put32(0).put32(0).put32(scale).put32(rate).put32(0).put32(self.frames);
        // Quality -1: not told.
        strh.put32(self.largest)
            .put32(u32::MAX)
            .put32(0)
            .put16(0)
            .put16(0)
            .put16(width as u16)
            .put16(height as u16);

        let mut strf = Vec::new();
        strf.put32(40).put32(width).put32(height).put16(1).put16(24).put(b"MJPG");
        strf.put32(width.saturating_mul(height).saturating_mul(3)).put(&[0; 16]);

        let mut indx = Vec::new();
        indx.put16(4).put16(0).put32(self.parts.len() as u32).put(b"00dc").put(&[0; 12]);
        for part in &self.parts {
            indx.put64(part.index).put32(part.index_size).put32(part.frames);
        }
        indx.resize(24 + MAX_PARTS * 16, 0);

        let mut strl = Vec::new();
        strl.put(b"strl").put_chunk(b"strh", &strh).put_chunk(b"strf", &strf).put_chunk(b"indx", &indx);
        let mut dmlh = self.frames.to_le_bytes().to_vec();
        dmlh.resize(248, 0);
        let mut odml = Vec::new();
        odml.put(b"odml").put_chunk(b"dmlh", &dmlh);
        let mut hdrl = Vec::new();
        hdrl.put(b"hdrl").put_chunk(b"avih", &avih).put_chunk(b"LIST", &strl).put_chunk(b"LIST", &odml);

        let mut head = Vec::with_capacity(HEAD_BYTES);
        head.put(b"RIFF").put32(riff).put(b"AVI ").put_chunk(b"LIST", &hdrl);
        head.put(b"LIST").put32(list).put(b"movi");
        head
    }
}

/// The length of [`AviWriter::head`].
const HEAD_BYTES: usize = 12 + (8 + 4 + 8 + 56 + STRL_BYTES + 8 + 4 + 8 + 248) + 12;
/// The length of the description of the stream in it.
const STRL_BYTES: usize = 8 + 4 + 8 + 56 + 8 + 40 + 8 + 24 + MAX_PARTS * 16;

/// The head of a later part, whose list of pictures has this length (0: up to the end).
fn part_head(list: u32) -> Vec<u8> {
    let mut head = Vec::new();
    let riff = if list == 0 { 0 } else { list + 12 };
    head.put(b"RIFF").put32(riff).put(b"AVIX").put(b"LIST").put32(list).put(b"movi");
    head
}

/// Little-endian numbers and chunks, one after the other.
trait Put {
    fn put(&mut self, bytes: &[u8]) -> &mut Self;

    fn put16(&mut self, value: u16) -> &mut Self {
        self.put(&value.to_le_bytes())
    }

    fn put32(&mut self, value: u32) -> &mut Self {
        self.put(&value.to_le_bytes())
    }

    fn put64(&mut self, value: u64) -> &mut Self {
        self.put(&value.to_le_bytes())
    }

    /// A chunk with its name and length, padded to an even length.
    fn put_chunk(&mut self, id: &[u8; 4], data: &[u8]) -> &mut Self {
        self.put(id).put32(data.len() as u32).put(data).put(&[0][..data.len() % 2])
    }
}

impl Put for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) -> &mut Self {
        self.extend_from_slice(bytes);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{AviSource, Source};
    use std::process::Command;

    #[test]
    fn rates_are_fractions() {
        for (fps, rate, scale) in [
            (30.0, 30, 1),
            (30_000.0 / 1001.0, 30_000, 1001),
            (23.976, 24_000, 1001),
            (12.5, 1_250_000, 100_000),
        ] {
            assert_eq!(Rate::of(fps), Rate { rate, scale }, "{fps}");
        }
        for fps in [1e-6, 1.0 / 3600.0, 1.0 / 300.0, 0.01, 0.5, 7.3, 999.0, 2000.0, 12_345.67, 1e6] {
            assert!((Rate::of(fps).fps() / fps - 1.0).abs() < 1e-5, "{fps}");
        }
    }

    /// Writes grey frames, each lighter than the one before, in parts of some kilobytes.
    fn in_parts(path: &Path, frames: u8) -> AviWriter {
        let mut writer = AviWriter::create(path, 10.0, 90).unwrap();
        writer.part_bytes = 4000;
        for frame in 0..frames {
            let bgra = [frame * 2, frame * 2, frame * 2, 0].repeat(48 * 32);
            // Every third time is left out.
            writer.write(&bgra, (48, 32), f64::from(frame + frame / 2) / 10.0).unwrap();
        }
        writer
    }

    fn greys(path: &Path) -> Vec<u8> {
        let mut source = AviSource::open(path).unwrap();
        let mut greys = vec![];
        while let Some(frame) = source.next_frame().unwrap() {
            greys.push(frame.picture.pixels()[0]);
        }
        greys
    }

    #[test]
    fn several_parts_are_one_video() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("parts.avi");
        let mut writer = in_parts(&path, 100);
        writer.refresh().unwrap();
        let killed = folder.path().join("killed.avi");
        std::fs::copy(folder.path().join("parts.partial.avi"), &killed).unwrap();
        assert!(writer.parts.len() > 3);
        writer.finish().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert!(
            bytes.windows(12).filter(|four| four.starts_with(b"RIFF") && four.ends_with(b"AVIX")).count() > 3
        );
        for file in [&path, &killed] {
            let greys = greys(file);
            assert_eq!(greys.len(), 149);
            for (slot, grey) in greys.iter().enumerate() {
                let frame = (slot - slot / 3) as u8 - u8::from(slot % 3 == 2);
                assert!(grey.abs_diff(frame * 2) <= 2, "slot {slot}: {grey}");
            }
            let count = [
                "-v",
                "error",
                "-count_packets",
                "-show_entries",
                "stream=nb_read_packets,nb_frames,duration",
                "-of",
                "csv=p=0",
            ];
            match Command::new("ffprobe").args(count).arg(file).output() {
                Ok(told) => {
                    assert_eq!(String::from_utf8_lossy(&told.stderr), "");
                    assert_eq!(String::from_utf8_lossy(&told.stdout).trim(), "14.900000,149,100");
                }
                Err(_) => crate::sink::missing("ffprobe"),
            }
        }
        // The index leads to the right picture: the one at 14 s is number 94.
        let seek = ["-v", "error", "-ss", "14", "-i"];
        let one = ["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-"];
        match Command::new("ffmpeg").args(seek).arg(&path).args(one).output() {
            Ok(told) => assert!(told.stdout[0].abs_diff(94 * 2) <= 4, "{}", told.stdout[0]),
            Err(_) => crate::sink::missing("ffmpeg"),
        }
    }
}
