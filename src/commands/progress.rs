//! What is told while it runs: the progress bar and the log, which share the terminal.

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::source::{NOTICE, SourceInfo};

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
        // tract tells of every graph that it simplifies.
        .filter_module("tract", log::LevelFilter::Error)
        .format(|buffer, record| {
            use std::io::Write;
            match record.level() {
                log::Level::Error | log::Level::Warn => writeln!(buffer, "trailsight: {}", record.args()),
                _ => writeln!(buffer, "{}", record.args()),
            }
        })
        .build();
    let highest = logger.filter();
    if indicatif_log_bridge::LogWrapper::new(bars().clone(), logger).try_init().is_ok() {
        log::set_max_level(highest);
    }
}

/// A progress bar for a run over this source: frames, frames a second, and the time left where the length is known.
/// Nothing is drawn where standard error is no terminal, or with `quiet`.
pub(super) fn bar(info: &SourceInfo, quiet: bool) -> ProgressBar {
    let by_time = || info.duration.zip(info.rate).map(|(duration, rate)| (duration * rate).round() as u64);
    let length = info.frames.or_else(by_time).filter(|&frames| frames > 0);
    let bar = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let template = match length {
        Some(_) => "{bar:28} {pos}/{len} frames  {per_sec}  {eta} left  {msg}",
        None => "{spinner} {pos} frames  {per_sec}  {elapsed}  {msg}",
    };
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("per_sec", |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = write!(out, "{:.1} fps", state.per_sec());
        });
    if quiet || !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
        return bar;
    }
    let bar = bars().add(bar.with_style(style));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A progress bar for a known number of `what`, with the time left.
pub(super) fn steps(length: u64, what: &str, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if quiet || !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
        return bar;
    }
    let template = format!("{{bar:28}} {{pos}}/{{len}} {what}  {{eta}} left  {{msg}}");
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = bars().add(bar.with_style(style));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
