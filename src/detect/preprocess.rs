//! From a picture of any size, or a slice of it, to the network's input.
//!
//! First the picture is scaled, in 8-bit levels, red first ([`Preprocess::fit`]). What becomes of the levels is the runtime's:
//! the native plan makes floats of them while its first layer loads them, with weights that take red for blue and blue for
//! red, so that neither the order nor the kind of the numbers costs a pass of its own; for the others [`fill_input`] writes
//! the input as the model's [`InputSpec`] says.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::model::{ColourOrder, Fit, InputSpec, Layout};
use super::slicing::Slice;
use crate::detection::Detections;
use crate::frame::Picture;
use crate::geometry::{InputFit, Rect};
use crate::kernels::area::Area;
use crate::kernels::{View, ViewMut};

/// Scales pictures to fit the network's input: to half and up by bilinear interpolation, as YOLOX was trained; further down
/// each pixel is the mean of what it covers.
pub(super) struct Preprocess {
    input: (usize, usize),
    fit: Fit,
    resizer: Resizer,
    area: Area,
    /// The scaled picture, 8-bit RGB, reused from frame to frame.
    scaled: Vec<u8>,
}

/// A picture that fits the network's input.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fitted<'a> {
    /// 8-bit interleaved RGB.
    pub(super) rgb: &'a [u8],
    /// Pixels across.
    pub(super) width: usize,
    /// Pixels down.
    pub(super) height: usize,
    /// The column of the input where its left edge lies.
    pub(super) left: usize,
    /// The row of the input where its top edge lies.
    pub(super) top: usize,
    /// The way back.
    pub(super) placement: Placement,
}

/// How pixels of the network's input lie in the picture: `picture = (input − offset) / scale`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placement {
    /// Input pixels a picture pixel, across and down.
    pub(super) scale: (f32, f32),
    /// Where the picture's top-left corner lies in the input.
    pub(super) offset: (f32, f32),
}

impl Placement {
    /// The box in the picture of one in the input, given as `[centre x, centre y, width, height]`.
    pub(super) fn rect(self, [x, y, width, height]: [f32; 4]) -> Rect {
        let (across, down) = (1.0 / self.scale.0, 1.0 / self.scale.1);
        let (x, y) = ((x - self.offset.0) * across, (y - self.offset.1) * down);
        Rect::from_center(x, y, width * across, height * down)
    }

    /// Where a box of the picture lies in the input.
    pub(super) fn to_input(self, rect: &Rect) -> Rect {
        let scaled = rect.scaled(self.scale);
        Rect { left: scaled.left + self.offset.0, top: scaled.top + self.offset.1, ..scaled }
    }

    /// Brings all that is in pixels of the input to the picture.
    pub(super) fn to_picture(self, detections: &mut Detections) {
        detections.shift((-self.offset.0, -self.offset.1));
        detections.scale((1.0 / self.scale.0, 1.0 / self.scale.1));
    }
}

impl Preprocess {
    pub(super) fn new(input: &InputSpec) -> Self {
        let (fit, input) = (input.fit, input.size.size());
        Self { input, fit, resizer: Resizer::new(), area: Area::default(), scaled: Vec::new() }
    }

