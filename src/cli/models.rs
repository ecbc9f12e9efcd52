//! The arguments of `models`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

const SHOW_HELP: &str = "\
Which family the file is of and what told it; its outputs, boxes, scores and classes; what pictures must look like for it; what
was rewritten; what runs it, and how long a picture takes on this machine.

What is recognised wrongly is set right in [detector]: family, boxes, order, scale, mean, std, fit, labels.

Examples:
  trailsight models show best.onnx
  trailsight models show best.onnx --check                    run it with every runtime, and compare their boxes
  trailsight models show best.onnx --set detector.order=bgr --image street.jpg
  trailsight models show                                      the model in the settings, or the one that is built in";

/// What to do with models.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// Tell what a model's file is and how it is read
    #[command(after_help = SHOW_HELP)]
    Show(ShowArgs),
}

/// The arguments of `models show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The ONNX file; default: the model in the settings
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Run it with every runtime that there is, and compare what they find
    #[arg(long)]
    pub check: bool,
    /// The picture that it is tried on; default: one of the demo clip
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
}
