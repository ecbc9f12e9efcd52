//! `trailsight plate`: the place without what moves.

use super::{Context, Failure, input, progress};
use crate::background::{CleanPlate, MotionDetector};
use crate::cli::PlateArgs;
use crate::enhance::ShownChain;
use crate::frame::Picture;
use crate::kernels::View;
use crate::sink::write_png;
use crate::view::Canvas;

pub(super) fn run(args: &PlateArgs, context: &Context) -> Result<(), Failure> {
    let settings = &context.loaded.settings;
    let is_png = args.image.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png"));
    if !is_png {
        return Err(Failure::Usage(format!("{}: the plate is written as .png", args.image.display())));
    }
    let mut input = input::open(&args.source, settings)?;
    input.files.refuse(&args.image)?;
    context.stop.be_graceful();
    let bar = progress::bar(input.source.info(), context.quiet);
    let mut chain = ShownChain::new(settings.enhance.clone());
    let mut detector = MotionDetector::new(settings.detector.motion);
    let (mut plate, mut frames, mut first) = (CleanPlate::new(), 0u64, None);
    while !context.stop.is_asked() {
        let Some(frame) = input.source.next_frame()? else { break };
        let begun = *first.get_or_insert(frame.time);
        if args.seconds.is_some_and(|seconds| frame.time - begun > seconds) {
            break;
        }
        let picture = chain.show(&frame.picture, frame.time).0;
        let view = View::from(&*picture);
        detector.detect(&view, frame.time);
        plate.add(&view, &detector);
        frames += 1;
        bar.inc(1);
    }
    bar.finish_and_clear();
    if frames == 0 {
        return Err(Failure::Failed(format!("{}: it gave no picture", input.source.info().name)));
    }
    write_png(&canvas(&plate.picture().map_err(Failure::failed)?), &args.image)?;
    if !context.quiet {
        eprintln!("{frames} frames: {}", args.image.display());
    }
    Ok(())
}

fn canvas(picture: &Picture) -> Canvas {
    let mut canvas = Canvas::new(picture.width() as usize, picture.height() as usize);
    for (to, [r, g, b]) in canvas.pixels_mut().iter_mut().zip(picture.rgb()) {
        *to = u32::from_be_bytes([0, *r, *g, *b]);
    }
    canvas
}
