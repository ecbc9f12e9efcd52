//! When the frames of a video file are shown, all of them, as `ffprobe` tells it without decoding: what makes a frame's
//! number known wherever decoding begins. Read beside the decoding, by a thread of its own.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use super::probe::Probe;
use super::process::{JUMP, SPLICE, end};
use crate::source::input::{Input, Tools, own_group};

/// A file of more packets has no index: 18 hours at 30 frames a second, 16 MB (32 where each is a key frame).
const PACKETS: usize = 2_000_000;
/// The most that is read of what ffprobe writes, in bytes; a packet's line has about 30.
const OUTPUT: u64 = 64 * PACKETS as u64;
/// ffprobe prints times with six digits: two that are nearer than that, in seconds, are the same.
const ROUNDING: f64 = 1e-6;

/// The times of all frames.
#[derive(Debug, PartialEq)]
pub(in crate::source) struct Index {
    /// Seconds, sorted.
    times: Vec<f64>,
    /// Those of the frames where decoding can begin, sorted.
    keys: Vec<f64>,
}

impl Index {
    /// Reads lines such as `0.033367,0.000000,K__`: when a frame is shown, when it is decoded, what it is. `None` where a
    /// packet has no time, the times begin anew in the middle (in a container where they may, `spliced`, also ahead), or
    /// there are none or too many: numbers cannot be told then.
    pub(in crate::source) fn read(text: impl BufRead, spliced: bool) -> Option<Self> {
        let (mut times, mut keys): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
        let mut latest = f64::NEG_INFINITY;
        for line in text.lines() {
            let line = line.ok()?;
            let mut parts = line.trim_end_matches(',').split(',');
            let (Some(time), Some(decoded), Some(flags)) = (parts.next(), parts.next(), parts.next()) else {
                continue;
            };
            // Decoded, but not shown: what an edit list leaves out.
            if flags.contains('D') {
                continue;
            }
            let time = time.trim().parse::<f64>().ok().filter(|time| time.is_finite())?;
            // Frames are stored in the order of decoding: the times at which they are shown go back by a few frames, which
            // may be long ones, but those at which they are decoded do not.
            let decoded = decoded.trim().parse::<f64>().ok().filter(|time| time.is_finite()).unwrap_or(time);
            let ahead = spliced && latest.is_finite() && decoded > latest + JUMP;
            if decoded < latest - SPLICE || ahead || times.len() >= PACKETS {
                return None;
            }
            latest = latest.max(decoded);
            times.push(time);
            if flags.contains('K') {
                keys.push(time);
            }
        }
        times.sort_by(f64::total_cmp);
        keys.sort_by(f64::total_cmp);
        (!times.is_empty()).then_some(Self { times, keys })
    }

    /// The place in the index of the frame shown at `time`, which may be off by `tolerance` (seconds).
    pub(in crate::source) fn place(&self, time: f64, tolerance: f64) -> Option<u64> {
        let behind = self.times.partition_point(|t| *t < time - ROUNDING);
        let off = |place: usize| self.times.get(place).map(|t| (t - time).abs());
        let before = behind.checked_sub(1);
        let nearer = match (before.and_then(off), off(behind)) {
            (Some(a), Some(b)) if a < b => before?,
            (Some(_), None) => before?,
            _ => behind,
        };
        // Of several at the same time, the first.
        let first = self.times.get(nearer).map(|at| self.times.partition_point(|t| t < at))?;
        off(nearer).filter(|off| *off <= tolerance).map(|_| first as u64)
    }

    /// The time of the last key frame that is shown at or before `time`.
    pub(in crate::source) fn key_before(&self, time: f64) -> Option<f64> {
        let behind = self.keys.partition_point(|t| *t <= time + ROUNDING);
        self.keys.get(behind.checked_sub(1)?).copied()
    }

    /// From the first frame to the end of the last in seconds, which is shown for as long as frames are on average.
    pub(in crate::source) fn duration(&self) -> f64 {
        match (self.times.first(), self.times.last()) {
            (Some(first), Some(last)) if self.times.len() > 1 => {
                (last - first) * self.times.len() as f64 / (self.times.len() - 1) as f64
            }
            _ => 0.0,
        }
    }

    /// How many frames are shown at or before `time`.
    pub(in crate::source) fn place_behind(&self, time: f64) -> u64 {
        self.times.partition_point(|t| *t <= time + ROUNDING) as u64
    }

    /// A moment before the last frame that is shown at or before `time`, and after the frame before that; `None` where
    /// there is no such frame before.
    pub(in crate::source) fn just_before(&self, time: f64) -> Option<f64> {
        let behind = self.times.partition_point(|t| *t <= time + ROUNDING);
        let at = *self.times.get(behind.checked_sub(1)?)?;
        let first = self.times.partition_point(|t| *t < at);
        let before = *self.times.get(first.checked_sub(1)?)?;
        Some(f64::midpoint(before, at))
    }
}

/// An index that is being read, or was.
pub(in crate::source) struct IndexReader {
    child: Arc<Mutex<Child>>,
    outcome: Receiver<Option<Index>>,
    /// What came, once something has; then `None` where there is no index.
    index: Option<Option<Arc<Index>>>,
}

