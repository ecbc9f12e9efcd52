//! Damaged input without end: seeds that are right are changed in ways in which files are wrong, the same way every time.
//!
//! `TRAILSIGHT_FUZZ_RUNS` (runs of a cheap target; dear ones get fewer) and `TRAILSIGHT_FUZZ_SEED` change how long and
//! where it looks. What an input leads to is told in words; one that leads to words not heard before becomes a seed
//! itself, so that the search goes on from what went deep. A panic, a second without an end and memory without measure
//! are findings; the input is kept in `target/fuzz/`.

#![allow(unreachable_pub)]

mod mutate;
pub mod readers;

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::{Duration, Instant};

use allocation_counter::measure;

/// Runs of a cheap target where nothing else is asked for: the whole takes some seconds.
const RUNS: u64 = 4_000;
/// No input takes longer.
const LONGEST: Duration = Duration::from_secs(1);
/// Seeds that a run may find for itself.
const MOST_SEEDS: usize = 400;
/// Findings after which a target has failed enough.
const MOST_FINDINGS: usize = 12;

/// Something that reads bytes from outside.
pub struct Target {
    pub name: &'static str,
    /// Input that is right, to be made wrong.
    pub seeds: Vec<Vec<u8>>,
    /// Words that mean something to it.
    pub words: &'static [&'static [u8]],
    /// Gets one of so many runs.
    pub cost: u64,
    /// Longer input is cut.
    pub longest: usize,
    /// The most memory that it may take at once, in bytes.
    pub memory: u64,
}

impl Target {
    pub fn new(name: &'static str, seeds: Vec<Vec<u8>>) -> Self {
        Self { name, seeds, words: &[], cost: 1, longest: 1 << 16, memory: 64 << 20 }
    }

    /// Runs it; `read` says in words what came of an input.
    ///
    /// Where `TRAILSIGHT_FUZZ_CORPUS` names a folder, the seeds are written there instead, for coverage-guided fuzzing.
    pub fn run(self, mut read: impl FnMut(&[u8]) -> String) {
        if let Some(folder) = std::env::var_os("TRAILSIGHT_FUZZ_CORPUS") {
            return self.write_seeds(Path::new(&folder));
        }
        hush();
        let seed = number("TRAILSIGHT_FUZZ_SEED").unwrap_or(1);
        let runs = (number("TRAILSIGHT_FUZZ_RUNS").unwrap_or(RUNS) / self.cost).max(20);
        let mut random = fastrand::Rng::with_seed(seed ^ hash(self.name));
        let (mut seeds, mut heard) = (self.seeds.clone(), HashSet::new());
        let (mut findings, mut slowest) = (BTreeMap::new(), Duration::ZERO);
        let started = Instant::now();
        for run in 0..runs {
            // The seeds themselves first: they have to be right.
            let input = match self.seeds.get(usize::try_from(run).unwrap_or(usize::MAX)) {
                Some(seed) => seed.clone(),
                None => mutate::mutated(&seeds, self.words, self.longest, &mut random),
            };
            let (told, took) = attempt(&input, self.memory, &mut read);
            slowest = slowest.max(took);
            match told {
                Ok(words) => {
                    if heard.insert(hash(without_numbers(&words))) && seeds.len() < MOST_SEEDS {
                        seeds.push(input);
                    }
                }
                Err(finding) => {
                    let kind = without_numbers(&finding);
                    findings.entry(kind).or_insert_with(|| (keep(self.name, &input), finding));
                    if findings.len() >= MOST_FINDINGS {
                        break;
                    }
                }
            }
        }
        let seconds = started.elapsed().as_secs_f64();
        eprintln!(
            "{}: {runs} runs in {seconds:.1} s, {} outcomes, slowest {slowest:.1?}, {} findings",
            self.name,
            heard.len(),
            findings.len()
        );
        assert!(findings.is_empty(), "{}: {findings:#?}", self.name);
    }

    fn write_seeds(&self, folder: &Path) {
        if !readers::ALL.iter().any(|(name, _)| *name == self.name) {
            return;
        }
        let folder = folder.join(self.name);
        std::fs::create_dir_all(&folder).unwrap();
        for seed in &self.seeds {
            std::fs::write(folder.join(format!("{:016x}", hash(seed))), seed).unwrap();
        }
    }
}

/// One run: what came of it in words, or what is wrong; and how long it took.
fn attempt(
    input: &[u8],
    memory: u64,
    read: &mut impl FnMut(&[u8]) -> String,
) -> (Result<String, String>, Duration) {
    let started = Instant::now();
    let mut told = Ok(String::new());
    QUIET.set(true);
    let taken = measure(|| told = catch_unwind(AssertUnwindSafe(|| read(input))));
    QUIET.set(false);
    let took = started.elapsed();
    let told = match told {
        Err(_) => Err(format!("it panics: {}", LAST_PANIC.take())),
        Ok(_) if taken.bytes_max > memory => Err(format!("it takes {} MB", taken.bytes_max >> 20)),
        // A busy machine may be slow by itself, but hardly twice.
        Ok(_) if took > LONGEST && is_slow(input, read) => Err(format!("it takes {took:?}")),
        Ok(words) => Ok(words),
    };
    (told, took)
}

fn is_slow(input: &[u8], read: &mut impl FnMut(&[u8]) -> String) -> bool {
    (0..3).all(|_| {
        let (started, before) = (Instant::now(), processor_time());
        let _ = catch_unwind(AssertUnwindSafe(|| read(input)));
        let own = processor_time().zip(before).map(|(after, before)| after.saturating_sub(before));
        own.unwrap_or(started.elapsed()) > LONGEST
    })
}

/// What this thread has had of the processors; `None` where the system does not tell.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static LAST_PANIC: Cell<String> = const { Cell::new(String::new()) };
}

/// Panics of what is tested are noted, not printed.
fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if QUIET.get() { LAST_PANIC.set(info.to_string()) } else { usual(info) }
        }));
    });
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

fn hash(thing: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    hasher.finish()
}

fn without_numbers(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic() || c.is_whitespace()).take(300).collect()
}

/// Keeps an input for whoever looks at the finding.
fn keep(name: &str, input: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fuzz");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{name}-{:016x}", hash(input)));
    std::fs::write(&path, input).unwrap();
    path
}
