//! The arguments of `events`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::{FileDialectArgs, PartArgs};
use crate::config::Given;

pub(super) const HELP: &str = "\
Asks the rules of the settings ([[rule]]), or those of --rule, over whole recordings, and prints what they would have told. Nothing
is sent anywhere. A rule is a condition (docs/rules.md):
  person in square for 5s                 a person has been in the zone for five seconds
  count(person in square) >= 3 for 2s     three or more are in it
  person crosses door in                  somebody comes in over the line; out, or both ways without it
  car/truck and speed_px_per_s > 200      one that is fast
  nobody in square for 10 min             nobody has been there for long
  person in yard and between 22:00 and 06:00 and not in gate
  suitcase still in hall for 60s and nobody in hall for 20s
Zones and lines are those of the settings ([[zone]], [[line]]).

Examples:
  trailsight events video.mp4
  trailsight events video.mp4 --rule \"person in square for 5s\" --pictures found
  trailsight events night.mp4 --began 21:30 --json
  trailsight events MOT17-09/img1 --fps 30 --detections MOT17-09/det/det.txt
  trailsight events --detections det.txt --size 1920x1080 --fps 25

The table has the time in the recording and the frame at which each event started, its rule, track and class, and how long it
lasted. With --json there is one object a line instead.";

/// The arguments of `events`.
#[derive(Debug, Args)]
pub struct EventsArgs {
    /// A recording or images; several one after the other
    #[arg(value_name = "RECORDING", required_unless_present = "detections")]
    pub sources: Vec<OsString>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub part: PartArgs,
    /// Try this condition instead of the rules in the settings (repeatable)
    #[arg(long, value_name = "CONDITION")]
    pub rule: Vec<String>,
    /// The time of day when the recording began, such as 21:30, for rules that ask for it
    #[arg(long, value_name = "HH:MM")]
    pub began: Option<String>,
    /// Print one JSON object a line instead of a table
    #[arg(long)]
    pub json: bool,
    /// Write a picture of each start, with the boxes, into this folder
    #[arg(long, value_name = "FOLDER")]
    pub pictures: Option<PathBuf>,
    /// Track the boxes of a MOTChallenge detection file instead of loading a network; without a RECORDING no pictures are read
    #[arg(long, value_name = "FILE", conflicts_with_all = ["start", "end"])]
    pub detections: Option<PathBuf>,
    /// With --detections: the size of the picture that the boxes belong to; default: from seqinfo.ini
    #[arg(long, value_name = "WxH", requires = "detections")]
    pub size: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub dialect: FileDialectArgs,
}

impl EventsArgs {
    /// The settings that were given. Each condition is a rule that is called as it is written.
    pub fn given(&self) -> Vec<Given> {
        let mut given = self.part.given();
        if let Some(began) = &self.began {
            let typed = format!("--began {began}");
            given.push(Given { key: "source.began".to_owned(), value: format!("{began:?}"), typed });
        }
        if !self.rule.is_empty() {
            // The same one twice tells no more.
            let mut rules: Vec<&String> = Vec::new();
            for rule in &self.rule {
                if !rules.contains(&rule) {
                    rules.push(rule);
                }
            }
            let rules: toml_edit::Array = (rules.into_iter().zip(1..))
                .map(|(when, number)| {
                    let mut table = toml_edit::InlineTable::new();
                    table.insert("name", name_of(when, number).into());
                    table.insert("when", when.as_str().into());
                    toml_edit::Value::from(table)
                })
                .collect();
            let typed: Vec<String> = self.rule.iter().map(|when| format!("--rule \"{when}\"")).collect();
            given.push(Given { key: "rule".to_owned(), value: rules.to_string(), typed: typed.join(" ") });
        }
        given
    }
}

/// What a condition is called: as it is written, in one line; of a long one the beginning and its number.
fn name_of(when: &str, number: usize) -> String {
    let line = when.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 90 {
        return line;
    }
    format!("{} … ({number})", line.chars().take(80).collect::<String>().trim_end())
}
