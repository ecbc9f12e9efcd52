//! A picture of what is shown, as a PNG under a name that nothing has yet.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

use super::SinkError;
use super::names::{all_taken, numbered};
use crate::view::Canvas;

/// Writes `canvas` as `trailsight-0001.png` (or the first free number) into `folder`, and says where it is. Never
/// overwrites.
///
/// # Errors
/// [`SinkError::Place`] where the folder is missing or closed to us, [`SinkError::Write`], [`SinkError::Picture`].
pub fn write_snapshot(canvas: &Canvas, folder: &Path) -> Result<PathBuf, SinkError> {
    let png = encode(canvas)
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

/// Writes `canvas` as a PNG to `path`, whole or not at all; what had that name is replaced.
///
/// # Errors
/// As [`write_snapshot`].
pub fn write_png(canvas: &Canvas, path: &Path) -> Result<(), SinkError> {
    let png = encode(canvas).map_err(|why| SinkError::Picture { path: path.display().to_string(), why })?;
    let mut file = super::PartialFile::create(path)?;
    file.append(&png)?;
    file.finish()
}

fn encode(canvas: &Canvas) -> Result<Vec<u8>, String> {
    let rgb: Vec<u8> =
        canvas.pixels().iter().flat_map(|pixel| pixel.to_be_bytes().into_iter().skip(1)).collect();
    let side = |side: usize| u32::try_from(side).map_err(|error| error.to_string());
    let mut png = Cursor::new(Vec::new());
    PngEncoder::new(&mut png)
        .write_image(&rgb, side(canvas.width())?, side(canvas.height())?, ExtendedColorType::Rgb8)
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

#[cfg(test)]
mod tests {
    use super::*;

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
