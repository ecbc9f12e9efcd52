//! Boxes that have their class already: in rows of six, or in lists of their own.

use super::Unknown;
use super::appearance::Appearance;
use super::dense::{by_name, kpt_shape};
use super::layouts::Form;
use super::probe::{self, Cells};
use super::rules::{Found, box_form, named, reading, values};
use super::signature::Signature;
use crate::detect::heads::masks::prototypes;
use crate::detect::heads::{Behind, ClassColumns, Points, Table};
use crate::detect::model::{BoxForm, Fit, ScoreForm};

/// Boxes, scores and class numbers in outputs of their own.
pub(super) fn lists(signature: &Signature<'_>) -> Found {
    let outputs = 0..signature.outputs.len();
    let single = |output: &usize| {
        signature.outputs[*output].shape.iter().product::<usize>() == 1
            && !signature.outputs[*output].shape.is_empty()
    };
    let count = outputs.clone().find(|output| single(output) && signature.name(*output).contains("num"));
    let table = |output: usize| signature.rows(output).filter(|table| table.objects > 1);
    let boxes: Vec<(usize, Table)> = outputs
        .clone()
        .filter_map(|output| Some((output, table(output)?)))
        .filter(|(_, table)| matches!(table.columns, 4 | 5))
        .collect();
    let [(boxes, of_boxes)] = boxes[..] else { return Ok(None) };
    let of_one = |output: &usize| {
        table(*output).is_some_and(|table| table.columns == 1 && table.objects == of_boxes.objects)
    };
    let lists: Vec<usize> = outputs.filter(of_one).collect();
    let classes_of = |output: &usize| {
        signature.is_whole(*output)
            || signature.name(*output).contains("class")
            || signature.name(*output).contains("label")
    };
    let (score, class) = match (of_boxes.columns, lists.as_slice()) {
        // mmdeploy: corners and score, and labels.
        (5, [class]) if classes_of(class) => ((boxes, 4), *class),
        (4, [a, b]) => match (classes_of(a), classes_of(b)) {
            (false, true) => ((*a, 0), *b),
            (true, false) => ((*b, 0), *a),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    let shares =
        ["orig_target_sizes", "im_shape"].into_iter().any(|name| signature.file.bound.contains(&name));
    let form = if shares {
        BoxForm::CornersShares
    } else {
        match box_form(signature, &of_boxes, None)? {
            Some(form @ (BoxForm::CornersShares | BoxForm::CentreSizeShares))
                if !all_zero(values(signature, boxes)?) =>
            {
                form
            }
            _ => BoxForm::Corners,
        }
    };
    let names = signature.names.count();
    let picture = signature.file.picture;
    let (family, appearance, classes, assumed) = if picture.single {
        // Counts "nothing" as 0, and COCO's classes by the numbers of its files; scales and crops by itself.
        let classes = if named(signature) { ClassColumns::From(1, names) } else { ClassColumns::CocoNumbers };
        let square = signature.input.width() == signature.input.height();
        let fit = if square { Fit::Stretch } else { Fit::LetterboxTopLeft(0) };
        ("torchvision", Appearance { fit, ..Appearance::UNIT }, classes, None)
    } else if picture.levels {
        ("YOLO-NAS", Appearance::LEVELS, ClassColumns::All(names), None)
    } else if shares {
        let assumed = "red first, numbers from 0 to 1, stretched, as D-FINE and RT-DETR are trained";
        (
            "D-FINE or RT-DETR with its last step",
            Appearance::UNIT_STRETCHED,
            ClassColumns::All(names),
            Some(assumed),
        )
    } else if of_boxes.columns == 5 {
        let assumed = "blue first, ImageNet's mean and deviation, as RTMDet is trained";
        ("RTMDet", Appearance::RTMDET, ClassColumns::All(names), Some(assumed))
    } else {
        let assumed = "red first, numbers from 0 to 1, the picture in the middle";
        ("boxes, scores and labels", Appearance::UNIT, ClassColumns::All(names), Some(assumed))
    };
    let form_of =
        Form::Finished { boxes: (boxes, 0), score, class: (class, 0), count, behind: Behind::default() };
    let mut reading = reading(family, form_of, (form, ScoreForm::Probabilities), classes, appearance);
    reading.nms = false;
    reading.why.push("lists of boxes, scores and class numbers".to_owned());
    reading.assumed.extend(assumed.map(str::to_owned));
    Ok(Some(reading))
}

fn all_zero(values: &[f32]) -> bool {
    values.iter().all(|value| *value == 0.0)
}

/// One output with a finished detection a row.
pub(super) fn rows(signature: &Signature<'_>) -> Found {
    let Some(table) = signature.rows(0).filter(|table| table.columns >= 6 && table.objects > 1) else {
        return Ok(None);
    };
    let metadata = &signature.file.metadata;
    let task = metadata.get("task");
    let says_finished = metadata.is_true("end2end") || metadata.get("head") == Some("RTDETRDecoder");
    // As long as a grid, it is one, unless the file says otherwise.
    if Cells::of(table.objects, signature.input).is_some() && !says_finished {
        return Ok(None);
    }
    let points = if task == Some("pose") { kpt_shape(metadata) } else { None };
    let prototypes = prototypes(&signature.outputs);
    let turned = task == Some("obb");
    let more = points.map_or(0, |(count, numbers)| count * numbers)
        + prototypes.map_or(0, |(_, count)| count)
        + usize::from(turned);
    let behind = Behind {
        angle: turned.then_some(6),
        points: points.map(|(count, numbers)| Points { first: 6, count, numbers }),
        masks: signature.masks(prototypes, 6),
    };
    let names = signature.names.count();
    let ultralytics = metadata.is_ultralytics();
    let column = |column: usize| -> Result<Vec<f32>, Unknown> {
        let all = values(signature, 0)?;
        Ok((0..table.objects).map(|object| table.at(all, object, column)).collect())
    };
    let (first, score, class, form) = if table.columns == 6 + more {
        if ultralytics && metadata.has("head") {
            let shares = metadata.get("head") == Some("RTDETRDecoder");
            let form = if shares {
                BoxForm::CentreSizeShares
            } else if turned {
                BoxForm::CentreSize
            } else {
                BoxForm::Corners
            };
            (0, 4, 5, form)
        } else {
            let (first, score, class) = order(&column, 0)?;
            let all = values(signature, 0)?;
            let four: Vec<f32> =
                (0..table.objects).flat_map(|object| table.four(all, object, first)).collect();
            let alone = Table { columns: 4, ..table };
            let by_values =
                || probe::box_form(&alone, &four, None, signature.input).unwrap_or(BoxForm::Corners);
            let form = signature.settings.boxes.unwrap_or_else(by_values);
            (first, score, class, if turned { BoxForm::CentreSize } else { form })
        }
    } else if table.columns == 7 && more == 0 {
        // The number of the picture comes first.
        if !column(0)?.iter().all(|picture| *picture == 0.0) {
            return Ok(None);
        }
        let (score, class) = match (whole(&column(5)?), whole(&column(6)?)) {
            (false, true) => (5, 6),
            (true, false) => (6, 5),
            _ if signature.name(0).contains("flat") => (5, 6),
            _ => return Err(ambiguous()),
        };
        (1, score, class, BoxForm::Corners)
    } else {
        return Ok(None);
    };
    let shares = matches!(form, BoxForm::CentreSizeShares | BoxForm::CornersShares);
    let (family, appearance, assumed) = match by_name(signature) {
        Some((family, appearance)) => (family, appearance, None),
        None if signature.file.bound.contains(&"scale_factor")
            || signature.file.bound.contains(&"im_shape") =>
        {
            (
                "Paddle",
                Appearance::UNIT_STRETCHED,
                Some("red first, numbers from 0 to 1, as RT-DETR and PP-YOLOE are trained"),
            )
        }
        None if signature.file.picture.levels => ("YOLO-NAS", Appearance::LEVELS, None),
        None if ultralytics && shares => ("RT-DETR of Ultralytics", Appearance::UNIT_STRETCHED, None),
        None if ultralytics => ("YOLO of Ultralytics, end to end", Appearance::UNIT, None),
        None if shares => (
            "RT-DETR, end to end",
            Appearance::UNIT_STRETCHED,
            Some("red first, numbers from 0 to 1, as RT-DETR is trained"),
        ),
        None => (
            "YOLO, end to end",
            Appearance::UNIT,
            Some("red first, numbers from 0 to 1, the picture in the middle, as YOLO is trained"),
        ),
    };
    let form_of =
        Form::Finished { boxes: (0, first), score: (0, score), class: (0, class), count: None, behind };
    let mut reading =
        reading(family, form_of, (form, ScoreForm::Probabilities), ClassColumns::All(names), appearance);
    reading.nms = false;
    reading.why.push(format!("{} rows of box, score and class", table.objects));
    if ultralytics {
        reading.why.push("the metadata of Ultralytics' exporter".to_owned());
    } else {
        reading.why.push("the order of its columns by their values".to_owned());
    }
    reading.assumed.extend(assumed.map(str::to_owned));
    Ok(Some(reading))
}

fn whole(values: &[f32]) -> bool {
    probe::are_whole(values.iter().copied())
}

fn ambiguous() -> Unknown {
    Unknown::Refused(
        "which of its columns is the score and which the class cannot be told from its values".to_owned(),
    )
}

/// The first column of the box, that of the score and that of the class: the class is the one of whole numbers.
fn order(
    column: &dyn Fn(usize) -> Result<Vec<f32>, Unknown>,
    first: usize,
) -> Result<(usize, usize, usize), Unknown> {
    let (a, b) = (column(first)?, column(first + 1)?);
    let (score, class) = (column(first + 4)?, column(first + 5)?);
    let is_score = |values: &[f32]| probe::are_probabilities(values.iter().copied()) && !whole(values);
    if is_score(&score) && whole(&class) {
        return Ok((first, first + 4, first + 5));
    }
    if whole(&a) && is_score(&b) && !whole(&class) {
        return Ok((first + 2, first + 1, first));
    }
    Err(ambiguous())
}
