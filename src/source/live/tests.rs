use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::*;
use crate::frame::Picture;
use crate::source::SourceKind;

/// What a fake source does next.
#[derive(Debug, Clone, Copy)]
enum Act {
    Picture,
    Wait(u64),
    /// Blocks until it is stopped.
    Block,
    /// Blocks whatever is done, as a driver may.
    Hang,
    Fail,
    End,
}

struct Fake {
    info: SourceInfo,
    acts: Vec<Act>,
    at: usize,
    stopped: Arc<AtomicBool>,
}

fn fake(acts: &[Act]) -> Box<dyn Source> {
    let info = SourceInfo {
        name: "fake".to_owned(),
        kind: SourceKind::Camera,
        size: None,
        rate: None,
        frames: None,
        duration: None,
        sound: None,
    };
    Box::new(Fake { info, acts: acts.to_vec(), at: 0, stopped: Arc::default() })
}

impl Source for Fake {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, SourceError> {
        loop {
            let act = self.acts.get(self.at).copied().unwrap_or(Act::Block);
            self.at += 1;
            match act {
                Act::Picture => break,
                Act::Wait(millis) => thread::sleep(Duration::from_millis(millis)),
                Act::Block => {
                    while !self.stopped.load(Ordering::SeqCst) {
                        thread::sleep(Duration::from_millis(2));
                    }
                    return Ok(None);
                }
                Act::Hang => thread::sleep(Duration::from_secs(20)),
                Act::Fail => {
                    return Err(SourceError::Read { what: "fake".into(), why: "it was pulled out".into() });
                }
                Act::End => return Ok(None),
            }
        }
        let picture = Arc::new(Picture::filled(2, 2, [0; 3]).unwrap());
        let sequence = self.at as u64;
        Ok(Some(Frame { picture, sequence, time: 0.0, captured: Instant::now(), file: None }))
    }

    fn stopper(&self) -> Option<Stopper> {
        let stopped = Arc::clone(&self.stopped);
        Some(Box::new(move || stopped.store(true, Ordering::SeqCst)))
    }
}

fn refused() -> SourceError {
    SourceError::Open { what: "fake".into(), why: "there is none".into() }
}

fn timeouts(stall: u64, give_up: Option<u64>) -> LiveTimeouts {
    LiveTimeouts { stall: Duration::from_millis(stall), give_up: give_up.map(Duration::from_millis) }
}

#[test]
fn one_that_fails_is_opened_again_with_growing_pauses_and_goes_on() {
    let tries = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&tries);
    let again = move || match count.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Err(refused()),
        _ => Ok(fake(&[Act::Picture])),
    };
    let first = fake(&[Act::Picture, Act::Fail]);
    let mut live = LiveSource::new(first, Box::new(again), timeouts(5_000, None)).unwrap();
    let health = live.health().unwrap();
    let (before, begun) = (live.next_frame().unwrap().unwrap(), Instant::now());
    thread::sleep(Duration::from_millis(700));
    let Condition::Gone { why, .. } = health.condition() else { panic!("{:?}", health.condition()) };
    assert!(why.contains("there is none"), "{why}");
    let after = live.next_frame().unwrap().unwrap();
    // Pauses of 0.5, 1 and 2 s.
    let passed = begun.elapsed().as_secs_f64();
    assert!((3.4..6.0).contains(&passed), "{passed}");
    assert_eq!((tries.load(Ordering::SeqCst), health.reopened()), (3, 1));
    assert!(health.is_good());
    assert!(after.sequence > before.sequence);
    assert!((after.time - before.time - passed).abs() < 0.3, "the gap is in the time");
}

#[test]
fn a_stall_is_seen_and_over_with_the_next_picture() {
    let first = fake(&[Act::Picture, Act::Wait(400), Act::Picture]);
    let mut live = LiveSource::new(first, Box::new(|| Err(refused())), timeouts(100, None)).unwrap();
    let health = live.health().unwrap();
    live.next_frame().unwrap().unwrap();
    assert!(health.is_good());
    thread::sleep(Duration::from_millis(250));
    assert!(matches!(health.condition(), Condition::Stalled(_)), "{:?}", health.condition());
    assert!(health.condition().sentence("fake").unwrap().contains("no picture from fake"));
    live.next_frame().unwrap().unwrap();
    assert!(health.is_good());
    assert_eq!(health.reopened(), 0);
}

#[test]
fn one_that_is_silent_for_long_is_opened_anew() {
    let again = || Ok(fake(&[Act::Picture]));
    let first = fake(&[Act::Picture, Act::Block]);
    let mut live = LiveSource::new(first, Box::new(again), timeouts(100, None)).unwrap();
    let begun = Instant::now();
    live.next_frame().unwrap().unwrap();
    live.next_frame().unwrap().unwrap();
    let passed = begun.elapsed();
    assert!(passed >= SILENCE && passed < SILENCE + Duration::from_secs(3), "{passed:?}");
    assert_eq!(live.health().unwrap().reopened(), 1);
}

#[test]
fn one_that_hangs_holds_nobody_up() {
    let first = fake(&[Act::Picture, Act::Hang]);
    let mut live = LiveSource::new(first, Box::new(|| Err(refused())), timeouts(100, None)).unwrap();
    live.next_frame().unwrap().unwrap();
    let stopper = live.stopper().unwrap();
    let begun = Instant::now();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(150));
        stopper();
    });
    assert!(live.next_frame().unwrap().is_none());
    drop(live);
    // The thread is waited for, but not for long.
    assert!(begun.elapsed() < CLOSING + Duration::from_secs(2));
}

#[test]
fn whoever_waits_for_one_that_is_gone_can_be_stopped_and_can_give_up() {
    let first = fake(&[Act::Picture, Act::End]);
    let mut live = LiveSource::new(first, Box::new(|| Err(refused())), timeouts(100, None)).unwrap();
    live.next_frame().unwrap().unwrap();
    let stopper = live.stopper().unwrap();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(700));
        stopper();
    });
    assert!(live.next_frame().unwrap().is_none());

    // What never gave a picture is not waited for.
    let never = fake(&[Act::Fail]);
    let mut live = LiveSource::new(never, Box::new(|| Err(refused())), timeouts(100, None)).unwrap();
    assert!(live.next_frame().unwrap_err().to_string().contains("pulled out"));

    let first = fake(&[Act::Picture, Act::End]);
    let mut live = LiveSource::new(first, Box::new(|| Err(refused())), timeouts(100, Some(700))).unwrap();
    live.next_frame().unwrap().unwrap();
    assert!(live.next_frame().unwrap_err().to_string().contains("there is none"));
    assert!(live.next_frame().unwrap().is_none());
}

#[test]
fn only_the_newest_picture_waits_for_a_slow_reader() {
    let first = fake(&[Act::Picture; 50]);
    let mut live = LiveSource::new(first, Box::new(|| Err(refused())), timeouts(1_000, None)).unwrap();
    thread::sleep(Duration::from_millis(100));
    assert!(live.next_frame().unwrap().unwrap().sequence >= 50);
}
