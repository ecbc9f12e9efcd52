//! The arguments of `models`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

pub(super) const HELP: &str = "\
One model is built into the program. A better one is one command away, and is used by its name:
  trailsight models list                          what there is, how good, how large, under which licence
  trailsight models pull yolox-s                  fetch it once (36 MB) into the user's cache
  trailsight video.mp4 --set detector.model=yolox-s
  trailsight --set detector.model=auto            the best that keeps up with the camera on this machine

Nothing is fetched but by `models pull`. Any detector in an ONNX file can be used too: --set detector.model=FILE.";

const LIST_HELP: &str = "\
AP is the mean average precision on COCO val2017 in percent at that input, as the makers publish it. The last column tells where
the model is: built in, here (in the cache), in part, or the command that fetches it.";

const PULL_HELP: &str = "\
A download that was cut, also by Ctrl-C, goes on where it ended when the command is typed again. The file gets its name when its
length and its SHA-256 are those of the table, and not before.

Proxies are taken from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY; certificates of one's own from SSL_CERT_FILE.
A mirror is a copy of the cache's folder (`trailsight models list` names it), at a web address or in a folder:

  trailsight models pull yolox-s yolox-tiny
  trailsight models pull yolox-s --mirror https://mirror.example.org/trailsight
  trailsight models pull yolox-s --mirror /media/stick/models     for machines without a network
  trailsight models pull yolox-s --offline                        only look whether it is there and whole";

const SHOW_HELP: &str = "\
Which family the file is of and what told it; its outputs, boxes, scores and classes; what pictures must look like for it; what
was rewritten; what runs it, and how long a picture takes on this machine. Of a model known by name also its accuracy, licences,
address and SHA-256.

What is recognised wrongly is set right in [detector]: family, boxes, order, scale, mean, std, fit, labels.

Examples:
  trailsight models show best.onnx
  trailsight models show yolox-s
  trailsight models show best.onnx --check                    run it with every runtime, and compare their boxes
  trailsight models show best.onnx --set detector.order=bgr --image street.jpg
  trailsight models show                                      the model in the settings, or the one that is built in";

const VERIFY_HELP: &str = "\
Every fetched model is also checked each time that it is loaded. Exit code 1 where one is not as it should be.";

const PATH_HELP: &str = "\
For scripts: cp \"$(trailsight models path yolox-s)\" .";

/// What to do with models.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// List the models known by name: how good, how large, under which licence, and whether they are here
    #[command(after_help = LIST_HELP)]
    List,
    /// Tell what a model is and how it is read: a file, or one known by name
    #[command(after_help = SHOW_HELP)]
    Show(ShowArgs),
    /// Fetch models into the cache
    #[command(after_help = PULL_HELP)]
    Pull(PullArgs),
    /// Remove models from the cache
    Rm(RemoveArgs),
    /// Check that the models in the cache are whole and unchanged
    #[command(after_help = VERIFY_HELP)]
    Verify(NamesArgs),
    /// Print where the file of a model is
    #[command(after_help = PATH_HELP)]
    Path(PathArgs),
}

/// The arguments of `models show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The ONNX file, or the name of a model; default: the model in the settings
    #[arg(value_name = "FILE|NAME")]
    pub file: Option<PathBuf>,
    /// Run it with every runtime that there is, and compare what they find
    #[arg(long)]
    pub check: bool,
    /// The picture that it is tried on; default: one of the demo clip
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
}

/// The arguments of `models pull`.
#[derive(Debug, Args)]
pub struct PullArgs {
    /// The names of the models
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
    /// Fetch nothing: fail where a model is not in the cache
    #[arg(long)]
    pub offline: bool,
    /// Fetch from this copy of a cache: an http(s):// address or a folder; default: models.mirror, or the makers' addresses
    #[arg(long, value_name = "ADDRESS", conflicts_with = "offline")]
    pub mirror: Option<String>,
    /// How long a server may say nothing, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    pub timeout: f64,
}

/// The arguments of `models rm`.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// The names of the models
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
}

/// The arguments of `models verify`.
#[derive(Debug, Args)]
pub struct NamesArgs {
    /// The names of the models; default: all that are in the cache
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
}

/// The arguments of `models path`.
#[derive(Debug, Args)]
pub struct PathArgs {
    /// The name of the model
    #[arg(value_name = "NAME")]
    pub name: String,
}
