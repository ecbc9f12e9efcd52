//! The ground against a pinhole camera that was made up.

use super::*;

const SIZE: (u32, u32) = (1280, 720);

/// Normally distributed numbers.
struct Random(fastrand::Rng);

impl Random {
    fn normal(&mut self) -> f64 {
        let (a, b) = (self.0.f64().max(1e-12), self.0.f64());
        (-2.0 * a.ln()).sqrt() * (2.0 * std::f64::consts::PI * b).cos()
    }

    fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.0.f64()
    }
}

/// A camera with any tilt, roll and height, its foot at the origin, looking along Y.
struct Pinhole {
    focal: f64,
    tilt: f64,
    roll: f64,
    height: f64,
    distortion: f64,
}

impl Pinhole {
    /// The pixel at which a point in space is seen.
    fn pixel(&self, [x, y, z]: [f64; 3]) -> (f64, f64) {
        let (sin, cos) = self.tilt.to_radians().sin_cos();
        let depth = y * cos + (self.height - z) * sin;
        assert!(depth > 0.0);
        let down = (self.height - z) * cos - y * sin;
        let (u, v) = (self.focal * x / depth, self.focal * down / depth);
        let (sin, cos) = self.roll.to_radians().sin_cos();
        let (u, v) = (u * cos - v * sin, u * sin + v * cos);
        let half = (1280.0_f64.powi(2) + 720.0_f64.powi(2)).sqrt() / 2.0;
        // Newton's method on the division model, so that the test does not share the formula.
        let radius = u.hypot(v) / half;
        let mut bent = radius;
        for _ in 0..60 {
            let off = bent / (1.0 + self.distortion * bent * bent) - radius;
            let slope = (1.0 - self.distortion * bent * bent) / (1.0 + self.distortion * bent * bent).powi(2);
            bent -= off / slope;
        }
        let share = if radius > 0.0 { bent / radius } else { 1.0 };
        (640.0 + u * share, 360.0 + v * share)
    }

    fn known(&self, places: &[(f64, f64)]) -> Vec<KnownPoint> {
        let point = |&(x, y): &(f64, f64)| {
            let (u, v) = self.pixel([x, y, 0.0]);
            KnownPoint { at: (u / 1280.0, v / 720.0), metres: (x, y) }
        };
        places.iter().map(point).collect()
    }
}

const STREET: Pinhole = Pinhole { focal: 1100.0, tilt: 22.0, roll: 3.0, height: 8.0, distortion: 0.0 };
const FIELD: [(f64, f64); 4] = [(-5.0, 14.0), (5.0, 14.0), (8.0, 40.0), (-8.0, 38.0)];

#[test]
fn four_points_tell_every_place_with_a_lens_that_bends_too() {
    for distortion in [0.0, -0.25, 0.1] {
        let camera = Pinhole { distortion, ..STREET };
        let ground = Ground::from_points(SIZE, &camera.known(&FIELD), distortion).unwrap();
        assert!(ground.residual() < 1e-6);
        for (x, y) in [(0.0, 20.0), (-3.0, 12.0), (6.0, 55.0), (1.0, 30.0)] {
            let (u, v) = camera.pixel([x, y, 0.0]);
            let place = ground.place(u, v).unwrap();
            assert!((place.x - x).abs() < 1e-6 && (place.y - y).abs() < 1e-6, "{place:?} for {x} {y}");
            let back = ground.pixel(x, y).unwrap();
            assert!((back.0 - u).abs() < 1e-6 && (back.1 - v).abs() < 1e-6);
            // The derivatives against differences.
            for (axis, (du, dv)) in [(0, (1e-4, 0.0)), (1, (0.0, 1e-4))] {
                let there = ground.place(u + du, v + dv).unwrap();
                let slope = [(there.x - place.x) / 1e-4, (there.y - place.y) / 1e-4];
                assert!((slope[0] - place.per_pixel[0][axis]).abs() < 1e-3 * (1.0 + slope[0].abs()));
                assert!((slope[1] - place.per_pixel[1][axis]).abs() < 1e-3 * (1.0 + slope[1].abs()));
            }
        }
    }
}

