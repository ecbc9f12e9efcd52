//! Chooses how many pixels the network's input has if `detector.input` is `"auto"`: the finest budget with which the
//! detector keeps up with every frame of all sources and leaves a third of the time for everything else.
//!
//! It is a state machine without a clock. It is told how long each detection took ([`BudgetControl::detected`]), and
//! computes the *load*: the share of the time that detection takes, or would take with another budget, if no frame were
//! skipped. After one second of too much load, the budget goes down to one that fits. The budget goes up one step at a
//! time, and only after the load of the finer budget has been low for some time. That time doubles after each step up
//! that came too soon, so that other work on the machine does not make the budget switch to and fro.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::detect::PixelBudget;
use crate::sync::lock;

/// The target load: a third of the time is left.
const AIM: f64 = 2.0 / 3.0;
/// Above this load the budget is too fine. The distance to [`AIM`] keeps a budget that only just fits.
const TOO_MUCH: f64 = 0.75;
/// A finer budget is taken where its load would be below this: what is worked out for it may be wrong by a tenth.
const ROOM: f64 = 0.6;
/// The load must be too high for this long.
const DOWN_AFTER: Duration = Duration::from_secs(1);
/// There must be room for this long, at first and at most.
const UP_AFTER: Duration = Duration::from_secs(3);
const UP_AFTER_AT_MOST: Duration = Duration::from_secs(300);
/// After a finer budget has held for this many times that long, the doubling starts over.
const FORGIVEN: u32 = 8;
/// It has settled when there has been no reason for a change for so long.
const SETTLED_AFTER: Duration = Duration::from_secs(4);
/// How far back, in seconds, the mean of what detections took reaches.
const MEMORY: f64 = 1.0;
/// A source without a detection for this long no longer counts.
const GONE_AFTER: Duration = Duration::from_secs(3);

/// One detection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Detected {
    /// Which of the sources it was in.
    pub(super) source: u64,
    /// How long it took, in seconds.
    pub(super) seconds: f64,
    /// The pixels of the network's input.
    pub(super) pixels: usize,
    /// Frames a second that are to be detected in.
    pub(super) rate: f64,
    /// The width and height of what the network looks at.
    pub(super) picture: (u32, u32),
}

/// What follows from a detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nothing.
    Keep,
    /// There is another budget from now on.
    Changed(PixelBudget),
    /// For the first time there is no reason to change it.
    Settled(PixelBudget),
}

/// What a source asks for.
#[derive(Debug)]
struct Demand {
    /// Seconds a pixel of the network's input, a mean over time.
    cost: f64,
    rate: f64,
    /// The pixels of its input within each budget.
    pixels: [f64; PixelBudget::ALL.len()],
    last: Duration,
}

/// The budget of the detector that the sources share.
#[derive(Debug)]
pub(super) struct BudgetControl {
    budget: PixelBudget,
    demands: BTreeMap<u64, Demand>,
    /// Since when the load is too much, and since when there is room for more.
    over: Option<Duration>,
    room: Option<Duration>,
    /// When the budget was changed last, or the first detection was.
    changed: Option<Duration>,
    /// The last change was to a finer budget.
    went_up: bool,
    up_after: Duration,
    settled: bool,
}

impl Default for BudgetControl {
    fn default() -> Self {
        Self {
            budget: PixelBudget::Normal,
            demands: BTreeMap::new(),
            over: None,
            room: None,
            changed: None,
            went_up: false,
            up_after: UP_AFTER,
            settled: false,
        }
    }
}

/// The control on the machine's clock, for all sources that share a detector; clones are the same.
#[derive(Debug, Clone)]
pub(super) struct SharedBudget {
    control: Arc<Mutex<BudgetControl>>,
    sources: Arc<AtomicU64>,
    began: Instant,
}

impl Default for SharedBudget {
    fn default() -> Self {
        Self { control: Arc::default(), sources: Arc::default(), began: Instant::now() }
    }
}

