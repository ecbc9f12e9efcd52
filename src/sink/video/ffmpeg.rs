//! Video through an `ffmpeg` child process: every frame keeps its own time, and the file can be played also after this
//! program was killed (the child then sees the end of its input and completes the file).

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use yuv::{
    BufferStoreMut, YuvConversionMode, YuvPlanarImageMut, YuvRange, YuvStandardMatrix, bgra_to_yuv420,
};

use super::super::partial::{Opened, Place, ending, open_alone};
use super::super::{End, SinkError};
use super::sound::Sound;
use super::{Encoder, matroska};
use crate::atomic_file::{self, Durability};

/// The program.
pub(super) const PROGRAM: &str = "ffmpeg";

/// Whether `ffmpeg` can be started, so that other kinds of video than `.avi` can be written.
pub fn ffmpeg_available() -> bool {
    let quiet = || Stdio::null();
    let version =
        Command::new(PROGRAM).arg("-version").stdin(quiet()).stdout(quiet()).stderr(quiet()).status();
    version.is_ok_and(|status| status.success())
}
/// What to do where it is missing.
const HINT: &str = "install ffmpeg, or write .avi, which needs no other program";
/// What the colours of a video mean.
const COLOURS: [&str; 8] =
    ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"];
/// One palette for all pictures of a clip, found in what changes; and only what changes is stored.
const PALETTE: &str = "[0:v]split[seen][shown];[seen]palettegen=stats_mode=diff[palette];\
    [shown][palette]paletteuse=dither=bayer:bayer_scale=4:diff_mode=rectangle";
/// The ticks of a second in the file: whole for the rates of film and television, and below the 65535 of MPEG-4 part 2.
const TIMEBASE: &str = "60000";
/// Lines of the child's messages that are kept, the last ones.
const KEPT_LINES: usize = 12;
/// The longest line that is kept, in bytes.
const KEPT_LINE: u64 = 400;
/// How long an encoder that is given up may take to complete its file.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same where the rest of the sound would be copied too.
const SOUND_PATIENCE: Duration = Duration::from_secs(3);

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Mp4,
    Mov,
    Mkv,
    Webm,
    Gif,
}

impl Container {
    fn of(path: &Path) -> Option<Self> {
        match ending(path).as_str() {
            "mp4" => Some(Self::Mp4),
            "mov" => Some(Self::Mov),
            "mkv" => Some(Self::Mkv),
            "webm" => Some(Self::Webm),
            _ => None,
        }
    }

    /// The arguments that choose the container: one whose beginning is playable when its end is missing. In MP4 the head is
    /// written with the first fragment, for only then it can say that a track begins earlier or later than the others.
    pub(super) fn arguments(self) -> Vec<&'static str> {
        let fragmented = "+frag_keyframe+delay_moov+default_base_moof";
        match self {
            Self::Mp4 => vec!["-movflags", fragmented, "-video_track_timescale", TIMEBASE, "-f", "mp4"],
            Self::Mov => vec!["-movflags", fragmented, "-video_track_timescale", TIMEBASE, "-f", "mov"],
            // A cluster is written when it is closed; of itself that may be after five seconds.
            Self::Mkv => vec!["-cluster_time_limit", "1000", "-f", "matroska"],
            Self::Webm => vec!["-cluster_time_limit", "1000", "-f", "webm"],
            Self::Gif => vec!["-f", "gif"],
        }
    }

    /// How far frames are apart at the least, in microseconds.
    fn min_step(self) -> u64 {
        match self {
            // The ticks of TIMEBASE, rounded up.
            Self::Mp4 | Self::Mov => 17,
            // Matroska counts milliseconds.
            Self::Mkv | Self::Webm | Self::Gif => 1000,
        }
    }

    /// What sound is encoded with where it cannot be copied into this container.
    pub(super) fn sound_codec(self) -> &'static str {
        if self == Self::Webm { "libopus" } else { "aac" }
    }
}

/// Whether `path` ends in a kind of file that is written through `ffmpeg`.
pub(super) fn is_for_ffmpeg(path: &Path) -> bool {
    Container::of(path).is_some()
}

/// What the installed `ffmpeg` can do.
#[derive(Debug)]
struct Abilities {
    encoders: String,
    /// `-fps_mode` came with 5.1; before it was `-vsync`.
    fps_mode: bool,
}

