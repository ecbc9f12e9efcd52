//! Texts made from the table of parameters: the commented default config file, and the tables of `docs/settings.md`.

use super::params::{Effect, List, SECTIONS, lists, parameters};

/// What the default config file begins with.
const PREAMBLE: &str = "\
# trailsight's settings, each with its default. A copy of this file is read from --config FILE, $TRAILSIGHT_CONFIG,
# ./config.toml, or the user's config folder (Linux: ~/.config/trailsight/config.toml), whichever comes first. The
# command line (--set section.key=value) overrides it. `trailsight config show` prints the values in force, and where each
# came from. Changes saved while the program runs take effect at once, except in [source] and [record].
# Times are in seconds, sizes in pixels, scores and overlaps (intersection over union) from 0 to 1.
";

/// Comments begin in this column, counted from 0, where the value before is not longer.
const COMMENT_COLUMN: usize = 26;

/// The commented default configuration, as `trailsight config init` writes it.
pub fn default_file() -> String {
    let mut text = PREAMBLE.to_owned();
    let mut last_section = "";
    for parameter in parameters().iter().filter(|parameter| parameter.list.is_none()) {
        let (section, name) = parameter.section_and_name();
        if section != last_section {
            text.push_str(&format!("\n[{section}]\n"));
            last_section = section;
        }
        let assignment = format!("{name} = {}", parameter.default());
        let width = COMMENT_COLUMN - 1;
        text.push_str(&format!("{assignment:<width$} # {}\n", parameter.comment));
    }
    for (parameter, list) in lists() {
        text.push_str(&format!("\n# {}:\n# {}\n", parameter.comment, heading(parameter.path, list)));
        for field in (list.fields)() {
            let assignment = format!("# {} = {}", field.name, field.default);
            let width = COMMENT_COLUMN - 1;
            text.push_str(&format!("{assignment:<width$} # {}\n", field.comment));
        }
    }
    text
}

/// What stands over a table of a list.
fn heading(path: &str, list: &List) -> String {
    if list.alone { format!("[{path}]") } else { format!("[[{path}]]") }
}

/// What `docs/settings.md` begins with.
const REFERENCE: &str = "\
# Settings

Every setting of `config.toml`: its default, the values allowed, and when a change takes effect while the program runs
(*live*: at once; *network*: once another network is loaded; *next start*: when the program starts again). Settings with
values in the column *tune* are those that `trailsight tune` searches in, and from where to where.

`trailsight config default` prints the commented file, `trailsight config schema` a JSON Schema of it for editors.
This page is made from the same table as both (`src/config/params/`).
";

/// The text of `docs/settings.md`.
pub fn settings_reference() -> String {
    let mut text = REFERENCE.to_owned();
    for &(section, about) in SECTIONS {
        text.push_str(&format!(
            "\n## [{section}]\n\n{about}\n\n| setting | default | unit | allowed | tune | takes effect | meaning |\n\
             |---|---|---|---|---|---|---|\n"
        ));
        let of_section = |known: &&super::Parameter| known.section_and_name().0 == section;
        for parameter in parameters().iter().filter(of_section) {
            let effect = match parameter.effect {
                Effect::Live => "live",
                Effect::Network => "network",
                Effect::NextStart => "next start",
            };
            let search =
                parameter.search().map(|(least, most)| format!("{least} to {most}")).unwrap_or_default();
            let cells = [
                format!("`{}`", parameter.section_and_name().1),
                format!("`{}`", parameter.default()),
                parameter.unit.to_owned(),
                parameter.allowed(),
                search,
                effect.to_owned(),
                parameter.comment.to_owned(),
            ];
            text.push_str(&format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")));
        }
    }
    for (parameter, list) in lists() {
        text.push_str(&format!(
            "\n## {}\n\n{}. `--set {}.NAME.KEY=VALUE` changes one value of the table with that name (or number, from 1).\n\n\
             | key | default | allowed | meaning |\n|---|---|---|---|\n",
            heading(parameter.path, list),
            parameter.comment,
            parameter.path
        ));
        for field in (list.fields)() {
            let default =
                if field.required { "(required)".to_owned() } else { format!("`{}`", field.default) };
            text.push_str(&format!(
                "| `{}` | {default} | {} | {} |\n",
                field.name, field.allowed, field.comment
            ));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// With `UPDATE_GOLDEN=1` the file is written anew instead.
    fn holds(file: &str, text: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, text).unwrap();
        }
        let shipped = std::fs::read_to_string(&path).unwrap_or_default();
        let differs = shipped.lines().zip(text.lines()).find(|(is, should)| is != should);
        assert!(
            shipped == text,
            "{file} is not what the table of parameters gives (first difference: {differs:?}); \
             UPDATE_GOLDEN=1 cargo test --release --lib config:: writes it anew"
        );
    }

    #[test]
    fn the_shipped_config_file_is_the_table() {
        holds("config.toml", &default_file());
    }

    #[test]
    fn the_reference_is_the_table() {
        holds("docs/settings.md", &settings_reference());
    }

    #[test]
    fn sections_are_those_of_the_table() {
        let names: Vec<_> = SECTIONS.iter().map(|&(name, _)| name).collect();
        assert_eq!(names, crate::config::sections());
    }
}
