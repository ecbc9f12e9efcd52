//! The size of the network's input: what can be asked for, and what that comes to for a picture.
//!
//! A network that takes pictures of any size is run at the picture's own aspect ratio: a square input would spend two fifths
//! of its pixels on the grey around a 16:9 picture. What is asked for is a [budget](PixelBudget) of pixels, and
//! [`PixelBudget::for_picture`] spends it.

use std::fmt;
use std::str::FromStr;

/// The size of the network's input in pixels. What can be asked for has multiples of 32 from 32 to 4096 as sides; a model may
/// have others, which its file fixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InputSize {
    width: usize,
    height: usize,
}

impl InputSize {
    /// Both sides are multiples of this many pixels.
    pub(super) const STEP: usize = 32;
    /// The longest side, in pixels.
    const LONGEST: usize = 4096;

    /// A size whose sides are multiples of 32 from 32 to 4096.
    pub fn new(width: usize, height: usize) -> Option<Self> {
        let fits =
            |side: usize| side.is_multiple_of(Self::STEP) && (Self::STEP..=Self::LONGEST).contains(&side);
        if fits(width) && fits(height) { Some(Self { width, height }) } else { None }
    }

    /// The size that a model's file fixes, of any sides up to 4096 pixels.
    pub(super) fn of_model(width: usize, height: usize) -> Option<Self> {
        let fits = |side: usize| (1..=Self::LONGEST).contains(&side);
        (fits(width) && fits(height)).then_some(Self { width, height })
    }

    /// Pixels across.
    pub fn width(self) -> usize {
        self.width
    }

    /// Pixels down.
    pub fn height(self) -> usize {
        self.height
    }

    /// Pixels across and down.
    pub fn size(self) -> (usize, usize) {
        (self.width, self.height)
    }
}

impl fmt::Display for InputSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl FromStr for InputSize {
    type Err = String;

    /// Reads `WIDTHxHEIGHT`, or one number for a square.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (width, height) = text.split_once(['x', 'X', '×']).unwrap_or((text, text));
        let side = |part: &str| part.trim().parse().ok();
        side(width).zip(side(height)).and_then(|(width, height)| Self::new(width, height)).ok_or_else(|| {
            "WIDTHxHEIGHT, both multiples of 32 from 32 to 4096, such as \"640x384\"".to_owned()
        })
    }
}

/// How many pixels the network's input may have; the picture decides its shape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PixelBudget {
    /// Three fifths of [`PixelBudget::Normal`].
    Fast,
    /// The pixels of 416×416, for which the built-in model was made.
    #[default]
    Normal,
    /// 2.3 times as many.
    Fine,
    /// Three times as many.
    Finest,
}

impl PixelBudget {
    /// All of them, from the fewest pixels to the most.
    pub const ALL: [Self; 4] = [Self::Fast, Self::Normal, Self::Fine, Self::Finest];

    /// The most pixels that an input may have: a little more than the round multiple of 416×416, so that for every usual
    /// aspect ratio there is a size that comes close to it.
    pub fn pixels(self) -> usize {
        match self {
            Self::Fast => 104_000,
            Self::Normal => 181_000,
            Self::Fine => 400_000,
            Self::Finest => 523_000,
        }
    }

