//! The examples of `examples/`, run as they are.

use trailsight::attribute::Value;

#[allow(dead_code, unreachable_pub, reason = "it is a program of its own elsewhere")]
#[path = "../../examples/own_detections.rs"]
mod own_detections;
#[allow(dead_code, unreachable_pub, reason = "it is a program of its own elsewhere")]
#[path = "../../examples/own_sink.rs"]
mod own_sink;
#[allow(dead_code, unreachable_pub, reason = "it is a program of its own elsewhere")]
#[path = "../../examples/own_stage.rs"]
mod own_stage;
#[cfg(feature = "cli")]
#[allow(dead_code, unreachable_pub, reason = "it is a program of its own elsewhere")]
#[path = "../../examples/track_folder.rs"]
mod track_folder;

#[test]
fn own_detections_become_two_tracks_that_pass_each_other() {
    let scenes = own_detections::track(50).unwrap();
    assert_eq!(scenes.len(), 50);
    let last = scenes.last().unwrap();
    let places: Vec<_> = last.tracks.iter().map(|track| (track.id, track.rect.left.round())).collect();
    assert_eq!(places, [(1, 118.0), (2, 162.0)]);
}

#[test]
fn the_own_sink_writes_one_line_for_each_object() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("visits.txt");
    own_sink::run(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, "# made up\n1 person 0.00 3.96\n2 car 0.00 1.96\n");
    let error = own_sink::run(&folder.path().join("none/visits.txt")).unwrap_err();
    assert!(error.to_string().contains("none/visits.txt"), "{error}");
}

#[test]
fn the_own_stage_tells_of_each_crossing_once() {
    let events = own_stage::run(100).unwrap();
    let told: Vec<_> =
        events.iter().map(|e| (e.track, e.detail("direction").and_then(Value::as_text))).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told.contains(&(Some(1), Some("to the right"))) && told.contains(&(Some(2), Some("to the left")))
    );
}

#[cfg(feature = "cli")]
#[test]
fn a_folder_of_images_is_tracked() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["1.png", "2.png", "3.png"] {
        std::fs::copy("tests/photos/dogs-large.png", folder.path().join(name)).unwrap();
    }
    let mut lines = Vec::new();
    track_folder::track(folder.path(), |line| lines.push(line)).unwrap();
    let dogs = |frame: &str| lines.iter().filter(|l| l.starts_with(frame) && l.contains(" dog ")).count();
    assert!(dogs("0 ") > 0 && dogs("0 ") == dogs("2 "), "{lines:#?}");
    let error = track_folder::track(&folder.path().join("none"), |_| ()).unwrap_err();
    assert!(error.to_string().contains("none"), "{error}");
}
