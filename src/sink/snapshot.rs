//! A picture as a PNG: of what is shown under a name that nothing has yet, of the fullest scene of a run as a sink.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

use super::names::{all_taken, numbered};
use super::{End, Needs, PartialFile, Sink, SinkError, SinkPicture};
use crate::frame::Raster;

/// Writes `picture` as `trailsight-0001.png` (or the first free number) into `folder`, and says where it is. Never
/// overwrites.
///
/// # Errors
/// [`SinkError::Place`] where the folder is missing or closed to us, [`SinkError::Write`], [`SinkError::Picture`].
pub fn write_snapshot<'a>(picture: impl Into<Raster<'a>>, folder: &Path) -> Result<PathBuf, SinkError> {
    let png = encode(picture.into())
        .map_err(|why| SinkError::Picture { path: folder.join("snapshot").display().to_string(), why })?;
    let (mut file, path) = create_free(folder)?;
    let outcome = file.write_all(&png).and_then(|()| file.sync_all());
    match outcome {
        Ok(()) => Ok(path),
        Err(error) => {
            // Half a picture is of no use; the error is what is reported.
            let _ = fs::remove_file(&path);
            Err(SinkError::writing(&path.display().to_string(), None, &error))
        }
    }
}

/// Writes `picture` as a PNG to `path`, whole or not at all; what had that name is replaced.
///
/// # Errors
/// As [`write_snapshot`].
pub fn write_png<'a>(picture: impl Into<Raster<'a>>, path: &Path) -> Result<(), SinkError> {
    write_png_into(PartialFile::create(path)?, picture)
}

/// The same into a file that was begun before.
///
/// # Errors
/// As [`write_png`].
pub fn write_png_into<'a>(mut file: PartialFile, picture: impl Into<Raster<'a>>) -> Result<(), SinkError> {
    let png =
        encode(picture.into()).map_err(|why| SinkError::Picture { path: file.name().to_owned(), why })?;
    file.append(&png)?;
    file.finish()
}

/// A picture as a PNG.
pub(super) fn encode(picture: Raster<'_>) -> Result<Vec<u8>, String> {
    let rgb: Vec<u8> =
        picture.pixels().iter().flat_map(|pixel| pixel.to_be_bytes().into_iter().skip(1)).collect();
    let side = |side: usize| u32::try_from(side).map_err(|error| error.to_string());
    let mut png = Cursor::new(Vec::new());
    PngEncoder::new(&mut png)
        .write_image(&rgb, side(picture.width())?, side(picture.height())?, ExtendedColorType::Rgb8)
        .map_err(|error| error.to_string())?;
    Ok(png.into_inner())
}

/// A new file under the first free number.
fn create_free(folder: &Path) -> Result<(File, PathBuf), SinkError> {
    for path in numbered(folder, "png") {
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(SinkError::opening(&path, folder, &error)),
        }
    }
    Err(all_taken(folder, "png"))
}

/// Keeps the drawn picture of the frame in which most tracks were seen, and writes it when the run is complete.
pub(super) struct SnapshotSink {
    path: PathBuf,
    name: String,
    fullest: Option<Fullest>,
}

struct Fullest {
    tracks: usize,
    size: (usize, usize),
    pixels: Vec<u32>,
}

impl SnapshotSink {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), name: path.display().to_string(), fullest: None }
    }
}

impl Sink for SnapshotSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn needs(&self) -> Needs {
        Needs::DRAWN_PICTURES
    }

    fn picture(&mut self, picture: &SinkPicture<'_>) -> Result<(), SinkError> {
        let tracks = picture.scene.seen().count();
        if self.fullest.as_ref().is_none_or(|fullest| tracks > fullest.tracks) {
            let size = (picture.pixels.width(), picture.pixels.height());
            self.fullest = Some(Fullest { tracks, size, pixels: picture.pixels.pixels().to_vec() });
        }
        Ok(())
    }

    fn finish(self: Box<Self>, end: End) -> Result<(), SinkError> {
        let Some(Fullest { size: (width, height), pixels, .. }) = &self.fullest else { return Ok(()) };
        match Raster::new(*width, *height, pixels) {
            Some(picture) if end == End::Complete => write_png(picture, &self.path),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Canvas;

    #[test]
    fn a_snapshot_takes_the_first_free_name_and_holds_the_pixels() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("trailsight-0001.png");
        fs::write(&taken, "mine").unwrap();
        let mut canvas = Canvas::new(3, 2);
        canvas.pixels_mut()[1] = 0x0010_20ff;
        let path = write_snapshot(&canvas, folder.path()).unwrap();
        assert_eq!(path, folder.path().join("trailsight-0002.png"));
        assert_eq!(fs::read_to_string(taken).unwrap(), "mine");
        let read = image::open(path).unwrap().to_rgb8();
        assert_eq!(
            (read.dimensions(), read.get_pixel(1, 0).0, read.get_pixel(0, 0).0),
            ((3, 2), [0x10, 0x20, 0xff], [0; 3])
        );
        let said = write_snapshot(&canvas, &folder.path().join("none")).unwrap_err().to_string();
        assert!(said.contains("does not exist"), "{said}");
    }
}
