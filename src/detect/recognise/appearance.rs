//! What a picture must look like for a network: the numbers that its makers trained it with.

use crate::detect::model::{ColourOrder, Family, Fit};

/// The order of the colours, the range of the numbers, and how a picture of another shape fits in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::detect) struct Appearance {
    pub(in crate::detect) colour: ColourOrder,
    /// As in [`InputSpec`](crate::detect::model::InputSpec): levels times this, less the mean, over the deviation; red first.
    pub(in crate::detect) scale: f32,
    pub(in crate::detect) mean: [f32; 3],
    pub(in crate::detect) std: [f32; 3],
    pub(in crate::detect) fit: Fit,
}

impl Family {
    /// What people call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Yolox => "YOLOX",
            Self::Yolo => "YOLO",
            Self::YoloNas => "YOLO-NAS",
            Self::PpYoloe => "PP-YOLOE",
            Self::PicoDet => "PicoDet",
            Self::NanoDet => "NanoDet",
            Self::RtmDet => "RTMDet",
            Self::Detr => "DETR",
            Self::RtDetr => "RT-DETR",
            Self::RfDetr => "RF-DETR",
        }
    }

    /// What a picture must look like for it.
    pub(super) fn appearance(self) -> Appearance {
        match self {
            Self::Yolox => Appearance::YOLOX,
            Self::Yolo | Self::YoloNas => Appearance::UNIT,
            Self::PpYoloe | Self::RtDetr => Appearance::UNIT_STRETCHED,
            Self::PicoDet | Self::Detr | Self::RfDetr => Appearance::IMAGENET_STRETCHED,
            Self::NanoDet => Appearance::NANODET,
            Self::RtmDet => Appearance::RTMDET,
        }
    }
}

impl Appearance {
    /// YOLOX: levels, blue first, at the top left.
    pub(super) const YOLOX: Self = Self {
        colour: ColourOrder::Bgr,
        scale: 1.0,
        mean: [0.0; 3],
        std: [1.0; 3],
        fit: Fit::LetterboxTopLeft(114),
    };
    /// Levels as they are, red first, in the middle: networks that scale them themselves.
    pub(super) const LEVELS: Self =
        Self { colour: ColourOrder::Rgb, fit: Fit::LetterboxCentred(114), ..Self::YOLOX };
    /// YOLOv5 to YOLO26, YOLO-NAS: from 0 to 1, red first, in the middle.
    pub(super) const UNIT: Self = Self { scale: 1.0 / 255.0, ..Self::LEVELS };
    /// RT-DETR, D-FINE, PP-YOLOE: from 0 to 1, red first, stretched.
    pub(super) const UNIT_STRETCHED: Self = Self { fit: Fit::Stretch, ..Self::UNIT };
    /// DETR, RF-DETR, PicoDet: by ImageNet's mean and deviation, red first, stretched.
    pub(super) const IMAGENET_STRETCHED: Self =
        Self { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], ..Self::UNIT_STRETCHED };
    /// RTMDet: by ImageNet's mean and deviation in levels, blue first, at the top left.
    pub(super) const RTMDET: Self =
        Self { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], ..Self::YOLOX };
    /// NanoDet: the same numbers, stretched.
    pub(super) const NANODET: Self = Self { fit: Fit::Stretch, ..Self::RTMDET };
    /// CenterNet: numbers of its own, blue first, in the middle of black.
    pub(super) const CENTERNET: Self = Self {
        colour: ColourOrder::Bgr,
        mean: [0.47, 0.447, 0.408],
        std: [0.278, 0.274, 0.289],
        fit: Fit::LetterboxCentred(0),
        ..Self::UNIT
    };
    /// SSD: levels less their mean, red first, stretched.
    pub(super) const SSD: Self = Self { mean: [123.0, 117.0, 104.0], fit: Fit::Stretch, ..Self::LEVELS };
    /// EfficientDet: by ImageNet's mean and deviation, red first, at the top left, the rest near the mean.
    pub(super) const EFFICIENTDET: Self =
        Self { fit: Fit::LetterboxTopLeft(116), ..Self::IMAGENET_STRETCHED };
}
