//! `models pull`: from a server that is slow, hangs up, lies, sends elsewhere, or sends something else.

use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use crate::common::web::{Server, Shelf, noise, say, send, send_some};
use crate::common::{Done, signal, wait_for, wait_until};

const LENGTH: usize = 300_000;
const HALF: usize = LENGTH / 2;

/// A server, and a shelf whose model is there.
fn shelf(server: &Server) -> Shelf {
    Shelf::new(&noise(LENGTH), &[server.address("a.onnx")])
}

/// It was fetched whole, and nothing else is left.
fn is_whole(shelf: &Shelf) {
    assert_eq!(fs::read(shelf.file()).unwrap(), noise(LENGTH));
    assert!(!shelf.partial().exists());
}

#[test]
fn a_model_is_fetched_once_and_its_licence_told() {
    let server = Server::of(noise(LENGTH));
    let shelf = shelf(&server);
    let done = shelf.pull().ok();
    is_whole(&shelf);
    assert_eq!(
        done.stderr.matches("the code is under MIT, the weights under CC0-1.0").count(),
        1,
        "{done:#?}"
    );
    assert!(done.stderr.contains("detector.model = \"tiny-net\""), "{done:#?}");
    let done = shelf.pull().ok();
    assert!(done.stderr.contains("tiny-net is here") && !done.stderr.contains("MIT"), "{done:#?}");
    assert_eq!(server.asked().len(), 1);
    assert!(server.asked()[0].contains("user-agent: trailsight/"), "{:?}", server.asked());
}

#[test]
fn a_cut_download_goes_on_where_it_ended() {
    let server = Server::new(|number, request, stream| {
        send_some(stream, &noise(LENGTH), request, if number < 2 { 100_000 } else { usize::MAX });
    });
    let shelf = shelf(&server);
    shelf.pull().ok();
    is_whole(&shelf);
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    assert!(!asked[0].contains("range:"));
    assert!(
        asked[1].contains("range: bytes=100000-") && asked[2].contains("range: bytes=200000-"),
        "{asked:?}"
    );
}

#[test]
fn what_was_fetched_is_kept_for_the_next_time() {
    let server = Server::new(|number, request, stream| match number {
        0 => send_some(stream, &noise(LENGTH), request, HALF),
        1..=2 => send_some(stream, &noise(LENGTH), request, 0),
        _ => send(stream, &noise(LENGTH), request),
    });
    let shelf = shelf(&server);
    shelf.pull().fails(1, &["150000 of 300000 bytes are there", "`trailsight models pull tiny-net` goes on"]);
    shelf.has_no_model();
    assert_eq!(fs::metadata(shelf.partial()).unwrap().len(), HALF as u64);
    let list = shelf.run(&["models", "list"]).ok().stdout;
    assert!(
        list.contains("0.1 MB of it: trailsight models pull tiny-net") || list.contains("0.2 MB of it"),
        "{list}"
    );
    shelf
        .run(&["detect", "--set", "detector.model=tiny-net", "x.png"])
        .fails(1, &["tiny-net is not on this machine", "trailsight models pull tiny-net"]);
    shelf.pull().ok();
    is_whole(&shelf);
}

#[test]
fn a_server_that_knows_no_ranges_sends_all_again() {
    let server = Server::new(|number, request, stream| {
        let whole = crate::common::web::Request { text: request.text.clone(), begin: None };
        send_some(stream, &noise(LENGTH), &whole, if number == 0 { HALF } else { usize::MAX });
    });
    let shelf = shelf(&server);
    shelf.pull().ok();
    is_whole(&shelf);
    assert!(server.asked()[1].contains("range: bytes=150000-"));
}

/// One that knows no ranges and never sends the whole is given up, and keeps what it came to.
#[test]
fn a_server_that_never_comes_further_is_given_up() {
    let server = Server::new(|_, request, stream| {
        let whole = crate::common::web::Request { text: request.text.clone(), begin: None };
        send_some(stream, &noise(LENGTH), &whole, HALF);
    });
    let shelf = shelf(&server);
    shelf.pull().fails(1, &["the connection", "150000 of 300000 bytes are there"]);
    assert!(server.asked().len() <= 4, "{}", server.asked().len());
    shelf.has_no_model();
}

