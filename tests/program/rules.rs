//! Rules: what is told of boxes from a file and of the demo clip, live and dry, and what is told where something is wrong.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use crate::common::{demo, names, run_in};

#[cfg(feature = "messages")]
mod broker {
    //! A real broker, and what it keeps.

    use std::collections::BTreeMap;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::path::Path;
    use std::process::{Child, Command, Stdio};
    use std::time::Duration;

    use crate::common::{has, wait_until};

    pub(super) struct Broker {
        child: Child,
        pub(super) port: u16,
    }

    impl Broker {
        /// `None` where there is no mosquitto.
        pub(super) fn start() -> Option<Self> {
            // Debian has it where not every user looks.
            let sbin = "/usr/sbin/mosquitto";
            let program = if Path::new(sbin).is_file() { sbin } else { "mosquitto" };
            if program != sbin && !has(program) {
                return None;
            }
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut command = Command::new(program);
            command.args(["-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
            let broker = Self { child: command.spawn().unwrap(), port };
            wait_until("the broker", 20, || TcpStream::connect(("127.0.0.1", port)).is_ok());
            Some(broker)
        }

        /// The messages that it keeps, by their topics.
        pub(super) fn kept(&self) -> BTreeMap<String, String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(700))).unwrap();
            stream.write_all(b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03see").unwrap();
            stream.write_all(b"\x82\x06\x00\x01\x00\x01#\x00").unwrap();
            let mut kept = BTreeMap::new();
            // Nothing more comes once it has sent what it keeps.
            while let Some((kind, body)) = packet(&mut stream) {
                if kind >> 4 == 3 {
                    let length = usize::from(body[0]) << 8 | usize::from(body[1]);
                    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                    kept.insert(text(&body[2..2 + length]), text(&body[2 + length..]));
                }
            }
            kept
        }
    }