    /// What settings call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Normal => "normal",
            Self::Fine => "fine",
            Self::Finest => "finest",
        }
    }

    /// The input size at which a picture of this width and height is seen largest, with its aspect ratio kept, within the
    /// budget; of sizes at which it is seen equally large the one with the fewest pixels. A side of 0 counts as 1.
    pub fn for_picture(self, (width, height): (u32, u32)) -> InputSize {
        const STEP: u64 = InputSize::STEP as u64;
        const LONGEST: u64 = InputSize::LONGEST as u64;
        let (across, down) = (u64::from(width.max(1)), u64::from(height.max(1)));
        let budget = self.pixels() as u64;
        // The scale, input pixels a picture pixel, as a fraction, so that equal ones are equal.
        let mut best = (0, 1);
        for width in (STEP..=LONGEST).step_by(InputSize::STEP) {
            let height = (budget / width / STEP * STEP).min(LONGEST);
            if height == 0 {
                break;
            }
            let scale = if width * down <= height * across { (width, across) } else { (height, down) };
            if scale.0 * best.1 > best.0 * scale.1 {
                best = scale;
            }
        }
        // As far as the picture reaches at that scale, and on to the next multiple.
        let side =
            |side: u64| (side * best.0).div_ceil(best.1).next_multiple_of(STEP).clamp(STEP, LONGEST) as usize;
        InputSize { width: side(across), height: side(down) }
    }

    /// The first budget within which a picture of this width and height is seen at its own size or larger, if there is one:
    /// with more pixels there is no more to be seen.
    pub fn of_all_detail((width, height): (u32, u32)) -> Option<Self> {
        Self::ALL.into_iter().find(|budget| {
            let input = budget.for_picture((width, height));
            input.width >= width as usize && input.height >= height as usize
        })
    }
}

impl fmt::Display for PixelBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the setting `detector.input` asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InputChoice {
    /// The finest budget that this machine runs at the source's rate, where a picture is to be shown in time; where every
    /// frame waits for its detections, [`PixelBudget::Normal`], so that results do not depend on the machine.
    #[default]
    Auto,
    /// So many pixels, in the shape of the picture.
    Budget(PixelBudget),
    /// This size, whatever the picture.
    Size(InputSize),
}

impl fmt::Display for InputChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Budget(budget) => budget.fmt(f),
            Self::Size(size) => size.fmt(f),
        }
    }
}

impl FromStr for InputChoice {
    type Err = String;

    /// Reads `auto`, the name of a budget, `WIDTHxHEIGHT`, or one number for a square.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = text.trim();
        if word == "auto" {
            return Ok(Self::Auto);
        }
        if let Some(budget) = PixelBudget::ALL.into_iter().find(|budget| budget.name() == word) {
            return Ok(Self::Budget(budget));
        }
        let size = word.parse().map(Self::Size);
        size.map_err(|why: String| format!("\"auto\", \"fast\", \"normal\", \"fine\", \"finest\" or {why}"))
    }
}

/// How the size of the network's input comes about, picture by picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputRule {
    /// It is always this one.
    Fixed(InputSize),
    /// It has the shape of the picture, within a budget.
    Follows(PixelBudget),
}

impl InputRule {
    /// The rule for a setting; `auto` begins at [`PixelBudget::Normal`].
    pub fn of(choice: InputChoice) -> Self {
        match choice {
            InputChoice::Auto => Self::Follows(PixelBudget::Normal),
            InputChoice::Budget(budget) => Self::Follows(budget),
            InputChoice::Size(size) => Self::Fixed(size),
        }
    }

