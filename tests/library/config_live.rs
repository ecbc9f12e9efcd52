//! The config file edited while the program runs, with real files: what is told, and that nothing else is.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use trailsight::config::{Live, Loaded, Reload, Watch};

/// What an edit is waited for at the most; it takes a tenth of that, but the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(5);
/// Long enough that whatever would be told has been told.
const SILENCE: Duration = Duration::from_millis(500);

struct Edited {
    path: PathBuf,
    live: Live,
    watch: Watch,
}

impl Edited {
    fn new(path: &Path, text: &str) -> Self {
        fs::write(path, text).unwrap();
        let live = Live::new(Loaded::load(Some(path), &[]).unwrap());
        let watch = live.watch().unwrap();
        // Edits come after the watching has begun.
        std::thread::sleep(Duration::from_millis(150));
        Self { path: path.to_owned(), live, watch }
    }

    /// What the next reading comes to.
    fn next(&mut self) -> Reload {
        let started = Instant::now();
        let reading = self.watch.readings().recv_timeout(PATIENCE).expect("the edit is told");
        eprintln!("told after {:?}", started.elapsed());
        self.live.take(reading)
    }

    fn is_silent(&mut self) -> bool {
        self.watch.readings().recv_timeout(SILENCE).is_err()
    }

    fn confidence(&self) -> f32 {
        self.live.settings().detector.confidence
    }

    /// Waits until the confidence is `expected`, over readings of whatever kind.
    fn comes_to(&mut self, expected: f32) {
        let until = Instant::now() + PATIENCE;
        while self.confidence() != expected {
            assert!(Instant::now() < until, "it stays {}", self.confidence());
            self.next();
        }
    }
}

fn text(confidence: f32) -> String {
    format!("# a file\n[detector]\nconfidence = {confidence}\n")
}

/// Writes beside and renames, as most editors do.
fn replace(path: &Path, text: &str) {
    let beside = path.with_extension("swp");
    fs::write(&beside, text).unwrap();
    fs::rename(&beside, path).unwrap();
}

#[test]
fn every_way_of_saving_takes_effect() {
    let folder = tempfile::tempdir().unwrap();
    let mut edited = Edited::new(&folder.path().join("config.toml"), &text(0.5));
    let path = edited.path.clone();

    fs::write(&path, text(0.4)).unwrap();
    assert!(matches!(edited.next(), Reload::Changed(changes) if changes.keys == ["detector.confidence"]));
    assert_eq!(edited.confidence(), 0.4);

    replace(&path, &text(0.3));
    assert!(matches!(edited.next(), Reload::Changed(_)));
    assert_eq!(edited.confidence(), 0.3);

    // As vim saves with a backup: the file gets another name, and a new one its own.
    fs::rename(&path, path.with_extension("toml~")).unwrap();
    fs::write(&path, text(0.2)).unwrap();
    edited.comes_to(0.2);

    // Without a new line at the end, which may look like half a file.
    fs::write(&path, text(0.35).trim_end()).unwrap();
    assert!(matches!(edited.next(), Reload::Changed(_)));
    assert_eq!(edited.confidence(), 0.35);
}

#[test]
fn a_file_that_is_written_slowly_is_read_when_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let filler: String = (0..40).map(|line| format!("# line {line} of a long file\n")).collect();
    let whole = |confidence: f32| format!("{filler}[detector]\nnms_iou = 0.6\nconfidence = {confidence}\n");
    let mut edited = Edited::new(&folder.path().join("config.toml"), &whole(0.5));
    let mut file = File::create(&edited.path).unwrap();
    for piece in whole(0.4).as_bytes().chunks(300) {
        file.write_all(piece).unwrap();
        file.flush().unwrap();
        std::thread::sleep(Duration::from_millis(8));
    }
    drop(file);
    let reload = edited.next();
    assert!(
        matches!(&reload, Reload::Changed(changes) if changes.keys == ["detector.confidence"]),
        "{reload:?}"
    );
    assert!(edited.is_silent());
}

#[test]
fn a_mistake_is_told_and_mended() {
    let folder = tempfile::tempdir().unwrap();
    let mut edited = Edited::new(&folder.path().join("config.toml"), &text(0.5));
    fs::write(&edited.path, "[detector\nconfidence = 0.4\n").unwrap();
    let Reload::Wrong(error) = edited.next() else { panic!("it is a mistake") };
    assert!(error.to_string().contains("config.toml:1:"), "{error}");
    assert_eq!(edited.confidence(), 0.5);
    fs::write(&edited.path, text(0.5)).unwrap();
    assert!(matches!(edited.next(), Reload::Mended));
    assert_eq!(edited.live.problem(), None);
}