#[test]
fn more_points_are_averaged_and_what_is_left_over_is_told() {
    let mut random = Random(fastrand::Rng::with_seed(1));
    let (mut twelve, mut four) = (0.0, 0.0);
    for _ in 0..50 {
        let places: Vec<(f64, f64)> =
            (0..8).map(|_| (random.between(-7.0, 7.0), random.between(14.0, 45.0))).collect();
        let mut known = STREET.known(&[&FIELD[..], &places].concat());
        for point in &mut known {
            point.at.0 += 2.0 * random.normal() / 1280.0;
            point.at.1 += 2.0 * random.normal() / 720.0;
        }
        let (u, v) = STREET.pixel([2.0, 30.0, 0.0]);
        for (points, sum) in [(&known[..], &mut twelve), (&known[..4], &mut four)] {
            let ground = Ground::from_points(SIZE, points, 0.0).unwrap();
            let place = ground.place(u, v).unwrap();
            *sum += (place.x - 2.0).hypot(place.y - 30.0) / 50.0;
            let left_over = if points.len() > 4 { 0.05..2.0 } else { -1.0..1e-6 };
            assert!(left_over.contains(&ground.residual()), "{}", ground.residual());
        }
    }
    assert!(twelve < 0.25 && twelve < 0.8 * four, "{twelve} with twelve points, {four} with four");
}

#[test]
fn nothing_is_known_beyond_the_horizon_and_close_below_it() {
    let camera = Pinhole { roll: 0.0, ..STREET };
    let ground = Ground::from_points(SIZE, &camera.known(&FIELD), 0.0).unwrap();
    let horizon = 360.0 - 1100.0 * 22.0_f64.to_radians().tan();
    assert_eq!(ground.place(640.0, horizon - 20.0), None);
    assert_eq!(ground.place(640.0, horizon + 7.0), None);
    assert!(ground.place(640.0, horizon + 7.4).is_some_and(|place| place.y > 500.0));
    assert_eq!(ground.pixel(0.0, -50.0), None);
}

#[test]
fn points_that_tell_nothing_are_refused_with_the_reason() {
    let point = |x: f64, y: f64, metres| KnownPoint { at: (x, y), metres };
    let refused = |points: &[KnownPoint]| Ground::from_points(SIZE, points, 0.0).unwrap_err();
    let good = STREET.known(&FIELD);
    assert_eq!(refused(&good[..3]), GroundError::FewPoints(3));
    let on_a_line: Vec<_> =
        (0..5).map(|n| point(0.1 * f64::from(n), 0.5 + 0.05 * f64::from(n), (f64::from(n), 3.0))).collect();
    assert_eq!(refused(&on_a_line), GroundError::OneLine);
    let but_for_one = [&on_a_line[..4], &[point(0.9, 0.6, (2.0, 9.0))]].concat();
    assert_eq!(refused(&but_for_one), GroundError::OneLine);
    let twice = [good[0], good[1], good[2], good[2]];
    assert_eq!(refused(&twice), GroundError::OneLine);
    let mut confused = good.clone();
    (confused[2].metres, confused[3].metres) = (confused[3].metres, confused[2].metres);
    assert!(matches!(refused(&confused), GroundError::BeyondHorizon(_)), "{:?}", refused(&confused));
    assert!(refused(&confused).to_string().contains("horizon"));
}

/// A box whose lower edge stands on the ground, as a detector with noise finds it; its bottom centre.
fn seen(camera: &Pinhole, (x, y): (f64, f64), noise: f64, random: &mut Random) -> (f64, f64) {
    let (u, v) = camera.pixel([x, y, 0.0]);
    (u + noise * random.normal(), v + noise * random.normal())
}