    fn packet(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        let kind = byte[0];
        let (mut length, mut shift) = (0, 0);
        loop {
            stream.read_exact(&mut byte).ok()?;
            length |= usize::from(byte[0] & 0x7f) << shift;
            shift += 7;
            if byte[0] & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        Some((kind, body))
    }

    impl Drop for Broker {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// One who walks to the right, over x = 320 in frame 26 or so, and stays at the right from frame 44 on.
fn make_boxes(folder: &Path) {
    let row = |frame: i32| format!("{frame},-1,{},100,40,100,0.9\n", (40 + 10 * frame).min(500));
    fs::write(folder.join("det.txt"), (1..=120).map(row).collect::<String>()).unwrap();
}

const SETTINGS: &str = "\
[[line]]
name = \"middle\"
points = [[0.5, 1.0], [0.5, 0.0]]
[[zone]]
name = \"right\"
corners = [[0.6, 0.0], [1.0, 0.0], [1.0, 1.0], [0.6, 1.0]]
[[rule]]
name = \"stays\"
when = \"person in right for 2 s\"
[[rule]]
name = \"comes\"
when = \"person crosses middle in\"
[[rule]]
name = \"many\"
when = \"count(person in right) >= 2\"
";

const BOXES: [&str; 6] = ["--detections", "det.txt", "--size", "640x480", "--fps", "10"];

fn json_lines(text: &str) -> Vec<Json> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn events_of_rules_go_where_events_go_and_end_with_the_run() {
    let folder = tempfile::tempdir().unwrap();
    make_boxes(folder.path());
    fs::write(folder.path().join("config.toml"), SETTINGS).unwrap();
    let outputs = ["--events", "e.jsonl", "--events", "e.csv"];
    run_in(folder.path(), &[&["track"], &BOXES[..], &outputs].concat()).ok();
    let events = json_lines(&fs::read_to_string(folder.path().join("e.jsonl")).unwrap());
    let of_rules: Vec<&Json> = events.iter().filter(|event| event["rule"].is_string()).collect();
    let told: Vec<String> = of_rules
        .iter()
        .map(|event| format!("{} {}", event["event"].as_str().unwrap(), event["event_id"].as_str().unwrap()))
        .collect();
    assert_eq!(told, ["start comes-1", "end comes-1", "start stays-1", "end stays-1"]);
    let [comes, _, stays, ends] = of_rules.as_slice() else { panic!() };
    let time = |event: &Json| event["time"].as_f64().unwrap();
    let entered = events.iter().find(|event| event["event"] == "enter").unwrap();
    let crossed = events.iter().find(|event| event["event"] == "cross").unwrap();
    assert_eq!(time(comes), time(crossed));
    assert!((time(stays) - time(entered) - 2.0).abs() < 1e-6, "{stays} {entered}");
    assert_eq!(
        (&stays["class"], &stays["zone"], &stays["track"]),
        (&"person".into(), &"right".into(), &1.into())
    );
    // It is still there in the last frame, the one at 11.9 s.
    assert!((time(ends) - 11.9).abs() < 0.001, "{ends}");
    assert!((ends["duration"].as_f64().unwrap() - (11.9 - time(stays))).abs() < 0.01, "{ends}");
    let table = fs::read_to_string(folder.path().join("e.csv")).unwrap();
    assert!(table.lines().next().unwrap().ends_with(",wall,rule,event_id,duration"), "{table}");
    assert!(table.lines().last().unwrap().contains(",stays,stays-1,"), "{table}");
}

#[test]
fn a_dry_run_shows_what_would_have_been_told() {
    let folder = tempfile::tempdir().unwrap();
    make_boxes(folder.path());
    fs::write(folder.path().join("config.toml"), SETTINGS).unwrap();
    let dry = |more: &[&str]| run_in(folder.path(), &[&["events"], &BOXES[..], more].concat()).ok();
    let done = dry(&[]);
    let rows: Vec<Vec<&str>> = done.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["TIME", "FRAME", "RULE", "TRACK", "CLASS", "LASTED"], "{done:#?}");
    assert_eq!(
        (rows[1][2], rows[1][3], rows[1][4], rows[1][5]),
        ("comes", "1", "person", "0.0"),
        "{done:#?}"
    );
    assert_eq!((rows[2][2], rows.len()), ("stays", 3), "{done:#?}");
    assert!(done.stderr.contains("\"stays\" 1, \"comes\" 1, \"many\" never"), "{done:#?}");
    assert_eq!(names(folder.path()), ["config.toml", "det.txt"]);
    let objects = json_lines(&dry(&["--json"]).stdout);
    assert_eq!(objects.len(), 2);
    assert_eq!((&objects[1]["rule"], &objects[1]["zone"]), (&"stays".into(), &"right".into()));
    assert!(objects[1]["end"].as_f64().unwrap() > 11.8 && objects[1]["frame"].as_u64().unwrap() > 50);
    // Conditions from the command line, in the place of those of the file.
    let done = dry(&["--rule", "anything in right", "--rule", "nobody for 1h"]);
    assert!(done.stdout.lines().count() == 2 && done.stdout.contains(" anything in right "), "{done:#?}");
    assert!(done.stderr.contains("\"anything in right\" 1, \"nobody for 1h\" never"), "{done:#?}");
    let none = dry(&["--rule", "car in right"]);
    assert_eq!(none.stdout, "no event\n");
    // By night.
    let night = ["--rule", "person in right and between 22:00 and 22:00:08"];
    let done = dry(&night);
    assert!(done.stdout == "no event\n" && done.stderr.contains("source.began"), "{done:#?}");
    let done = dry(&[&night[..], &["--began", "22:00"]].concat());
    assert_eq!(done.stdout.lines().count(), 2, "{done:#?}");
    assert!(!done.stderr.contains("source.began"), "{done:#?}");
}

#[test]
fn mistakes_in_rules_are_told_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    make_boxes(folder.path());
    let events = |more: &[&str]| run_in(folder.path(), &[&["events"], &BOXES[..], more].concat());
    events(&[]).fails(2, &["there is no rule to ask", "no config file", "--rule"]);
    fs::write(folder.path().join("config.toml"), SETTINGS).unwrap();
    events(&["--rule", "person inn right"])
        .fails(2, &["--rule \"person inn right\"", "1:8", "did you mean \"in\"?"]);
    events(&["--rule", "person in rigt"])
        .fails(2, &["1:11", "no zone \"rigt\"; did you mean \"right\"? (known: right)"]);
    events(&["--rule", "persn"]).fails(2, &["1:1: there is no class \"persn\"; did you mean \"person\"?"]);
    events(&["--began", "25:00"]).fails(2, &["source.began cannot be \"25:00\"", "23:59"]);
    events(&["--pictures", "p"]).fails(2, &["--pictures needs the recording"]);
    run_in(folder.path(), &["events"]).fails(2, &["RECORDING"]);
    let wrong = SETTINGS.replace("person in right for 2 s", "person in right for 2");
    fs::write(folder.path().join("config.toml"), wrong).unwrap();
    let told = ["config.toml:9:1: rule.1: when 1:22: the text ends here: expected is a unit of time"];
    events(&[]).fails(2, &told);
    run_in(folder.path(), &["config", "check"]).fails(2, &told);
}

/// On real pixels: who was in the right half for a second by the tracks is who was told of, from then on.
#[test]
fn the_demo_clip_gives_the_events_that_its_tracks_give() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "[[zone]]\nname = \"half\"\ncorners = [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]\nband = 0\nstay_seconds = 0\n\
                    [[rule]]\nname = \"stays\"\nwhen = \"anything in half for 1 s\"\n";
    fs::write(folder.path().join("config.toml"), settings).unwrap();
    let outputs = ["--tracks", "t.jsonl", "--events", "e.jsonl"];
    run_in(folder.path(), &[&["track", &demo()], &outputs[..]].concat()).ok();
    let read = |name: &str| json_lines(&fs::read_to_string(folder.path().join(name)).unwrap());
    let events = read("e.jsonl");
    let told: BTreeMap<u64, f64> = (events.iter().rev())
        .filter(|event| event["event"] == "start")
        .map(|event| (event["track"].as_u64().unwrap(), event["time"].as_f64().unwrap()))
        .collect();
    assert!(told.len() >= 2, "{told:?}");
    // By the tracks: since when each has been in the half without a break, where it has been for a second.
    let (mut since, mut stayed) = (BTreeMap::<u64, f64>::new(), BTreeMap::<u64, f64>::new());
    for frame in read("t.jsonl") {
        let (time, width) = (frame["time"].as_f64().unwrap(), frame["width"].as_f64().unwrap());
        for track in frame["tracks"].as_array().unwrap().iter().filter(|track| track["state"] == "seen") {
            let id = track["id"].as_u64().unwrap();
            let side = |index: usize| track["box"][index].as_f64().unwrap();
            let middle = (side(0).max(0.0) + (side(0) + side(2)).min(width)) / 2.0;
            if middle < width / 2.0 {
                since.remove(&id);
            } else if time - *since.entry(id).or_insert(time) >= 1.0 {
                stayed.entry(id).or_insert(since[&id] + 1.0);
            }
        }
    }
    for (id, time) in &told {
        let expected =
            stayed.get(id).unwrap_or_else(|| panic!("{id} is told and did not stay: {told:?} {stayed:?}"));
        // Never later than by the tracks but for the time between two frames; it may have been in the zone for a while
        // before it was believed.
        assert!((-0.15..1.2).contains(&(expected - time)), "{id}: {time}, by the tracks {expected}");
    }
    assert!(stayed.keys().all(|id| told.contains_key(id)), "{told:?} {stayed:?}");