#[test]
fn a_file_that_is_deleted_and_comes_back_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let mut edited = Edited::new(&folder.path().join("config.toml"), &text(0.5));
    fs::remove_file(&edited.path).unwrap();
    assert!(matches!(edited.next(), Reload::Gone));
    assert_eq!(edited.confidence(), 0.5);
    fs::write(&edited.path, text(0.5)).unwrap();
    assert!(matches!(edited.next(), Reload::Mended));
    replace(&edited.path, &text(0.4));
    edited.comes_to(0.4);
}

#[test]
fn what_changes_nothing_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut edited = Edited::new(&folder.path().join("config.toml"), &text(0.5));
    // Touched, saved as it is, and something else in the same folder.
    File::open(&edited.path).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
    fs::write(&edited.path, text(0.5)).unwrap();
    replace(&edited.path, &text(0.5));
    fs::write(folder.path().join("other.toml"), "x").unwrap();
    assert!(edited.is_silent());

    // The program's own save: told or not, it changes nothing.
    edited.live.set("detector.nms_iou", &0.3.into()).unwrap();
    edited.live.write_back().unwrap();
    while let Ok(reading) = edited.watch.readings().recv_timeout(SILENCE) {
        assert!(matches!(edited.live.take(reading), Reload::Same));
    }
    assert_eq!(fs::read_to_string(&edited.path).unwrap(), text(0.5) + "nms_iou = 0.3\n");
    fs::write(&edited.path, text(0.4)).unwrap();
    edited.comes_to(0.4);
    assert_eq!(edited.live.settings().detector.nms_iou, 0.5, "it was taken out of the file");
}

#[cfg(unix)]
#[test]
fn links_are_followed_to_where_they_lead_now() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("real");
    fs::create_dir(&inner).unwrap();
    let (target, link) = (inner.join("mine.toml"), folder.path().join("config.toml"));
    fs::write(&target, text(0.5)).unwrap();
    symlink("real/mine.toml", &link).unwrap();
    let mut edited = Edited::new(&link, &text(0.5));
    replace(&target, &text(0.4));
    edited.comes_to(0.4);
    // Another file in its place.
    fs::write(inner.join("other.toml"), text(0.3)).unwrap();
    let new_link = folder.path().join("new");
    symlink("real/other.toml", &new_link).unwrap();
    fs::rename(&new_link, &link).unwrap();
    edited.comes_to(0.3);
    fs::write(inner.join("other.toml"), text(0.2)).unwrap();
    edited.comes_to(0.2);
    // A folder on the way that is a link itself, and is turned to another folder.
    let second = folder.path().join("second");
    fs::create_dir(&second).unwrap();
    fs::write(second.join("c.toml"), text(0.6)).unwrap();
    let way = folder.path().join("way");
    symlink(&inner, &way).unwrap();
    fs::write(inner.join("c.toml"), text(0.5)).unwrap();
    let mut edited = Edited::new(&way.join("c.toml"), &text(0.5));
    let new_way = folder.path().join("new-way");
    symlink(&second, &new_way).unwrap();
    fs::rename(&new_way, &way).unwrap();
    edited.comes_to(0.6);
}

#[test]
fn a_file_that_was_not_there_may_come() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("later").join("config.toml");
    let watch = Watch::start(&path, trailsight::config::Reading::Gone).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert!(watch.readings().try_recv().is_err());
    fs::create_dir(folder.path().join("later")).unwrap();
    fs::write(&path, text(0.4)).unwrap();
    let reading = watch.readings().recv_timeout(PATIENCE).unwrap();
    assert_eq!(reading, trailsight::config::Reading::Text(text(0.4)));
}

#[test]
fn watching_ends_with_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let edited = Edited::new(&folder.path().join("config.toml"), &text(0.5));
    let readings = edited.watch.readings().clone();
    let started = Instant::now();
    drop(edited);
    assert!(started.elapsed() < PATIENCE, "nothing is waited for");
    assert!(readings.recv_timeout(PATIENCE).is_err_and(|error| error.is_disconnected()));
}