#[test]
fn a_part_that_does_not_fit_is_thrown_away() {
    for wrong in ["416 Range Not Satisfiable", "206 Partial Content"] {
        let server = Server::new(move |number, request, stream| match number {
            0 => say(stream, wrong, "Content-Range: bytes 7-9/10\r\nContent-Length: 3\r\n", b"abc"),
            _ => send(stream, &noise(LENGTH), request),
        });
        let shelf = shelf(&server);
        fs::create_dir_all(shelf.models()).unwrap();
        // Also: more than there can be, and the right length with wrong bytes.
        for begin in [&noise(LENGTH + 1)[1..HALF], &noise(LENGTH + 2), &vec![0; LENGTH], &vec![0; HALF]] {
            fs::write(shelf.partial(), begin).unwrap();
            shelf.pull().ok();
            is_whole(&shelf);
            shelf.run(&["models", "rm", "tiny-net"]).ok();
        }
    }
}

#[test]
fn what_is_not_the_model_is_called_what_it_is() {
    let page = b"<!DOCTYPE html><html>Please log in</html>";
    let length = |length: usize| format!("Content-Length: {length}\r\n");
    let wrong = {
        let mut bytes = noise(LENGTH);
        bytes[LENGTH - 1] ^= 1;
        bytes
    };
    let mut longer = noise(LENGTH);
    longer.push(0);
    let chunked = [format!("{:x}\r\n", longer.len()).as_bytes(), &longer, b"\r\n0\r\n\r\n"].concat();
    let lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
    let html = "Content-Type: text/html; charset=utf-8\r\n";
    let cases: Vec<(&str, String, Vec<u8>, &str)> = vec![
        (
            "200 OK",
            format!("{html}{}", length(page.len())),
            page.to_vec(),
            "a web page came instead of the model",
        ),
        // As long as the model, and a page all the same.
        (
            "200 OK",
            format!("{html}{}", length(LENGTH)),
            noise(LENGTH),
            "a web page came instead of the model",
        ),
        ("200 OK", length(page.len()), page.to_vec(), "a web page came instead of the model"),
        ("200 OK", length(lfs.len()), lfs.to_vec(), "a pointer of Git LFS"),
        ("200 OK", length(9), b"<?xml ?>\n".to_vec(), "an XML text"),
        ("200 OK", length(12), b"{\"error\": 1}".to_vec(), "a JSON text"),
        ("200 OK", length(12), b"hello, world".to_vec(), "12 bytes are offered, and 300000 were expected"),
        ("200 OK", length(longer.len()), longer.clone(), "300001 bytes are offered"),
        ("200 OK", "Transfer-Encoding: chunked\r\n".to_owned(), chunked, "more comes than the 300000 bytes"),
        ("200 OK", length(LENGTH), wrong, "what came is another file (its SHA-256 is "),
        ("404 Not Found", length(0), Vec::new(), "404 Not Found: it has no such file"),
        ("403 Forbidden", length(0), Vec::new(), "the server answers 403 Forbidden"),
        ("503 Service Unavailable", length(0), Vec::new(), "the server answers 503"),
    ];
    for (status, headers, body, expected) in cases {
        let server = Server::new(move |_, _, stream| say(stream, status, &headers, &body));
        let shelf = shelf(&server);
        let done = shelf.pull().fails(1, &["cannot fetch tiny-net from http://127.0.0.1", expected]);
        assert_eq!(done.stderr.matches("cannot fetch").count(), 1, "{done:#?}");
        shelf.has_no_model();
        let kept = fs::metadata(shelf.partial()).map_or(0, |about| about.len());
        assert_eq!(kept, 0, "{expected}: nothing of it is kept");
    }
}

