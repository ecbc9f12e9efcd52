//! What the measurements were made on, and what this process has used of it. Linux tells all of it in `/proc`; elsewhere
//! what is not known is left out.

use std::fs;
use std::time::Duration;

/// In what unit Linux counts processor time there, whatever the kernel's own clock is; hertz.
const TICKS: f64 = 100.0;
/// A thread's processor time is brought up to date when it sleeps; so long must it have done so.
const SETTLE: Duration = Duration::from_millis(2);

/// The name of the processor; where it is not known, its kind.
pub(super) fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    processor_in(&text).unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn processor_in(cpuinfo: &str) -> Option<String> {
    let value = field(cpuinfo, "model name")?.split_whitespace().collect::<Vec<_>>().join(" ");
    (!value.is_empty()).then_some(value)
}

/// What stands behind `name` and a colon.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.into_iter().find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Seconds of processor time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spent {
    /// By all threads of this process, also those that have ended; to a hundredth of a second.
    pub(super) own: f64,
    /// By the children that have ended: decoders.
    pub(super) children: f64,
}

/// What was spent so far.
pub(super) fn spent() -> Option<Spent> {
    spent_in(&fs::read_to_string("/proc/self/stat").ok()?)
}

fn spent_in(stat: &str) -> Option<Spent> {
    // The name of the program comes before, in parentheses, and may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || Some(fields.next()?.parse::<f64>().ok()? / TICKS);
    let (own, children) = (next()? + next()?, next()? + next()?);
    Some(Spent { own, children })
}

/// What the threads that live have spent, in seconds, to the microsecond; waits a moment for it. `None` where it is not
/// told.
pub(super) fn spent_by_the_living() -> Option<f64> {
    std::thread::sleep(SETTLE);
    let mut sum = 0.0;
    for task in fs::read_dir("/proc/self/task").ok()? {
        let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        sum += text.split_whitespace().next()?.parse::<f64>().ok()? / 1e9;
    }
    Some(sum)
}

/// The most memory that this process has had at once, in bytes.
pub(super) fn peak_memory() -> Option<u64> {
    peak_in(&fs::read_to_string("/proc/self/status").ok()?)
}

fn peak_in(status: &str) -> Option<u64> {
    let kilobytes: u64 = field(status, "VmHWM")?.split_whitespace().next()?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_system_are_read() {
        let cpuinfo = "processor\t: 0\nmodel name\t: AMD  EPYC 7763\nflags\t\t: fpu\nmodel name : other\n";
        assert_eq!(processor_in(cpuinfo).as_deref(), Some("AMD EPYC 7763"));
        assert_eq!(processor_in("processor : 0\nBogoMIPS : 50\n"), None);
        let stat = "12 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 250 50 30 20 20 0 3 0";
        assert_eq!(spent_in(stat), Some(Spent { own: 3.0, children: 0.5 }));
        assert_eq!(spent_in("12 (a) S 1 2"), None);
        assert_eq!(peak_in("Name:\tx\nVmHWM:\t   2048 kB\n"), Some(2 << 20));
        assert_eq!(peak_in("Name:\tx\n"), None);
    }

    #[test]
    fn this_process_has_used_something() {
        if !cfg!(target_os = "linux") {
            println!("skipped: only Linux tells");
            return;
        }
        assert!(spent().is_some() && spent_by_the_living().is_some_and(|seconds| seconds > 0.0));
        assert!(peak_memory().is_some_and(|bytes| bytes > 1 << 20));
    }
}
