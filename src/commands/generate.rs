//! `trailsight completions` and `trailsight man`: scripts for shells and manual pages, made from the command line's own
//! definitions.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::{Failure, print};
use crate::cli::{Cli, CompletionsArgs, ManArgs};

/// Prints the completion script of a shell.
pub(super) fn completions(args: &CompletionsArgs) -> Result<(), Failure> {
    print(&script(args.shell)).map(drop)
}

/// Prints the manual page of the program, or writes all pages into a folder.
pub(super) fn man(args: &ManArgs) -> Result<(), Failure> {
    let pages = pages().map_err(Failure::failed)?;
    let Some(folder) = &args.folder else {
        return pages.iter().take(1).try_for_each(|(_, page)| print(page).map(drop));
    };
    let fail = |path: &Path, error| Failure::Failed(format!("cannot write {}: {error}", path.display()));
    fs::create_dir_all(folder).map_err(|error| fail(folder, error))?;
    for (name, page) in pages {
        let path = folder.join(name);
        fs::write(&path, page).map_err(|error| fail(&path, error))?;
    }
    Ok(())
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "trailsight", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Every manual page with the name of its file, such as `trailsight-track.1`; the program's own comes first.
fn pages() -> std::io::Result<Vec<(String, String)>> {
    let mut program = Cli::command();
    // Passes the flags that every command takes on to the commands.
    program.build();
    let mut pages = Vec::new();
    add_pages(program, &mut pages)?;
    Ok(pages)
}

fn add_pages(command: clap::Command, pages: &mut Vec<(String, String)>) -> std::io::Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let mut page = Vec::new();
    let below: Vec<clap::Command> = command.get_subcommands().cloned().collect();
    Man::new(command.display_name(&name)).render(&mut page)?;
    pages.push((format!("{name}.1"), String::from_utf8_lossy(&page).into_owned()));
    below.into_iter().try_for_each(|command| add_pages(command, pages))
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    /// Every command below `command`, with itself.
    fn all(command: clap::Command) -> Vec<clap::Command> {
        let below: Vec<clap::Command> = command.get_subcommands().cloned().collect();
        std::iter::once(command).chain(below.into_iter().flat_map(all)).collect()
    }

    fn program() -> clap::Command {
        let mut program = Cli::command();
        program.build();
        program
    }

    fn flags(command: &clap::Command) -> Vec<String> {
        let shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
        shown.filter_map(|argument| argument.get_long().map(str::to_owned)).collect()
    }

    #[test]
    fn every_command_and_flag_completes_in_every_shell() {
        for &shell in Shell::value_variants() {
            let script = script(shell);
            for command in all(program()) {
                assert!(script.contains(command.get_name()), "{shell}: no {}", command.get_name());
                for flag in flags(&command) {
                    // fish writes `-l flag`, the others `--flag`.
                    let known = [format!("--{flag}"), format!("-l {flag}")];
                    assert!(known.iter().any(|known| script.contains(known)), "{shell}: no --{flag}");
                }
            }
        }
    }

    #[test]
    fn every_command_has_a_page_with_its_flags() {
        let (pages, commands) = (pages().unwrap(), all(program()));
        assert_eq!(pages.len(), commands.len());
        assert_eq!(pages[0].0, "trailsight.1");
        for command in commands {
            let name = format!("{}.1", command.get_display_name().unwrap_or(command.get_name()));
            let page = pages.iter().find(|(other, _)| *other == name);
            let (_, page) = page.unwrap_or_else(|| panic!("no page {name}"));
            for flag in flags(&command) {
                assert!(page.contains(&flag.replace('-', "\\-")), "{name}: no --{flag}");
            }
        }
    }
}
