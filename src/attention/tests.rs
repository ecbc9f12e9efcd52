use super::*;
use crate::enhance::RegionMask;
use crate::geometry::Polygon;

const SIZE: (usize, usize) = (320, 240);
const RATE: f64 = 15.0;

/// A yard with walls of several brightnesses.
fn scene() -> Vec<f32> {
    let (width, height) = SIZE;
    let at = |x: usize, y: usize| 60.0 + (x / 40 % 3 * 35) as f32 + (y / 30 % 4 * 12) as f32;
    (0..height).flat_map(|y| (0..width).map(move |x| at(x, y))).collect()
}

/// Light, noise and things on order.
struct Yard {
    scene: Vec<f32>,
    noise: f32,
    random: fastrand::Rng,
    attention: Attention,
    number: u64,
}

impl Yard {
    fn new(noise: f32, certain: bool) -> Self {
        let settings = AttentionSettings { motion: true, idle_interval: 1.0 };
        Self {
            scene: scene(),
            noise,
            random: fastrand::Rng::with_seed(7),
            attention: Attention::new(settings, certain),
            number: 0,
        }
    }

    /// A picture, changed by `change(x, y, level)`.
    fn picture(&mut self, change: impl Fn(usize, usize, f32) -> f32) -> Vec<u8> {
        let (width, _) = SIZE;
        let mut picture = Vec::with_capacity(self.scene.len() * 3);
        for (at, level) in self.scene.iter().enumerate() {
            let level = change(at % width, at / width, *level);
            // As an image sensor's: of luma, the same in each colour.
            let noise = (0..4).map(|_| self.random.f32() - 0.5).sum::<f32>() * 1.73 * self.noise;
            picture.extend([(level + noise).round().clamp(0.0, 255.0) as u8; 3]);
        }
        picture
    }

    fn watch(&mut self, change: impl Fn(usize, usize, f32) -> f32) -> Notice {
        let picture = self.picture(change);
        let view = View::new(&picture, SIZE, 3, SIZE.0 * 3).unwrap();
        self.number += 1;
        self.attention.watch(&view, None, self.number as f64 / RATE, self.number)
    }

    /// Lets the beginning pass, until nothing is looked at any more.
    fn settle(&mut self) {
        for _ in 0..30 {
            self.watch(|_, _, level| level);
        }
        self.until_still();
    }

    fn until_still(&mut self) {
        let still = (0..16).any(|_| self.watch(|_, _, level| level) == Notice::Still);
        assert!(still, "it never rests");
    }

    /// How often it is looked at in so many pictures.
    fn looks(&mut self, pictures: usize, change: impl Fn(usize, usize, usize, f32) -> f32) -> usize {
        (0..pictures).filter(|frame| self.watch(|x, y, level| change(*frame, x, y, level)).looks()).count()
    }
}

#[test]
fn a_quiet_picture_is_looked_at_once_in_a_while_whatever_its_noise() {
    for noise in [0.0, 2.0, 6.0, 15.0, 30.0] {
        let mut yard = Yard::new(noise, true);
        assert!(yard.watch(|_, _, level| level).looks(), "the first one is looked at");
        yard.settle();
        // Six seconds, of which each has one look.
        let looks = yard.looks(90, |_, _, _, level| level);
        assert!((5..=6).contains(&looks), "noise {noise}: {looks}");
    }
}

#[test]
fn something_that_enters_is_looked_at_in_the_same_picture() {
    for (noise, contrast) in [(2.0, 20.0), (6.0, 25.0), (15.0, 60.0)] {
        for (width, height) in [(10, 24), (40, 90)] {
            let mut yard = Yard::new(noise, true);
            yard.settle();
            let walker = |x: usize, y: usize, level: f32| {
                let inside = (150..150 + width).contains(&x) && (100..100 + height).contains(&y);
                if inside { level + contrast } else { level }
            };
            let notice = yard.watch(walker);
            assert_eq!(notice, Notice::Motion, "noise {noise}, {width}x{height}");
            // It stays: what has come to rest is looked at for a while, and then as seldom as before.
            let looks = yard.looks(60, |_, x, y, level| walker(x, y, level));
            assert!((15..=20).contains(&looks), "{looks}");
        }
    }
}

#[test]
fn slow_motion_adds_up() {
    let mut yard = Yard::new(3.0, true);
    yard.settle();
    // A block's width in four seconds.
    let looks = yard.looks(60, |frame, x, y, level| {
        let left = 150.0 + frame as f32 * 4.0 / 60.0;
        let inside = (left..left + 40.0).contains(&(x as f32)) && (100..200).contains(&y);
        if inside { level + 40.0 } else { level }
    });
    assert!(looks > 30, "{looks}");
}

#[test]
fn light_is_no_motion() {
    let mut yard = Yard::new(3.0, true);
    yard.settle();
    // Dusk, by a fifth in six seconds; clouds; and a camera that follows the light in steps.
    let dusk = yard.looks(90, |frame, _, _, level| level * (1.0 - 0.2 * frame as f32 / 90.0));
    assert!(dusk <= 8, "dusk: {dusk}");
    yard.scene.iter_mut().for_each(|level| *level *= 0.8);
    let steps = yard.looks(90, |frame, _, _, level| level * (1.0 + 0.02 * (frame / 10 % 2) as f32));
    assert!(steps <= 8, "steps: {steps}");
    // Lamps on alternating current, before a camera that reads row by row.
    let lamps =
        yard.looks(90, |frame, _, y, level| level + 4.0 * (y as f32 * 0.05 + frame as f32 * 2.1).sin());
    assert!(lamps <= 8, "lamps: {lamps}");
}