#[test]
fn speeds_are_right_and_their_error_holds_the_truth_in_nine_of_ten() {
    let mut random = Random(fastrand::Rng::with_seed(7));
    let (mut off, mut held, mut cases) = (Vec::new(), 0, 0);
    // Looking down steeply enough that a pixel is at most a tenth of a metre both ways.
    let camera = Pinhole { focal: 760.0, tilt: 45.0, roll: 2.0, height: 25.0, distortion: -0.1 };
    let corners = [(-20.0, 15.0), (20.0, 15.0), (24.0, 45.0), (-24.0, 45.0)];
    let ground = Ground::from_points(SIZE, &camera.known(&corners), -0.1).unwrap();
    let mut rates = std::collections::BTreeMap::<u32, (u32, u32)>::new();
    while cases < 4000 {
        let rate = [10, 15, 25, 30, 60][random.0.usize(..5)];
        let (speed, way) = (random.between(5.0, 40.0), random.between(0.0, std::f64::consts::TAU));
        let end = (random.between(-14.0, 14.0), random.between(17.0, 42.0));
        let mut readings = Readings::default();
        let mut last = None;
        let mut time = -random.between(1.6, 3.0);
        let mut inside = true;
        while time < 0.0 {
            // Irregular, with frames left out.
            time += (1.0 + random.between(-0.3, 0.3)) / f64::from(rate);
            if random.0.f64() < 0.1 {
                continue;
            }
            let at = (end.0 + speed * time * way.sin(), end.1 + speed * time * way.cos());
            if !(-22.0..22.0).contains(&at.0) || !(15.5..44.0).contains(&at.1) {
                continue;
            }
            let (u, v) = seen(&camera, at, 1.0, &mut random);
            let place = ground.place(u, v).unwrap();
            let [[a, b], [c, d]] = place.per_pixel;
            inside &= a.hypot(c) < 0.1 && b.hypot(d) < 0.1;
            readings.push(time, &place);
            last = readings.velocity();
        }
        let Some(velocity) = last.filter(|_| inside) else { continue };
        cases += 1;
        let wrong = (velocity.speed() - speed).abs();
        off.push(wrong / speed);
        held += u32::from(wrong <= velocity.error);
        let entry = rates.entry(rate).or_default();
        entry.0 += u32::from(wrong <= velocity.error);
        entry.1 += 1;
    }
    off.sort_by(f64::total_cmp);
    let share = f64::from(held) / f64::from(cases);
    println!("median error {}, held {share}, by rate {rates:?}", off[off.len() / 2]);
    assert!(off[off.len() / 2] <= 0.02, "median error {}", off[off.len() / 2]);
    assert!((0.87..=0.93).contains(&share), "the interval holds {share} of the cases");
    for (rate, (held, all)) in rates {
        let share = f64::from(held) / f64::from(all);
        assert!((0.86..=0.94).contains(&share), "{rate} frames a second: {share}");
    }
}

/// The speeds that are told on the way of something whose place at a time is known.
fn told(rate: f64, seconds: f64, seed: u64, at: impl Fn(f64) -> (f64, f64)) -> Vec<(f64, Option<Velocity>)> {
    let camera = Pinhole { focal: 1100.0, tilt: 40.0, roll: 0.0, height: 25.0, distortion: 0.0 };
    let corners = [(-20.0, 15.0), (20.0, 15.0), (24.0, 45.0), (-24.0, 45.0)];
    let ground = Ground::from_points(SIZE, &camera.known(&corners), 0.0).unwrap();
    let mut random = Random(fastrand::Rng::with_seed(seed));
    let mut readings = Readings::default();
    let mut all = Vec::new();
    for frame in 0..(rate * seconds) as u32 {
        let time = f64::from(frame) / rate;
        let (u, v) = seen(&camera, at(time), 1.0, &mut random);
        readings.push(time, &ground.place(u, v).unwrap());
        all.push((time, readings.velocity()));
    }
    all
}

#[test]
fn nothing_is_told_in_the_first_moments() {
    let all = told(25.0, 2.0, 3, |time| (-10.0 + 8.0 * time, 25.0));
    assert!(all.iter().all(|(time, velocity)| velocity.is_some() == (*time >= 0.399)), "{all:?}");
    let (_, Some(last)) = all[49] else { panic!("none at the end") };
    assert!((last.heading().unwrap() - 90.0).abs() < 3.0, "{last:?}");
}

