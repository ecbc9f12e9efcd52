//! Several sources in one window, each in a tile of its own: with its own threads, tracker and ids, and a line of numbers.
//! They take turns at the detector. What goes wrong with one of them is told in its tile and leaves the others alone.
//!
//! | file | what it holds |
//! |---|---|
//! | `open` | sources are opened beside everything else, and tried again |
//! | `tile` | one source: what is new, what is drawn, what is told |
//! | `tune` | settings that change while it runs |

mod layout;
mod open;
mod tile;
mod tune;
mod view;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::config::{Live, Settings, Watch};
use crate::detect::Detector;
use crate::pipeline::status::StatusFile;
use crate::pipeline::{DetectorScheduler, RunError, Stop, stop};
use crate::sink::write_snapshot;
use crate::ui::command::Command;
use crate::ui::event::Event;
use crate::ui::keys::{self, Scope};
use crate::ui::session::status::WallState;
use crate::ui::session::{LONG_NAP, MESSAGE, NAP, NUMBERS, QUIET, STILL, ShowError};
use crate::ui::surface::Surface;
use crate::view::{BACKGROUND, Canvas, TilePainter, draw_alert, draw_banner};

pub use layout::{Cell, MAX_TILES, layout};
pub use open::{Open, Opened};
use tile::Tile;
pub use view::GridView;

/// The window is drawn at most this often: the pictures of several sources come at any moment.
const BEAT: Duration = Duration::from_millis(16);

/// One of the sources.
pub struct WallSource {
    /// What it is called until it is open.
    pub name: String,
    /// A camera or an address: where it is not there it may come.
    pub live: bool,
    /// How long one that is not there is waited for; `None`: for ever.
    pub give_up: Option<Duration>,
    /// Opens it.
    pub open: Arc<Open>,
}

/// What a run with several sources is made of.
pub struct Wall {
    /// The sources, [`MAX_TILES`] at most.
    pub sources: Vec<WallSource>,
    /// The network, for all of them.
    pub detector: Detector,
    /// The settings in force; the file and keys change them.
    pub live: Live,
    /// Begin recordings again at their end.
    pub repeat: bool,
    /// Close the window when all sources have come to their end.
    pub exit_at_end: bool,
    /// Where the state is written for other programs.
    pub status_file: Option<PathBuf>,
    /// When to end.
    pub stop: Stop,
}

/// What all tiles have in common.
struct Common {
    detector: Detector,
    scheduler: DetectorScheduler,
    live: Live,
    /// The settings at the beginning: the network stays what it is in them.
    begun: Settings,
    repeat: bool,
    paused: bool,
    stop: Stop,
}

/// Where a run stands.
struct Stage {
    common: Common,
    tiles: Vec<Tile>,
    /// Threads that open sources.
    openers: Vec<JoinHandle<()>>,
    view: GridView,
    painter: TilePainter,
    canvas: Canvas,
    places: Vec<Option<Cell>>,
    message: Option<(String, Instant)>,
    /// Help or a message lies over the tiles.
    covered: bool,
    /// Everything is to be drawn anew.
    anew: bool,
    status: Option<StatusFile>,
    watch: Option<Watch>,
    exit_at_end: bool,
}

impl Wall {
    /// Runs until the window is closed, all sources have ended (with `exit_at_end`), or a signal comes.
    ///
    /// # Errors
    /// [`ShowError`]; what goes wrong with a source only where not one of them ever gave a picture.
    pub fn run(self, surface: &mut dyn Surface) -> Result<(), ShowError> {
        let tiles = self.sources.into_iter().zip(1..).map(|(source, number)| Tile::new(number, source));
        let mut stage = Stage {
            tiles: tiles.collect(),
            openers: Vec::new(),
            view: GridView::default(),
            painter: TilePainter::default(),
            canvas: Canvas::default(),
            places: Vec::new(),
            message: None,
            covered: false,
            anew: true,
            status: self.status_file.map(StatusFile::new),
            watch: crate::ui::session::tune::watch(&self.live),
            exit_at_end: self.exit_at_end,
            common: Common {
                detector: self.detector,
                scheduler: DetectorScheduler::default(),
                begun: self.live.settings().clone(),
                live: self.live,
                repeat: self.repeat,
                paused: false,
                stop: self.stop,
            },
        };
        let shown = stage.run(surface);
        stage.close(shown)
    }
}

