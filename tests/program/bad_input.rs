//! Wrong, missing and damaged input: each gets a clear error, and nothing that was achieved is lost.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::common::{self, demo, empty_path, ffmpeg, has, names, read_mot, run_in, trailsight};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

#[test]
fn what_is_not_there_is_told_with_what_is_near() {
    let folder = folder();
    fs::write(folder.path().join("holiday.mp4"), b"x").unwrap();
    run_in(folder.path(), &["track", "holidy.mp4"]).fails(1, &["holidy.mp4", "holiday.mp4"]);
    run_in(folder.path(), &["track", "no/such/folder/x.mp4"]).fails(1, &["no/such/folder/x.mp4"]);
    run_in(folder.path(), &["track", "nosuchthing"]).fails(1, &["nosuchthing", "no such file"]);
}

#[test]
fn a_folder_without_images_is_told() {
    let folder = folder();
    fs::create_dir(folder.path().join("empty")).unwrap();
    run_in(folder.path(), &["track", "empty"]).fails(1, &["empty", "no image"]);
    run_in(folder.path(), &["track", "*.png"]).fails(1, &["*.png", "no image"]);
}

#[test]
fn files_that_are_no_recording_are_told() {
    let folder = folder();
    fs::write(folder.path().join("zero.mp4"), b"").unwrap();
    fs::write(folder.path().join("text.mp4"), "dear diary\n".repeat(500)).unwrap();
    fs::write(folder.path().join("text.txt"), "dear diary\n".repeat(500)).unwrap();
    let files: &[&str] = if has("ffmpeg") {
        let tone = ["-f", "lavfi", "-i", "sine=d=1", &folder.path().join("sound.mp4").display().to_string()];
        ffmpeg(&tone);
        &["zero.mp4", "text.mp4", "text.txt", "sound.mp4"]
    } else {
        &["zero.mp4", "text.mp4", "text.txt"]
    };
    for file in files {
        let done = run_in(folder.path(), &["track", file, "--tracks", "out.txt"]).fails(1, &[file]);
        assert!(!folder.path().join("out.txt").exists(), "{done:#?}");
    }
}

#[test]
fn a_cut_mp4_is_tracked_as_far_as_it_goes_and_told() {
    if !has("ffmpeg") {
        return;
    }
    let folder = folder();
    let whole = folder.path().join("whole.mp4").display().to_string();
    ffmpeg(&[
        "-i",
        &demo(),
        "-t",
        "6",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-movflags",
        "+faststart",
        &whole,
    ]);
    let bytes = fs::read(&whole).unwrap();
    fs::write(folder.path().join("cut.mp4"), &bytes[..bytes.len() * 6 / 10]).unwrap();
    let done = run_in(folder.path(), &["track", "cut.mp4", "--tracks", "out.txt"])
        .fails(1, &["cut.mp4", "ends early"]);
    let rows = read_mot(&fs::read_to_string(folder.path().join("out.partial.txt")).unwrap());
    let last = rows.iter().map(|row| row.frame).max().unwrap_or(0);
    assert!((10..42).contains(&last), "frame {last}: {done:#?}");
    assert!(!folder.path().join("out.txt").exists());
}

#[test]
fn models_that_cannot_be_used_are_told() {
    let folder = folder();
    fs::write(folder.path().join("bad.onnx"), b"this is no model").unwrap();
    for (model, words) in
        [("bad.onnx", "bad.onnx is not an ONNX model"), ("none.onnx", "cannot read none.onnx")]
    {
        run_in(folder.path(), &["track", &demo(), "--set", &format!("detector.model={model}")])
            .fails(1, &[words]);
    }
}

#[test]
fn endless_files_fill_no_memory() {
    if !Path::new("/dev/zero").exists() {
        println!("skipped: there is no /dev/zero");
        return;
    }
    let folder = folder();
    for setting in ["detector.labels=/dev/zero", "detector.model=/dev/zero"] {
        run_in(folder.path(), &["track", &demo(), "--set", setting]).fails(1, &["/dev/zero", "longer than"]);
    }
    run_in(folder.path(), &["config", "show", "--config", "/dev/zero"])
        .fails(2, &["/dev/zero", "longer than"]);
}

#[test]
fn unknown_classes_and_settings_are_told_before_anything_else() {
    let folder = folder();
    run_in(folder.path(), &["track", &demo(), "--classes", "persn"])
        .fails(2, &["persn", "did you mean \"person\"?"]);
    run_in(folder.path(), &["track", &demo(), "--set", "detector.confidense=0.5"])
        .fails(2, &["did you mean \"detector.confidence\"?"]);
    run_in(folder.path(), &["track", &demo(), "--confidence", "7"])
        .fails(2, &["--confidence 7", "from 0 to 1"]);
    run_in(folder.path(), &["track", &demo(), "--input", "finer"])
        .fails(2, &["--input finer", "\"auto\", \"fast\", \"normal\", \"fine\", \"finest\" or WIDTHxHEIGHT"]);
    run_in(folder.path(), &["track", &demo(), "--set", "oops"]).fails(2, &["section.key=value"]);
    fs::write(folder.path().join("config.toml"), "[detector]\nconfidence = \"much\"\n").unwrap();
    run_in(folder.path(), &["track", &demo()]).fails(2, &["config.toml:2:1: detector.confidence"]);
    run_in(folder.path(), &["--config", "missing.toml"]).fails(2, &["missing.toml"]);
}