impl Abilities {
    fn ask(path: &Path) -> Result<Self, SinkError> {
        let told = Command::new(PROGRAM).arg("-encoders").stdin(Stdio::null()).output();
        let told = told.map_err(|error| spawn_error(path, &error))?;
        // "ffmpeg version 5.1.6-0+deb12u1 Copyright …"; builds from the repository have no number and are new.
        let banner = String::from_utf8_lossy(&told.stderr);
        let version = banner.split_whitespace().nth(2).unwrap_or_default().trim_start_matches('n');
        let mut numbers = version.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
        let fps_mode = match (numbers.next(), numbers.next()) {
            (Some(major), minor) => (major, minor.unwrap_or(0)) >= (5, 1),
            (None, _) => true,
        };
        Ok(Self { encoders: String::from_utf8_lossy(&told.stdout).into_owned(), fps_mode })
    }

    fn has(&self, encoder: &str) -> bool {
        self.encoders.split_whitespace().any(|word| word == encoder)
    }

    /// The arguments that choose the encoder. No B-frames: they would delay the first picture in a fragmented file.
    ///
    /// # Errors
    /// What is missing, and what to do.
    fn video_codec(&self, container: Container, quality: u8) -> Result<Vec<String>, String> {
        let worse = u32::from(100 - quality.min(100));
        let (webm, others) = (["libvpx-vp9"].as_slice(), ["libx264", "mpeg4"].as_slice());
        let wanted = if container == Container::Webm { webm } else { others };
        let Some(encoder) = wanted.iter().find(|encoder| self.has(encoder)) else {
            let wanted = wanted.join(" or ");
            let other = if container == Container::Webm { ".mkv or .avi" } else { ".avi" };
            return Err(format!(
                "this ffmpeg has no encoder {wanted}; install a complete one, or write {other}"
            ));
        };
        let arguments = match *encoder {
            "libvpx-vp9" => {
                format!(
                    "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -row-mt 1 -b:v 0 -crf {}",
                    24 + worse / 3
                )
            }
            "libx264" => format!("-c:v libx264 -preset veryfast -crf {} -bf 0", 16 + worse / 2),
            _ => format!("-c:v mpeg4 -q:v {} -bf 0", 2 + worse / 5),
        };
        Ok(arguments.split(' ').map(str::to_owned).collect())
    }
}

fn spawn_error(path: &Path, error: &io::Error) -> SinkError {
    let path = path.display().to_string();
    if error.kind() == io::ErrorKind::NotFound {
        SinkError::Missing { path, program: PROGRAM, hint: HINT }
    } else {
        SinkError::Encoder { path, why: format!("{PROGRAM} cannot be started: {error}") }
    }
}

/// A file name as `ffmpeg` takes it literally.
pub(super) fn file_url(path: &Path) -> OsString {
    let mut url = OsString::from("file:");
    url.push(path);
    url
}

/// A video that is being written through `ffmpeg`.
#[derive(Debug)]
pub(super) struct FfmpegWriter {
    /// As the user named it.
    path: PathBuf,
    container: Container,
    /// Where `ffmpeg` writes, and the name it gets at the end.
    target: PathBuf,
    last: Option<PathBuf>,
    /// Keeps other writers away from the partial file.
    _lock: Option<File>,
    abilities: Abilities,
    sound: Option<PathBuf>,
    fps: Option<f64>,
    quality: u8,
    running: Option<Running>,
    /// Why it stopped before its end.
    failed: bool,
}

/// The child and what it is fed with.
#[derive(Debug)]
struct Running {
    child: Child,
    stdin: ChildStdin,
    messages: JoinHandle<String>,
    /// `(width, height)` of the stream, even.
    size: (usize, usize),
    /// The three planes of a picture.
    planes: Vec<u8>,
    /// The source time in seconds that is the video's 0: of the first frame, or earlier where sound begins before it.
    origin: f64,
    /// The time stamp of the last frame in microseconds.
    stamp: Option<u64>,
    /// How far frames are apart at the least, in microseconds.
    min_step: u64,
}

