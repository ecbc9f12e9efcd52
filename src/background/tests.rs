use proptest::prelude::*;

use super::*;
use crate::kernels::isa::portable;

const SIZE: (usize, usize) = (240, 180);
const RATE: f64 = 25.0;

/// A place with a pattern, drawn anew for each frame.
struct Scene {
    random: fastrand::Rng,
    place: Vec<f32>,
}

/// What one frame shows.
#[derive(Clone, Copy, Default)]
struct Shown {
    /// Left and top of something 24 by 60 pixels large.
    thing: Option<(f32, f32)>,
    /// A shadow to the right of its feet, which leaves this share of the light.
    shadow: Option<f32>,
    /// How many times as bright all is, and bands across the picture.
    light: Option<f32>,
    bands: f32,
    drops: usize,
    shift: (f32, f32),
}

/// What is shown at a time in seconds.
type Show<'a> = &'a dyn Fn(f64) -> Shown;

const THING: (f32, f32) = (24.0, 60.0);

impl Scene {
    fn new() -> Self {
        let mut random = fastrand::Rng::with_seed(7);
        let (width, height) = (SIZE.0 + 40, SIZE.1 + 40);
        let coarse: Vec<f32> = (0..60 * 60).map(|_| random.f32()).collect();
        let place = (0..width * height)
            .map(|at| {
                let (x, y) = (at % width, at / width);
                let block = coarse[(y / 9) * 60 + x / 9];
                90.0 + 50.0 * block + if x % 56 < 4 { -40.0 } else { 0.0 } + 12.0 * random.f32()
            })
            .collect();
        Self { random, place }
    }

    fn place_at(&self, x: f32, y: f32) -> f32 {
        let width = SIZE.0 + 40;
        let (left, top) = (x.floor(), y.floor());
        let (h, v) = (x - left, y - top);
        let at = |x: f32, y: f32| {
            let (x, y) = (
                (x as isize + 20).clamp(0, width as isize - 1),
                (y as isize + 20).clamp(0, SIZE.1 as isize + 39),
            );
            self.place[y as usize * width + x as usize]
        };
        let row = |y: f32| at(left, y) * (1.0 - h) + at(left + 1.0, y) * h;
        row(top) * (1.0 - v) + row(top + 1.0) * v
    }

    fn draw(&mut self, shown: Shown, time: f64) -> Vec<u8> {
        let drops: Vec<(f32, f32)> = (0..shown.drops)
            .map(|_| (self.random.f32() * SIZE.0 as f32, self.random.f32() * SIZE.1 as f32))
            .collect();
        let mut out = Vec::with_capacity(SIZE.0 * SIZE.1 * 3);
        for y in 0..SIZE.1 {
            let band = 1.0 + shown.bands * (y as f32 / 20.0 + time as f32 * 40.0).sin();
            for x in 0..SIZE.0 {
                let (wx, wy) = (x as f32 + shown.shift.0, y as f32 + shown.shift.1);
                let mut level = self.place_at(wx, wy);
                let mut colour = [1.0, 0.97, 0.9];
                if let Some((left, top)) = shown.thing {
                    let (dx, dy) = (wx - left, wy - top);
                    let below = (dy - THING.1 + 8.0) / 8.0;
                    if let Some(share) = shown.shadow
                        && (0.0..1.0).contains(&below)
                        && (0.0..60.0).contains(&(dx - THING.0))
                    {
                        level *= share;
                    }
                    if (0.0..THING.0).contains(&dx) && (0.0..THING.1).contains(&dy) {
                        (level, colour) = (if dy < 30.0 { 210.0 } else { 40.0 }, [0.5, 0.8, 1.0]);
                    }
                }
                level *= shown.light.unwrap_or(1.0) * band;
                for share in colour {
                    let noise = (self.random.f32() + self.random.f32() + self.random.f32() - 1.5) * 5.0;
                    out.push((level * share + noise).round().clamp(0.0, 255.0) as u8);
                }
            }
        }
        for (x, y) in drops {
            for step in 0..10 {
                let (x, y) = (x as usize, y as usize + step);
                if y < SIZE.1 {
                    out[(y * SIZE.0 + x.min(SIZE.0 - 1)) * 3..][..3]
                        .iter_mut()
                        .for_each(|level| *level = level.saturating_add(45));
                }
            }
        }
        out
    }
}

fn watch(detector: &mut MotionDetector, bytes: &[u8], time: f64) -> Detections {
    let view = View::new(bytes, SIZE, 3, SIZE.0 * 3).unwrap();
    detector.detect(&view, time)
}

