//! Several sources in one window, each in a tile of its own: with its own threads, tracker and ids, and a line of
//! numbers. They share the detector, one at a time. If a source fails, its tile shows the reason, and the others
//! continue.
//!
//! | file | what it holds |
//! |---|---|
//! | `open` | sources are opened on threads of their own, and tried again |
//! | `tile` | one source: its newest picture and tracks, how it is drawn |
//! | `layout` | where the tiles lie in the window |
//! | `view` | which tiles are shown; keys and mouse |
//! | `settings` | settings that change meanwhile |

mod layout;
mod open;
mod settings;
#[cfg(test)]
mod tests;
mod tile;
mod view;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::config::Live;
use crate::detect::DetectSettings;
use crate::engine::DetectionSource;
use crate::pipeline::status::StatusFile;
use crate::pipeline::{DetectorScheduler, RunError, Stop, stop};
use crate::sink::write_snapshot;
use crate::ui::change::LiveSettings;
use crate::ui::command::Command;
use crate::ui::error::UiError;
use crate::ui::event::Event;
use crate::ui::keys::{self, Scope};
use crate::ui::message::Message;
use crate::ui::pace::{NUMBERS, Pace, STILL};
use crate::ui::status::GridState;
use crate::ui::surface::Surface;
use crate::view::{BACKGROUND, Canvas, TilePainter, draw_alert, draw_banner};

pub use layout::{Cell, MAX_TILES, layout};
pub use open::{Open, Opened};
use tile::{RunFacts, Tile};
pub use view::GridView;

/// The window is drawn at most this often: the pictures of several sources come at any moment.
const BEAT: Duration = Duration::from_millis(16);

/// One of the sources.
pub struct GridSource {
    /// What it is called until it is open.
    pub name: String,
    /// A camera or an address: where it is not there it may come.
    pub live: bool,
    /// How long one that is not there is waited for; `None`: for ever.
    pub give_up: Option<Duration>,
    /// Opens it.
    pub open: Arc<Open>,
}

/// What a grid begins with.
pub struct GridSetup {
    /// The sources, [`MAX_TILES`] at most.
    pub sources: Vec<GridSource>,
    /// The network, for all of them.
    pub detector: DetectionSource,
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
    detector: DetectionSource,
    scheduler: DetectorScheduler,
    settings: LiveSettings,
    /// The settings of `detector`: sources begin with it, also when another network was asked for since.
    loaded: DetectSettings,
    repeat: bool,
    paused: bool,
    stop: Stop,
}

/// Several sources in the window.
struct Grid {
    common: Common,
    tiles: Vec<Tile>,
    /// Threads that open sources.
    openers: Vec<JoinHandle<()>>,
    view: GridView,
    painter: TilePainter,
    canvas: Canvas,
    places: Vec<Option<Cell>>,
    message: Message,
    /// Help or a message lies over the tiles.
    covered: bool,
    /// Everything has to be drawn again.
    redraw: bool,
    status: Option<StatusFile>,
    exit_at_end: bool,
}

impl GridSetup {
    /// Runs until the window is closed, all sources have ended (with `exit_at_end`), or a signal comes.
    ///
    /// # Errors
    /// [`UiError`]; what goes wrong with a source only where not one of them ever gave a picture.
    pub fn run(self, surface: &mut dyn Surface) -> Result<(), UiError> {
        let tiles = self.sources.into_iter().zip(1..).map(|(source, number)| Tile::new(number, source));
        let settings = LiveSettings::new(self.live);
        let mut grid = Grid {
            tiles: tiles.collect(),
            openers: Vec::new(),
            view: GridView::default(),
            painter: TilePainter::default(),
            canvas: Canvas::default(),
            places: Vec::new(),
            message: Message::default(),
            covered: false,
            redraw: true,
            status: self.status_file.map(StatusFile::new),
            exit_at_end: self.exit_at_end,
            common: Common {
                detector: self.detector,
                scheduler: DetectorScheduler::default(),
                loaded: settings.get().detector.clone(),
                settings,
                repeat: self.repeat,
                paused: false,
                stop: self.stop,
            },
        };
        let shown = grid.run(surface);
        grid.close(shown)
    }
}

