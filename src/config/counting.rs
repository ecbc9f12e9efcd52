//! Lines, zones and the heat map: what is wrong with them that a table alone does not tell.

use crate::analyse::{CountingSettings, HeatSettings};
use crate::labels::Labels;
use crate::suggest;

/// Names that two lines or two zones have, with the setting and what is wrong.
pub(super) fn twice(settings: &CountingSettings) -> Vec<(&'static str, String)> {
    let lines: Vec<&str> = settings.lines.iter().map(|line| line.name.as_str()).collect();
    let zones: Vec<&str> = settings.zones.iter().map(|zone| zone.name.as_str()).collect();
    let mut found = Vec::new();
    for (path, names) in [("line", lines), ("zone", zones)] {
        for (index, name) in names.iter().enumerate() {
            if let Some(first) = names.iter().take(index).position(|other| other == name) {
                found.push((
                    path,
                    format!(
                        "{path}.{} is called \"{name}\" like {path}.{}: give each {path} a name of its own",
                        index + 1,
                        first + 1
                    ),
                ));
            }
        }
    }
    found
}

/// Whether all classes that lines and zones name are among these.
///
/// # Errors
/// The setting and what is wrong, with what may have been meant.
pub fn check_counted_classes(
    settings: &CountingSettings,
    labels: &Labels,
) -> Result<(), (&'static str, String)> {
    let lines = settings.lines.iter().map(|line| ("line", &line.name, &line.classes));
    let zones = settings.zones.iter().map(|zone| ("zone", &zone.name, &zone.classes));
    for (path, name, classes) in lines.chain(zones) {
        if let Some(problem) = unknown_class(classes, labels) {
            return Err((path, format!("{path} \"{name}\": {problem}")));
        }
    }
    Ok(())
}

/// Whether all classes of the heat map are among these.
///
/// # Errors
/// As [`check_counted_classes`].
pub fn check_heat_classes(settings: &HeatSettings, labels: &Labels) -> Result<(), (&'static str, String)> {
    let path = "heat.classes";
    unknown_class(&settings.classes, labels)
        .map_or(Ok(()), |problem| Err((path, format!("{path}: {problem}"))))
}

/// What is wrong with the first class that is not among these.
fn unknown_class(classes: &[String], labels: &Labels) -> Option<String> {
    let class = classes.iter().find(|class| labels.find(class).is_none())?;
    let hint = suggest::hint(class, labels.iter());
    let known: Vec<&str> = labels.iter().take(8).collect();
    let more = if labels.len() > known.len() { ", …" } else { "" };
    let known = known.join(", ");
    Some(format!("there is no class \"{class}\"{hint} (known: {known}{more})"))
}
