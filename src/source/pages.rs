//! Several pictures in one file: TIFF stacks and streams of PNM pictures. Finds where each one is; decoding them is the
//! business of [`picture_file`](super::picture_file).

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use image::ImageFormat;

use super::SourceError;
use super::picture_file::{decode_from, format_of, read_picture};
use crate::frame::Picture;

/// The most pictures of one file that are read.
const MOST: usize = 1_000_000;
/// The longest head of a PNM picture in bytes, with its comments.
const LONGEST_HEAD: u64 = 1 << 16;

/// One picture of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    /// The file is one picture.
    Whole,
    /// Of a TIFF, the one whose directory is at this offset from the file's start.
    Tiff(u64),
    /// Of a stream of pictures, the one that begins at this offset.
    Part(u64),
}

/// The pictures of a file in their order; [`Page::Whole`] alone where there is one, or where the file is not understood, so that
/// reading it says why.
pub(super) fn pages(path: &Path) -> Vec<Page> {
    let found = match format_of(path) {
        Some(ImageFormat::Tiff) => File::open(path).and_then(|file| tiff_pages(BufReader::new(file))),
        Some(ImageFormat::Pnm) => File::open(path).and_then(|file| pnm_pages(BufReader::new(file))),
        _ => Ok(Vec::new()),
    };
    found.ok().filter(|pages| pages.len() > 1).unwrap_or_else(|| vec![Page::Whole])
}

/// How many pictures there are in the bytes of a file, for tests with damaged ones.
pub(super) fn count(bytes: &[u8]) -> usize {
    let tiff = tiff_pages(io::Cursor::new(bytes)).map_or(0, |pages| pages.len());
    tiff + pnm_pages(io::Cursor::new(bytes)).map_or(0, |pages| pages.len())
}

/// One picture of an image file, as [`read_picture`] reads it.
///
/// # Errors
/// As [`read_picture`].
pub(super) fn read_page(path: &Path, page: Page) -> Result<Picture, SourceError> {
    if page == Page::Whole {
        return read_picture(path);
    }
    let what = path.display().to_string();
    let file = open(path, page).map_err(|e| SourceError::Open { what: what.clone(), why: e.to_string() })?;
    decode_from(file, format_of(path)).map_err(|why| SourceError::Read { what, why })
}

/// Opens a file so that the reader of one picture finds this one.
fn open(path: &Path, page: Page) -> io::Result<BufReader<Redirected>> {
    let mut file = File::open(path)?;
    let mut head = Vec::new();
    match page {
        Page::Whole => {}
        Page::Part(start) => {
            file.seek(SeekFrom::Start(start))?;
        }
        Page::Tiff(directory) => {
            let shape = Tiff::read(&mut file)?;
            head = shape.head(directory);
            file.seek(SeekFrom::Start(0))?;
        }
    }
    Ok(BufReader::new(Redirected { file, head }))
}

/// A file with other bytes at its beginning: a TIFF whose first picture is another one.
struct Redirected {
    file: File,
    head: Vec<u8>,
}

impl Read for Redirected {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let place = if self.head.is_empty() { u64::MAX } else { self.file.stream_position()? };
        let count = self.file.read(bytes)?;
        let covered =
            usize::try_from(place).ok().and_then(|place| self.head.get(place..)).unwrap_or_default();
        for (byte, other) in bytes.iter_mut().take(count).zip(covered) {
            *byte = *other;
        }
        Ok(count)
    }
}