#[test]
fn what_never_rests_is_learned_and_an_object_before_it_is_not() {
    let mut yard = Yard::new(3.0, true);
    yard.settle();
    let mut random = fastrand::Rng::with_seed(3);
    let leaves: Vec<f32> = (0..90 * 48).map(|_| (random.f32() - 0.5) * 40.0).collect();
    let leaf = |frame: usize, x: usize, y: usize, level: f32| {
        if x < 100 && y < 80 { level + leaves[frame % 90 * 48 + x / 13 + y / 14 * 8] } else { level }
    };
    let mut looks = Vec::new();
    for _ in 0..6 {
        let mut count = 0;
        for frame in 0..90 {
            if yard.watch(|x, y, level| leaf(frame, x, y, level)).looks() {
                count += 1;
                // The network finds nothing there.
                yard.attention.found(std::iter::empty());
            }
        }
        looks.push(count);
    }
    assert!(looks[0] > 60 && looks[5] <= 30, "{looks:?}");
    // Elsewhere all is as before, and so it is where an object is.
    let enters = |x: usize, y: usize, level: f32| {
        if (200..220).contains(&x) && (150..190).contains(&y) { level + 25.0 } else { level }
    };
    yard.until_still();
    assert_eq!(yard.watch(enters), Notice::Motion);
    yard.attention.found([Rect::new(30.0, 30.0, 30.0, 30.0)].into_iter());
    let looks = yard.looks(45, leaf);
    assert!(looks > 30, "{looks}");
}

#[test]
fn a_camera_that_moves_is_looked_at_all_the_time() {
    let mut yard = Yard::new(3.0, true);
    yard.settle();
    let world = yard.scene.clone();
    let looks = yard.looks(30, |frame, x, y, _| world[y * SIZE.0 + (x + frame * 3) % SIZE.0]);
    assert!(looks >= 29, "{looks}");
}

#[test]
fn a_look_that_was_asked_for_and_not_taken_is_asked_for_again() {
    let mut yard = Yard::new(3.0, false);
    let asked = yard.looks(45, |_, _, _, level| level);
    assert_eq!(asked, 45, "none was ever taken");
    let number = yard.number;
    yard.attention.taken(number - 1);
    assert!(yard.watch(|_, _, level| level).looks(), "that was an older one");
    yard.attention.taken(number + 1);
    assert_eq!(yard.watch(|_, _, level| level), Notice::Still);
    // Something moves, and nobody looks for longer than what follows on motion: the look that comes at last knows.
    let enters = |x: usize, _: usize, level: f32| if x > 200 { level + 40.0 } else { level };
    let late = (0..30).map(|_| yard.watch(enters)).collect::<Vec<_>>();
    assert!(late.iter().all(|notice| *notice == Notice::Motion), "{late:?}");
    let number = yard.number;
    yard.attention.taken(number);
    assert_eq!(yard.watch(enters), Notice::Still);
}

#[test]
fn what_asks_for_a_look_gets_one() {
    let mut yard = Yard::new(3.0, true);
    yard.settle();
    yard.attention.insist();
    assert_eq!(yard.watch(|_, _, level| level), Notice::Motion);
    yard.settle();
    yard.attention.begin_anew();
    assert_eq!(yard.watch(|_, _, level| level), Notice::Motion);
    yard.settle();
    // A gap in time, a step back, and another size.
    yard.number += 100;
    assert_eq!(yard.watch(|_, _, level| level), Notice::Motion);
    yard.settle();
    yard.number -= 5;
    assert_eq!(yard.watch(|_, _, level| level), Notice::Motion);
    yard.settle();
    let (small, time) = (vec![90; 160 * 120 * 3], yard.number as f64 / RATE);
    let view = View::new(&small, (160, 120), 3, 480).unwrap();
    assert_eq!(yard.attention.watch(&view, None, time, yard.number), Notice::Motion);
    // Off, everything is looked at.
    yard.attention.set(AttentionSettings::default());
    assert_eq!(yard.looks(10, |_, _, _, level| level), 10);
}

#[test]
fn what_moves_where_nothing_counts_is_no_motion() {
    let left = Polygon::new(vec![(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]).unwrap();
    let mask = Arc::new(RegionMask::new((320, 240), &[], &[left]));
    let mut yard = Yard::new(3.0, true);
    let mut watch = |from: usize, frame: usize| {
        let picture = yard.picture(|x, y, level| {
            let left = from + frame * 2;
            if (left..left + 30).contains(&x) && (100..140).contains(&y) { level + 50.0 } else { level }
        });
        let view = View::new(&picture, SIZE, 3, SIZE.0 * 3).unwrap();
        yard.number += 1;
        yard.attention.watch(&view, Some(&mask), yard.number as f64 / RATE, yard.number).looks()
    };
    let hidden = (0..60).filter(|frame| watch(5, *frame)).count();
    assert!(hidden <= 20, "{hidden}");
    let seen = (0..30).filter(|frame| watch(200, *frame)).count();
    assert!(seen >= 29, "{seen}");
}

#[test]
fn any_picture_goes() {
    let settings = AttentionSettings { motion: true, idle_interval: 0.0 };
    let mut attention = Attention::new(settings, true);
    let bytes = vec![77; 64 * 64 * 3];
    let sizes = [(1, 1), (3, 64), (64, 3), (64, 64), (5, 5), (64, 16)];
    for (number, size) in (0..).zip(sizes.into_iter().cycle().take(30)) {
        let view = View::new(&bytes, size, 3, size.0 * 3).unwrap();
        for time in [0.0, f64::NAN, 1e300, -1.0] {
            assert!(attention.watch(&view, None, time, number).looks());
            attention
                .found([Rect::new(-1e30, 1e30, f32::NAN, 4.0), Rect::new(-5.0, -5.0, 1e9, 1e9)].into_iter());
        }
    }
}