/// Shows so many seconds of a scene; gives what was found in each frame.
fn run(
    settings: MotionSettings,
    seconds: f64,
    shown: impl Fn(f64) -> Shown,
) -> Vec<(f64, Shown, Detections)> {
    let (mut scene, mut detector) = (Scene::new(), MotionDetector::new(settings));
    (0..(seconds * RATE) as usize)
        .map(|frame| {
            let time = frame as f64 / RATE;
            let shown = shown(time);
            let bytes = scene.draw(shown, time);
            (time, shown, watch(&mut detector, &bytes, time))
        })
        .collect()
}

/// Walks from the left after a second.
fn walker(time: f64) -> Option<(f32, f32)> {
    (time > 1.0).then(|| (-24.0 + 45.0 * (time as f32 - 1.0), 70.0))
}

fn truth((left, top): (f32, f32), shift: (f32, f32)) -> Option<Rect> {
    Rect::new(left - shift.0, top - shift.1, THING.0, THING.1).clipped(SIZE.0 as f32, SIZE.1 as f32)
}

/// F1 of boxes at an IoU of 0.5, of all frames in which the thing is wholly there or not at all.
fn f1(frames: &[(f64, Shown, Detections)]) -> f32 {
    let (mut right, mut wrong, mut missed) = (0.0, 0.0, 0.0);
    for (_, shown, found) in frames {
        let truth = shown.thing.and_then(|thing| truth(thing, shown.shift));
        if truth.is_some_and(|truth| truth.width < 0.9 * THING.0) {
            continue;
        }
        let hit = truth.is_some_and(|truth| found.iter().any(|found| found.rect.iou(&truth) >= 0.5));
        right += f32::from(u8::from(hit));
        missed += f32::from(u8::from(truth.is_some() && !hit));
        wrong += (found.len() - usize::from(hit)) as f32;
    }
    2.0 * right / (2.0 * right + wrong + missed)
}

