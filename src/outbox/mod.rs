//! Messages that arrive: a queue on disk for each consumer, and a thread that delivers it in order.
//!
//! A consumer that is away for a day, a program that is killed, a network that breaks off in the middle of a reply: none of them
//! may lose a message, and none may deliver one twice unnoticed. So a message is written to disk before it is sent, it is
//! crossed off once the consumer has said that it has it, and it carries an id that stays the same however often it is sent.
//! A consumer that knows the ids it has gets every message exactly once.
//!
//! ```text
//! Outbox::put ─▶ queue on disk ─▶ delivering thread ─▶ Courier ─▶ consumer
//!                     ▲                 │
//!                     └── crossed off ──┘
//! ```
//!
//! What waits is bounded in bytes and in age: of a queue that is full, the oldest messages go, and that is told. What a consumer
//! refuses for good is put aside in a file of its own beside the queue.
//!
//! | file | what it holds |
//! |---|---|
//! | `queue` | the messages of one consumer on disk |
//! | `courier` | what brings a message to its consumer; how failures are told apart |
//! | `webhook` | a courier that posts to an HTTP address |
//! | `mqtt` | a courier that publishes to a broker |
//! | `address` | the parts of an address |

mod address;
mod courier;
mod mqtt;
mod queue;
mod webhook;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

pub use self::address::{key, shown};
pub use self::courier::{Courier, Failure};
pub use self::mqtt::Mqtt;
pub use self::queue::{Limits, Message, QueueError};
pub use self::webhook::Webhook;

use self::queue::Queue;

/// How long the end waits for a courier that is in the middle of a message.
const MOMENT: Duration = Duration::from_secs(1);
/// How long it waits after a failure, at first and at most; doubled each time.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The messages for one consumer.
pub struct Outbox {
    shared: Arc<Shared>,
    folder: PathBuf,
    thread: Option<JoinHandle<()>>,
    ids: Ids,
    /// The last message that was put in had old ones go.
    is_full: bool,
}

struct Shared {
    /// Who it is for, without secrets.
    name: String,
    queue: Mutex<Queue>,
    states: Mutex<BTreeMap<String, State>>,
    /// Something was put in, delivered, or the end was asked for.
    changed: Condvar,
    ended: AtomicBool,
}

/// How things stand, under one topic.
struct State {
    body: String,
    told: bool,
}

impl Shared {
    fn states(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A state that is not told yet.
    fn untold(&self) -> Option<(String, String)> {
        let states = self.states();
        states.iter().find(|(_, state)| !state.told).map(|(topic, state)| (topic.clone(), state.body.clone()))
    }

    /// The queue is whole after every statement, so that a panic of another thread does not spoil it.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Waits until something changes, at most so long.
    fn wait(&self, queue: MutexGuard<'_, Queue>, time: Duration) {
        drop(self.changed.wait_timeout(queue, time).unwrap_or_else(PoisonError::into_inner));
    }
}

/// Ids that no other run gives.
#[derive(Debug)]
struct Ids {
    run: String,
    next: u64,
}

impl Ids {
    fn new() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { run: format!("{:x}-{:08x}", since.as_millis(), fastrand::u32(..)), next: 0 }
    }

    fn next(&mut self) -> String {
        self.next += 1;
        format!("{}-{}", self.run, self.next)
    }
}