/// A page that comes when a download is resumed costs nothing of what is there.
#[test]
fn a_login_page_does_not_spoil_what_was_fetched() {
    let server = Server::new(|_, _, stream| {
        say(stream, "200 OK", "Content-Type: text/html\r\nContent-Length: 6\r\n", b"<html>");
    });
    let shelf = shelf(&server);
    fs::create_dir_all(shelf.models()).unwrap();
    fs::write(shelf.partial(), &noise(LENGTH)[..HALF]).unwrap();
    shelf.pull().fails(1, &["a web page came"]);
    assert_eq!(fs::read(shelf.partial()).unwrap(), noise(LENGTH)[..HALF]);
}

#[test]
fn redirects_are_followed_but_not_in_a_circle() {
    let server = Server::new(|_, request, stream| match request.text.contains("get /a.onnx") {
        true => say(stream, "302 Found", "Location: /there\r\nContent-Length: 0\r\n", b""),
        false => send(stream, &noise(LENGTH), request),
    });
    let there = shelf(&server);
    there.pull().ok();
    is_whole(&there);
    let circle = Server::new(|_, _, stream| {
        say(stream, "302 Found", "Location: /a.onnx\r\nContent-Length: 0\r\n", b"");
    });
    let lost = shelf(&circle);
    lost.pull().fails(1, &["sends from address to address"]);
    assert!(circle.asked().len() < 20);
}

#[test]
fn a_server_that_falls_silent_is_asked_again() {
    let server = Server::new(|number, request, stream| {
        if number == 0 {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(&noise(LENGTH)[..HALF]);
            std::thread::sleep(Duration::from_secs(20));
        } else {
            send(stream, &noise(LENGTH), request);
        }
    });
    let shelf = shelf(&server);
    shelf.run(&["models", "pull", "tiny-net", "--timeout", "0.5"]).ok();
    is_whole(&shelf);
    assert!(server.asked()[1].contains("range: bytes=150000-"));
    let silent = Server::new(|_, _, _| std::thread::sleep(Duration::from_secs(20)));
    shelf.write_table(&noise(LENGTH + 1), &[silent.address("a.onnx")]);
    shelf.run(&["models", "pull", "tiny-net", "--timeout", "0.3"]).fails(1, &["the server does not answer"]);
    shelf.run(&["models", "pull", "tiny-net", "--timeout", "0"]).fails(2, &["--timeout 0: allowed is"]);
}

#[test]
fn slowness_is_no_failure() {
    let server = Server::new(|_, _, stream| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
        let _ = stream.write_all(head.as_bytes());
        for part in noise(LENGTH).chunks(LENGTH / 10) {
            std::thread::sleep(Duration::from_millis(200));
            let _ = stream.write_all(part);
        }
    });
    let shelf = shelf(&server);
    shelf.run(&["models", "pull", "tiny-net", "--timeout", "1"]).ok();
    is_whole(&shelf);
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn another_address_is_tried_and_a_mirror_comes_first() {
    let (bad, good) = (
        Server::new(|_, _, stream| say(stream, "404 Not Found", "Content-Length: 0\r\n", b"")),
        Server::of(noise(LENGTH)),
    );
    let shelf = Shelf::new(&noise(LENGTH), &[bad.address("a.onnx"), good.address("b.onnx")]);
    let done = shelf.pull().ok();
    assert!(done.stderr.contains("404") && done.stderr.contains("trying another address"), "{done:#?}");
    is_whole(&shelf);
    let mirror = good.address("mirror/");
    for arguments in [["--mirror", &mirror], ["--set", &format!("models.mirror={mirror}")]] {
        shelf.run(&["models", "rm", "tiny-net"]).ok();
        let before = (bad.asked().len(), good.asked().len());
        shelf.run(&[&["models", "pull", "tiny-net"][..], &arguments].concat()).ok();
        is_whole(&shelf);
        assert_eq!((bad.asked().len(), good.asked().len()), (before.0, before.1 + 1));
        assert!(good.asked().last().unwrap().starts_with("get /mirror/tiny-net.onnx "), "{:?}", good.asked());
    }
    // A mirror that does not have it is not passed over: where others are not wanted, none is asked.
    shelf.run(&["models", "rm", "tiny-net"]).ok();
    let none = bad.address("m");
    shelf
        .run(&["models", "pull", "tiny-net", "--mirror", &none])
        .fails(1, &["the mirror does not have this file"]);
    shelf.run(&["models", "pull", "tiny-net", "--mirror", "ftp://a"]).fails(2, &["--mirror: an http(s)"]);
}