    // Dry, it is the same, with pictures in which the boxes are drawn.
    let dry = ["events", &demo(), "--json", "--pictures", "found"];
    let objects = json_lines(&run_in(folder.path(), &dry).ok().stdout);
    let starts: Vec<&Json> = events.iter().filter(|event| event["event"] == "start").collect();
    let key = |event: &Json| (event["event_id"].clone(), event["track"].clone(), event["frame"].clone());
    assert_eq!(
        objects.iter().map(key).collect::<Vec<_>>(),
        starts.iter().map(|e| key(e)).collect::<Vec<_>>()
    );
    let found = names(&folder.path().join("found"));
    assert_eq!(found.len(), objects.len(), "{found:?}");
    for object in &objects {
        let path = folder.path().join(object["picture"].as_str().unwrap());
        let picture = image::open(&path).unwrap().to_rgb8();
        assert!(picture.width() >= 320, "{path:?}");
    }
}

/// What a broker keeps of a rule: on while it holds, off when the run has ended, and off again after a kill.
#[cfg(feature = "messages")]
#[test]
fn a_rule_never_stays_on() {
    use crate::common::{trailsight, wait_for, wait_until};
    use std::process::{Child, Stdio};

    let Some(broker) = broker::Broker::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), SETTINGS).unwrap();
    let address = format!("mqtt://127.0.0.1:{}/yard", broker.port);
    let start = || -> Child {
        let mut command = trailsight();
        command.current_dir(folder.path()).env("XDG_STATE_HOME", folder.path().join("state"));
        command.arg("track").args(BOXES).args(["--events", &address]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let stays = || -> Option<Json> { serde_json::from_str(broker.kept().get("yard/rules/stays")?).ok() };
    make_boxes(folder.path());
    wait_for(start(), 60).ok();
    let state = stays().unwrap();
    assert_eq!((&state["active"], &state["started"], &state["since"]), (&0.into(), &1.into(), &Json::Null));
    let kept = broker.kept();
    assert_eq!(kept["yard/available"], "offline", "{kept:?}");
    let home: Json = serde_json::from_str(&kept["homeassistant/device/trailsight_yard/config"]).unwrap();
    let rule = &home["components"]["rule_stays"];
    assert_eq!(
        (&rule["platform"], &rule["state_topic"]),
        (&"binary_sensor".into(), &"yard/rules/stays".into())
    );

    // Killed while it is on: its last will says that it is gone, and the next run begins with off.
    let row = |frame: i32| format!("{frame},-1,500,100,40,100,0.9\n");
    fs::write(folder.path().join("det.txt"), (1..=400_000).map(row).collect::<String>()).unwrap();
    let mut child = start();
    wait_until("the rule to be on", 60, || stays().is_some_and(|state| state["active"] == 1));
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the last will", 60, || broker.kept()["yard/available"] == "offline");
    assert_eq!(stays().unwrap()["active"], 1);
    fs::write(folder.path().join("det.txt"), "1,-1,0,0,40,100,0.9\n").unwrap();
    wait_for(start(), 60).ok();
    assert_eq!(stays().unwrap()["active"], 0);
}

#[test]
fn pictures_of_two_recordings_of_one_name_are_both_kept() {
    let folder = tempfile::tempdir().unwrap();
    for place in ["a", "b"] {
        fs::create_dir(folder.path().join(place)).unwrap();
        fs::copy(demo(), folder.path().join(place).join("demo.avi")).unwrap();
    }
    let events = ["events", "a/demo.avi", "b/demo.avi", "--end", "3", "--rule", "person for 1 s"];
    let told = run_in(folder.path(), &[&events[..], &["--json", "--pictures", "found"]].concat()).ok();
    let objects = json_lines(&told.stdout);
    let found = names(&folder.path().join("found"));
    assert!(objects.len() >= 4 && found.len() == objects.len(), "{found:?} {}", told.stdout);
}