impl Grid {
    fn run(&mut self, surface: &mut dyn Surface) -> Result<(), UiError> {
        for tile in &mut self.tiles {
            self.openers.extend(tile.open(None, &self.common.stop));
        }
        let mut pace = Pace::new(BEAT);
        while !self.common.stop.is_asked() {
            for event in surface.events() {
                if !matches!(event, Event::MouseMove { .. } | Event::Wheel { .. }) {
                    self.redraw = true;
                    pace.busy();
                }
                if self.view.handle(event).is_some_and(|command| self.handle_command(command)) {
                    return Ok(());
                }
            }
            self.redraw |= self.poll_changes();
            self.select_frames();
            if self.exit_at_end && self.tiles.iter().all(Tile::is_over) {
                return Ok(());
            }
            self.redraw |= self.message.expire();
            let over = self.tiles.iter().all(Tile::is_over);
            let still = self.common.paused || over;
            let new = self.redraw || self.tiles.iter().any(|tile| self.wants_drawing(tile));
            let since = pace.since_drawn();
            if new && since < BEAT {
                std::thread::sleep(BEAT - since);
            } else if new {
                pace.drawn();
                if !over {
                    pace.busy();
                }
                self.draw(surface)?;
                self.update_status(still)?;
            } else if if still { since > STILL } else { surface.is_stale() } {
                pace.drawn();
                surface.present(&self.canvas)?;
                self.update_status(still)?;
            } else {
                self.nap(pace.nap(still));
            }
        }
        Ok(())
    }

    fn select_frames(&mut self) {
        for tile in &mut self.tiles {
            if tile.select_frame(&self.common, self.common.paused) {
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
        let numbers = if self.common.paused { STILL } else { NUMBERS };
        in_sight && tile.wants_drawing(numbers, self.common.settings.get().enhance.show)
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

    /// Carries out a command; true where the run is over.
    fn handle_command(&mut self, command: Command) -> bool {
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
                self.message.notify(match saved {
                    Ok(path) => format!("saved {}", path.display()),
                    Err(error) => error.to_string(),
                });
            }
            other => {
                if let Some(change) = self.common.settings.command(other) {
                    self.take(change);
                }
            }
        }
        false
    }

    fn draw(&mut self, surface: &mut dyn Surface) -> Result<(), UiError> {
        let (width, height) = surface.size();
        let sizes: Vec<_> = self.tiles.iter().map(Tile::size).collect();
        let places = self.view.place((width, height), &sizes);
        self.canvas.resize(width, height);
        // What lay over the tiles has to be painted over.
        let redraw = self.redraw || self.covered || self.places != places;
        if redraw {
            self.canvas.clear(BACKGROUND);
        }
        let settings = self.common.settings.get();
        let paused = self.common.paused;
        for (tile, place) in self.tiles.iter_mut().zip(&places) {
            let Some(cell) = place else { continue };
            let numbers = if paused { STILL } else { NUMBERS };
            let draw =
                self.redraw || self.places != places || tile.wants_drawing(numbers, settings.enhance.show);
            if draw {
                tile.draw(&mut self.painter, settings, (cell.width, cell.height), paused);
            }
            if draw || redraw {
                cell.put(&tile.canvas, &mut self.canvas);
            }
        }
        (self.places, self.redraw) = (places, false);
        self.draw_over();
        surface.present(&self.canvas)?;
        for (tile, place) in self.tiles.iter_mut().zip(&self.places) {
            if place.is_some() {
                tile.presented();
            }
        }
        Ok(())
    }

    /// Draws what concerns all sources: help, messages, mistakes of the config file.
    fn draw_over(&mut self) {
        let (width, height) = (self.canvas.width(), self.canvas.height());
        let scale = self.common.settings.get().overlay.scale.factor(width, height);
        let (canvas, text) = (&mut self.canvas, self.painter.text());
        self.covered = self.view.help_open();
        if self.view.help_open() {
            keys::draw_help(canvas, text, scale, Scope::Grid);
        }
        let mut floor = height as f32;
        if let Some(problem) = self.common.settings.live.problem() {
            floor = draw_alert(canvas, text, problem, (scale, floor));
            self.covered = true;
        }
        if let Some((message, alpha)) = self.message.fading() {
            draw_banner(canvas, text, message, (scale, floor), alpha);
            self.covered = true;
        }
    }

    fn update_status(&mut self, still: bool) -> Result<(), UiError> {
        match &self.status {
            Some(status) if still || !status.is_fresh() => self.write_status(false),
            _ => Ok(()),
        }
    }

    fn write_status(&mut self, closed: bool) -> Result<(), UiError> {
        let Some(status) = &mut self.status else { return Ok(()) };
        let common = &self.common;
        let run =
            RunFacts { live: &common.settings.live, paused: common.paused, repeat: common.repeat, closed };
        let state = GridState {
            version: 1,
            sources: self.tiles.iter().map(|tile| tile.state(&run)).collect(),
            enlarged: self.view.enlarged().map(|number| number + 1),
            paused: common.paused,
            message: self.message.text(),
            problem: common.settings.live.problem(),
            closed,
        };
        Ok(status.write(&state)?)
    }

    /// Ends the threads of all sources at the same time.
    fn close(mut self, shown: Result<(), UiError>) -> Result<(), UiError> {
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
                log::warn!("the thread {name} is still busy; the program does not wait for it");
            }
        });
        shown?;
        match failures.into_iter().next() {
            Some(failure) if !seen => Err(failure.into()),
            _ => told,
        }
    }
}