impl Seek for Redirected {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// How a TIFF is built: the order of its bytes, and whether its offsets have eight of them (BigTIFF).
#[derive(Debug, Clone, Copy)]
struct Tiff {
    little: bool,
    big: bool,
}

impl Tiff {
    fn read(file: &mut impl Read) -> io::Result<Self> {
        let mut mark = [0; 4];
        file.read_exact(&mut mark)?;
        let (little, version) = match mark {
            [b'I', b'I', version, 0] => (true, version),
            [b'M', b'M', 0, version] => (false, version),
            _ => return Err(io::ErrorKind::InvalidData.into()),
        };
        match version {
            42 => Ok(Self { little, big: false }),
            43 => Ok(Self { little, big: true }),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// The file's head with this directory as the first.
    fn head(self, directory: u64) -> Vec<u8> {
        let mark: &[u8] = match (self.little, self.big) {
            (true, false) => b"II\x2A\0",
            (false, false) => b"MM\0\x2A",
            (true, true) => b"II\x2B\0\x08\0\0\0",
            (false, true) => b"MM\0\x2B\0\x08\0\0",
        };
        let mut bytes = directory.to_be_bytes().to_vec();
        if !self.big {
            bytes.drain(..4);
        }
        if self.little {
            bytes.reverse();
        }
        [mark, &bytes].concat()
    }

    /// A whole number of so many bytes.
    fn number(self, file: &mut impl Read, length: usize) -> io::Result<u64> {
        let mut bytes = [0; 8];
        let place = bytes.get_mut(..length).ok_or(io::ErrorKind::InvalidInput)?;
        file.read_exact(place)?;
        if self.little {
            return Ok(u64::from_le_bytes(bytes));
        }
        Ok(u64::from_be_bytes(bytes) >> (8 * (8 - length)))
    }
}

/// The pictures of full size of a TIFF: no small previews, no masks.
fn tiff_pages(mut file: impl BufRead + Seek) -> io::Result<Vec<Page>> {
    const SUBFILE: u64 = 254;
    let tiff = Tiff::read(&mut file)?;
    let (count_length, entry_length, offset_length) = if tiff.big { (8, 20, 8) } else { (2, 12, 4) };
    // Directories that lie in each other would be read again and again.
    let length = file.seek(SeekFrom::End(0))?;
    let mut left = length / entry_length as u64;
    file.seek(SeekFrom::Start(if tiff.big { 8 } else { 4 }))?;
    let (mut pages, mut seen) = (Vec::new(), HashSet::new());
    let mut directory = tiff.number(&mut file, offset_length)?;
    while directory != 0 && pages.len() < MOST && seen.insert(directory) {
        file.seek(SeekFrom::Start(directory))?;
        // A directory that is cut off ends the list: the pictures before it are good.
        let Ok(count) = tiff.number(&mut file, count_length) else { break };
        let mut kind = 0;
        let mut whole = count <= left.min(65_535);
        left = left.saturating_sub(count.max(1));
        for _ in 0..if whole { count } else { 0 } {
            let mut entry = vec![0; entry_length];
            if file.read_exact(&mut entry).is_err() {
                whole = false;
                break;
            }
            // A tag, a type, how many there are; then the value itself, in the first bytes of its place.
            if tiff.number(&mut entry.as_slice(), 2)? == SUBFILE {
                let value = entry.get(entry_length - offset_length..).unwrap_or_default();
                kind = tiff.number(&mut &*value, 4)?;
            }
        }
        if !whole {
            break;
        }
        // A reduced version of another picture, a mask.
        if kind & 0b101 == 0 {
            pages.push(Page::Tiff(directory));
        }
        directory = tiff.number(&mut file, offset_length).unwrap_or(0);
    }
    Ok(pages)
}

/// The pictures of a stream of binary PNM pictures (PBM, PGM, PPM, PAM).
fn pnm_pages(mut file: impl BufRead + Seek) -> io::Result<Vec<Page>> {
    let mut pages = Vec::new();
    let mut start = 0;
    while pages.len() < MOST {
        file.seek(SeekFrom::Start(start))?;
        let Ok(length) = pnm_length(&mut file) else { break };
        pages.push(Page::Part(start));
        let next = file.stream_position()?.checked_add(length).ok_or(io::ErrorKind::InvalidData)?;
        file.seek(SeekFrom::Start(next))?;
        // Line ends between two pictures.
        let blank = file
            .by_ref()
            .take(LONGEST_HEAD)
            .bytes()
            .take_while(|byte| byte.as_ref().is_ok_and(u8::is_ascii_whitespace));
        start = next + blank.count() as u64;
    }
    Ok(pages)
}

/// Reads the head of a binary PNM picture: how many bytes of pixels follow.
fn pnm_length(file: &mut impl BufRead) -> io::Result<u64> {
    let bad = || io::Error::from(io::ErrorKind::InvalidData);
    let mut head = file.take(LONGEST_HEAD);
    let kind = token(&mut head)?;
    let number = |head: &mut _| -> io::Result<u64> { token(head)?.parse().map_err(|_| bad()) };
    let (width, height, samples, largest);
    match kind.as_str() {
        "P4" => {
            (width, height) = (number(&mut head)?, number(&mut head)?);
            return width.div_ceil(8).checked_mul(height).ok_or_else(bad);
        }
        "P5" | "P6" => {
            (width, height, largest) = (number(&mut head)?, number(&mut head)?, number(&mut head)?);
            samples = if kind == "P6" { 3 } else { 1 };
        }
        "P7" => {
            let mut fields = [0; 4];
            loop {
                let name = token(&mut head)?;
                if name == "ENDHDR" {
                    break;
                }
                let place = ["WIDTH", "HEIGHT", "DEPTH", "MAXVAL"].iter().position(|known| *known == name);
                let value = token(&mut head)?;
                if let Some(field) = place.and_then(|place| fields.get_mut(place)) {
                    *field = value.parse().map_err(|_| bad())?;
                }
            }
            [width, height, samples, largest] = fields;
        }
        _ => return Err(bad()),
    }
    let bytes = if largest > 255 { 2 } else { 1 };
    width.checked_mul(height).and_then(|area| area.checked_mul(samples)?.checked_mul(bytes)).ok_or_else(bad)
}

/// The next word and the blank behind it; what stands between `#` and the end of a line is passed over.
fn token(head: &mut impl BufRead) -> io::Result<String> {
    let mut word = String::new();
    let mut in_comment = false;
    for byte in head.bytes() {
        let byte = byte?;
        match byte {
            b'\n' | b'\r' if in_comment => in_comment = false,
            _ if in_comment => {}
            b'#' if word.is_empty() => in_comment = true,
            _ if byte.is_ascii_whitespace() && word.is_empty() => {}
            _ if byte.is_ascii_whitespace() => return Ok(word),
            _ if word.len() < 20 => word.push(byte.into()),
            _ => break,
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    /// A TIFF of 1×1 pictures of these greys; the flags say what kind of picture each is.
    fn stack(little: bool, big: bool, greys: &[(u8, u32)]) -> Vec<u8> {
        let shape = Tiff { little, big };
        let put = |value: u64, length: usize| -> Vec<u8> {
            let mut bytes = value.to_be_bytes()[8 - length..].to_vec();
            if little {
                bytes.reverse();
            }
            bytes
        };
        let (count_length, entry_length, offset_length) = if big { (8, 20, 8) } else { (2, 12, 4) };
        let head = if big { 16 } else { 8 };
        let entries = 9;
        let size = count_length + entries * entry_length + offset_length + 2;
        let mut file = shape.head(head as u64);
        for (number, &(grey, kind)) in greys.iter().enumerate() {
            let at = head + number * size;
            let pixel = at + size - 2;
            file.extend(put(entries as u64, count_length));
            // Short or long values at the front of their place.
            let tags: [(u64, u64, u64); 9] = [
                (254, 4, kind.into()),
                (256, 4, 1),
                (257, 4, 1),
                (258, 3, 8),
                (259, 3, 1),
                (262, 3, 1),
                (273, 4, pixel as u64),
                (278, 4, 1),
                (279, 4, 1),
            ];
            for (tag, kind, value) in tags {
                let mut entry = [put(tag, 2), put(kind, 2), put(1, offset_length)].concat();
                entry.extend(put(value, if kind == 3 { 2 } else { 4 }));
                entry.resize(entry_length, 0);
                file.extend(entry);
            }
            let next = if number + 1 < greys.len() { at + size } else { 0 };
            file.extend(put(next as u64, offset_length));
            file.extend([grey, 0]);
        }
        file
    }

    fn greys(path: &Path) -> Vec<u8> {
        pages(path).into_iter().map(|page| read_page(path, page).unwrap().rgb()[0][0]).collect()
    }

    #[test]
    fn all_pictures_of_a_stack_are_read_and_previews_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        for (little, big) in [(true, false), (false, false), (true, true), (false, true)] {
            std::fs::write(&path, stack(little, big, &[(10, 0), (99, 1), (20, 2), (98, 4), (30, 0)]))
                .unwrap();
            assert_eq!(greys(&path), [10, 20, 30], "little {little}, big {big}");
            std::fs::write(&path, stack(little, big, &[(7, 0)])).unwrap();
            assert_eq!((pages(&path), greys(&path)), (vec![Page::Whole], vec![7]));
        }
    }

    #[test]
    fn a_stack_that_leads_in_a_circle_ends() {
        let mut circle = stack(true, false, &[(1, 0), (2, 0)]);
        let next = circle.len() - 6;
        circle[next] = 8;
        assert_eq!(tiff_pages(Cursor::new(circle)).unwrap().len(), 2);
    }

    #[test]
    fn all_pictures_of_a_pnm_stream_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pnm");
        let stream = [
            &b"P5 1 1 255\n\x10"[..],
            b"P5\n# two\n1 1\n255\n\x20\n",
            b"P6 1 2 255\n\x30\x30\x30\x31\x31\x31",
            b"P5 1 1 65535\n\x40\x40",
            b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n\x50\x50\x50",
            b"P4 9 1\n\x00\x00",
        ];
        std::fs::write(&path, stream.concat()).unwrap();
        assert_eq!(greys(&path), [0x10, 0x20, 0x30, 0x40, 0x50, 255]);
        std::fs::write(&path, "P3 1 1 255 9 9 9").unwrap();
        assert_eq!((pages(&path), greys(&path)), (vec![Page::Whole], vec![9]));
    }

    proptest! {
        #[test]
        fn no_bytes_end_the_program(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0..4_usize) {
            let head: &[u8] = [&b"II\x2A\0\x08\0\0\0"[..], b"MM\0\x2B\0\x08\0\0\0\0\0\0\0\0\0\x10", b"P5 1", b"P7\nWIDTH "][kind];
            let bytes = [head, &bytes].concat();
            let _ = tiff_pages(Cursor::new(&bytes));
            let _ = pnm_pages(Cursor::new(&bytes));
        }
    }
}