#[test]
fn a_camera_that_is_not_there_is_told() {
    let folder = folder();
    run_in(folder.path(), &["track", "77"]).fails(1, &["77"]);
}

#[test]
fn outputs_that_cannot_be_written_are_told_before_the_work() {
    let folder = folder();
    for (output, code, word) in [("missing/out.txt", 1, "missing"), ("out.docx", 2, ".docx"), ("x/..", 2, "")]
    {
        run_in(folder.path(), &["track", &demo(), "--tracks", output]).fails(code, &[word]);
    }
    run_in(folder.path(), &["track", &demo(), "--video", "missing/out.avi"]).fails(1, &["missing"]);
    run_in(folder.path(), &["track", &demo(), "--video", "out.gif"]).fails(2, &[".gif"]);
    run_in(folder.path(), &["track", &demo(), "--tracks", "-", "--tracks", "-"]).fails(2, &["given twice"]);
    run_in(folder.path(), &["track", &demo(), "--tracks", "a.txt", "--video", "missing/out.avi"])
        .fails(1, &["missing"]);
    assert_eq!(names(folder.path()), Vec::<String>::new(), "nothing is left behind");
    fs::copy(demo(), folder.path().join("in.avi")).unwrap();
    run_in(folder.path(), &["track", "in.avi", "--video", "in.avi"]).fails(1, &["in.avi"]);
    assert_eq!(
        fs::read(folder.path().join("in.avi")).unwrap(),
        fs::read(demo()).unwrap(),
        "the input is untouched"
    );
}

#[test]
fn a_run_without_a_picture_replaces_nothing() {
    let folder = folder();
    fs::write(folder.path().join("out.txt"), "older results").unwrap();
    run_in(folder.path(), &["track", &demo(), "--start", "99", "--tracks", "out.txt"])
        .fails(1, &["no picture"]);
    assert_eq!(fs::read_to_string(folder.path().join("out.txt")).unwrap(), "older results");
}

#[test]
fn a_name_that_is_not_unicode_is_a_path_like_any_other() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder();
    let name = std::ffi::OsStr::from_bytes(b"clip\xff.avi");
    if fs::copy(demo(), folder.path().join(name)).is_err() {
        println!("skipped: this file system takes only Unicode names");
        return;
    }
    let mut program = trailsight();
    program.current_dir(folder.path()).arg("track").arg(name).args(["--end", "1", "--tracks", "t.txt"]);
    common::Done::of(&program.output().unwrap()).ok();
    assert!(fs::metadata(folder.path().join("t.txt")).is_ok_and(|file| file.len() > 100));
}

#[test]
fn a_read_only_folder_is_told() {
    let folder = folder();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(closed.join("probe"), b"").is_ok() {
        println!("skipped: this user may write everywhere");
        return;
    }
    run_in(folder.path(), &["track", &demo(), "--tracks", "closed/out.txt"]).fails(1, &["closed"]);
}

#[test]
fn a_full_disk_is_told() {
    if !Path::new("/dev/full").exists() {
        println!("skipped: there is no /dev/full");
        return;
    }
    let folder = folder();
    run_in(folder.path(), &["track", &demo(), "--end", "2", "--tracks", "/dev/full"])
        .fails(1, &["/dev/full", "full"]);
}

#[test]
fn without_ffmpeg_the_way_out_is_told_and_motion_jpeg_still_works() {
    let folder = folder();
    fs::write(folder.path().join("x.mp4"), [0, 0, 0, 24, b'f', b't', b'y', b'p', b'i', b's', b'o', b'm'])
        .unwrap();
    let run = |arguments: &[&str]| {
        let output = trailsight()
            .current_dir(folder.path())
            .env("PATH", empty_path(folder.path()))
            .args(arguments)
            .output()
            .expect("starts");
        common::Done::of(&output)
    };
    run(&["track", "x.mp4"]).fails(1, &["ffmpeg"]);
    run(&["track", &demo(), "--video", "x.mkv"]).fails(1, &["ffmpeg", ".avi"]);
    run(&["track", &demo(), "--end", "1", "--video", "y.avi", "--tracks", "y.txt"]).ok();
    assert_eq!(names(folder.path()), ["x.mp4", "y.avi", "y.txt"]);
}

#[test]
fn detection_files_are_checked() {
    let folder = folder();
    fs::write(folder.path().join("det.txt"), "1,-1,10,10,50,100,0.9\n2,-1,ten,10,50,100,0.9\n").unwrap();
    let arguments = ["track", "--detections", "det.txt", "--size", "640x480", "--fps", "10", "--tracks", "-"];
    run_in(folder.path(), &arguments).fails(1, &["det.txt", "2", "ten"]);
    run_in(
        folder.path(),
        &["track", "--detections", "none.txt", "--size", "640x480", "--fps", "10", "--tracks", "-"],
    )
    .fails(1, &["none.txt"]);
    run_in(
        folder.path(),
        &["track", "--detections", "det.txt", "--size", "640", "--fps", "10", "--tracks", "-"],
    )
    .fails(2, &["WIDTHxHEIGHT"]);
}