impl SharedBudget {
    /// A number for one more source.
    pub(super) fn add_source(&self) -> u64 {
        self.sources.fetch_add(1, Ordering::Relaxed)
    }

    /// How many sources there are.
    pub(super) fn sources(&self) -> u64 {
        self.sources.load(Ordering::Relaxed)
    }

    /// Takes in a detection that ended just now; gives the budget for the next one.
    pub(super) fn detected(&self, detected: Detected) -> PixelBudget {
        let mut control = lock(&self.control);
        let decision = control.detected(self.began.elapsed(), detected);
        let (budget, load) = (control.budget(), control.load() * 100.0);
        drop(control);
        match decision {
            Decision::Keep => {}
            Decision::Changed(_) => {
                log::debug!(
                    "detector.input = \"auto\": {budget} from now on, {load:.0} % of the time by what is known"
                );
            }
            Decision::Settled(_) => {
                let input = budget.for_picture(detected.picture);
                log::info!(
                    "detector.input = \"auto\" has settled at {budget} ({input}): detecting takes {load:.0} % of the time"
                );
            }
        }
        budget
    }
}

impl BudgetControl {
    /// The budget to detect with.
    pub(super) fn budget(&self) -> PixelBudget {
        self.budget
    }

    /// The share of the time that detecting takes within the budget, if no frame is left out; above 1 some are.
    pub(super) fn load(&self) -> f64 {
        self.load_of(self.budget)
    }

    /// Takes in a detection that ended `now`, on any clock that does not go back.
    pub(super) fn detected(&mut self, now: Duration, detected: Detected) -> Decision {
        self.take_in(now, detected);
        self.demands.retain(|_, demand| now.saturating_sub(demand.last) <= GONE_AFTER);
        let changed = *self.changed.get_or_insert(now);
        if self.went_up && now.saturating_sub(changed) > self.up_after * FORGIVEN {
            self.up_after = UP_AFTER;
        }

        let is_over = self.load() > TOO_MUCH;
        let finer = self.finer().filter(|finer| self.load_of(*finer) <= ROOM);
        self.over = if is_over { self.over.or(Some(now)) } else { None };
        self.room = if finer.is_some() { self.room.or(Some(now)) } else { None };
        let lasts =
            |since: Option<Duration>, long| since.is_some_and(|since| now.saturating_sub(since) >= long);
        if lasts(self.over, DOWN_AFTER) {
            let fits = |budget: &PixelBudget| *budget < self.budget && self.load_of(*budget) <= AIM;
            let down = PixelBudget::ALL.into_iter().rev().find(fits).unwrap_or(PixelBudget::Fast);
            if down < self.budget {
                self.up_after = (self.up_after * 2).min(UP_AFTER_AT_MOST);
                return self.change(now, down);
            }
        }
        if let (Some(up), true) = (finer, lasts(self.room, self.up_after)) {
            return self.change(now, up);
        }
        let is_calm = !is_over && finer.is_none() || self.budget == PixelBudget::Fast;
        if !self.settled && is_calm && now.saturating_sub(changed) >= SETTLED_AFTER {
            self.settled = true;
            return Decision::Settled(self.budget);
        }
        Decision::Keep
    }

    fn take_in(&mut self, now: Duration, detected: Detected) {
        let Detected { source, seconds, pixels, rate, picture } = detected;
        let cost = seconds / pixels.max(1) as f64;
        if !(cost.is_finite() && rate.is_finite()) {
            return;
        }
        let pixels = PixelBudget::ALL.map(|budget| {
            // With more pixels than it has itself there is no more to be seen in a picture.
            let most = PixelBudget::of_all_detail(picture).unwrap_or(PixelBudget::Finest);
            let (width, height) = budget.min(most).for_picture(picture).size();
            (width * height) as f64
        });
        let demand = self.demands.entry(source).or_insert(Demand { cost, rate, pixels, last: now });
        // One that takes long weighs little more than another: a moment is no reason.
        let passed = now.saturating_sub(demand.last).as_secs_f64().min(2.0 / rate.max(0.1));
        demand.cost += (cost - demand.cost) * (1.0 - (-passed / MEMORY).exp());
        (demand.rate, demand.pixels, demand.last) = (rate, pixels, now);
    }