impl Encoder for FfmpegWriter {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The first picture's time is the video's 0, unless sound begins before it.
    fn write(&mut self, bgra: &[u8], size: (usize, usize), time: f64) -> Result<(), SinkError> {
        if self.failed {
            return Err(self.encoder_error("it has stopped already".to_owned()));
        }
        let outcome = match &mut self.running {
            Some(running) => running.write(bgra, size, time),
            None => {
                let mut running = self.start(size, time)?;
                let outcome = running.write(bgra, size, time);
                self.running = Some(running);
                outcome
            }
        };
        // What the child says matters more than that its pipe broke.
        if let Err(why) = outcome {
            self.failed = true;
            let end = self.running.take().map(|running| running.end(PATIENCE));
            let why = end.and_then(|(status, said)| complaint(status, &said)).unwrap_or(why);
            return Err(self.encoder_error(why));
        }
        Ok(())
    }

    fn end(self: Box<Self>, end: End) -> Result<(), SinkError> {
        match end {
            End::Complete => self.finish(),
            End::Stopped => Ok(()),
            End::Discarded => {
                // What is written in place was there before.
                let partial = self.last.as_ref().is_some_and(|last| *last != self.target);
                let partial = partial.then(|| self.target.clone());
                drop(self);
                if let Some(partial) = partial {
                    // That it cannot be removed changes nothing: the run has failed for another reason.
                    let _ = std::fs::remove_file(partial);
                }
                Ok(())
            }
        }
    }
}

impl FfmpegWriter {
    /// A GIF, which has no sound: see [`FfmpegWriter::create`]. The child has all pictures before it finds their colours.
    pub(super) fn create_gif(path: &Path, fps: f64) -> Result<Self, SinkError> {
        let mut writer = Self::create(path, Some(fps), 100, None)?;
        writer.container = Container::Gif;
        Ok(writer)
    }

    /// Checks the place and the program; the child is started with the first frame.
    pub(super) fn create(
        path: &Path,
        fps: Option<f64>,
        quality: u8,
        sound: Option<PathBuf>,
    ) -> Result<Self, SinkError> {
        let container = Container::of(path).unwrap_or(Container::Mp4);
        let place = Place::of(path)?;
        let abilities = Abilities::ask(path)?;
        let (target, last, lock) = match place {
            Place::Stdout | Place::Direct(_) => (path.to_owned(), None, None),
            Place::Partial { partial, last } => {
                let Opened { file, target } = open_alone(path, &partial, &last)?;
                (target, Some(last), Some(file))
            }
        };
        let path = path.to_owned();
        Ok(Self {
            path,
            container,
            target,
            last,
            _lock: lock,
            abilities,
            sound,
            fps,
            quality,
            running: None,
            failed: false,
        })
    }

    /// Lets the child complete the file and gives it its name.
    fn finish(mut self) -> Result<(), SinkError> {
        if let Some(running) = self.running.take() {
            let (status, said) = running.end(Duration::MAX);
            if let Some(why) = complaint(status, &said) {
                return Err(self.encoder_error(why));
            }
        }
        let Some(last) = &self.last else { return Ok(()) };
        File::open(&self.target)
            .and_then(|file| {
                if *last == self.target {
                    file.sync_all()
                } else {
                    atomic_file::rename(&file, &self.target, last, Durability::OnDisk)
                }
            })
            .map_err(|error| SinkError::writing(&self.name(), Some(&self.target), &error))
    }

    fn encoder_error(&self, mut why: String) -> SinkError {
        if self.last.is_some() {
            why.push_str(&format!("; what was written so far is kept in {}", self.target.display()));
        }
        SinkError::Encoder { path: self.name(), why }
    }