#[test]
fn a_stop_and_a_turn_are_followed_without_spikes() {
    for (rate, seed) in [(10.0, 1), (25.0, 2), (60.0, 3), (25.0, 4), (30.0, 5)] {
        // Brakes from 10 m/s at 5 m/s² from the first second on, and stands from the third on.
        let stop = told(rate, 6.0, seed, |time| {
            let braked = (time - 1.0).clamp(0.0, 2.0);
            let way = 10.0 * time.min(1.0) + 10.0 * braked - 2.5 * braked * braked;
            (-10.0 + way, 28.0)
        });
        for (time, velocity) in &stop {
            let Some(velocity) = velocity else { continue };
            assert!(velocity.speed() < 10.6, "{rate}: {time} {velocity:?}");
            if *time > 5.0 {
                assert!(velocity.speed() < 0.35, "{rate}: {time} {velocity:?}");
            }
        }
        // Round a corner in a quarter of a circle at 7 m/s.
        let turn = told(rate, 4.0, seed, |time| {
            let (radius, speed) = (8.0, 7.0);
            let angle = ((time - 1.0) * speed / radius).clamp(0.0, std::f64::consts::FRAC_PI_2);
            let before = time.min(1.0) * speed;
            let after = (time - 1.0 - std::f64::consts::FRAC_PI_2 * radius / speed).max(0.0) * speed;
            (-15.0 + before + radius * angle.sin(), 22.0 + radius * (1.0 - angle.cos()) + after)
        });
        for (time, velocity) in &turn {
            let Some(velocity) = velocity else { continue };
            assert!(
                (4.9..7.7).contains(&velocity.speed()),
                "{rate}: {time} {velocity:?} {}",
                velocity.speed()
            );
        }
        let (_, Some(last)) = turn[turn.len() - 1] else { panic!("none at the end") };
        let heading = last.heading().unwrap();
        assert!(!(4.0..=356.0).contains(&heading), "{heading}");
    }
}

#[test]
fn one_wrong_box_changes_little() {
    let camera = Pinhole { focal: 1100.0, tilt: 40.0, roll: 0.0, height: 25.0, distortion: 0.0 };
    let corners = [(-20.0, 15.0), (20.0, 15.0), (24.0, 45.0), (-24.0, 45.0)];
    let ground = Ground::from_points(SIZE, &camera.known(&corners), 0.0).unwrap();
    let mut random = Random(fastrand::Rng::with_seed(5));
    let mut readings = Readings::default();
    for frame in 0..30 {
        let time = f64::from(frame) / 25.0;
        let (u, v) = seen(&camera, (-8.0 + 12.0 * time, 26.0), 1.0, &mut random);
        let wrong = if frame == 27 { 40.0 } else { 0.0 };
        readings.push(time, &ground.place(u + wrong, v - wrong).unwrap());
    }
    let velocity = readings.velocity().unwrap();
    assert!((velocity.speed() - 12.0).abs() < 0.4, "{velocity:?} {}", velocity.speed());
}

/// One box that is far off is left out: it does not make a straight way a bent one, which would leave half of the readings.
#[test]
fn one_wrong_box_leaves_the_error_as_it_is() {
    let camera = Pinhole { focal: 1100.0, tilt: 40.0, roll: 0.0, height: 25.0, distortion: 0.0 };
    let corners = [(-20.0, 15.0), (20.0, 15.0), (24.0, 45.0), (-24.0, 45.0)];
    let ground = Ground::from_points(SIZE, &camera.known(&corners), 0.0).unwrap();
    let error = |wrong: Option<u32>, seed: u64| {
        let mut random = Random(fastrand::Rng::with_seed(seed));
        let mut readings = Readings::default();
        for frame in 0..37 {
            let time = f64::from(frame) / 25.0;
            let (u, v) = seen(&camera, (-8.0 + 12.0 * time, 26.0), 1.0, &mut random);
            let off = if Some(frame) == wrong { 40.0 } else { 0.0 };
            readings.push(time, &ground.place(u + off, v - off).unwrap());
        }
        readings.velocity().unwrap().error
    };
    let mut wider = 0;
    for seed in 0..40 {
        let alone = error(None, seed);
        wider += [2, 18, 34].iter().filter(|&&frame| error(Some(frame), seed) > 1.6 * alone).count();
    }
    assert!(wider <= 6, "{wider} of 120 are much less sure");
}

