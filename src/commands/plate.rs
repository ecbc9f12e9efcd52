//! `trailsight plate`: the place without what moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::{Context, Failure, input, progress};
use crate::background::{CleanPlate, MotionDetector};
use crate::cli::PlateArgs;
use crate::enhance::ShownChain;
use crate::frame::Picture;
use crate::kernels::View;
use crate::pipeline::Stop;
use crate::sink::{End, PartialFile, write_png_into};
use crate::source::Stopper;
use crate::view::Canvas;

pub(super) fn run(args: &PlateArgs, context: &Context) -> Result<(), Failure> {
    let settings = &context.loaded.settings;
    let is_png = args.image.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png"));
    if !is_png {
        return Err(Failure::Usage(format!("{}: the plate is written as .png", args.image.display())));
    }
    let mut input = input::open(&args.source, settings)?;
    input.files.refuse(&args.image)?;
    // That it cannot be written is told before hours of watching.
    let image = PartialFile::create(&args.image)?;
    context.stop.be_graceful();
    let live = input.source.info().kind.is_live();
    let _watch = Watch::begin(&context.stop, input.source.stopper());
    let bar = progress::bar(input.source.info(), context.quiet);
    let mut chain = ShownChain::new(settings.enhance.clone());
    let mut detector = MotionDetector::new(settings.detector.motion);
    let (mut plate, mut frames, mut first) = (CleanPlate::new(), 0u64, None);
    let mut broken = None;
    while !context.stop.is_asked() {
        let frame = match input.source.next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(_) if context.stop.is_asked() => break,
            // What was seen until then is kept.
            Err(error) => {
                broken = Some(error);
                break;
            }
        };
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
        image.end(End::Discarded)?;
        let none = || Failure::Failed(format!("{}: it gave no picture", input.source.info().name));
        return Err(broken.map_or_else(none, Failure::from));
    }
    write_png_into(image, &canvas(&plate.picture().map_err(Failure::failed)?))?;
    if !context.quiet {
        progress::say(&format!("{frames} frames: {}", args.image.display()));
    }
    if let Some(error) = broken {
        return Err(error.into());
    }
    // A camera is watched until it is stopped; of a recording a part is missing.
    context.stop.signal().filter(|_| !live).map_or(Ok(()), |signal| Err(Failure::Signal(signal)))
}

/// Ends a read that waits for a silent camera when the program is asked to stop.
struct Watch {
    done: Arc<AtomicBool>,
}

impl Watch {
    fn begin(stop: &Stop, stopper: Option<Stopper>) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        if let Some(stopper) = stopper {
            let (stop, done) = (stop.clone(), Arc::clone(&done));
            thread::spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    if stop.is_asked() {
                        stopper();
                        return;
                    }
                    thread::sleep(Duration::from_millis(50));
                }
            });
        }
        Self { done }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
    }
}

fn canvas(picture: &Picture) -> Canvas {
    let mut canvas = Canvas::new(picture.width() as usize, picture.height() as usize);
    for (to, [r, g, b]) in canvas.pixels_mut().iter_mut().zip(picture.rgb()) {
        *to = u32::from_be_bytes([0, *r, *g, *b]);
    }
    canvas
}