impl Stage {
    fn run(&mut self, surface: &mut dyn Surface) -> Result<(), ShowError> {
        for tile in &mut self.tiles {
            self.openers.extend(tile.open(None, &self.common.stop));
        }
        let (mut drawn, mut busy) = (Instant::now() - BEAT, Instant::now());
        while !self.common.stop.is_asked() {
            for event in surface.events() {
                if !matches!(event, Event::MouseMove { .. } | Event::Wheel { .. }) {
                    (self.anew, busy) = (true, Instant::now());
                }
                if self.view.handle(event).is_some_and(|command| self.obey(command)) {
                    return Ok(());
                }
            }
            self.anew |= self.hear_of_changes();
            self.fetch();
            if self.exit_at_end && self.tiles.iter().all(Tile::is_over) {
                return Ok(());
            }
            if self.message.as_ref().is_some_and(|(_, until)| Instant::now() > *until) {
                (self.message, self.anew) = (None, true);
            }
            let over = self.tiles.iter().all(Tile::is_over);
            let still = self.common.paused || over;
            let new = self.anew || self.tiles.iter().any(|tile| self.wants_drawing(tile));
            let since = drawn.elapsed();
            if new && since < BEAT {
                std::thread::sleep(BEAT - since);
            } else if new {
                drawn = Instant::now();
                if !over {
                    busy = drawn;
                }
                self.draw(surface)?;
                self.tell_status(still)?;
            } else if if still { since > STILL } else { surface.is_stale() } {
                drawn = Instant::now();
                surface.present(&self.canvas)?;
                self.tell_status(still)?;
            } else {
                self.nap(if still && busy.elapsed() > QUIET { LONG_NAP } else { NAP });
            }
        }
        Ok(())
    }

    fn fetch(&mut self) {
        for tile in &mut self.tiles {
            if tile.fetch(&self.common, self.common.paused) {
                let before = tile.take_pipeline();
                self.openers.retain(|thread| !thread.is_finished());
                self.openers.extend(tile.open(before, &self.common.stop));
            }
        }
    }

    /// Whether a tile that is in sight has something new to show.
    fn wants_drawing(&self, tile: &Tile) -> bool {
        let at = self.tiles.iter().position(|other| std::ptr::eq(other, tile));
        let in_sight = at.and_then(|at| self.places.get(at)).is_none_or(Option::is_some);
        in_sight && tile.wants_drawing(if self.common.paused { STILL } else { NUMBERS })
    }

    /// Sleeps until there may be something new; a picture that comes ends the nap.
    fn nap(&self, nap: Duration) {
        let mut select = crossbeam_channel::Select::new();
        let frames = self.tiles.iter().filter_map(Tile::frames);
        if frames.map(|frames| select.recv(frames)).count() == 0 || self.common.paused {
            return std::thread::sleep(nap);
        }
        let _ = select.ready_timeout(nap);
    }

    /// Does what a key asks for; true: this run is over.
    fn obey(&mut self, command: Command) -> bool {
        match command {
            Command::Quit => return true,
            Command::Pause => {
                let paused = !self.common.paused;
                self.common.paused = paused;
                for pipeline in self.tiles.iter().filter_map(|tile| tile.pipeline.as_ref()) {
                    pipeline.playback.set_paused(paused && !pipeline.info.kind.is_live());
                }
            }
            Command::Snapshot => {
                let saved = write_snapshot(&self.canvas, Path::new("."));
                self.tell(match saved {
                    Ok(path) => format!("saved {}", path.display()),
                    Err(error) => error.to_string(),
                });
            }
            other => self.tune(other),
        }
        false
    }

    fn tell(&mut self, message: impl Into<String>) {
        self.message = Some((message.into(), Instant::now() + MESSAGE));
    }

