//! The program: hands the command line over and turns the outcome into an exit code.

fn main() -> std::process::ExitCode {
    trailsight::commands::main().into()
}