    /// Starts the child for pictures of this size.
    fn start(&self, (width, height): (usize, usize), origin: f64) -> Result<Running, SinkError> {
        // Colour is stored for two by two pixels.
        let size = (width.next_multiple_of(2), height.next_multiple_of(2));
        let mut command = Command::new(PROGRAM);
        command.args(["-hide_banner", "-nostats", "-loglevel", "error", "-y"]);
        command.args(["-probesize", "32", "-analyzeduration", "0", "-f", "matroska", "-i", "pipe:0"]);
        let sound = self.sound.as_deref().and_then(|path| Sound::usable(path, self.container, &self.name()));
        if let Some(sound) = &sound {
            // The sound keeps its own time stamps, but for the shift that the pictures get.
            command.args(sound.arguments(origin));
        }
        let origin = origin - sound.map_or(0.0, |sound| sound.lead(origin));
        command.args([if self.abilities.fps_mode { "-fps_mode" } else { "-vsync" }, "passthrough"]);
        if self.container == Container::Gif {
            command.args(["-filter_complex", PALETTE, "-c:v", "gif"]);
        } else {
            command.args(["-enc_time_base", &format!("1:{TIMEBASE}"), "-pix_fmt", "yuv420p"]);
            let codec = self.abilities.video_codec(self.container, self.quality);
            command.args(codec.map_err(|why| self.encoder_error(why))?);
            // A fragment starts at a key frame: one every two seconds, so that no more than that can be lost.
            command.args(["-force_key_frames", "expr:isnan(prev_forced_t)+gte(t,prev_forced_t+2)"]);
            command.args(COLOURS);
        }
        command.args(["-flush_packets", "1"]);
        command.args(self.container.arguments()).arg(file_url(&self.target));
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        // Its own process group: Ctrl-C is for us, and the child ends when we close its input.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(|error| spawn_error(&self.path, &error))?;
        let (Some(mut stdin), Some(stderr)) = (child.stdin.take(), child.stderr.take()) else {
            return Err(self.encoder_error("its pipes are missing".to_owned()));
        };
        let messages = std::thread::Builder::new()
            .name("encoder messages".to_owned())
            .spawn(move || last_lines(stderr))
            .map_err(|error| self.encoder_error(error.to_string()))?;
        let (width, height) = size;
        // A child that refuses its arguments may be gone already: the first picture finds out.
        let _ = stdin.write_all(&matroska::head(width as u32, height as u32, self.fps));
        let planes = vec![0; width * height + width * height / 2];
        let min_step = self.container.min_step();
        if min_step >= 1000 && self.container != Container::Gif && self.fps.is_some_and(|fps| fps > 1000.0) {
            log::warn!(
                "{}: this kind of file counts milliseconds, so that its frames are moved apart; .mp4 keeps their times",
                self.path.display()
            );
        }
        Ok(Running { child, stdin, messages, size, planes, origin, stamp: None, min_step })
    }
}

impl Running {
    fn write(&mut self, bgra: &[u8], size: (usize, usize), time: f64) -> Result<(), String> {
        // A negative or broken difference becomes 0.
        let wished = ((time - self.origin) * 1e6).round() as u64;
        let stamp = self.stamp.map_or(wished, |last| wished.max(last.saturating_add(self.min_step)));
        self.stamp = Some(stamp);
        to_i420(&padded(bgra, size), self.size, &mut self.planes)?;
        let head = matroska::picture_head(stamp, self.planes.len());
        self.stdin
            .write_all(&head)
            .and_then(|()| self.stdin.write_all(&self.planes))
            .map_err(|error| error.to_string())
    }

    /// Closes the child's input and waits for its end, but no longer than `limit`: how it ended, and what it said last.
    fn end(self, limit: Duration) -> (io::Result<ExitStatus>, String) {
        let Self { mut child, stdin, messages, .. } = self;
        drop(stdin);
        let begun = Instant::now();
        while begun.elapsed() < limit && matches!(child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        // No harm where it has ended by itself.
        let _ = child.kill();
        let status = child.wait();
        (status, messages.join().unwrap_or_default())
    }
}

impl Drop for FfmpegWriter {
    /// The child completes what it has; the file keeps its partial name. Sound that goes on after the last picture is not
    /// waited for: the file plays up to there all the same.
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let limit = if self.sound.is_some() { SOUND_PATIENCE } else { PATIENCE };
            let (status, said) = running.end(limit);
            if self.sound.is_none()
                && let Some(why) = complaint(status, &said)
            {
                log::warn!("{}: {why}", self.name());
            }
        }
    }
}

/// What is wrong with how the child ended, if anything.
fn complaint(status: io::Result<ExitStatus>, said: &str) -> Option<String> {
    let full = said.contains("No space left on device");
    let ended = match status {
        Ok(status) if status.success() && !full => return None,
        Ok(status) => format!("{PROGRAM} ended with {status}"),
        Err(error) => format!("{PROGRAM} cannot be waited for: {error}"),
    };
    let hint = if full { " (the disk is full; free some space or choose another place)" } else { "" };
    Some(if said.is_empty() { format!("{ended}{hint}") } else { format!("{ended}{hint}: {said}") })
}