    fn draw(&mut self, surface: &mut dyn Surface) -> Result<(), ShowError> {
        let (width, height) = surface.size();
        let sizes: Vec<_> = self.tiles.iter().map(Tile::size).collect();
        let places = self.view.place((width, height), &sizes);
        self.canvas.resize(width, height);
        // What lay over the tiles leaves its traces.
        let anew = self.anew || self.covered || self.places != places;
        if anew {
            self.canvas.clear(BACKGROUND);
        }
        let settings = self.common.live.settings();
        let look = (&settings.overlay, settings.enhance.show);
        let paused = self.common.paused;
        for (tile, place) in self.tiles.iter_mut().zip(&places) {
            let Some(cell) = place else { continue };
            let numbers = if paused { STILL } else { NUMBERS };
            let draw = self.anew || self.places != places || tile.wants_drawing(numbers);
            if draw {
                tile.draw(&mut self.painter, look, (cell.width, cell.height), paused);
            }
            if draw || anew {
                cell.put(&tile.canvas, &mut self.canvas);
            }
        }
        (self.places, self.anew) = (places, false);
        self.draw_over();
        surface.present(&self.canvas)?;
        for (tile, place) in self.tiles.iter_mut().zip(&self.places) {
            if place.is_some() {
                tile.seen();
            }
        }
        Ok(())
    }

    /// What concerns all of them: help, messages, what is wrong with the config file.
    fn draw_over(&mut self) {
        let (width, height) = (self.canvas.width(), self.canvas.height());
        let scale = self.common.live.settings().overlay.scale.factor(width, height);
        let (canvas, text) = (&mut self.canvas, self.painter.text());
        self.covered = self.view.help_open();
        if self.view.help_open() {
            keys::draw_help(canvas, text, scale, Scope::Grid);
        }
        let mut floor = height as f32;
        if let Some(problem) = self.common.live.problem() {
            floor = draw_alert(canvas, text, problem, (scale, floor));
            self.covered = true;
        }
        if let Some((message, until)) = &self.message {
            let left = until.saturating_duration_since(Instant::now()).as_secs_f32();
            draw_banner(canvas, text, message, (scale, floor), left.min(1.0));
            self.covered = true;
        }
    }

    fn tell_status(&mut self, still: bool) -> Result<(), ShowError> {
        match &self.status {
            Some(status) if still || !status.is_fresh() => self.write_status(false),
            _ => Ok(()),
        }
    }

    fn write_status(&mut self, closed: bool) -> Result<(), ShowError> {
        let Some(status) = &mut self.status else { return Ok(()) };
        let common = &self.common;
        let input = common.begun.detector.input.to_string();
        let facts = (common.paused, common.repeat, closed);
        let state = WallState {
            version: 1,
            sources: self.tiles.iter().map(|tile| tile.state(&common.live, input.clone(), facts)).collect(),
            enlarged: self.view.enlarged().map(|number| number + 1),
            paused: common.paused,
            message: self.message.as_ref().map(|(text, _)| text.as_str()),
            problem: common.live.problem(),
            closed,
        };
        Ok(status.write(&state)?)
    }

    /// Ends the threads of all sources at the same time.
    fn close(mut self, shown: Result<(), ShowError>) -> Result<(), ShowError> {
        let told = self.write_status(true);
        self.common.stop.ask_threads();
        let mut failures: Vec<RunError> = Vec::new();
        let seen = self.tiles.iter_mut().any(|tile| match tile.never_seen() {
            Some(failure) => {
                failures.push(failure);
                false
            }
            None => tile.was_seen(),
        });
        let pipelines: Vec<_> = self.tiles.iter_mut().filter_map(|tile| tile.pipeline.take()).collect();
        // What is still being opened ends with its receiver.
        self.tiles.clear();
        let openers = std::mem::take(&mut self.openers);
        std::thread::scope(|scope| {
            for pipeline in pipelines {
                // What went wrong was told when it did.
                scope.spawn(move || drop(pipeline.finish()));
            }
            for name in stop::join(openers) {
                log::warn!("the thread {name} is still busy and is left behind");
            }
        });
        shown?;
        match failures.into_iter().next() {
            Some(failure) if !seen => Err(failure.into()),
            _ => told,
        }
    }
}
