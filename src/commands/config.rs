//! `trailsight config`: show, check and write the settings.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use super::{Failure, print, tell_of_old_names};
use crate::cli::{CommonArgs, ConfigCommand};
use crate::config::{
    Loaded, check_counted_classes, check_heat_classes, check_rule_classes, default_file, schema,
};
use crate::detect::check_classes;

pub(super) fn run(command: &ConfigCommand, common: &CommonArgs) -> Result<(), Failure> {
    let given = common.given().map_err(Failure::Usage)?;
    match command {
        ConfigCommand::Show => {
            let loaded = Loaded::load(common.config.as_deref(), &given)?;
            tell_of_old_names(&loaded);
            print(&loaded.to_toml_with_origins()).map(drop)
        }
        ConfigCommand::Check { file } => {
            let loaded = Loaded::load(file.as_deref().or(common.config.as_deref()), &given)?;
            tell_of_old_names(&loaded);
            let labels = check_classes(&loaded.settings.detector)
                .map_err(|error| Failure::Usage(error.to_string()))?;
            check_counted_classes(&loaded.settings.counting, &labels)
                .and_then(|()| check_rule_classes(&loaded.settings, &labels))
                .and_then(|()| check_heat_classes(&loaded.settings.heat, &labels))
                .map_err(|(_, why)| Failure::Usage(why))?;
            let verdict = match &loaded.file {
                Some(file) => format!("{} is right\n", file.display()),
                None => "there is no config file; the defaults are in force\n".to_owned(),
            };
            print(&verdict).map(drop)
        }
        ConfigCommand::Default => print(&default_file()).map(drop),
        ConfigCommand::Schema => print(&format!("{:#}\n", schema())).map(drop),
        ConfigCommand::Init { file } => init(file.as_deref().unwrap_or(Path::new("config.toml"))),
    }
}

/// Writes the default settings to a new file; never over one that is there.
fn init(path: &Path) -> Result<(), Failure> {
    let fail = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::Failed(format!("{} exists; name another file, or move this one away", path.display()))
        }
        _ => Failure::Failed(format!("cannot write {}: {error}", path.display())),
    };
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(fail)?;
    if let Err(error) = file.write_all(default_file().as_bytes()).and_then(|()| file.sync_all()) {
        // Half a config file would be read as a whole one.
        let _ = std::fs::remove_file(path);
        return Err(fail(error));
    }
    print(&format!("wrote {}\n", path.display())).map(drop)
}