#[test]
fn a_folder_is_a_mirror_too() {
    let shelf = Shelf::new(&noise(LENGTH), &["http://127.0.0.1:9/a.onnx".to_owned()]);
    let stick = shelf.folder.path().join("stick");
    fs::create_dir(&stick).unwrap();
    let pull = || shelf.run(&["models", "pull", "tiny-net", "--mirror", "stick"]);
    pull().fails(1, &["cannot fetch tiny-net from stick/tiny-net.onnx"]);
    fs::write(stick.join("tiny-net.onnx"), &noise(LENGTH)[1..]).unwrap();
    pull().fails(1, &["ended too early"]);
    shelf.has_no_model();
    fs::write(stick.join("tiny-net.onnx"), noise(LENGTH)).unwrap();
    pull().ok();
    is_whole(&shelf);
}

#[test]
fn offline_means_offline() {
    let server = Server::of(noise(LENGTH));
    let shelf = shelf(&server);
    let offline = || shelf.run(&["models", "pull", "tiny-net", "--offline"]);
    offline().fails(1, &["tiny-net is not on this machine, and --offline forbids to fetch it"]);
    shelf.put(&noise(LENGTH));
    offline().ok();
    shelf.put(&vec![0; LENGTH]);
    offline().fails(1, &["is not the model tiny-net: its SHA-256 is"]);
    assert!(server.asked().is_empty());
}

#[test]
fn a_proxy_is_asked_where_the_environment_names_one() {
    let proxy = Server::new(|_, _, stream| {
        // It answers in the place of the server that it leads to.
        say(stream, "502 Bad Gateway", "Content-Length: 0\r\n", b"");
    });
    let server = Server::of(noise(LENGTH));
    let shelf = Shelf::new(&noise(LENGTH), &["http://models.invalid:8080/a.onnx".to_owned()]);
    let pull = |proxy: &str, not: &str| {
        let mut command = shelf.command();
        command.env("HTTPS_PROXY", proxy).env("NO_PROXY", not).args(["models", "pull", "tiny-net"]);
        Done::of(&command.output().unwrap())
    };
    pull(&proxy.address(""), "").fails(1, &["cannot fetch tiny-net"]);
    assert!(proxy.asked()[0].contains("models.invalid:8080"), "{:?}", proxy.asked());
    let before = proxy.asked().len();
    shelf.write_table(&noise(LENGTH), &[server.address("a.onnx")]);
    pull(&proxy.address(""), "127.0.0.1").ok();
    is_whole(&shelf);
    assert_eq!(proxy.asked().len(), before);
}

#[test]
fn without_a_network_it_is_said_in_one_line() {
    for (address, expected) in [
        ("http://no-such-host.invalid/a", "the server's name is not known"),
        ("http://127.0.0.1:9/a", "the server refuses the connection"),
    ] {
        let shelf = Shelf::new(&noise(LENGTH), &[address.to_owned()]);
        let done = shelf.run(&["models", "pull", "tiny-net", "--timeout", "5"]).fails(1, &[expected]);
        assert!(!done.stderr.contains("of 300000 bytes"), "{done:#?}");
        assert!(!shelf.partial().exists());
    }
}

