//! The demo clip: people crossing a street, 200 pictures of 768×576 pixels, 7 a second; compiled into the program.
//!
//! What is compiled in is `assets/demo.avi` made small without changing a pixel (`assets/ORIGIN.md` says how): a
//! restart marker behind every block of 16×16 pixels, so that a block that did not change is the same bytes in every
//! picture, and Zstandard over the whole file, which then stores most blocks once. 2.1 MB instead of 6.4.

use std::io::Read;
use std::sync::OnceLock;

use ruzstd::decoding::StreamingDecoder;

use super::{AviSource, SourceError};

static PACKED: &[u8] = include_bytes!("../../assets/demo.avi.zst");
/// Messages call it this.
const NAME: &str = "the demo clip";

/// Opens the demo clip. The first call unpacks it (7.6 MB, kept until the program ends); later ones share that.
///
/// # Errors
/// [`SourceError::Open`] where the program's own copy is damaged.
pub fn open_demo() -> Result<AviSource, SourceError> {
    static CLIP: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
    match CLIP.get_or_init(unpack) {
        Ok(clip) => AviSource::from_bytes(clip, NAME),
        Err(why) => Err(SourceError::Open { what: NAME.to_owned(), why: why.clone() }),
    }
}

fn unpack() -> Result<Vec<u8>, String> {
    let mut decoder = StreamingDecoder::new(PACKED).map_err(|error| error.to_string())?;
    let mut clip = Vec::with_capacity(8 << 20);
    decoder.read_to_end(&mut clip).map_err(|error| error.to_string())?;
    Ok(clip)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn packing_changes_no_pixel() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo.avi");
        let mut plain = AviSource::from_bytes(std::fs::read(file).unwrap(), "demo.avi").unwrap();
        let mut packed = open_demo().unwrap();
        assert_eq!(
            (packed.info().size, packed.info().rate, packed.info().frames),
            (plain.info().size, plain.info().rate, plain.info().frames)
        );
        let mut frames = 0;
        while let Some(wanted) = plain.next_frame().unwrap() {
            let got = packed.next_frame().unwrap().unwrap();
            assert_eq!((got.sequence, got.time), (wanted.sequence, wanted.time));
            assert!(got.picture == wanted.picture, "frame {frames} differs");
            frames += 1;
        }
        assert!(packed.next_frame().unwrap().is_none());
        assert_eq!(frames, 200);
    }
}
