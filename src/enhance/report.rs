//! What was done to a picture, why, and how long it took.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// Why a step is taken that the settings name.
pub(super) const ASKED: &str = "asked for";

/// A step of the chain, in the order in which they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The shaking of the camera is taken out.
    Stabilise,
    /// Masked areas lose their detail.
    Privacy,
    /// Light, contrast and noise are measured.
    Measure,
    /// Every second line is replaced.
    Deinterlace,
    /// The edges of a JPEG's blocks are smoothed.
    Deblock,
    /// Outliers are removed.
    Median,
    /// The picture is brought to the size that the network looks at.
    Shrink,
    /// Noise is averaged away over time.
    Temporal,
    /// Noise is smoothed.
    Gaussian,
    /// Noise is smoothed between edges.
    Smooth,
    /// Brightness and the colour of the light: one table a channel.
    Light,
    /// Local contrast.
    Contrast,
    /// Edges are made steeper.
    Sharpen,
    /// What does not count is made grey.
    Hide,
}

impl Step {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stabilise => "stabilise",
            Self::Privacy => "privacy",
            Self::Measure => "measure",
            Self::Deinterlace => "deinterlace",
            Self::Deblock => "deblock",
            Self::Median => "median",
            Self::Shrink => "shrink",
            Self::Temporal => "temporal",
            Self::Gaussian => "gaussian",
            Self::Smooth => "smooth",
            Self::Light => "light",
            Self::Contrast => "contrast",
            Self::Sharpen => "sharpen",
            Self::Hide => "mask",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A step that was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// Which.
    pub step: Step,
    /// Why, in a few words, or what it was set to.
    pub why: Cow<'static, str>,
    /// How long it took.
    pub time: Duration,
}

/// All that was done to a picture.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// The steps, in order.
    pub steps: Vec<Taken>,
}

impl Report {
    /// One more step.
    pub(super) fn add(&mut self, step: Step, why: impl Into<Cow<'static, str>>, time: Duration) {
        self.steps.push(Taken { step, why: why.into(), time });
    }

    /// How long all took that changes the picture, where something does. Measuring, now and then, is not counted.
    pub fn time(&self) -> Option<Duration> {
        let counted = self.steps.iter().filter(|taken| taken.step != Step::Measure);
        self.changes().next().is_some().then(|| counted.map(|taken| taken.time).sum())
    }

    /// The steps that change what is seen, with their reasons.
    pub fn changes(&self) -> impl Iterator<Item = (Step, &str)> {
        let changes = self.steps.iter().filter(|taken| !matches!(taken.step, Step::Measure | Step::Shrink));
        changes.map(|taken| (taken.step, taken.why.as_ref()))
    }
}