    /// The size of the input for a picture of this width and height.
    pub fn for_picture(self, size: (u32, u32)) -> InputSize {
        match self {
            Self::Fixed(input) => input,
            Self::Follows(budget) => budget.for_picture(size),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geometry::InputFit;

    fn size(text: &str) -> InputSize {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_asked_for_is_read_and_refused() {
        assert_eq!("640x384".parse(), Ok(InputChoice::Size(InputSize { width: 640, height: 384 })));
        assert_eq!("320".parse(), Ok(InputChoice::Size(InputSize { width: 320, height: 320 })));
        for text in ["auto", "fast", "normal", "fine", "finest", "640x384"] {
            assert_eq!(text.parse::<InputChoice>().unwrap().to_string(), text);
        }
        for odd in [
            "",
            "x",
            "0x0",
            "416x400",
            "-32x32",
            "8192x32",
            "416x416x3",
            "99999999999999999999x32",
            "Fine",
            "best",
        ] {
            let why = odd.parse::<InputChoice>().unwrap_err();
            for word in ["auto", "fast", "normal", "fine", "finest", "WIDTHxHEIGHT"] {
                assert!(why.contains(word), "{odd}: {why}");
            }
        }
    }

    #[test]
    fn usual_shapes_have_the_sizes_that_are_expected() {
        use PixelBudget::{Fast, Fine, Finest, Normal};
        for (budget, picture, expected) in [
            (Normal, (1920, 1080), "544x320"),
            (Normal, (1280, 720), "544x320"),
            (Normal, (960, 540), "544x320"),
            (Normal, (640, 640), "416x416"),
            (Normal, (640, 480), "480x352"),
            (Normal, (1500, 1000), "512x352"),
            (Normal, (3840, 1080), "800x224"),
            (Normal, (1080, 1920), "320x544"),
            (Normal, (1920, 817), "608x288"),
            (Fast, (1920, 1080), "416x224"),
            (Fast, (500, 500), "320x320"),
            (Fine, (1920, 1080), "832x480"),
            (Finest, (1920, 1080), "960x544"),
            (Normal, (1, 1), "416x416"),
            (Normal, (7680, 4320), "544x320"),
            (Normal, (1, 10_000), "32x4096"),
            (Normal, (10_000, 1), "4096x32"),
            (Normal, (0, 0), "416x416"),
        ] {
            assert_eq!(budget.for_picture(picture), size(expected), "{budget} {picture:?}");
        }
    }

    #[test]
    fn no_budget_is_more_than_the_detail_of_the_picture_asks_for() {
        assert_eq!(PixelBudget::of_all_detail((320, 180)), Some(PixelBudget::Fast));
        assert_eq!(PixelBudget::of_all_detail((480, 270)), Some(PixelBudget::Normal));
        assert_eq!(PixelBudget::of_all_detail((640, 360)), Some(PixelBudget::Fine));
        assert_eq!(PixelBudget::of_all_detail((960, 540)), Some(PixelBudget::Finest));
        assert_eq!(PixelBudget::of_all_detail((1280, 720)), None);
    }

    /// Input pixels a picture pixel where a picture lies in an input.
    fn scale(input: (u64, u64), picture: (u32, u32)) -> (u64, u64) {
        let (across, down) = (u64::from(picture.0), u64::from(picture.1));
        if input.0 * down <= input.1 * across { (input.0, across) } else { (input.1, down) }
    }

    fn budgets() -> impl Strategy<Value = PixelBudget> {
        prop::sample::select(PixelBudget::ALL.to_vec())
    }

    /// Sides of all magnitudes.
    fn sides() -> impl Strategy<Value = u32> {
        prop_oneof![1_u32..100, 1_u32..3_000, 1_u32..20_000, Just(u32::MAX)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn picture_is_seen_as_large_as_the_budget_allows(
            budget in budgets(), width in sides(), height in sides()
        ) {
            let input = budget.for_picture((width, height));
            prop_assert_eq!(InputSize::new(input.width, input.height), Some(input), "multiples of 32");
            prop_assert!(input.width * input.height <= budget.pixels());
            let own = (input.width as u64, input.height as u64);
            let (num, den) = scale(own, (width, height));
            for across in (32..=4096_u64).step_by(32) {
                for down in (32..=4096_u64).step_by(32) {
                    if across * down > budget.pixels() as u64 {
                        break;
                    }
                    let other = scale((across, down), (width, height));
                    let larger = u128::from(other.0) * u128::from(den) > u128::from(num) * u128::from(other.1);
                    prop_assert!(!larger, "{across}x{down} beats {input}");
                    let equal = u128::from(other.0) * u128::from(den) == u128::from(num) * u128::from(other.1);
                    prop_assert!(!equal || across * down >= own.0 * own.1, "{across}x{down} pads less than {input}");
                }
            }
        }

        /// What was shrunk to an input's size is not scaled a second time.
        #[test]
        fn picture_that_was_shrunk_for_it_goes_in_as_it_is(
            budget in budgets(), width in 1_u32..10_000, height in 1_u32..10_000
        ) {
            let input = budget.for_picture((width, height));
            let shrunk = InputFit::within((width as usize, height as usize), input.size());
            let again = budget.for_picture((shrunk.width as u32, shrunk.height as u32));
            let fit = InputFit::within((shrunk.width, shrunk.height), again.size());
            prop_assert_eq!((fit.width, fit.height), (shrunk.width, shrunk.height), "{} {}", input, again);
        }
    }
}
