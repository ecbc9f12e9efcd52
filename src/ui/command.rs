//! What keys and the mouse ask for.

/// What a key or a mouse gesture asks for. The [viewer](super::session::Viewer) of a session and the
/// [view](super::grid::GridView) of a grid carry out those that concern only the view (the first four) and hand the
/// others to the program.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Command {
    /// Close what is open, else quit.
    Escape,
    /// Show or hide the help.
    Help,
    /// Fit the picture into the window in the next way.
    Fit,
    /// The digit key: a tenth of the recording, or the number of a tile.
    Digit(u8),
    /// Quit.
    Quit,
    /// Pause or continue.
    Pause,
    /// One frame forward.
    Step,
    /// One frame back.
    StepBack,
    /// Jump by these seconds; below 0 back.
    Skip(f64),
    /// Jump to this place of the recording: 0 its first frame, 1 its last.
    Seek(f64),
    /// So many steps faster; below 0 slower.
    Speed(i32),
    /// Begin again at the end, or stop there.
    Repeat,
    /// Go so many recordings on in the list; below 0 back.
    File(i32),
    /// Begin or end to record what is shown.
    Record,
    /// Show or hide the panel of settings.
    Panel,
    /// Show the next of: the original picture, the enhanced picture, half of each.
    Compare,
    /// Save the picture.
    Snapshot,
    /// Change the confidence by so many steps.
    Confidence(i32),
    /// Change the length of the trails by so many steps.
    TrailLength(i32),
    /// Show or hide a layer.
    Switch(Layer),
}

/// What is drawn over the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// The boxes.
    Boxes,
    /// Names and scores.
    Labels,
    /// The motion trails.
    Trails,
    /// The heat map.
    Heat,
    /// The ground from above.
    Map,
    /// The numbers in the corner.
    Hud,
}

impl Layer {
    /// The setting that shows or hides the layer.
    pub fn key(self) -> &'static str {
        match self {
            Self::Boxes => "overlay.boxes",
            Self::Labels => "overlay.labels",
            Self::Trails => "overlay.trails",
            Self::Heat => "overlay.heat",
            Self::Map => "overlay.map",
            Self::Hud => "overlay.hud",
        }
    }
}
