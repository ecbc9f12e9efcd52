//! `trailsight models`: detectors known by name, and what a detector's file is.

mod pull;
mod show;
mod stock;

use super::{Failure, loaded, print};
use crate::cli::{CommonArgs, ModelsCommand};

/// The model of the settings need not be there: these commands are how it comes.
pub(super) fn run(command: &ModelsCommand, common: &CommonArgs) -> Result<(), Failure> {
    match command {
        ModelsCommand::Show(args) => show::run(args, &loaded(common, Vec::new())?),
        ModelsCommand::List => print(&stock::list()?).map(drop),
        ModelsCommand::Pull(args) => pull::run(args, &loaded(common, Vec::new())?, common.quiet),
        ModelsCommand::Rm(args) => stock::remove(&args.names, common.quiet),
        ModelsCommand::Verify(args) => stock::verify(&args.names),
        ModelsCommand::Path(args) => print(&stock::path(&args.name)?).map(drop),
    }
}