impl IndexReader {
    /// Begins to read; `None` where ffprobe or a thread cannot be had.
    pub(in crate::source) fn start(tools: &Tools, input: &Input, probe: &Probe) -> Option<Self> {
        let mut command = Command::new(&tools.ffprobe);
        // Where no stream was chosen: a capital V, so that it is no cover picture.
        command.args(["-v", "quiet", "-select_streams", probe.stream.as_deref().unwrap_or("V:0")]);
        command.args(["-show_entries", "packet=pts_time,dts_time,flags", "-of", "csv=p=0"]);
        command.args(probe.arguments(input));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        own_group(&mut command);
        let mut child = command.spawn().ok()?;
        let text = child.stdout.take();
        let (sender, outcome) = bounded(1);
        let child = Arc::new(Mutex::new(child));
        let (reading, spliced) = (Arc::clone(&child), probe.is_spliced());
        let read = move || {
            let index = text.and_then(|text| Index::read(BufReader::new(text.take(OUTPUT)), spliced));
            // Where the reading was given up, the rest is not wanted. Whether ffprobe reached the end is all the same:
            // times that are missing are found missing when they are looked for.
            end(&reading);
            // Nobody may be left to ask.
            let _ = sender.send(index);
        };
        if thread::Builder::new().name("ffprobe index".to_owned()).spawn(read).is_err() {
            end(&child);
            return None;
        }
        Some(Self { child, outcome, index: None })
    }

    /// The index, where it is there within `patience`.
    pub(in crate::source) fn get(&mut self, patience: Duration) -> Option<Arc<Index>> {
        if self.index.is_none() {
            self.index = match self.outcome.recv_timeout(patience) {
                Ok(index) => Some(index.map(Arc::new)),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(None),
            };
        }
        self.index.clone().flatten()
    }
}

impl Drop for IndexReader {
    fn drop(&mut self) {
        if self.index.is_none() {
            end(&self.child);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Index> {
        // Without a time of decoding, that of showing stands for it.
        let lines: String = text.lines().map(|line| line.replacen(',', ",N/A,", 1) + "\n").collect();
        Index::read(lines.as_bytes(), false)
    }

    #[test]
    fn frames_are_numbered_as_they_are_shown() {
        let index = read("-0.04,KD_\n0.000000,K__\n0.120000,___\n0.040000,___,\n0.080000,___\n\n").unwrap();
        assert_eq!(index.times, [0.0, 0.04, 0.08, 0.12]);
        let place = |time| index.place(time, 0.02);
        let places = [place(-1.0), place(0.0), place(0.0401), place(0.07), place(0.121)];
        assert_eq!(places, [None, Some(0), Some(1), Some(2), Some(3)]);
        assert_eq!((place(0.2), place(f64::NAN)), (None, None));
        assert_eq!(index.just_before(0.0399), None);
        assert!((index.just_before(0.04).unwrap() - 0.02).abs() < 1e-9);
        assert!((index.just_before(7.0).unwrap() - 0.10).abs() < 1e-9);
        assert_eq!(index.just_before(f64::NEG_INFINITY), None);
        let keys = read("0.0,K_\n0.2,__\n0.1,__\n0.3,K__\n").unwrap();
        assert_eq!(
            [-1.0, 0.29, 0.3, 9.0].map(|time| keys.key_before(time)),
            [None, Some(0.0), Some(0.3), Some(0.3)]
        );
    }

    #[test]
    fn long_frames_may_be_stored_far_out_of_order() {
        let stored = "0.0,-3.0,K__\n6.0,-1.5,__\n3.0,0.0,__\n9.0,3.0,K_\n";
        assert_eq!(Index::read(stored.as_bytes(), false).unwrap().times, [0.0, 3.0, 6.0, 9.0]);
        assert_eq!(Index::read("9.0,9.0,K__\n0.0,0.0,K__\n".as_bytes(), false), None);
    }

    #[test]
    fn a_clock_that_jumps_ahead_is_no_index_where_it_may_begin_anew() {
        let jumping = "0.0,0.0,K__\n0.5,0.5,__\n3600.0,3600.0,K_\n";
        assert_eq!(Index::read(jumping.as_bytes(), true), None);
        assert!(Index::read(jumping.as_bytes(), false).is_some());
    }

    #[test]
    fn of_equal_times_the_first_counts() {
        let index = read("0.0,K_\n0.1,__\n0.1,__\n0.2,__\n").unwrap();
        assert_eq!(index.place(0.1, 0.01), Some(1));
        assert!((index.just_before(0.15).unwrap() - 0.05).abs() < 1e-9);
    }

    #[test]
    fn what_cannot_be_numbered_is_no_index() {
        assert_eq!(read(""), None);
        assert_eq!(read("0.0,K_\nN/A,__\n"), None);
        assert_eq!(read("5.0,K_\n3.0,__\n"), None);
        assert_eq!(read("nan,K_\n"), None);
    }
}