    /// Scales a slice of the picture to the size at which it goes into the network.
    pub(super) fn fit<'a>(&'a mut self, picture: &'a Picture, slice: Slice) -> Result<Fitted<'a>, String> {
        let size = (slice.width as usize, slice.height as usize);
        let whole = InputFit::within(size, self.input);
        let (width, height) = if self.fit == Fit::Stretch { self.input } else { (whole.width, whole.height) };
        let scale = match self.fit {
            Fit::Stretch => (width as f32 / size.0 as f32, height as f32 / size.1 as f32),
            Fit::LetterboxTopLeft(_) | Fit::LetterboxCentred(_) => (whole.scale as f32, whole.scale as f32),
        };
        let (left, top) = match self.fit {
            Fit::LetterboxCentred(_) => ((self.input.0 - width) / 2, (self.input.1 - height) / 2),
            Fit::LetterboxTopLeft(_) | Fit::Stretch => (0, 0),
        };

        let as_it_is = (width, height) == size && slice == Slice::whole(picture.size());
        let rgb: &[u8] = if as_it_is {
            picture.pixels()
        } else {
            self.scaled.resize(width * height * 3, 0);
            // Where one side grows while the other shrinks nothing is averaged.
            if whole.skips() && width <= size.0 && height <= size.1 {
                self.average(picture, slice, (width, height))?;
            } else {
                self.interpolate(picture, slice, (width as u32, height as u32))?;
            }
            &self.scaled
        };
        let placement = Placement { scale, offset: (left as f32, top as f32) };
        Ok(Fitted { rgb, width, height, left, top, placement })
    }

    fn average(&mut self, picture: &Picture, slice: Slice, size: (usize, usize)) -> Result<(), String> {
        let row = picture.width() as usize * 3;
        let begin = slice.top as usize * row + slice.left as usize * 3;
        let pixels = picture.pixels().get(begin..).unwrap_or_default();
        let from = View::new(pixels, (slice.width as usize, slice.height as usize), 3, row);
        let to = ViewMut::new(&mut self.scaled, size, 3, size.0 * 3);
        let (from, mut to) = from.zip(to).ok_or("a slice of the picture lies beyond its edge")?;
        self.area.shrink(&from, &mut to);
        Ok(())
    }

    fn interpolate(&mut self, picture: &Picture, slice: Slice, size: (u32, u32)) -> Result<(), String> {
        let source = ImageRef::new(picture.width(), picture.height(), picture.pixels(), PixelType::U8x3)
            .map_err(|error| error.to_string())?;
        let mut target = Image::from_slice_u8(size.0, size.1, &mut self.scaled, PixelType::U8x3)
            .map_err(|error| error.to_string())?;
        let [left, top, width, height] = [slice.left, slice.top, slice.width, slice.height].map(f64::from);
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Interpolation(FilterType::Bilinear))
            .crop(left, top, width, height);
        self.resizer.resize(&source, &mut target, &options).map_err(|error| error.to_string())
    }
}

