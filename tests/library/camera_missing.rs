//! Asking for a camera that is not there, on whatever machine this runs. What needs a camera is in `camera/run.sh`.

use trailsight::source::{CameraSettings, SourceError, camera};

#[test]
fn a_camera_that_does_not_exist_is_an_error_that_lists_those_that_do() {
    let which = "no camera has a name like this one";
    let Err(SourceError::Open { what, why }) = camera::open(which, &CameraSettings::default()) else {
        panic!("such a camera cannot be opened");
    };
    assert!(what.contains(which), "{what}");
    let cameras = camera::list().expect("the system can be asked for its cameras");
    if cameras.is_empty() {
        assert!(why.contains("there is no camera"), "{why}");
    }
    for camera in cameras {
        assert!(why.contains(&format!("{} “{}”", camera.index, camera.name)), "{why}");
    }
}

#[test]
fn every_listed_camera_has_formats_or_a_reason() {
    for camera in camera::list().expect("the system can be asked for its cameras") {
        assert_eq!(camera.formats.is_empty(), camera.note.is_some(), "{camera:?}");
        for format in camera.formats {
            assert!(format.width > 0 && format.height > 0 && format.rate.as_f64() > 0.0, "{format}");
        }
    }
}
