//! The archive that CVAT calls MOT 1.1: `gt/gt.txt`, `gt/labels.txt` and `seqinfo.ini` in a zip file. Its pixels count from 0.
//! An archive with `annotations.xml` (CVAT for video 1.1) is read too.

use std::io::{self, Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::super::dialect::Dialect;
use super::super::info::SequenceInfo;
use super::super::lines::MotError;
use super::{Annotations, Lost, MAX_BYTES, cvat, fault, mot_text};
use crate::labels::Labels;

/// The dialect of the text inside.
fn inside(labels: Option<Labels>) -> Dialect {
    Dialect { pixels_from: Some(0), labels, ..Dialect::default() }
}

pub(super) fn parse(bytes: &[u8], name: &str, dialect: &Dialect) -> Result<Annotations, MotError> {
    let mut archive =
        ZipArchive::new(Cursor::new(bytes)).map_err(|error| fault(name, "the archive", error))?;
    let mut file = |wanted: &str| -> Result<Option<Vec<u8>>, MotError> {
        let Ok(file) = archive.by_name(wanted) else { return Ok(None) };
        let mut text = Vec::new();
        let read = file.take(MAX_BYTES + 1).read_to_end(&mut text);
        read.map_err(|error| fault(name, wanted, error))?;
        match text.len() as u64 > MAX_BYTES {
            true => Err(fault(name, wanted, "it is longer than 512 MB")),
            false => Ok(Some(text)),
        }
    };
    let words = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').to_owned();
    let Some(rows) = file("gt/gt.txt")? else {
        // What CVAT exports as CVAT for video 1.1.
        let Some(xml) = file("annotations.xml")? else {
            return Err(fault(name, "the archive", "there is no gt/gt.txt and no annotations.xml in it"));
        };
        return cvat::parse(&xml, &format!("{name}: annotations.xml"));
    };
    let labels =
        file("gt/labels.txt")?.map(|text| Labels::parse(&words(text))).filter(|labels| !labels.is_empty());
    let info = file("seqinfo.ini")?
        .and_then(|text| SequenceInfo::parse(&words(text), name).ok())
        .unwrap_or_default();
    let mut text = inside(dialect.labels.clone().or(labels));
    text.pixels_from = dialect.pixels_from.or(text.pixels_from);
    let read = mot_text::parse(&mut rows.as_slice(), &format!("{name}: gt/gt.txt"), &text)?;
    let (frames, size) = (info.frames.map(|frames| frames as u64), info.width.zip(info.height));
    Ok(Annotations { frames, size, fps: info.fps, ..read })
}

pub(super) fn write(of: &Annotations, dialect: &Dialect, out: &mut dyn Write) -> io::Result<Lost> {
    let mut lost = Lost::default();
    lost.add("scores", of.boxes.iter().filter(|one| one.score.is_some_and(|score| score != 1.0)).count());
    // The number there says that a box counts, not how sure it is.
    let mut counted = of.clone();
    counted.boxes.iter_mut().for_each(|one| one.score = Some(1.0));
    let mut rows = Vec::new();
    let of_text = mot_text::write(&counted, &inside(Some(of.labels.clone())), &mut rows)?;
    of_text.iter().for_each(|(what, count)| lost.add(what, count));
    let (width, height) = dialect.size.or(of.size).unwrap_or((0, 0));
    let fps = dialect.fps.or(of.fps).unwrap_or(25.0).round().max(1.0);
    let info = format!(
        "[Sequence]\nname=video\nimDir=img1\nframeRate={fps}\nseqLength={}\nimWidth={width}\nimHeight={height}\nimExt=.jpg\n",
        of.length()
    );
    let labels: Vec<&str> = of.labels.iter().collect();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in [
        ("gt/gt.txt", rows.as_slice()),
        ("gt/labels.txt", labels.join("\n").as_bytes()),
        ("seqinfo.ini", info.as_bytes()),
    ] {
        zip.start_file(name, stored).map_err(io::Error::other)?;
        zip.write_all(bytes)?;
    }
    out.write_all(zip.finish().map_err(io::Error::other)?.get_ref())?;
    Ok(lost)
}
