use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;

use super::queue::Queue;
use super::*;

const LIMITS: Limits = Limits { bytes: 1 << 20, age: Duration::from_secs(3600) };

/// A folder that is removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let path =
            std::env::temp_dir().join(format!("trailsight-outbox-{name}-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn queue(&self, limits: Limits) -> Queue {
        Queue::open(&self.0, "http://consumer", limits).unwrap()
    }

    /// The folder of the one queue in it.
    fn inner(&self) -> PathBuf {
        fs::read_dir(&self.0).unwrap().next().unwrap().unwrap().path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn message(number: usize) -> Message {
    // Text of any length and with any character.
    Message {
        id: format!("m-{number}"),
        body: format!("{{\"n\":{number}}}\n\"ü{}", "x".repeat(number * 37 % 500)),
    }
}

fn drain(queue: &mut Queue) -> Vec<Message> {
    let mut all = Vec::new();
    while let Some(message) = queue.first().unwrap() {
        queue.cross_off(&message).unwrap();
        all.push(message);
    }
    all
}

#[test]
fn messages_come_out_in_order_and_stay_over_a_new_start() {
    let folder = Folder::new("order");
    let mut queue = folder.queue(LIMITS);
    for number in 0..10 {
        assert_eq!(queue.put(message(number)).unwrap(), 0);
    }
    for number in 0..4 {
        let first = queue.first().unwrap().unwrap();
        assert_eq!(first, message(number));
        queue.cross_off(&first).unwrap();
    }
    drop(queue);
    let mut queue = folder.queue(LIMITS);
    assert_eq!(queue.len(), 6);
    queue.put(message(10)).unwrap();
    assert_eq!(drain(&mut queue), (4..=10).map(message).collect::<Vec<_>>());
    drop(queue);
    assert_eq!(folder.queue(LIMITS).len(), 0);
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_put_in_and_brings_back_nothing_that_was_crossed_off() {
    let folder = Folder::new("kill");
    let mut random = fastrand::Rng::with_seed(5);
    let mut queue = folder.queue(LIMITS);
    let (mut put, mut done) = (0, 0);
    for _ in 0..3000 {
        if random.u8(..) < 140 {
            queue.put(message(put)).unwrap();
            put += 1;
        } else if let Some(first) = queue.first().unwrap() {
            assert_eq!(first, message(done));
            queue.cross_off(&first).unwrap();
            done += 1;
        }
        if random.u8(..) < 12 {
            // A message that was only half written when the end came.
            drop(queue);
            let newest = super::queue::tests::in_use(&folder.inner());
            let half = &b"{\"id\":\"half\",\"at\":1,\"body\":\"abc\"}"[..random.usize(1..30)];
            let mut bytes = fs::read(&newest).unwrap();
            bytes.extend_from_slice(half);
            fs::write(&newest, bytes).unwrap();
            // And a new file that `done` does not name yet.
            fs::write(folder.inner().join("messages-999999.jsonl"), "rubbish").unwrap();
            queue = folder.queue(LIMITS);
            assert_eq!(queue.len(), put - done);
        }
    }
    assert_eq!(drain(&mut queue), (done..put).map(message).collect::<Vec<_>>());
    drop(queue);
    let left: u64 =
        fs::read_dir(folder.inner()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!(left < 1 << 20, "{left} bytes are left of an empty queue");
}

#[test]
fn of_a_full_queue_the_oldest_messages_go() {
    let folder = Folder::new("full");
    let limits = Limits { bytes: 20_000, ..LIMITS };
    let mut queue = folder.queue(limits);
    let dropped: usize = (0..5000).map(|number| queue.put(message(number)).unwrap()).sum();
    let left = drain(&mut queue);
    assert_eq!((dropped + left.len(), left.last()), (5000, Some(&message(4999))));
    assert!(left.len() > 40, "{}", left.len());
    let longest = Message { id: "long".to_owned(), body: "x".repeat(2 << 20) };
    assert!(queue.put(longest).unwrap_err().to_string().contains("longer than a megabyte"));
    queue.put(message(7)).unwrap();
    assert_eq!(drain(&mut queue), [message(7)]);
}

#[test]
fn what_is_too_old_goes() {
    let folder = Folder::new("old");
    let mut queue = folder.queue(LIMITS);
    queue.put(message(1)).unwrap();
    let path = super::queue::tests::in_use(&folder.inner());
    drop(queue);
    let text = fs::read_to_string(&path).unwrap();
    let at = text.find("\"at\":").unwrap() + 5;
    let end = at + text[at..].find(',').unwrap();
    fs::write(&path, format!("{}1{}", &text[..at], &text[end..])).unwrap();
    let mut queue = folder.queue(LIMITS);
    assert_eq!(queue.len(), 0);
    queue.put(message(2)).unwrap();
    assert_eq!(drain(&mut queue), [message(2)]);
}

#[test]
fn any_bytes_in_the_folder_are_survived() {
    let mut random = fastrand::Rng::with_seed(9);
    for _ in 0..200 {
        let folder = Folder::new("bytes");
        let mut queue = folder.queue(LIMITS);
        for number in 0..5 {
            queue.put(message(number)).unwrap();
        }
        drop(queue);
        let files: Vec<PathBuf> =
            fs::read_dir(folder.inner()).unwrap().map(|entry| entry.unwrap().path()).collect();
        let file = &files[random.usize(..files.len())];
        let mut bytes = fs::read(file).unwrap();
        for _ in 0..random.usize(1..8) {
            let at = random.usize(..=bytes.len());
            match random.u8(..3) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, random.u8(..)),
                _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = random.u8(..)),
            }
        }
        fs::write(file, bytes).unwrap();
        let mut queue = folder.queue(LIMITS);
        queue.put(message(77)).unwrap();
        assert_eq!(drain(&mut queue).last(), Some(&message(77)));
    }
}

#[test]
fn two_runs_at_a_time_have_queues_of_their_own() {
    let folder = Folder::new("two");
    let (mut one, mut two) = (folder.queue(LIMITS), folder.queue(LIMITS));
    one.put(message(1)).unwrap();
    two.put(message(2)).unwrap();
    let body = one.first().unwrap().unwrap();
    assert_eq!((body, two.first().unwrap().unwrap()), (message(1), message(2)));
    // What both leave is delivered by the next one.
    drop((one, two));
    let mut next = folder.queue(LIMITS);
    assert_eq!(drain(&mut next), [message(1), message(2)]);
    drop(next);
    assert_eq!(folder.queue(LIMITS).len(), 0);
}

#[test]
fn a_message_that_is_damaged_while_it_waits_does_not_stop_the_others() {
    let folder = Folder::new("damaged");
    let mut queue = folder.queue(LIMITS);
    (0..3).for_each(|number| assert_eq!(queue.put(message(number)).unwrap(), 0));
    let path = super::queue::tests::in_use(&folder.inner());
    let mut bytes = fs::read(&path).unwrap();
    bytes[3] = b'!';
    fs::write(&path, bytes).unwrap();
    assert_eq!(drain(&mut queue), [message(1), message(2)]);
}

/// Takes some messages, is away now and then, refuses some, and forgets to say that it has one.
struct Moody {
    random: fastrand::Rng,
    taken: Arc<Mutex<Vec<Message>>>,
}

impl Courier for Moody {
    fn deliver(&mut self, message: &Message) -> Result<(), Failure> {
        if message.body.contains("refuse") {
            return Err(Failure::Refused("no".to_owned()));
        }
        if self.random.u8(..) < 8 {
            return Err(Failure::Later("away".to_owned()));
        }
        self.taken.lock().unwrap().push(message.clone());
        if self.random.u8(..) < 8 { Err(Failure::Later("the answer is lost".to_owned())) } else { Ok(()) }
    }
}

#[test]
fn a_consumer_gets_every_message_whatever_happens_and_knows_those_that_come_twice() {
    let folder = Folder::new("moody");
    let taken = Arc::default();
    let mut put = Vec::new();
    for run in 0..4 {
        let courier = Moody { random: fastrand::Rng::with_seed(run), taken: Arc::clone(&taken) };
        let mut outbox = Outbox::open(&folder.0, ("consumer", "http://consumer"), LIMITS, courier).unwrap();
        for number in 0..60 {
            let refuse = if number == 30 { "refuse" } else { "" };
            let mut given = String::new();
            outbox
                .put(|id| {
                    given = id.to_owned();
                    format!("{run} {number} {refuse}")
                })
                .unwrap();
            put.push((given, number == 30));
        }
        // Some runs end at once, the last one waits.
        let left = outbox.finish(if run == 3 { Duration::from_secs(60) } else { Duration::ZERO });
        assert!(run < 3 || left == 0, "{left} are left");
    }
    let taken = taken.lock().unwrap();
    let mut known = BTreeSet::new();
    let once: Vec<&str> =
        taken.iter().map(|message| message.id.as_str()).filter(|id| known.insert(*id)).collect();
    let expected: Vec<&str> = put.iter().filter(|(_, refused)| !refused).map(|(id, _)| id.as_str()).collect();
    assert_eq!(once, expected);
    let aside = fs::read_to_string(folder.inner().join("refused.jsonl")).unwrap();
    assert_eq!(aside.lines().count(), 4);
}
