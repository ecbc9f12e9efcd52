//! Cameras behind addresses of the web, as small ones are: a server of a few lines sends JPEG pictures with headers of many
//! dialects, at its own pace; and recordings behind an address.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use trailsight::frame::Frame;
use trailsight::source::{Source, SourceSettings, SourceSpec, open_file};

use crate::common::has;

/// From one picture to the next.
const STEP: Duration = Duration::from_millis(200);

/// Serves each connection with `talk` until it fails; gives the address.
fn serve(talk: impl Fn(&mut TcpStream, &str) -> std::io::Result<()> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/camera", listener.local_addr().unwrap());
    let talk = Arc::new(talk);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let talk = Arc::clone(&talk);
            thread::spawn(move || {
                let mut request = [0; 4096];
                let read = stream.read(&mut request).unwrap_or(0);
                // The other side closes the connection when it has had enough.
                let _ = talk(&mut stream, &String::from_utf8_lossy(&request[..read]));
            });
        }
    });
    address
}

/// A JPEG of one grey, so that it is known again.
fn jpeg(grey: u8, width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let picture = image::GrayImage::from_pixel(width, height, image::Luma([grey]));
    picture.write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Jpeg).unwrap();
    bytes
}

fn greys(frames: &[Frame]) -> Vec<u8> {
    frames.iter().map(|frame| frame.picture.rgb()[0][0]).collect()
}

/// The first `count` frames.
fn take(address: &str, count: usize) -> Vec<Frame> {
    let mut source = open(address);
    (0..count).map(|_| source.next_frame().unwrap().expect("a camera has no end")).collect()
}

fn open(address: &str) -> Box<dyn Source> {
    open_file(&SourceSpec::parse(address), &SourceSettings::default()).unwrap()
}

#[test]
fn cameras_of_many_dialects_give_their_pictures_at_the_times_of_their_arrival() {
    if !has("ffmpeg") {
        return;
    }
    const BOUNDARY: &str = "123456789000000000000987654321";
    // What is sent before and behind each picture; `LENGTH` stands for its bytes.
    let part = "Content-Type: image/jpeg\r\nContent-Length: LENGTH\r\n\r\n";
    let dialects = [
        (format!("boundary={BOUNDARY}"), format!("--{BOUNDARY}\r\n{part}"), "\r\n".to_owned()),
        // The boundary comes behind each picture, and none before the first.
        (format!("boundary={BOUNDARY}"), part.to_owned(), format!("\r\n--{BOUNDARY}\r\n")),
        (
            format!("boundary=\"{BOUNDARY}\""),
            format!("--{BOUNDARY}\r\nContent-Type: image/jpg\r\n\r\n"),
            "\r\n".to_owned(),
        ),
        (
            format!("boundary=--{BOUNDARY}"),
            format!("--{BOUNDARY}\nContent-Type: image/jpeg\n\n"),
            "\n".to_owned(),
        ),
    ];
    for (boundary, before, behind) in dialects {
        let told = format!("{boundary} {before:?}");
        let address = serve(move |stream, _| {
            write!(stream, "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; {boundary}\r\n\r\n")?;
            for number in 0_u8.. {
                let picture = jpeg(40 + number % 20 * 10, 64, 48);
                write!(stream, "{}", before.replace("LENGTH", &picture.len().to_string()))?;
                stream.write_all(&picture)?;
                write!(stream, "{behind}")?;
                thread::sleep(STEP);
            }
            Ok(())
        });
        let frames = take(&address, 9);
        let steps: Vec<f64> = frames.windows(2).map(|w| w[1].time - w[0].time).collect();
        // The first ones have waited until the format was known.
        let late = &steps[4..];
        assert!(late.iter().all(|s| (0.1..0.4).contains(s)), "{told}: {steps:?}");
        assert_eq!(frames[0].picture.size(), (64, 48), "{told}");
        let greys = greys(&frames);
        assert!(greys.windows(2).all(|w| w[0].abs_diff(w[1]) > 5), "{told}: each picture once: {greys:?}");
    }
}