    fn load_of(&self, budget: PixelBudget) -> f64 {
        self.demands.values().map(|demand| demand.rate * demand.cost * demand.pixels[budget as usize]).sum()
    }

    /// The next finer budget, where more is to be seen with it.
    fn finer(&self) -> Option<PixelBudget> {
        let finer = PixelBudget::ALL.into_iter().find(|budget| *budget > self.budget)?;
        let sees_more = |demand: &Demand| demand.pixels[finer as usize] > demand.pixels[self.budget as usize];
        self.demands.values().any(sees_more).then_some(finer)
    }

    fn change(&mut self, now: Duration, budget: PixelBudget) -> Decision {
        self.went_up = budget > self.budget;
        (self.budget, self.changed, self.over, self.room) = (budget, Some(now), None, None);
        Decision::Changed(budget)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PixelBudget::{Fast, Fine, Finest, Normal};

    /// A machine on a clock of its own.
    struct Machine {
        control: BudgetControl,
        now: f64,
        /// The size of each source's picture, and its frames a second.
        sources: Vec<((u32, u32), f64)>,
        /// What was decided, and when.
        told: Vec<(f64, Decision)>,
    }

    impl Machine {
        fn new(sources: &[((u32, u32), f64)]) -> Self {
            let (control, sources) = (BudgetControl::default(), sources.to_vec());
            Self { control, now: 0.0, sources, told: Vec::new() }
        }

        /// Detects for so many seconds; with the pixels of 544x320 a detection takes `milliseconds` at each time.
        fn run(&mut self, seconds: f64, milliseconds: impl Fn(f64) -> f64) -> PixelBudget {
            let until = self.now + seconds;
            while self.now < until {
                let mut busy = 0.0;
                for (number, &(picture, rate)) in self.sources.iter().enumerate() {
                    let (width, height) = self.control.budget().for_picture(picture).size();
                    let pixels = width * height;
                    let seconds = milliseconds(self.now) / 1e3 * pixels as f64 / (544.0 * 320.0);
                    busy += seconds;
                    let detected = Detected { source: number as u64, seconds, pixels, rate, picture };
                    let decision = self.control.detected(Duration::from_secs_f64(self.now + busy), detected);
                    if decision != Decision::Keep {
                        self.told.push((self.now, decision));
                    }
                }
                let fastest = self.sources.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
                self.now += busy.max(1.0 / fastest);
            }
            self.control.budget()
        }

        fn changes(&self) -> usize {
            self.told.iter().filter(|(_, decision)| matches!(decision, Decision::Changed(_))).count()
        }
    }

    const HD: (u32, u32) = (1280, 720);

    #[test]
    fn a_fast_machine_goes_up_in_steps_and_stays() {
        let mut machine = Machine::new(&[(HD, 25.0)]);
        assert_eq!(machine.run(2.0, |_| 5.0), Normal, "not at once");
        assert_eq!(machine.run(20.0, |_| 5.0), Finest);
        machine.run(600.0, |_| 5.0);
        let decisions: Vec<_> = machine.told.iter().map(|(_, decision)| *decision).collect();
        assert_eq!(
            decisions,
            [Decision::Changed(Fine), Decision::Changed(Finest), Decision::Settled(Finest)]
        );
    }

    #[test]
    fn the_budget_is_the_finest_with_a_third_to_spare() {
        // At 25 frames a second a third of the time is left at 26.7 ms.
        for (milliseconds, expected) in
            [(7.0, Finest), (9.5, Fine), (11.0, Normal), (25.0, Normal), (35.0, Fast), (200.0, Fast)]
        {
            let mut machine = Machine::new(&[(HD, 25.0)]);
            assert_eq!(machine.run(60.0, |_| milliseconds), expected, "{milliseconds} ms");
            assert!(expected == Fast || machine.control.load() <= TOO_MUCH, "{milliseconds} ms");
            machine.run(600.0, |_| milliseconds);
            assert!(machine.changes() <= 2, "{milliseconds} ms: {:?}", machine.told);
            let settled = machine.told.iter().filter(|(_, told)| matches!(told, Decision::Settled(_)));
            assert_eq!(settled.count(), 1, "{milliseconds} ms: {:?}", machine.told);
        }
    }

    #[test]
    fn too_much_load_is_answered_within_two_seconds_and_a_moment_of_it_is_not() {
        let mut machine = Machine::new(&[(HD, 25.0)]);
        machine.run(60.0, |_| 6.0);
        assert_eq!(machine.control.budget(), Finest);
        let hiccup = machine.now;
        machine.run(10.0, |now| if now < hiccup + 0.2 { 60.0 } else { 6.0 });
        assert_eq!((machine.control.budget(), machine.changes()), (Finest, 2));
        assert_eq!(machine.run(2.5, |_| 20.0), Normal, "straight to what fits");
    }

    #[test]
    fn load_that_comes_and_goes_makes_changes_ever_rarer() {
        let mut machine = Machine::new(&[(HD, 25.0)]);
        // Every forty seconds something else takes two thirds of the machine for twenty seconds.
        let other = |now: f64| if now % 40.0 < 20.0 { 7.0 } else { 21.0 };
        machine.run(200.0, other);
        let early = machine.changes();
        machine.run(1000.0, other);
        assert!(early <= 12 && machine.changes() - early <= 4, "{early} {}", machine.changes());
        assert_eq!(machine.control.budget(), Normal);
        // When it is over for good, the pixels come back.
        assert_eq!(machine.run(1000.0, |_| 7.0), Finest);
    }

    #[test]
    fn noise_does_not_make_it_flap() {
        let random = std::cell::RefCell::new(fastrand::Rng::with_seed(7));
        for milliseconds in 5..40 {
            let mut machine = Machine::new(&[(HD, 25.0)]);
            machine.run(900.0, |_| {
                let spike = if random.borrow_mut().f64() < 0.02 { 3.0 } else { 1.0 };
                f64::from(milliseconds) * spike * (0.8 + 0.4 * random.borrow_mut().f64())
            });
            assert!(machine.changes() <= 6, "{milliseconds} ms: {:?}", machine.told);
        }
    }

    #[test]
    fn sources_share_the_time() {
        let mut one = Machine::new(&[(HD, 25.0)]);
        assert_eq!(one.run(60.0, |_| 7.0), Finest);
        let mut three = Machine::new(&[(HD, 25.0), ((480, 640), 25.0), ((640, 640), 25.0)]);
        assert_eq!(three.run(60.0, |_| 7.0), Normal);
        let mut slow = Machine::new(&[(HD, 5.0), (HD, 5.0), (HD, 5.0)]);
        assert_eq!(slow.run(60.0, |_| 7.0), Finest);
        // One that ends leaves its share to the others.
        three.sources.truncate(1);
        assert_eq!(three.run(120.0, |_| 7.0), Finest);
    }

    #[test]
    fn there_is_no_more_than_all_to_be_seen_in_a_picture() {
        let mut machine = Machine::new(&[((480, 270), 10.0)]);
        assert_eq!(machine.run(60.0, |_| 1.0), Normal);
        let mut machine = Machine::new(&[((640, 360), 10.0)]);
        assert_eq!(machine.run(60.0, |_| 1.0), Fine);
    }

    #[test]
    fn odd_numbers_do_no_harm() {
        let mut control = BudgetControl::default();
        for (number, odd) in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300].into_iter().enumerate() {
            for pixels in [0, usize::MAX] {
                let detected = Detected { source: 0, seconds: odd, pixels, rate: odd, picture: (0, 0) };
                control.detected(Duration::from_secs(number as u64), detected);
                control.detected(Duration::ZERO, detected);
            }
        }
    }
}