/// The last lines of the child's messages, joined with ` | `; never much memory, however much it says.
fn last_lines(stderr: impl Read) -> String {
    let mut stderr = BufReader::new(stderr);
    let (mut lines, mut line) = (VecDeque::new(), Vec::new());
    while matches!(stderr.by_ref().take(KEPT_LINE).read_until(b'\n', &mut line), Ok(1..)) {
        let text = String::from_utf8_lossy(&line).trim().to_owned();
        line.clear();
        if !text.is_empty() {
            lines.push_back(text);
        }
        if lines.len() > KEPT_LINES {
            lines.pop_front();
        }
    }
    Vec::from(lines).join(" | ")
}

/// Repeats the last column and row of a picture of four bytes a pixel where a side is odd: colour is stored for two by
/// two pixels.
fn padded(bgra: &[u8], (width, height): (usize, usize)) -> Cow<'_, [u8]> {
    if width % 2 == 0 && height % 2 == 0 {
        return bgra.into();
    }
    let mut whole = Vec::with_capacity((width + 1) * (height + 1) * 4);
    let rows: Vec<&[u8]> = bgra.chunks_exact(width * 4).collect();
    for row in rows.iter().chain(rows.last().filter(|_| height % 2 == 1)) {
        whole.extend_from_slice(row);
        if width % 2 == 1 {
            whole.extend_from_slice(&row[row.len() - 4..]);
        }
    }
    whole.into()
}

/// Converts `bgra` of `width × height` pixels (both even) to the planes of I420: BT.709, limited range.
fn to_i420(bgra: &[u8], (width, height): (usize, usize), planes: &mut [u8]) -> Result<(), String> {
    let (luma, chroma) = planes.split_at_mut(width * height);
    let (u, v) = chroma.split_at_mut(width / 2 * (height / 2));
    let (width, height) = (width as u32, height as u32);
    let mut image = YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(luma),
        y_stride: width,
        u_plane: BufferStoreMut::Borrowed(u),
        u_stride: width / 2,
        v_plane: BufferStoreMut::Borrowed(v),
        v_stride: width / 2,
        width,
        height,
    };
    let (range, matrix, mode) = (YuvRange::Limited, YuvStandardMatrix::Bt709, YuvConversionMode::Balanced);
    bgra_to_yuv420(&mut image, bgra, width * 4, range, matrix, mode).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primaries_have_their_values_of_bt709() {
        // ITU-R BT.709, 8 bit, limited range.
        for (bgr, y, u, v) in [
            ([255, 255, 255], 235u8, 128u8, 128u8),
            ([0, 0, 0], 16, 128, 128),
            ([0, 0, 255], 63, 102, 240),
            ([0, 255, 0], 173, 42, 26),
            ([255, 0, 0], 32, 240, 118),
        ] {
            let bgra = [bgr[0], bgr[1], bgr[2], 0].repeat(3);
            let mut planes = [9; 12];
            // 3×1 becomes 4×2.
            to_i420(&padded(&bgra, (3, 1)), (4, 2), &mut planes).unwrap();
            let near = |a: u8, b: u8| a.abs_diff(b) <= 1;
            assert!(planes[..8].iter().all(|&value| near(value, y)), "{bgr:?}: {planes:?}");
            assert!(planes[8..10].iter().all(|&value| near(value, u)), "{bgr:?}: {planes:?}");
            assert!(planes[10..].iter().all(|&value| near(value, v)), "{bgr:?}: {planes:?}");
        }
    }

    #[test]
    fn padding_repeats_the_edge() {
        let pixel = |value: u8| [value; 4];
        let picture = [pixel(1), pixel(2), pixel(3)].concat();
        let wanted = [[1u8, 2, 3, 3].map(pixel), [1u8, 2, 3, 3].map(pixel)].concat().concat();
        assert_eq!(padded(&picture, (3, 1)).as_ref(), wanted);
        assert_eq!(padded(&picture, (1, 3)).len(), 2 * 4 * 4);
        assert!(matches!(padded(&wanted, (4, 2)), Cow::Borrowed(_)));
    }

    #[test]
    fn only_the_last_messages_are_kept() {
        let flood: String = (0..10_000).map(|i| format!("line {i}\n")).collect();
        let kept = last_lines(flood.as_bytes());
        assert!(kept.starts_with("line 9988 | ") && kept.ends_with(" | line 9999"), "{kept}");
        assert!(last_lines(&[b'x'; 1 << 20][..]).len() < 6000);
    }
}