#[test]
fn two_at_once_fetch_it_once() {
    let server = Server::new(|_, _, stream| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
        let _ = stream.write_all(head.as_bytes());
        for part in noise(LENGTH).chunks(LENGTH / 5) {
            std::thread::sleep(Duration::from_millis(200));
            let _ = stream.write_all(part);
        }
    });
    let shelf = shelf(&server);
    let start =
        || shelf.command().args(["models", "pull", "tiny-net"]).stderr(Stdio::piped()).spawn().unwrap();
    let both = [start(), start(), start()];
    for child in both {
        wait_for(child, 20).ok();
    }
    is_whole(&shelf);
    assert_eq!(server.asked().len(), 1);
}

#[cfg(unix)]
#[test]
fn whoever_is_stopped_leaves_a_part_and_no_model() {
    for (name, code) in [("INT", Some(130)), ("KILL", None)] {
        let server = Server::new(|number, request, stream| match number {
            0 => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
                let _ = stream.write_all(head.as_bytes());
                let _ = stream.write_all(&noise(LENGTH)[..HALF]);
                std::thread::sleep(Duration::from_secs(20));
            }
            _ => send(stream, &noise(LENGTH), request),
        });
        let shelf = shelf(&server);
        let child =
            shelf.command().args(["models", "pull", "tiny-net"]).stderr(Stdio::piped()).spawn().unwrap();
        wait_until("the half of it", 20, || {
            fs::metadata(shelf.partial()).is_ok_and(|about| about.len() == HALF as u64)
        });
        signal(&child, name);
        assert_eq!(wait_for(child, 10).code, code);
        shelf.has_no_model();
        shelf.pull().ok();
        is_whole(&shelf);
        assert!(server.asked()[1].contains("range: bytes=150000-"));
    }
}

/// A limit on the size of files stands in for a full disk.
#[cfg(unix)]
#[test]
fn a_disk_that_takes_no_more_is_told() {
    let server = Server::of(noise(LENGTH));
    let shelf = shelf(&server);
    let mut command = std::process::Command::new("sh");
    let line = format!(
        "trap '' XFSZ; ulimit -f 100; exec {} models pull tiny-net",
        env!("CARGO_BIN_EXE_trailsight")
    );
    command.args(["-c", &line]);
    shelf.prepare(&mut command);
    Done::of(&command.output().unwrap()).fails(1, &["cannot write", "tiny-net.onnx.partial"]);
    shelf.has_no_model();
    shelf.pull().ok();
    is_whole(&shelf);
}

#[cfg(unix)]
#[test]
fn what_a_link_leads_to_is_not_written() {
    use std::os::unix::fs::symlink;
    let server = Server::of(noise(LENGTH));
    let shelf = shelf(&server);
    fs::create_dir_all(shelf.models()).unwrap();
    let other = shelf.folder.path().join("other");
    fs::write(&other, "mine").unwrap();
    symlink(&other, shelf.file()).unwrap();
    symlink(&other, shelf.partial()).unwrap();
    shelf.pull().ok();
    is_whole(&shelf);
    assert!(!fs::symlink_metadata(shelf.file()).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&other).unwrap(), "mine");
    // A link to the right bytes is as good as they are, and is what goes.
    fs::write(&other, noise(LENGTH)).unwrap();
    fs::remove_file(shelf.file()).unwrap();
    symlink(&other, shelf.file()).unwrap();
    let before = server.asked().len();
    shelf.pull().ok();
    assert_eq!(server.asked().len(), before);
    shelf.run(&["models", "rm", "tiny-net"]).ok();
    shelf.has_no_model();
    assert!(other.exists());
}

#[test]
fn a_cache_that_cannot_be_written_is_told() {
    let server = Server::of(noise(LENGTH));
    let shelf = shelf(&server);
    fs::write(shelf.folder.path().join("cache"), "a file").unwrap();
    shelf.pull().fails(1, &["cannot make the folder", "cache/trailsight/models"]);
    fs::remove_file(shelf.folder.path().join("cache")).unwrap();
    // A folder of the model's name.
    fs::create_dir_all(shelf.file().join("x")).unwrap();
    shelf.pull().fails(1, &["cannot write", "tiny-net.onnx"]);
}