#[test]
fn at_two_pictures_a_second_the_last_six_tell_the_speed() {
    let camera = Pinhole { focal: 1100.0, tilt: 40.0, roll: 0.0, height: 25.0, distortion: 0.0 };
    let corners = [(-20.0, 15.0), (20.0, 15.0), (24.0, 45.0), (-24.0, 45.0)];
    let ground = Ground::from_points(SIZE, &camera.known(&corners), 0.0).unwrap();
    let mut random = Random(fastrand::Rng::with_seed(6));
    let mut readings = Readings::default();
    for frame in 0..8 {
        let time = f64::from(frame) / 2.0;
        let (u, v) = seen(&camera, (-4.0 + 3.0 * time, 26.0), 1.0, &mut random);
        readings.push(time, &ground.place(u, v).unwrap());
        assert_eq!(readings.velocity().is_some(), frame >= 5, "{frame}");
    }
    let speed = readings.velocity().unwrap().speed();
    assert!((speed - 3.0).abs() < 0.15, "{speed}");
}

#[test]
fn the_ground_goes_with_the_camera() {
    let ground =
        Ground::from_points(SIZE, &LEVEL.known(&[(-5.0, 12.0), (5.0, 12.0), (5.0, 40.0), (-5.0, 40.0)]), 0.0)
            .unwrap();
    let moved = Affine { matrix: [[0.98, -0.05, 12.0], [0.05, 0.98, -7.0]] };
    let seen = ground.seen_after(moved, moved.inverse().unwrap());
    let before = ground.place(500.0, 500.0).unwrap();
    let (x, y) = moved.point(500.0, 500.0);
    let (x, y) = (f64::from(x), f64::from(y));
    let after = seen.place(x, y).unwrap();
    assert!((after.x - before.x).hypot(after.y - before.y) < 1e-3, "{before:?} {after:?}");
    let (u, v) = seen.pixel(after.x, after.y).unwrap();
    assert!((u - x).hypot(v - y) < 1e-2, "{u} {v}");
    // How the place moves with the pixel is what it does from one pixel to the next.
    let next = seen.place(x + 0.5, y + 0.25).unwrap();
    for (axis, (a, b)) in [(after.x, next.x), (after.y, next.y)].into_iter().enumerate() {
        let told = 0.5 * after.per_pixel[axis][0] + 0.25 * after.per_pixel[axis][1];
        assert!((b - a - told).abs() < 0.02 * told.abs().max(1e-3), "{axis}: {} {told}", b - a);
    }
}

const LEVEL: Pinhole = Pinhole { roll: 0.0, ..STREET };

fn view() -> View {
    View { degrees: 2.0 * (640.0_f64 / 1100.0).atan().to_degrees(), distortion: 0.0 }
}

fn length(from: (f64, f64), to: (f64, f64)) -> KnownLength {
    let share = |(x, y)| {
        let (u, v) = LEVEL.pixel([x, y, 0.0]);
        (u / 1280.0, v / 720.0)
    };
    KnownLength { from: share(from), to: share(to), metres: (to.0 - from.0).hypot(to.1 - from.1) }
}

#[test]
fn two_lengths_tell_the_ground_of_a_level_camera() {
    let pairs = [
        // Along and across.
        [length((-1.0, 16.0), (-1.0, 22.0)), length((-3.0, 18.0), (1.0, 18.0))],
        // Near and far.
        [length((-3.0, 14.0), (0.5, 14.0)), length((-3.0, 40.0), (0.5, 40.0))],
    ];
    for lengths in pairs {
        let ground = Ground::from_lengths(SIZE, &lengths, &view()).unwrap();
        for (x, y) in [(3.0, 15.0), (-4.0, 30.0), (0.0, 60.0)] {
            let (u, v) = LEVEL.pixel([x, y, 0.0]);
            let place = ground.place(u, v).unwrap();
            assert!((place.x - x).hypot(place.y - y) < 0.01 * y, "{place:?} for {x} {y}");
        }
    }
}

#[test]
fn lengths_that_do_not_tell_or_contradict_are_refused() {
    let refused = |lengths: &[KnownLength]| Ground::from_lengths(SIZE, lengths, &view()).unwrap_err();
    let across = length((-3.0, 18.0), (1.0, 18.0));
    assert_eq!(refused(&[across]), GroundError::FewLengths(1));
    let beside = length((0.0, 18.0), (4.0, 18.0));
    let same = refused(&[across, beside]);
    assert!(matches!(same, GroundError::LengthsDoNotTell { .. }), "{same:?}");
    let wrong = KnownLength { metres: 12.0, ..beside };
    let differ = refused(&[across, wrong]);
    assert!(matches!(differ, GroundError::LengthsDiffer { .. }), "{differ:?}");
    assert_eq!(refused(&[across, KnownLength { to: across.from, ..across }]), GroundError::NoLength(2));
}

