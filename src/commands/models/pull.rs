//! `trailsight models pull`: fetches models into the cache.

use super::stock::megabytes;
use crate::cli::PullArgs;
use crate::commands::{Failure, progress};
use crate::config::Loaded;
use crate::zoo::{Cache, Entry, Table, ZooError};

pub(super) fn run(args: &PullArgs, loaded: &Loaded, quiet: bool) -> Result<(), Failure> {
    let (table, cache) = (Table::load()?, Cache::of_user()?);
    // All names are known before anything is fetched.
    let entries = args.names.iter().map(|name| table.find(name)).collect::<Result<Vec<_>, _>>()?;
    let there = |entry: &Entry| {
        if !quiet {
            progress::say(&format!("{} is here: {}", entry.name, cache.path(entry).display()));
        }
    };
    for entry in entries {
        if entry.built_in {
            progress::say(&format!("{} is built into the program: there is nothing to fetch", entry.name));
        } else if args.offline {
            match cache.verify(entry) {
                Err(ZooError::Missing { name }) => return Err(ZooError::Offline { name }.into()),
                other => other?,
            }
            there(entry);
        } else if fetch(entry, &cache, args, loaded, quiet)? {
            if !quiet {
                progress::say(&format!(
                    "fetched {}, {}; use it with detector.model = \"{}\"",
                    cache.path(entry).display(),
                    megabytes(entry.bytes),
                    entry.name
                ));
            }
        } else {
            there(entry);
        }
    }
    Ok(())
}

/// Fetches a model, if it is not there. True: it was fetched.
#[cfg(feature = "pull")]
fn fetch(
    entry: &Entry,
    cache: &Cache,
    args: &PullArgs,
    loaded: &Loaded,
    quiet: bool,
) -> Result<bool, Failure> {
    use crate::pipeline::Stop;
    use crate::zoo::{Mirror, PullOptions, PullStep, pull};

    let mirror = match args.mirror.as_deref() {
        Some(text) => text.parse::<Mirror>().map_err(|why| Failure::Usage(format!("--mirror: {why}")))?,
        None => loaded.settings.models.mirror.clone(),
    };
    let seconds = args.timeout;
    if !(0.1..=3600.0).contains(&seconds) {
        return Err(Failure::Usage(format!("--timeout {seconds}: allowed is a number from 0.1 to 3600")));
    }
    let options = PullOptions { mirror: mirror.0, patience: std::time::Duration::from_secs_f64(seconds) };
    // A signal ends the process at once, with the exit code that it has elsewhere; what came is kept.
    let _stop =
        Stop::on_signals().map_err(|error| Failure::Failed(format!("cannot catch signals: {error}")))?;
    let bar = progress::bytes(entry.bytes, &entry.name, quiet);
    let mut licence = !quiet;
    let fetched = pull(entry, cache, &options, &mut |step| match step {
        PullStep::Waiting => {
            progress::say(&format!("another trailsight fetches {}; waiting for it", entry.name))
        }
        PullStep::From(address, begin) => {
            if std::mem::take(&mut licence) {
                progress::say(&format!(
                    "{}: the code is under {}, the weights under {}; trained on {}",
                    entry.title, entry.licence, entry.weights, entry.data
                ));
            }
            let from = if begin > 0 { format!(", from byte {begin} on") } else { String::new() };
            log::info!("{address}{from}");
            bar.set_position(begin);
            bar.reset_eta();
        }
        PullStep::Bytes(bytes) => bar.set_position(bytes),
        PullStep::Failed(why) => progress::say(&format!("{why}; trying another address")),
    });
    bar.finish_and_clear();
    Ok(fetched?)
}

#[cfg(not(feature = "pull"))]
fn fetch(entry: &Entry, cache: &Cache, _: &PullArgs, _: &Loaded, _: bool) -> Result<bool, Failure> {
    if cache.verify(entry).is_ok() {
        return Ok(false);
    }
    let (address, path) = (entry.addresses.first().map_or("", String::as_str), cache.path(entry));
    Err(Failure::Failed(format!(
        "this program was built without fetching (cargo feature pull): fetch {address} otherwise, save it as {}, and check it \
         with `trailsight models verify {}`",
        path.display(),
        entry.name
    )))
}
