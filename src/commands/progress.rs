//! What is told while it runs: the progress bar and the log, which share the terminal.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::labels::Labels;
use crate::pipeline::Outputs;
use crate::pipeline::headless::Census;
use crate::sink::partial_name;
use crate::source::{NOTICE, SourceInfo, redact};

fn bars() -> &'static MultiProgress {
    static BARS: OnceLock<MultiProgress> = OnceLock::new();
    BARS.get_or_init(MultiProgress::new)
}

/// Sends the log to standard error, above the progress bar: warnings, with `-v` what is done, with `-vv` everything.
/// What a source has to tell is told in any case. Other crates are heard only from warnings on.
pub(super) fn log_to_stderr(verbose: u8, quiet: bool) {
    let level = match (quiet, verbose) {
        (true, _) => log::LevelFilter::Error,
        (false, 0) => log::LevelFilter::Warn,
        (false, 1) => log::LevelFilter::Info,
        (false, _) => log::LevelFilter::Debug,
    };
    let others = level.min(log::LevelFilter::Warn);
    let logger = env_logger::Builder::new()
        .filter_level(others)
        .filter_module("trailsight", level)
        .filter_module(NOTICE, if quiet { level } else { level.max(log::LevelFilter::Info) })
        // And which model was chosen.
        .filter_module("trailsight::zoo", if quiet { level } else { level.max(log::LevelFilter::Info) })
        // tract tells of every graph that it simplifies.
        .filter_module("tract", log::LevelFilter::Error)
        .format(|buffer, record| {
            use std::io::Write;
            match record.level() {
                log::Level::Error | log::Level::Warn => {
                    writeln!(buffer, "trailsight: {}", showable(&record.args().to_string()))
                }
                _ => writeln!(buffer, "{}", showable(&record.args().to_string())),
            }
        })
        .build();
    let highest = logger.filter();
    if indicatif_log_bridge::LogWrapper::new(bars().clone(), logger).try_init().is_ok() {
        log::set_max_level(highest);
    }
}

/// Whether anything is drawn.
fn is_drawn(quiet: bool) -> bool {
    !quiet && std::io::stderr().is_terminal()
}

/// Writes a line to standard error, above what is drawn there.
pub(super) fn say(text: &str) {
    bars().suspend(|| eprintln!("{}", showable(text)));
}

/// Tells the names of the files, on standard error. After a run that was `whole` the files have their names, but for those
/// whose output failed.
pub(super) fn name_what_was_written(outputs: &Outputs, whole: bool) {
    for path in outputs.paths().filter(|path| **path != *Path::new("-")) {
        let partial = partial_name(path);
        if partial.exists() {
            say(&format!("not complete, kept as {}", partial.display()));
        } else if whole {
            say(&format!("wrote {}", path.display()));
        }
    }
}

/// How many tracks of each class there were, most first.
pub(super) fn census_line(census: &Census, labels: &Labels) -> String {
    let total = census.total();
    if total.is_empty() {
        return "none".to_owned();
    }
    total
        .iter()
        .map(|(class, count)| format!("{count} {}", labels.name(*class)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// What may be shown in a terminal of a text with names in it: no passwords of addresses, and nothing that the terminal
/// would obey.
pub(super) fn showable(text: &str) -> String {
    let obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    redact(text).chars().map(|c| if obeyed(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// A bar for a run over this source, not yet shown. With `named` the source's name stands before it.
fn bar_of(info: &SourceInfo, named: bool) -> ProgressBar {
    let by_time = || info.duration.zip(info.rate).map(|(duration, rate)| (duration * rate).round() as u64);
    let length = info.frames.or_else(by_time).filter(|&frames| frames > 0);
    let bar = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let template = match (named, length.is_some()) {
        (false, true) => "{bar:28} {pos}/{len} frames  {per_sec}  {eta} left  {msg}",
        (true, true) => "{prefix:20!} {bar:14} {pos}/{len}  {per_sec}  {eta} left  {msg}",
        (false, false) => "{spinner} {pos} frames  {per_sec}  {elapsed}  {msg}",
        (true, false) => "{prefix:20!} {spinner} {pos} frames  {per_sec}  {elapsed}  {msg}",
    };
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("per_sec", |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = write!(out, "{:.1} fps", state.per_sec());
        });
    bar.with_style(style).with_prefix(showable(&info.name).replace('\n', " "))
}

/// A progress bar for a run over this source: frames, frames a second, and the time left where the length is known.
/// Nothing is drawn where standard error is no terminal, or with `quiet`.
pub(super) fn bar(info: &SourceInfo, quiet: bool) -> ProgressBar {
    let bar = bar_of(info, false);
    if !is_drawn(quiet) {
        bar.set_draw_target(ProgressDrawTarget::hidden());
        return bar;
    }
    let bar = bars().add(bar);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// As [`bar`], with the source's name, above the line `below`.
pub(super) fn named_bar(info: &SourceInfo, below: &ProgressBar, quiet: bool) -> ProgressBar {
    let bar = bar_of(info, true);
    if !is_drawn(quiet) {
        bar.set_draw_target(ProgressDrawTarget::hidden());
        return bar;
    }
    let bar = bars().insert_before(below, bar);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A line of which only the message is shown.
pub(super) fn line(quiet: bool) -> ProgressBar {
    let line = ProgressBar::no_length();
    if !is_drawn(quiet) {
        line.set_draw_target(ProgressDrawTarget::hidden());
        return line;
    }
    let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    bars().add(line.with_style(style))
}

/// A progress bar for a known number of `what`, with the time left.
pub(super) fn steps(length: u64, what: &str, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if !is_drawn(quiet) {
        bar.set_draw_target(ProgressDrawTarget::hidden());
        return bar;
    }
    let template = format!("{{bar:28}} {{pos}}/{{len}} {what}  {{eta}} left  {{msg}}");
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = bars().add(bar.with_style(style));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A progress bar for so many bytes, with the rate and the time left.
#[cfg(feature = "pull")]
pub(super) fn bytes(length: u64, name: &str, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if !is_drawn(quiet) {
        bar.set_draw_target(ProgressDrawTarget::hidden());
        return bar;
    }
    let template = "{prefix} {bar:28} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = bars().add(bar.with_style(style).with_prefix(name.to_owned()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
