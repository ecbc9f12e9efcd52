//! The arguments of `completions` and `man`, which write what shells and `man` know of the program. Both are made from
//! the definitions in [`cli`](super), so that they cannot lag behind.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

pub(super) const COMPLETIONS_HELP: &str = "\
Where the script goes:
  bash        trailsight completions bash > ~/.local/share/bash-completion/completions/trailsight
  zsh         trailsight completions zsh > ~/.zfunc/_trailsight       (a folder of $fpath)
  fish        trailsight completions fish > ~/.config/fish/completions/trailsight.fish
  powershell  trailsight completions powershell >> $PROFILE
  elvish      trailsight completions elvish >> ~/.config/elvish/rc.elv";

pub(super) const MAN_HELP: &str = "\
Examples:
  trailsight man | man -l -                           read the page of the program
  trailsight man ~/.local/share/man/man1              then: man trailsight, man trailsight-track";

/// The arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// The arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write one page for the program and one for each command into this folder; default: print the page of the program
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}
