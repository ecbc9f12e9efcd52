//! `trailsight convert`: tracks and detections from one format into another.

use std::io::Write;

use super::track_boxes::parse_size;
use super::{Failure, print};
use crate::cli::ConvertArgs;
use crate::dataset::{Format, labels_beside};
use crate::sink::refuse_input;

pub(super) fn run(args: &ConvertArgs, quiet: bool) -> Result<(), Failure> {
    let mut dialect = args.read.dialect().map_err(Failure::Usage)?;
    let mut written = args.write.dialect().map_err(Failure::Usage)?;
    dialect.size = args.size.as_deref().map(parse_size).transpose()?;
    dialect.video.clone_from(&args.video);
    (written.size, written.fps) = (dialect.size, args.fps);
    let known = |name: &String| Format::named(name);
    let from = match args.from.as_ref().and_then(known) {
        Some(format) => format,
        None => Format::of(&args.file).map_err(Failure::failed)?,
    };
    let to = known(&args.to).ok_or_else(|| Failure::Usage(format!("--to {}: no such format", args.to)))?;
    if dialect.labels.is_none()
        && let Some((path, labels)) = labels_beside(&args.file).map_err(Failure::Failed)?
    {
        if !quiet {
            eprintln!("the names of the classes are in {}", path.display());
        }
        dialect.labels = Some(labels);
    }
    let read = from.read(&args.file, &dialect).map_err(Failure::failed)?;
    let name = args.target.display();
    let fail = |error: std::io::Error| Failure::Failed(format!("cannot write {name}: {error}"));
    let lost = if args.target.as_os_str() == "-" {
        let mut bytes = Vec::new();
        let lost = to.write(&read, &written, &mut bytes).map_err(fail)?;
        match String::from_utf8(bytes) {
            Ok(text) => drop(print(&text)?),
            Err(bytes) => std::io::stdout().lock().write_all(bytes.as_bytes()).map_err(fail)?,
        }
        lost
    } else {
        refuse_input(&args.target, &args.file)?;
        to.write_to(&read, &written, &args.target).map_err(fail)?
    };
    if !quiet {
        let objects: std::collections::BTreeSet<u64> = read.boxes.iter().filter_map(|one| one.id).collect();
        eprintln!(
            "{} → {}: {} boxes, {} tracks, {} frames",
            from.name(),
            to.name(),
            read.boxes.len(),
            objects.len(),
            read.length()
        );
        for (what, count) in lost.iter() {
            eprintln!("not in {}: {what} ({count})", to.name());
        }
    }
    Ok(())
}