impl Outbox {
    /// Opens the queue of a consumer in a folder of its own below `folder`, and begins to deliver what an earlier run has left
    /// in it. `name`: who it is for, as it is told; `key`: what tells consumers apart, without passwords, as
    /// the folder's name follows from it.
    ///
    /// # Errors
    /// [`QueueError`] where the folder cannot be written, and where the system gives no thread.
    pub fn open(
        folder: &Path,
        (name, key): (&str, &str),
        limits: Limits,
        courier: impl Courier + 'static,
    ) -> Result<Self, QueueError> {
        let queue = Queue::open(folder, key, limits)?;
        let (waiting, folder) = (queue.len(), queue.folder().to_owned());
        if waiting > 0 {
            log::info!("{name}: {waiting} messages of an earlier run are delivered first");
        }
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            queue: Mutex::new(queue),
            states: Mutex::default(),
            changed: Condvar::new(),
            ended: AtomicBool::new(false),
        });
        let worker = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("outbox".to_owned());
        let thread = thread.spawn(move || deliver(&worker, courier)).map_err(QueueError::thread)?;
        Ok(Self { shared, folder, thread: Some(thread), ids: Ids::new(), is_full: false })
    }

    /// Puts a message in: `body` makes it of the id that it gets. It is on disk when this returns, and survives a kill of the
    /// program; a cut of the power may take what was put in within the last moments.
    ///
    /// # Errors
    /// [`QueueError`] where it cannot be written: a full disk. What is in the queue already stays.
    pub fn put(&mut self, body: impl FnOnce(&str) -> String) -> Result<(), QueueError> {
        let id = self.ids.next();
        let body = body(&id);
        let mut queue = self.shared.lock();
        let dropped = queue.put(Message { id, body })?;
        drop(queue);
        self.shared.changed.notify_all();
        if dropped > 0 && !self.is_full {
            log::warn!(
                "{}: too much waits for it, or for too long: the oldest messages go",
                self.shared.name
            );
        }
        self.is_full = dropped > 0;
        Ok(())
    }

    /// Says how things stand under a topic, to consumers that know states. It is told once it can be, and again on every new
    /// connection; what it said before is forgotten. Not kept on disk: the next run says how things stand then.
    pub fn set_state(&self, topic: &str, body: String) {
        let mut states = self.shared.states();
        if states.get(topic).is_some_and(|state| state.body == body) {
            return;
        }
        states.insert(topic.to_owned(), State { body, told: false });
        drop(states);
        self.shared.changed.notify_all();
    }

    /// Where its messages lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many messages wait.
    pub fn waiting(&self) -> usize {
        self.shared.lock().len()
    }

    /// Waits until all is delivered and told, at most so long; gives how many messages stay in the queue for the next run.
    pub fn finish(mut self, patience: Duration) -> usize {
        let begun = Instant::now();
        loop {
            let queue = self.shared.lock();
            let left = patience.saturating_sub(begun.elapsed());
            if left.is_zero() || queue.len() == 0 && self.shared.untold().is_none() {
                break;
            }
            self.shared.wait(queue, left.min(Duration::from_millis(100)));
        }
        self.end();
        self.waiting()
    }

    /// A courier that is in the middle of a message gets a moment. What it has not delivered by then is on disk.
    fn end(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.shared.changed.notify_all();
        let Some(thread) = self.thread.take() else { return };
        let begun = Instant::now();
        while !thread.is_finished() && begun.elapsed() < MOMENT {
            std::thread::sleep(Duration::from_millis(5));
        }
        if thread.is_finished() {
            let _ = thread.join();
        }
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.end();
    }
}

/// The delivering thread: one message after the other, each again and again until it is there or refused, and between them how
/// things stand.
fn deliver(shared: &Shared, mut courier: impl Courier) {
    let mut pause = PAUSE;
    let mut away: Option<Instant> = None;
    let mut connections = courier.connections();
    while !shared.is_ended() {
        let outcome = next(shared, &mut courier);
        if std::mem::replace(&mut connections, courier.connections()) != connections {
            shared.states().values_mut().for_each(|state| state.told = false);
        }
        let Err(why) = outcome else {
            if let Some(since) = away.take() {
                log::warn!("{}: it takes messages again after {:.0?}", shared.name, since.elapsed());
            }
            pause = PAUSE;
            continue;
        };
        if away.is_none() {
            away = Some(Instant::now());
            log::warn!("{}: {why}; what is to be delivered waits on disk", shared.name);
        }
        let begun = Instant::now();
        while !shared.is_ended() && begun.elapsed() < pause {
            std::thread::sleep(Duration::from_millis(20));
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    courier.goodbye();
}

/// Delivers a message, or tells a state, or waits for either; fails where it has to be tried again later.
fn next(shared: &Shared, courier: &mut impl Courier) -> Result<(), String> {
    let mut queue = shared.lock();
    let first = queue.first().map_err(|error| format!("{}: {error}", queue.folder().display()))?;
    if let Some(message) = first {
        drop(queue);
        match courier.deliver(&message) {
            Ok(()) => cross_off(shared, &message, None),
            Err(Failure::Refused(why)) => {
                log::warn!("{}: it refuses a message, which is put aside: {why}", shared.name);
                cross_off(shared, &message, Some(&why));
            }
            Err(Failure::Later(why)) => return Err(why),
        }
        return Ok(());
    }
    if let Some((topic, body)) = shared.untold() {
        drop(queue);
        match courier.state(&topic, &body) {
            Err(Failure::Later(why)) => return Err(why),
            Err(Failure::Refused(why)) => log::warn!("{}: {why}", shared.name),
            Ok(()) => {}
        }
        // It may stand otherwise by now.
        if let Some(state) = shared.states().get_mut(&topic).filter(|state| state.body == body) {
            state.told = true;
        }
        return Ok(());
    }
    shared.wait(queue, Duration::from_secs(1));
    match courier.idle() {
        Err(Failure::Later(why) | Failure::Refused(why)) => Err(why),
        Ok(()) => Ok(()),
    }
}

/// The message is done with.
fn cross_off(shared: &Shared, message: &Message, refused: Option<&str>) {
    let mut queue = shared.lock();
    let outcome = match refused {
        Some(why) => queue.put_aside(message, why),
        None => queue.cross_off(message),
    };
    drop(queue);
    shared.changed.notify_all();
    if let Err(error) = outcome {
        // It is sent again by the next run, with the same id.
        log::warn!("{}: {error}", shared.name);
    }
}

#[cfg(test)]
mod tests;