fn survey(camera: &Pinhole, people: u64, nearest: f64, farthest: f64, seed: u64) -> PeopleSurvey {
    let mut random = Random(fastrand::Rng::with_seed(seed));
    let mut survey = PeopleSurvey::new(SIZE, view());
    for track in 0..people {
        let tall = 1.7 + 0.07 * random.normal();
        let (x, from) = (random.between(-4.0, 4.0), random.between(nearest, farthest));
        for step in 0..20 {
            let y = (from + 0.15 * f64::from(step)).min(farthest);
            let (u, bottom) = camera.pixel([x, y, 0.0]);
            let (_, top) = camera.pixel([x, y, tall]);
            survey.add(track, u, top + random.normal(), bottom + random.normal());
        }
    }
    survey
}

#[test]
fn people_tell_the_ground_and_how_sure_it_is() {
    let (mut refused, mut beyond) = (0, 0);
    for (tilt, height) in [(8.0, 4.0), (15.0, 5.0), (22.0, 8.0), (3.0, 3.0)] {
        let camera = Pinhole { tilt, height, ..LEVEL };
        for seed in 0..10 {
            let Ok(found) = survey(&camera, 30, 14.0, 45.0, seed).fit(1.7) else {
                refused += 1;
                continue;
            };
            let off = (found.height.0 - height).abs();
            beyond += u32::from(off > 2.0 * found.height.1.max(0.02 * height));
            assert!(off < 0.15 * height, "{found:?} for {height} m, {tilt}°");
            let (u, v) = camera.pixel([2.0, 25.0, 0.0]);
            let place = found.ground.place(u, v).unwrap();
            assert!((place.y - 25.0).abs() < 4.0, "{place:?} {found:?}");
        }
    }
    assert!(refused <= 1, "{refused} of 40 are refused");
    assert!(beyond <= 5, "{beyond} of 40 heights lie outside of twice their deviation");
}

#[test]
fn people_who_do_not_tell_are_refused() {
    let why = |survey: PeopleSurvey| survey.fit(1.7).unwrap_err().to_string();
    assert!(why(survey(&LEVEL, 3, 14.0, 40.0, 1)).contains("too few"));
    assert!(why(survey(&LEVEL, 20, 20.0, 20.5, 2)).contains("equally far"));
    // Boxes of anything but people on one ground.
    let mut random = Random(fastrand::Rng::with_seed(4));
    let mut noise = PeopleSurvey::new(SIZE, view());
    for track in 0..40 {
        for _ in 0..10 {
            let bottom = random.between(300.0, 700.0);
            noise.add(track, random.between(0.0, 1280.0), bottom - random.between(20.0, 280.0), bottom);
        }
    }
    let why = why(noise);
    assert!(why.contains("differ") || why.contains("another ground") || why.contains("no level"), "{why}");
}

#[test]
fn metres_become_latitude_and_longitude() {
    let origin = Origin { latitude: 48.0, longitude: 11.0, bearing: 0.0 };
    let (latitude, longitude) = origin.on_earth(0.0, 1000.0);
    // One degree of latitude is 111.2 km there.
    assert!((latitude - 48.0 - 1.0 / 111.2).abs() < 1e-5 && longitude == 11.0, "{latitude} {longitude}");
    let (latitude, longitude) = origin.on_earth(1000.0, 0.0);
    assert!((longitude - 11.0 - 1.0 / 74.63).abs() < 1e-5 && latitude == 48.0, "{latitude} {longitude}");
    // Y points east: X points south.
    let east = Origin { bearing: 90.0, ..origin };
    let (latitude, longitude) = east.on_earth(500.0, 1000.0);
    assert!(latitude < 47.996 && longitude > 11.013, "{latitude} {longitude}");
    let date_line = Origin { longitude: 179.9999, ..origin };
    assert!((-180.0..-179.9).contains(&date_line.on_earth(1000.0, 0.0).1));
}
