//! Measures a long run: memory and latency, from its beginning to its end.

use std::time::{Duration, Instant};

/// The parts that a run is looked at in.
const PARTS: u64 = 10;
/// What a run may hold more in the end than soon after the beginning, at the least in each: queues, which are bounded, fill
/// where a disk is slow, and what was freed is not given back to the system at once.
const SLACK_KB: u64 = 6 * 1_024;

/// What is known of one part.
#[derive(Default)]
struct Part {
    /// The least and the most memory in it, in kB.
    floor: u64,
    peak: u64,
    /// From capture to the end, in microseconds.
    latencies: Vec<u32>,
    seconds: f64,
}

/// Takes in the frames of a run.
pub(crate) struct Gauge {
    name: &'static str,
    expected: u64,
    seen: u64,
    parts: Vec<Part>,
    started: Instant,
}

impl Gauge {
    pub(crate) fn new(name: &'static str, expected: u64) -> Self {
        // Room for all, used from the beginning, so that the measuring itself does not grow.
        let room = (expected / PARTS) as usize + 1;
        let part = || {
            let mut latencies = vec![1; room];
            latencies.clear();
            Part { latencies, floor: u64::MAX, ..Part::default() }
        };
        Self { name, expected, seen: 0, parts: (0..PARTS).map(|_| part()).collect(), started: Instant::now() }
    }

    fn part(&mut self) -> &mut Part {
        let index = (self.seen * PARTS / self.expected.max(1)).min(PARTS - 1) as usize;
        &mut self.parts[index]
    }

    /// A frame is at the end of its way.
    pub(crate) fn frame(&mut self, captured: Instant) {
        self.latency(captured);
        self.frames(1);
    }

    /// So many frames have gone by.
    pub(crate) fn frames(&mut self, count: u64) {
        let every = (self.expected / 200).max(1);
        let looks = (self.seen + count) / every > self.seen / every;
        let seconds = self.started.elapsed().as_secs_f64();
        let part = self.part();
        part.seconds = seconds;
        if looks {
            let now = resident_kb();
            (part.floor, part.peak) = (part.floor.min(now), part.peak.max(now));
        }
        self.seen += count;
    }

    pub(crate) fn latency(&mut self, captured: Instant) {
        let latencies = &mut self.part().latencies;
        if latencies.len() < latencies.capacity() {
            latencies.push(u32::try_from(captured.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
    }

    /// Asserts that memory and latency are in the end what they were soon after the beginning, and prints both.
    pub(crate) fn assert_flat(mut self) {
        eprintln!("{}: {} frames in {:.1} s", self.name, self.seen, self.started.elapsed().as_secs_f64());
        eprintln!("| part | memory, MB | latency p50, ms | p95 | p99.9 | frames a second |");
        eprintln!("|---|---|---|---|---|---|");
        let (mut before, mut medians) = (0.0, Vec::new());
        let share = self.seen as f64 / PARTS as f64;
        for (number, part) in (1..).zip(&mut self.parts) {
            part.latencies.sort_unstable();
            let [half, most, all] = [0.5, 0.95, 0.999].map(|at| quantile(&part.latencies, at));
            let rate = share / (part.seconds - before).max(1e-9);
            before = part.seconds;
            medians.push(half);
            let ms = |us: u32| f64::from(us) / 1e3;
            let peak = part.peak as f64 / 1024.0;
            eprintln!(
                "| {number} | {peak:.1} | {:.3} | {:.3} | {:.3} | {rate:.0} |",
                ms(half),
                ms(most),
                ms(all)
            );
        }
        let (early, late) = (self.parts[1].floor, self.parts[8].floor.min(self.parts[9].floor));
        if late < u64::MAX {
            assert!(late <= early.saturating_add(SLACK_KB), "{}: {early} kB became {late} kB", self.name);
        }
        // The machine may be busy, and a turn of it is some milliseconds; what piles up in a tenth of a long run is more.
        let (early, late) = (medians[0].max(medians[1]), medians[8].min(medians[9]));
        let bound = 4 * Duration::from_micros(u64::from(early)) + Duration::from_millis(25);
        assert!(u128::from(late) <= bound.as_micros(), "{}: from {early} µs to {late} µs", self.name);
    }
}

fn quantile(sorted: &[u32], share: f64) -> u32 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
}

/// What the process holds in memory, in kB; 0 where the system does not tell.
fn resident_kb() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()));
    pages.unwrap_or_default() * 4
}
