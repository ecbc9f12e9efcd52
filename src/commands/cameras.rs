//! `trailsight cameras`: which there are, and what they can do.

use std::collections::BTreeMap;

use super::{Failure, print};
use crate::source::camera::{self, PixelFormat};

pub(super) fn run() -> Result<(), Failure> {
    let cameras = camera::list()?;
    if cameras.is_empty() {
        eprintln!("no camera was found (on Linux: is there a /dev/video0, and may you read it?)");
        return Ok(());
    }
    let mut text = String::new();
    for camera in cameras {
        text.push_str(&format!("{}: {}\n", camera.index, camera.name));
        // One line a pixel format and size, with all its rates.
        let mut rates: BTreeMap<(PixelFormat, u32, u32), Vec<String>> = BTreeMap::new();
        for format in &camera.formats {
            let size = (format.pixels, format.width, format.height);
            rates.entry(size).or_default().push(format.rate.to_string());
        }
        for ((pixels, width, height), rates) in rates {
            text.push_str(&format!(
                "   {pixels:<6} {width:>5} × {height:<5} at {} frames/s\n",
                rates.join(", ")
            ));
        }
        if let Some(note) = &camera.note {
            text.push_str(&format!("   {note}\n"));
        }
    }
    print(&text).map(drop)
}