#[test]
fn a_stream_is_shown_at_once_however_far_apart_its_key_frames_are() {
    if !has("ffmpeg") {
        return;
    }
    const SECONDS: usize = 30;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("one-key-frame.ts");
    let made = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=160x96:r=25", "-t", &SECONDS.to_string()])
        .args([
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-tune",
            "zerolatency",
            "-g",
            "9999",
            "-sc_threshold",
            "0",
        ])
        .arg(&path)
        .status();
    assert!(made.unwrap().success());
    let bytes = std::fs::read(&path).unwrap();
    // What a camera sends in time, to each that connects from a key frame on.
    let address = serve(move |stream, _| {
        write!(stream, "HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n")?;
        for part in bytes.chunks(bytes.len().div_ceil(SECONDS * 25)) {
            stream.write_all(part)?;
            thread::sleep(Duration::from_millis(40));
        }
        Ok(())
    });
    let frames = take(&address, 3);
    let first = frames[0].time;
    // MPEG-TS of ffmpeg begins at 1.4 s; without the key frame nothing could be shown before the next connection.
    assert!((0.0..5.0).contains(&first), "{first}");
}

#[test]
fn an_address_that_gives_one_picture_is_asked_again_and_again() {
    if !has("ffmpeg") {
        return;
    }
    let count = std::sync::atomic::AtomicU8::new(0);
    let address = serve(move |stream, _| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let picture = jpeg(20 + number * 10, 64, 48);
        write!(
            stream,
            "HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
            picture.len()
        )?;
        stream.write_all(&picture)
    });
    let frames = take(&address, 4);
    let greys = greys(&frames);
    assert!(greys.windows(2).all(|w| w[1] > w[0]), "{greys:?}");
    assert!(frames.windows(2).all(|w| w[1].time > w[0].time + 0.2 && w[1].sequence > w[0].sequence));
}

#[test]
fn a_recording_of_uneven_rate_keeps_its_frames_numbers_behind_an_address() {
    if !has("ffmpeg") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("uneven.mp4");
    let made = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=160x96:r=25", "-frames:v", "60", "-vf"])
        .args([
            "setpts='if(lt(N,40),N/25,1.6+(N-40)*0.5)/TB'",
            "-vsync",
            "passthrough",
            "-c:v",
            "libx264",
            "-g",
            "10",
        ])
        .args(["-bf", "0"])
        .arg(&path)
        .status();
    assert!(made.unwrap().success());
    let straight: Vec<(u64, f64)> = {
        let mut source = open(path.to_str().unwrap());
        std::iter::from_fn(|| source.next_frame().unwrap()).map(|f| (f.sequence, f.time)).collect()
    };
    let bytes = std::fs::read(&path).unwrap();
    let address = serve(move |stream, request| {
        let range = request
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
        let from: usize = range.as_deref().and_then(|r| r.split('-').next()?.parse().ok()).unwrap_or(0);
        let status = if range.is_some() { "206 Partial Content" } else { "200 OK" };
        let (last, all) = (bytes.len() - 1, bytes.len());
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: video/mp4\r\nAccept-Ranges: bytes\r\nContent-Length: {}\r\n\
             Content-Range: bytes {from}-{last}/{all}\r\nConnection: close\r\n\r\n",
            all - from
        )?;
        stream.write_all(&bytes[from..])
    });
    let mut source = open(&address);
    for wanted in [50_usize, 25, 55, 3] {
        assert!(source.seek(straight[wanted].1 + 1e-4).unwrap());
        let frame = loop {
            let frame = source.next_frame().unwrap().unwrap();
            if frame.time > straight[wanted].1 - 1e-4 {
                break frame;
            }
        };
        assert_eq!(frame.sequence, straight[wanted].0, "at {} s", straight[wanted].1);
    }
}