#[test]
fn what_walks_is_found_whatever_the_light_and_the_camera_do() {
    let settings = MotionSettings::default();
    let shake = |time: f64| (3.0 * (time as f32 * 11.0).sin(), 2.0 * (time as f32 * 17.0).cos());
    let cases: [(&str, f32, Show<'_>); 5] = [
        ("plain", 0.97, &|time| Shown { thing: walker(time), ..Shown::default() }),
        ("rain", 0.95, &|time| Shown { thing: walker(time), drops: 25, ..Shown::default() }),
        ("flicker", 0.95, &|time| Shown { thing: walker(time), bands: 0.06, ..Shown::default() }),
        ("exposure", 0.9, &|time| Shown {
            thing: walker(time),
            light: Some(if time < 3.0 { 1.0 } else { 1.0 - 0.3 * ((time as f32 - 3.0) / 0.4).min(1.0) }),
            ..Shown::default()
        }),
        ("shake", 0.95, &|time| Shown { thing: walker(time), shift: shake(time), ..Shown::default() }),
    ];
    for (name, least, shown) in cases {
        let f1 = f1(&run(settings, 6.0, shown));
        assert!(f1 >= least, "{name}: {f1}");
    }
}

#[test]
fn rain_lamps_and_exposure_alone_are_no_motion() {
    let cases: [(&str, Show<'_>); 4] = [
        ("noise", &|_| Shown::default()),
        ("rain", &|_| Shown { drops: 30, ..Shown::default() }),
        ("flicker", &|time| Shown {
            bands: 0.08,
            light: Some(1.0 + 0.1 * (time as f32 * 19.0).sin()),
            ..Shown::default()
        }),
        ("exposure", &|time| Shown {
            light: Some(if time % 3.0 < 1.5 { 1.0 } else { 1.4 }),
            ..Shown::default()
        }),
    ];
    for (name, shown) in cases {
        let found: usize =
            run(MotionSettings::default(), 6.0, shown).iter().map(|(_, _, found)| found.len()).sum();
        assert!(found == 0, "{name}: {found} boxes");
    }
}

#[test]
fn masks_cover_the_thing_and_little_else() {
    let (mut scene, mut detector) = (Scene::new(), MotionDetector::new(MotionSettings::default()));
    detector.set_masks(true);
    let mut looked = 0;
    for frame in 0..100 {
        let time = f64::from(frame) / RATE;
        let thing = walker(time);
        let bytes = scene.draw(Shown { thing, ..Shown::default() }, time);
        let found = watch(&mut detector, &bytes, time);
        let Some(truth) = thing.and_then(|thing| truth(thing, (0.0, 0.0))).filter(|_| time > 2.0) else {
            continue;
        };
        let mask = found.extra(0).and_then(|extra| extra.mask.as_ref()).unwrap();
        let cell = (mask.rect().width / mask.cells().0 as f32, mask.rect().height / mask.cells().1 as f32);
        let (mut inside, mut all) = (0, 0);
        for span in mask.spans() {
            for row in span.from..span.to {
                let x = mask.rect().left + (span.column as f32 + 0.5) * cell.0;
                let y = mask.rect().top + (row as f32 + 0.5) * cell.1;
                inside += u32::from(truth.contains(x, y));
                all += 1;
            }
        }
        let area = all as f32 * cell.0 * cell.1;
        assert!(inside * 10 >= all * 8 && area > 0.8 * truth.area(), "{time}: {inside} of {all}");
        looked += 1;
    }
    assert!(looked > 40);
}

#[test]
fn a_shadow_is_no_part_of_the_box() {
    let frames = run(MotionSettings::default(), 5.0, |time| Shown {
        thing: walker(time),
        shadow: Some(0.6),
        ..Shown::default()
    });
    let mut looked = 0;
    for (time, shown, found) in frames.iter().filter(|(time, ..)| *time > 2.0) {
        let truth = truth(shown.thing.unwrap(), (0.0, 0.0)).unwrap();
        let best = found.iter().max_by(|a, b| a.rect.iou(&truth).total_cmp(&b.rect.iou(&truth))).unwrap();
        assert!(best.rect.right() < truth.right() + 6.0, "{time}: {:?} {truth:?}", best.rect);
        looked += 1;
    }
    assert!(looked > 50);
}

#[test]
fn what_was_there_from_the_beginning_leaves_no_ghost() {
    // It stands for a second, then leaves.
    let shown = |time: f64| Shown {
        thing: Some((80.0 + 60.0 * (time as f32 - 1.0).max(0.0), 70.0)),
        ..Shown::default()
    };
    let place = Rect::new(80.0, 70.0, THING.0, THING.1);
    for (time, _, found) in run(MotionSettings::default(), 4.0, shown).iter().filter(|(time, ..)| *time > 2.5)
    {
        assert!(found.iter().all(|found| found.rect.iou(&place) < 0.2), "{time}: {found:?}");
    }
}

#[test]
fn what_stays_is_forgotten_after_the_time_that_is_set() {
    let settings = MotionSettings { forget_after_seconds: 3.0, ..MotionSettings::default() };
    let shown = |time: f64| {
        let x = (-24.0 + 60.0 * (time as f32 - 4.0)).min(100.0);
        Shown { thing: (time > 4.0).then_some((x, 70.0)), ..Shown::default() }
    };
    let frames = run(settings, 14.0, shown);
    // It stands from second 6.1 on.
    let count = |from: f64, to: f64| {
        let part = frames.iter().filter(|(time, ..)| (from..to).contains(time));
        part.map(|(_, _, found)| found.len()).sum::<usize>()
    };
    assert!(count(6.2, 8.2) >= 45, "it is told for two seconds: {}", count(6.2, 8.2));
    assert_eq!(count(11.0, 14.0), 0, "and not after five");
}

#[test]
fn a_cut_and_a_picture_of_one_level_show_nothing_that_moves() {
    let mut detector = MotionDetector::new(MotionSettings::default());
    let mut scene = Scene::new();
    let first = scene.draw(Shown::default(), 0.0);
    let second: Vec<u8> = first.iter().rev().copied().collect();
    let grey = vec![128; first.len()];
    for (number, bytes) in [&first, &second, &grey].into_iter().enumerate() {
        for frame in 0..20 {
            let time = number as f64 + f64::from(frame) / 20.0;
            assert!(watch(&mut detector, bytes, time).is_empty(), "{time}");
        }
    }
}

#[test]
fn a_cut_to_a_place_that_is_alike_shows_nothing_that_moves() {
    let (mut scene, mut detector) = (Scene::new(), MotionDetector::new(MotionSettings::default()));
    // Of so little contrast that most pixels are close to what was there before.
    let pale = |bytes: Vec<u8>| {
        bytes.into_iter().map(|level| (f32::from(level) * 0.5) as u8 + 60).collect::<Vec<u8>>()
    };
    for frame in 0..100 {
        let time = f64::from(frame) / RATE;
        let mut bytes = pale(scene.draw(Shown::default(), time));
        if frame >= 50 {
            bytes.reverse();
        }
        assert!(watch(&mut detector, &bytes, time).is_empty(), "{time}");
    }
}

#[test]
fn another_place_for_two_pictures_leaves_the_background_as_it_was() {
    let (mut scene, mut detector) = (Scene::new(), MotionDetector::new(MotionSettings::default()));
    for frame in 0..100 {
        let time = f64::from(frame) / RATE;
        let thing = walker(time);
        let mut bytes = scene.draw(Shown { thing, ..Shown::default() }, time);
        let other = (60..62).contains(&frame);
        if other {
            bytes.reverse();
        }
        let found = watch(&mut detector, &bytes, time);
        let Some(truth) = thing.and_then(|thing| truth(thing, (0.0, 0.0))).filter(|_| time > 2.0) else {
            continue;
        };
        if other {
            assert!(found.is_empty(), "{time}: {found:?}");
        } else if !(62..64).contains(&frame) {
            assert!(found.iter().any(|found| found.rect.iou(&truth) > 0.5), "{time}: {found:?}");
        }
    }
}

#[test]
fn every_processor_finds_the_same() {
    let shown = |time: f64| Shown { thing: walker(time), shift: (time as f32, 0.0), ..Shown::default() };
    let found = || {
        run(MotionSettings::default(), 3.0, shown).into_iter().map(|(_, _, found)| found).collect::<Vec<_>>()
    };
    let fast = found();
    assert!(fast.iter().any(|found| !found.is_empty()) && fast == portable(found));
}

#[test]
fn the_plate_shows_the_place_without_what_walks() {
    for (name, shift, drops) in [("plain", 0.0, 0), ("rain", 0.0, 20), ("shake", 2.0, 0)] {
        let (mut scene, mut detector) = (Scene::new(), MotionDetector::new(MotionSettings::default()));
        let (width, height) = SIZE;
        let truth: Vec<f32> = (0..width * height)
            .flat_map(|at| {
                let level = scene.place_at((at % width) as f32, (at / width) as f32);
                [1.0, 0.97, 0.9].map(|share| level * share)
            })
            .collect();
        let mut plate = CleanPlate::new();
        for frame in 0..200u8 {
            let time = f64::from(frame) / RATE;
            let shift = shift * (time as f32 * 11.0).sin();
            // It is in the first picture already.
            let thing = Some((20.0 + 30.0 * time as f32, 70.0));
            let bytes = scene.draw(Shown { thing, drops, shift: (shift, 0.0), ..Shown::default() }, time);
            let view = View::new(&bytes, SIZE, 3, width * 3).unwrap();
            detector.detect(&view, time);
            plate.add(&view, &detector);
        }
        let picture = plate.picture().unwrap();
        let squares =
            picture.pixels().iter().zip(&truth).map(|(level, truth)| (f32::from(*level) - truth).powi(2));
        let mean = squares.sum::<f32>() / truth.len() as f32;
        let ratio = 10.0 * (255.0f32 * 255.0 / mean).log10();
        // Between pixels the fine noise of the place is lost.
        let least = if shift > 0.0 { 32.0 } else { 38.0 };
        assert!(ratio >= least, "{name}: {ratio} dB");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_picture_makes_it_fall(
        sizes in prop::collection::vec((1usize..90, 1usize..70, prop::bool::ANY), 1..5),
        seed: u64,
        sensitivity in -1f32..2.0,
        forget in -1f64..9.0,
    ) {
        let settings = MotionSettings { sensitivity, smallest_size: 0.0, forget_after_seconds: forget };
        let (mut random, mut detector) = (fastrand::Rng::with_seed(seed), MotionDetector::new(settings));
        let mut time = 0.0;
        for (width, height, grey) in sizes {
            let channels = if grey { 1 } else { 3 };
            for _ in 0..6 {
                let kind = random.u8(0..4);
                let bytes: Vec<u8> = (0..width * height * channels)
                    .map(|at| match kind {
                        0 => random.u8(..),
                        1 => 0,
                        2 => (at / (7 * channels) * 40 % 256) as u8,
                        _ => if random.bool() { 90 } else { 95 },
                    })
                    .collect();
                let view = View::new(&bytes, (width, height), channels, width * channels).unwrap();
                time += f64::from(random.u8(0..30)) / 20.0 - 0.1;
                for found in detector.detect(&view, time).iter() {
                    let rect = found.rect;
                    prop_assert!(rect.is_sound() && (0.0..=1.0).contains(&found.score));
                    prop_assert!(rect.left >= 0.0 && rect.right() <= width as f32 + 0.01);
                    prop_assert!(rect.top >= 0.0 && rect.bottom() <= height as f32 + 0.01);
                }
            }
        }
    }
}

/// Every block of the picture goes its own way, as what is near and far does from a car.
fn parallax(scene: &Scene, frame: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(SIZE.0 * SIZE.1 * 3);
    for y in 0..SIZE.1 {
        for x in 0..SIZE.0 {
            let block = (y / 30) * 7 + x / 40;
            let (dx, dy) = ((block * 5 % 7) as f32 - 3.0, (block * 3 % 5) as f32 - 2.0);
            let far = frame as f32 * 0.9;
            let at = |from: usize, way: f32, size: usize| (from as f32 + way * far).rem_euclid(size as f32);
            let level = scene.place_at(at(x, dx, SIZE.0), at(y, dy, SIZE.1)) as u8;
            out.extend([level, level, level]);
        }
    }
    out
}

#[test]
fn a_camera_that_travels_tells_nothing_and_one_that_stands_again_does() {
    let mut scene = Scene::new();
    let mut detector = MotionDetector::new(MotionSettings::default());
    let (mut at, mut told) = (0u64, 0);
    for frame in 0..150 {
        let found = watch(&mut detector, &parallax(&scene, frame), frame as f64 / RATE);
        told += if frame >= 60 { found.len() } else { 0 };
        at = frame;
    }
    assert_eq!(told, 0, "boxes while it travels");
    let mut right = 0;
    for frame in 0..150 {
        let thing = (frame > 60).then(|| (2.0 * (frame - 60) as f32, 80.0));
        let time = (at + 1 + frame) as f64 / RATE;
        let bytes = scene.draw(Shown { thing, ..Shown::default() }, time);
        let found = watch(&mut detector, &bytes, time);
        right += usize::from(frame >= 90 && found.len() == 1);
    }
    assert!(right > 50, "it is found again in {right} of 60 frames");
}

#[test]
fn light_that_is_switched_once_is_no_journey() {
    let mut scene = Scene::new();
    let mut detector = MotionDetector::new(MotionSettings::default());
    let mut found = 0;
    for frame in 0..150 {
        let time = frame as f64 / RATE;
        let light = Some(if frame < 60 { 1.0 } else { 0.6 });
        let thing = Some(((frame as f32 * 1.5) - 20.0, 80.0));
        let bytes = scene.draw(Shown { thing, light, ..Shown::default() }, time);
        found += usize::from(frame >= 70 && !watch(&mut detector, &bytes, time).is_empty());
        if frame < 70 {
            watch(&mut detector, &bytes, time);
        }
    }
    assert!(found > 60, "{found} of 80");
}

/// Thousands of specks cost no more than the largest of them.
#[test]
fn snow_is_bounded() {
    let mut random = fastrand::Rng::with_seed(3);
    let mut detector =
        MotionDetector::new(MotionSettings { smallest_size: 0.0, sensitivity: 1.0, ..Default::default() });
    for frame in 0..40 {
        let mut bytes = vec![60; SIZE.0 * SIZE.1 * 3];
        if frame > 20 {
            for _ in 0..2500 {
                let (x, y) = (random.usize(..SIZE.0 - 3), random.usize(..SIZE.1 - 3));
                for row in 0..3 {
                    bytes[((y + row) * SIZE.0 + x) * 3..][..9].fill(250);
                }
            }
        }
        assert!(watch(&mut detector, &bytes, frame as f64 / RATE).len() <= 200);
    }
}

/// A pan carries the background along; what stands in the plate stays where the first picture had it.
#[test]
fn the_plate_of_a_camera_that_turns_is_that_of_its_first_picture() {
    let mut scene = Scene::new();
    let mut detector = MotionDetector::new(MotionSettings::default());
    let mut plate = CleanPlate::new();
    for frame in 0..120 {
        let time = frame as f64 / RATE;
        let shift = (0.15 * f32::min(frame as f32, 110.0), 0.0);
        let bytes = scene.draw(Shown { shift, ..Shown::default() }, time);
        watch(&mut detector, &bytes, time);
        plate.add(&View::new(&bytes, SIZE, 3, SIZE.0 * 3).unwrap(), &detector);
    }
    let picture = plate.picture().unwrap();
    let (mut off, mut count) = (0.0, 0.0f32);
    for y in 10..SIZE.1 - 10 {
        for x in 40..SIZE.0 - 10 {
            let level = picture.rgb()[y * SIZE.0 + x][0];
            off += (f32::from(level) - scene.place_at(x as f32, y as f32)).powi(2);
            count += 1.0;
        }
    }
    let deviation = (off / count).sqrt();
    assert!(deviation < 8.0, "{deviation} levels");
}