/// Writes the network's input: the picture where it lies, the fill around it, in the layout, the colour order and the numbers
/// that the spec asks for.
pub(super) fn fill_input(values: &mut [f32], spec: &InputSpec, picture: &Fitted<'_>) {
    let (in_w, in_h) = spec.size.size();
    let fill = match spec.fit {
        Fit::LetterboxTopLeft(level) | Fit::LetterboxCentred(level) => f32::from(level),
        Fit::Stretch => 0.0,
    };
    let order = match spec.colour {
        ColourOrder::Rgb => [0, 1, 2],
        ColourOrder::Bgr => [2, 1, 0],
    };
    let levels = spec.levels();
    let levels = order.map(|colour| levels[colour]);
    let [a, b, c] = levels.map(|(factor, offset)| move |level: f32| level * factor + offset);
    let row_of = |y: usize| -> Option<&[[u8; 3]]> {
        let y = y.checked_sub(picture.top).filter(|y| *y < picture.height)?;
        picture
            .rgb
            .get(y * picture.width * 3..)
            .map(|rest| &rest[..picture.width * 3])
            .map(|row| row.as_chunks().0)
    };
    let inner = picture.left..picture.left + picture.width;
    match spec.layout {
        Layout::Nchw => {
            let (first, rest) = values.split_at_mut(in_w * in_h);
            let (second, third) = rest.split_at_mut(in_w * in_h);
            let rows = first.chunks_exact_mut(in_w).zip(second.chunks_exact_mut(in_w));
            for (y, ((first, second), third)) in rows.zip(third.chunks_exact_mut(in_w)).enumerate() {
                let Some(row) = row_of(y) else {
                    first.fill(a(fill));
                    second.fill(b(fill));
                    third.fill(c(fill));
                    continue;
                };
                for (plane, fill) in [(&mut *first, a(fill)), (&mut *second, b(fill)), (&mut *third, c(fill))]
                {
                    plane[..inner.start].fill(fill);
                    plane[inner.end..].fill(fill);
                }
                let targets = first[inner.clone()].iter_mut().zip(&mut second[inner.clone()]);
                for (((x, y), z), rgb) in targets.zip(&mut third[inner.clone()]).zip(row) {
                    let [r, g, b_] = order.map(|colour| f32::from(rgb[colour]));
                    (*x, *y, *z) = (a(r), b(g), c(b_));
                }
            }
        }
        Layout::Nhwc => {
            for (y, target) in values.chunks_exact_mut(in_w * 3).enumerate() {
                let target = target.as_chunks_mut::<3>().0;
                target.fill([a(fill), b(fill), c(fill)]);
                for (pixel, rgb) in target[inner.clone()].iter_mut().zip(row_of(y).unwrap_or_default()) {
                    let [x, y, z] = order.map(|colour| f32::from(rgb[colour]));
                    *pixel = [a(x), b(y), c(z)];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(input: &str, fit: Fit) -> InputSpec {
        InputSpec {
            size: input.parse().unwrap(),
            sizes: crate::detect::model::Sizes::MultipleOf(32),
            layout: Layout::Nchw,
            colour: ColourOrder::Bgr,
            scale: 1.0,
            mean: [0.0; 3],
            std: [1.0; 3],
            fit,
        }
    }

    fn preprocess(input: &str) -> Preprocess {
        Preprocess::new(&spec(input, Fit::LetterboxTopLeft(114)))
    }

    fn fitted(picture: &Picture, input: &str) -> (Vec<u8>, usize, usize, f32) {
        let mut preprocess = preprocess(input);
        let fitted = preprocess.fit(picture, Slice::whole(picture.size())).unwrap();
        assert_eq!(fitted.placement.scale.0, fitted.placement.scale.1);
        (fitted.rgb.to_vec(), fitted.width, fitted.height, fitted.placement.scale.0)
    }

    /// Every number of the input, for every layout, order and fit, against its definition.
    #[test]
    fn input_is_what_its_spec_says() {
        let (mean, std) = ([0.4, 0.5, 0.6], [0.2, 0.25, 0.5]);
        let picture = Picture::new(20, 16, (0..20 * 16 * 3).map(|i| (i * 7 % 251) as u8).collect()).unwrap();
        for (fit, left, top) in
            [(Fit::LetterboxTopLeft(114), 0, 0), (Fit::LetterboxCentred(30), 44, 0), (Fit::Stretch, 0, 0)]
        {
            for (colour, layout) in [
                (ColourOrder::Rgb, Layout::Nchw),
                (ColourOrder::Bgr, Layout::Nhwc),
                (ColourOrder::Bgr, Layout::Nchw),
                (ColourOrder::Rgb, Layout::Nhwc),
            ] {
                let spec = InputSpec { layout, colour, scale: 1.0 / 255.0, mean, std, ..spec("128x32", fit) };
                let mut preprocess = Preprocess::new(&spec);
                let fitted = preprocess.fit(&picture, Slice::whole(picture.size())).unwrap();
                assert_eq!((fitted.left, fitted.top), (left, top), "{fit:?}");
                let mut values = vec![f32::NAN; 3 * 128 * 32];
                fill_input(&mut values, &spec, &fitted);
                for (at, value) in values.iter().enumerate() {
                    let (channel, y, x) = match layout {
                        Layout::Nchw => (at / (128 * 32), at / 128 % 32, at % 128),
                        Layout::Nhwc => (at % 3, at / (128 * 3), at / 3 % 128),
                    };
                    let colour = if colour == ColourOrder::Rgb { channel } else { 2 - channel };
                    let inside = (left..left + fitted.width).contains(&x) && y < fitted.height;
                    let level = match fit {
                        _ if inside => fitted.rgb[(y * fitted.width + x - left) * 3 + colour],
                        Fit::LetterboxTopLeft(level) | Fit::LetterboxCentred(level) => level,
                        Fit::Stretch => panic!("a stretched picture fills the input"),
                    };
                    let expected = (f32::from(level) / 255.0 - mean[colour]) / std[colour];
                    assert!((value - expected).abs() < 1e-5, "{fit:?} {layout:?} {at}: {value}, {expected}");
                }
                // The input's corner of the picture, and its other corner, come back to it.
                let ends = [left as f32, top as f32, (left + fitted.width) as f32, fitted.height as f32];
                let [x, y, right, bottom] = ends;
                let back =
                    fitted.placement.rect([(x + right) / 2.0, (y + bottom) / 2.0, right - x, bottom - y]);
                assert!(back.iou(&Rect::new(0.0, 0.0, 20.0, 16.0)) > 0.999, "{fit:?}: {back:?}");
            }
        }
    }

    #[test]
    fn the_aspect_ratio_is_kept() {
        let picture = Picture::filled(128, 64, [10, 20, 30]).unwrap();
        let (rgb, width, height, scale) = fitted(&picture, "64x96");
        assert_eq!((width, height, scale), (64, 32, 0.5));
        assert!(rgb.len() == 64 * 32 * 3 && rgb.chunks_exact(3).all(|pixel| pixel == [10, 20, 30]));
    }

    #[test]
    fn same_size_is_copied_to_the_letter() {
        let pixels: Vec<u8> = (0..64 * 32 * 3).map(|i| (i * 7 % 251) as u8).collect();
        let picture = Picture::new(64, 32, pixels.clone()).unwrap();
        assert_eq!(fitted(&picture, "64x32"), (pixels, 64, 32, 1.0));
    }

    #[test]
    fn a_slice_is_scaled_as_if_it_were_all() {
        let mut random = fastrand::Rng::with_seed(3);
        for (pic_w, pic_h, slice) in [
            (300, 200, Slice { left: 31, top: 17, width: 150, height: 99 }),
            (64, 64, Slice { left: 0, top: 32, width: 64, height: 32 }),
            (900, 700, Slice { left: 100, top: 33, width: 700, height: 500 }),
        ] {
            let pixels: Vec<u8> = (0..pic_w * pic_h * 3).map(|_| random.u8(..)).collect();
            let rows = pixels.chunks(pic_w as usize * 3).skip(slice.top as usize).take(slice.height as usize);
            let cut = rows.flat_map(|row| &row[slice.left as usize * 3..][..slice.width as usize * 3]);
            let alone = Picture::new(slice.width, slice.height, cut.copied().collect()).unwrap();
            let picture = Picture::new(pic_w, pic_h, pixels.clone()).unwrap();
            let mut preprocess = preprocess("64x64");
            let of_slice = preprocess.fit(&picture, slice).unwrap().rgb.to_vec();
            assert!(of_slice == fitted(&alone, "64x64").0, "{slice:?}");
        }
    }

    #[test]
    fn extreme_shapes_keep_a_row_or_a_column() {
        for (pic_w, pic_h) in [(1, 1), (10_000, 50), (3, 9_000), (4_000, 1)] {
            let picture = Picture::filled(pic_w, pic_h, [200, 100, 50]).unwrap();
            let (rgb, width, height, scale) = fitted(&picture, "416x416");
            assert!(scale > 0.0 && width.max(height) == 416, "{pic_w}×{pic_h}");
            assert!(rgb.len() == width * height * 3, "{pic_w}×{pic_h}");
            assert!(rgb.chunks_exact(3).all(|pixel| pixel == [200, 100, 50]), "{pic_w}×{pic_h}");
        }
    }
}
