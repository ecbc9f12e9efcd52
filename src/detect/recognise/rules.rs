//! The rules: each knows some layouts of outputs, and gives the reading of a model that has one.
//!
//! Their order is that of the table in [`recognise`](super): what is told by inputs and names of its own first, then lists,
//! pairs of outputs, and one output alone.

use super::appearance::Appearance;
use super::layouts::{Form, Part};
use super::probe::{self, Cells};
use super::reading::Reading;
use super::signature::{Names, Signature};
use super::{Unknown, dense, finished};
use crate::detect::heads::{Behind, ClassColumns, Masks, Table};
use crate::detect::model::{BoxForm, Family, Fit, ScoreForm};

pub(super) type Found = Result<Option<Reading>, Unknown>;

/// All rules, the first choice first.
pub(super) const ALL: [fn(&Signature<'_>) -> Found; 6] =
    [cut_pair, finished::lists, by_stride, pair, finished::rows, dense::one_table];

/// Models that are no detectors, or cannot be read as they are.
pub(super) fn refused(signature: &Signature<'_>) -> Result<(), Unknown> {
    let refuse = |why: String| Err(Unknown::Refused(why));
    let metadata = &signature.file.metadata;
    if let Some(task) =
        metadata.get("task").filter(|task| !matches!(*task, "detect" | "segment" | "pose" | "obb" | ""))
    {
        return refuse(format!("its file says that its task is \"{task}\"; a detector is needed"));
    }
    if let Some(name) = dense::named_family(signature).filter(|_| dense::by_name(signature).is_none()) {
        return refuse(format!(
            "its file says that it is of the family \"{name}\", which is not known; detector.family says one that is like it"
        ));
    }
    if let Some(op) = signature.file.ops.iter().find(|op| op.contains("_TRT") || op.starts_with("TRT:")) {
        let op = op.rsplit(':').next().unwrap_or(op);
        return refuse(format!(
            "it has the operator {op}, which runs in TensorRT alone; export it without that step"
        ));
    }
    if signature.outputs.iter().all(|output| output.shape.len() == 5) && !signature.outputs.is_empty() {
        return refuse(
            "its boxes are not decoded: one output of five axes a stride; export it with the last layer \
             (YOLOv5: as it is by default, YOLOv7: --grid)"
                .to_owned(),
        );
    }
    if let [output] = signature.outputs.as_slice() {
        match output.shape.as_slice() {
            [1, classes] if *classes >= 10 => {
                return refuse(format!(
                    "it gives {classes} numbers for the whole picture, as a classifier does; a detector is needed"
                ));
            }
            [1, _, down, across] if *down > 8 && *across > 8 => {
                return refuse("it gives a map of the whole picture, as networks for segmentation and depth do; a detector is needed".to_owned());
            }
            _ => {}
        }
    }
    Ok(())
}

/// A reading with nothing behind the boxes and nothing said yet.
pub(super) fn reading(
    family: &'static str,
    form: Form,
    (boxes, scores): (BoxForm, ScoreForm),
    classes: ClassColumns,
    appearance: Appearance,
) -> Reading {
    Reading {
        family,
        why: Vec::new(),
        assumed: Vec::new(),
        appearance,
        any_size: false,
        form,
        boxes,
        scores,
        classes,
        nms: true,
        several: false,
    }
}

/// The classes where there is a column for each.
pub(super) fn classes(signature: &Signature<'_>, columns: usize) -> Result<ClassColumns, Unknown> {
    match signature.names {
        names if columns == names.count() => Ok(ClassColumns::All(columns)),
        // COCO's own numbers, of which the file has one more than the largest.
        names if columns == 91 && names.count() == 80 => Ok(ClassColumns::CocoNumbers),
        // Without the one for "nothing" in front: TensorFlow's.
        names if columns == 90 && names.count() == 80 => Ok(ClassColumns::CocoNumbersFromOne),
        _ => Err(Unknown::Classes(columns)),
    }
}

/// What a run on the smooth picture gave for an output.
pub(super) fn values<'a>(signature: &'a Signature<'_>, output: usize) -> Result<&'a [f32], Unknown> {
    signature.values(output).map_err(does_not_run)
}

/// The form of the boxes in a table; `None` where they are not decoded.
pub(super) fn box_form(
    signature: &Signature<'_>,
    table: &Table,
    cells: Option<Cells>,
) -> Result<Option<BoxForm>, Unknown> {
    signature.box_form(table, cells).map_err(does_not_run)
}

fn does_not_run(why: String) -> Unknown {
    Unknown::Refused(format!("what its numbers mean could not be found out, because it does not run: {why}"))
}

/// Whether scores are probabilities, or logits of which each has a sigmoid.
pub(super) fn score_form(signature: &Signature<'_>, output: usize) -> Result<ScoreForm, Unknown> {
    let all = values(signature, output)?.iter().copied();
    Ok(if probe::are_probabilities(all) { ScoreForm::Probabilities } else { ScoreForm::SigmoidLogits })
}

/// What Paddle's two networks are told apart by: PicoDet has a fourth grid.
pub(super) fn of_paddle(cells: Option<Cells>) -> (&'static str, Appearance) {
    match cells {
        Some(cells) if cells.strides.len() == 4 => ("PicoDet", Appearance::IMAGENET_STRETCHED),
        _ => ("PP-YOLOE", Appearance::UNIT_STRETCHED),
    }
}

/// The family and the look of a picture for boxes and scores of their own, by what else the exporter put into the file.
fn dense_family(
    signature: &Signature<'_>,
    cells: Option<Cells>,
) -> (&'static str, Appearance, Option<String>) {
    let say = |what: &str| Some(what.to_owned());
    if signature.ends_in("detection_boxes") {
        return (
            "TensorFlow's EfficientDet and SSD",
            Appearance { fit: Fit::Stretch, ..Appearance::LEVELS },
            None,
        );
    }
    if signature.file.picture.levels {
        return ("YOLO-NAS", Appearance::LEVELS, None);
    }
    if signature.file.bound.contains(&"scale_factor") {
        let (family, appearance) = of_paddle(cells);
        return (family, appearance, None);
    }
    if signature.ends_in("confs") {
        return (
            "YOLOv4",
            Appearance::UNIT_STRETCHED,
            say("red first, numbers from 0 to 1, stretched, as YOLOv4 is trained"),
        );
    }
    if signature.ends_in("dets") && signature.ends_in("labels") {
        return (
            "RTMDet",
            Appearance::RTMDET,
            say("blue first, ImageNet's mean and deviation, as RTMDet is trained"),
        );
    }
    if let Some((family, appearance)) = dense::by_name(signature) {
        return (family, appearance, None);
    }
    let assumed = say("red first, numbers from 0 to 1, the picture in the middle, as YOLO-NAS is trained");
    ("dense boxes and scores", Appearance::UNIT, assumed)
}

/// The boxes and scores that went into a suppression.
fn cut_pair(signature: &Signature<'_>) -> Found {
    let Some((_, true)) = signature.cut else { return Ok(None) };
    let Some(boxes) = signature.rows(0).filter(|table| table.columns == 4) else { return Ok(None) };
    let part = [Part { output: 1, across: true }, Part::rows(1)].into_iter().find_map(|part| {
        let table = if part.across { signature.columns(1) } else { signature.rows(1) };
        table.filter(|table| table.objects == boxes.objects).map(|table| (part, table.columns))
    });
    let Some((scores, columns)) = part else { return Ok(None) };
    let classes = classes(signature, columns)?;
    let cells = Cells::of(boxes.objects, signature.input);
    let rows_first = match cells {
        Some(cells) if signature.settings.boxes.is_none() => {
            probe::are_rows_first(&boxes, values(signature, 0)?, cells, signature.input)
        }
        // TensorFlow's order.
        _ => signature.file.metadata.producer.starts_with("tf2onnx"),
    };
    let form = match box_form(signature, &boxes, None)?.unwrap_or(BoxForm::Corners) {
        BoxForm::Corners if rows_first => BoxForm::RowCorners,
        BoxForm::CornersShares if rows_first => BoxForm::RowCornersShares,
        form => form,
    };
    let (family, appearance, assumed) = dense_family(signature, cells);
    let form_of =
        Form::Scored { boxes: Part::rows(0), scores, first: 0, objectness: None, behind: Behind::default() };
    let forms = (form, score_form(signature, 1)?);
    let mut reading = reading(family, form_of, forms, classes, appearance);
    reading.several = true;
    reading.why.push("boxes and scores that go into its own suppression".to_owned());
    reading.assumed.extend(assumed);
    Ok(Some(reading))
}

/// Boxes and scores in outputs of their own.
fn pair(signature: &Signature<'_>) -> Found {
    let Some((boxes, scores, columns)) = boxes_and_scores(signature)? else { return Ok(None) };
    let table = if boxes.across { signature.columns(boxes.output) } else { signature.rows(boxes.output) };
    let Some(table) = table else { return Ok(None) };
    let behind = Behind { masks: own_masks(signature, table.objects), ..Behind::default() };
    let form = Form::Scored { boxes, scores, first: 0, objectness: None, behind };
    let by_query = signature.has_op("GridSample") || named_as_queries(signature, boxes.output, scores.output);
    let cells = Cells::of(table.objects, signature.input).filter(|_| !by_query);
    if let Some(cells) = cells {
        let Some(box_form) = box_form(signature, &table, Some(cells))? else {
            return Err(Unknown::Refused(
                "its boxes do not follow the cells of its grid: they are not decoded; export it with its last layer".to_owned(),
            ));
        };
        let (family, appearance, assumed) = dense_family(signature, Some(cells));
        let scores = score_form(signature, scores.output)?;
        let mut reading = reading(family, form, (box_form, scores), classes(signature, columns)?, appearance);
        reading.why.push(format!("boxes and scores for the cells of strides {:?}", cells.strides));
        reading.assumed.extend(assumed);
        return Ok(Some(reading));
    }
    queries(signature, form, (boxes.output, scores.output, columns))
}

/// An output with a map for each of so many objects, which is called so.
fn own_masks(signature: &Signature<'_>, objects: usize) -> Option<Masks> {
    let is_one = |number: &usize| {
        let masks = Masks::Own { output: *number };
        signature.name(*number).contains("mask") && masks.fits(&signature.outputs[*number], objects)
    };
    let output = (0..signature.outputs.len()).find(is_one).filter(|_| signature.settings.masks)?;
    Some(Masks::Own { output })
}

/// Whether outputs with boxes and scores have the names that these have in DETR and its heirs. An exporter that has them the
/// other way round, for another family, is no danger: what is called boxes has four columns here.
fn named_as_queries(signature: &Signature<'_>, boxes: usize, scores: usize) -> bool {
    signature.name(boxes).contains("pred_boxes") && signature.name(scores).contains("logits")
}

/// The answers to a fixed number of queries: DETR and its heirs.
fn queries(signature: &Signature<'_>, form: Form, (boxes, scores, columns): (usize, usize, usize)) -> Found {
    let names = signature.names.count();
    let rf = signature.name(boxes).ends_with("dets") && signature.name(scores).ends_with("labels");
    let sigmoid = match signature.settings.family {
        Some(family) => family != Family::Detr,
        None => {
            rf || signature.has_op("GridSample")
                || signature.has_op("TopK")
                || columns == names
                || columns == 91
        }
    };
    let trusted = rf || named_as_queries(signature, boxes, scores);
    let mut why = vec![format!(
        "{columns} scores a query, {}",
        if sigmoid { "a sigmoid each" } else { "a softmax over all" }
    )];
    let mut form_of_boxes = signature.settings.boxes.unwrap_or(BoxForm::CentreSizeShares);
    let mut form_of_scores = if sigmoid { ScoreForm::SigmoidLogits } else { ScoreForm::SoftmaxLogits };
    if !trusted {
        let Some(table) = signature.rows(boxes) else { return Ok(None) };
        form_of_boxes = box_form(signature, &table, None)?.unwrap_or(form_of_boxes);
        // With four columns each, what lies within the picture are the boxes; logits do not.
        let within =
            |output| Ok::<_, Unknown>(probe::are_probabilities(values(signature, output)?.iter().copied()));
        if columns == 4 && (!within(boxes)? || within(scores)?) {
            return Err(Unknown::Refused(
                "both of its outputs have four columns, and neither their names nor their values tell the boxes from the \
                 scores"
                    .to_owned(),
            ));
        }
        if sigmoid && within(scores)? {
            form_of_scores = ScoreForm::Probabilities;
        }
        why.push("the form of its boxes by their values".to_owned());
    }
    // With a softmax the last column is "none"; RF-DETR keeps such a column, too.
    let classes = match columns {
        _ if sigmoid && columns == names + 1 => ClassColumns::All(names),
        _ if sigmoid => classes(signature, columns)?,
        92 if names == 80 => ClassColumns::CocoNumbers,
        _ if columns == names + 1 => ClassColumns::All(names),
        _ => return Err(Unknown::Classes(columns.saturating_sub(1))),
    };
    let (family, appearance, assumed) = match () {
        () if rf => ("RF-DETR", Appearance::IMAGENET_STRETCHED, None),
        () if !sigmoid => (
            "DETR",
            Appearance::IMAGENET_STRETCHED,
            Some("red first, ImageNet's mean and deviation, as DETR is trained"),
        ),
        () if columns == 91 => (
            "Deformable DETR",
            Appearance::IMAGENET_STRETCHED,
            Some("red first, ImageNet's mean and deviation, as Deformable DETR is trained"),
        ),
        () => (
            "RT-DETR",
            Appearance::UNIT_STRETCHED,
            Some("red first, numbers from 0 to 1, as RT-DETR is trained"),
        ),
    };
    let (family, appearance, assumed) = match dense::by_name(signature) {
        Some((family, appearance)) => (family, appearance, None),
        None => (family, appearance, assumed),
    };
    let mut reading = reading(family, form, (form_of_boxes, form_of_scores), classes, appearance);
    reading.nms = false;
    reading.several = sigmoid;
    reading.why = why;
    reading.assumed.extend(assumed.map(str::to_owned));
    Ok(Some(reading))
}

/// The outputs with boxes and with scores, and how many columns of scores there are.
fn boxes_and_scores(signature: &Signature<'_>) -> Result<Option<(Part, Part, usize)>, Unknown> {
    let names = signature.names.count();
    let mut of_boxes = Vec::new();
    for output in 0..signature.outputs.len() {
        if is_table(&signature.outputs[output].shape) {
            let rows = signature.rows(output).filter(|table| table.columns == 4 && table.objects > 4);
            let columns = signature.columns(output).filter(|table| table.columns == 4 && table.objects > 4);
            match (rows, columns) {
                (Some(table), _) => of_boxes.push((Part::rows(output), table.objects)),
                (_, Some(table)) => of_boxes.push((Part { output, across: true }, table.objects)),
                _ => {}
            }
        }
    }
    let said =
        |part: &Part, words: &[&str]| words.iter().any(|word| signature.name(part.output).contains(word));
    // Names decide between equals only: the first with a fitting name, else the first.
    let rank = |part: &Part| {
        (
            !said(part, &["pred_boxes", "dets"]),
            !said(part, &["box"]),
            said(part, &["reference", "enc_", "init_"]),
        )
    };
    of_boxes.sort_by_key(|(part, _)| rank(part));
    for (boxes, objects) in of_boxes {
        let mut of_scores = Vec::new();
        for output in (0..signature.outputs.len()).filter(|output| *output != boxes.output) {
            if !is_table(&signature.outputs[output].shape) {
                continue;
            }
            for (part, table) in [
                (Part::rows(output), signature.rows(output)),
                (Part { output, across: true }, signature.columns(output)),
            ] {
                if let Some(table) =
                    table.filter(|table| table.objects == objects && table.columns != objects)
                {
                    of_scores.push((part, table.columns));
                }
            }
        }
        let fits = |columns: usize| {
            columns == names || columns == names + 1 || names == 80 && matches!(columns, 91 | 92)
        };
        of_scores.sort_by_key(|(part, columns)| {
            (
                !fits(*columns),
                !said(part, &["pred_logits", "labels"]),
                !said(part, &["logits", "scores"]),
                said(part, &["enc_", "intermediate"]),
            )
        });
        match of_scores.first() {
            Some(&(scores, columns)) if fits(columns) => return Ok(Some((boxes, scores, columns))),
            // Nothing else that could be meant.
            Some(&(_, columns)) if signature.outputs.len() == 2 => {
                let none = signature.has_op("GridSample") || Cells::of(objects, signature.input).is_some();
                return Err(Unknown::Classes(if none { columns } else { columns.saturating_sub(1) }));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// Whether an output may hold boxes or scores: two axes, and others of length 1.
fn is_table(shape: &[usize]) -> bool {
    matches!(shape, [_, _] | [1, _, _] | [1, _, 1, _])
}

/// An output of scores and one of distances for each stride: NanoDet and PicoDet without their last step.
fn by_stride(signature: &Signature<'_>) -> Found {
    let strides: &'static [usize] = match signature.outputs.len() {
        6 => &[8, 16, 32],
        8 => &[8, 16, 32, 64],
        _ => return Ok(None),
    };
    let names = signature.names.count();
    let none = Part::rows(0);
    let (mut scores, mut distances, mut bins) = ([none; 4], [none; 4], None);
    for (at, &stride) in strides.iter().enumerate() {
        let cells = signature.input.width().div_ceil(stride) * signature.input.height().div_ceil(stride);
        let of_level = |across: bool| {
            (0..signature.outputs.len()).filter_map(move |output| {
                let table = if across { signature.columns(output) } else { signature.rows(output) }?;
                (table.objects == cells).then_some((Part { output, across }, table.columns))
            })
        };
        let all: Vec<(Part, usize)> = of_level(false).chain(of_level(true)).collect();
        let score = all.iter().find(|(_, columns)| *columns == names);
        let distance = all.iter().find(|(part, columns)| {
            columns.is_multiple_of(4)
                && *columns >= 16
                && score.is_none_or(|(score, _)| score.output != part.output)
        });
        let (Some(score), Some(distance)) = (score, distance) else {
            return Ok(None);
        };
        if bins.replace(distance.1 / 4).is_some_and(|before| before != distance.1 / 4) {
            return Ok(None);
        }
        (scores[at], distances[at]) = (score.0, distance.0);
    }
    let (family, appearance) = match strides.len() {
        3 => ("NanoDet", Appearance::NANODET),
        _ => ("PicoDet", Appearance::IMAGENET_STRETCHED),
    };
    let score_form = score_form(signature, scores[0].output)?;
    let cells = Cells { strides, anchors: 1 };
    let form = Form::DistancesByStride { scores, distances, cells, bins: bins.unwrap_or(8), offset: 0.5 };
    let classes = ClassColumns::All(names);
    let mut reading = reading(family, form, (BoxForm::Distances, score_form), classes, appearance);
    reading.why.push(format!("scores and distances for each of the strides {strides:?}"));
    reading.assumed.push(format!("range and order of colours as {family} is trained"));
    reading.any_size = true;
    Ok(Some(reading))
}

/// How many names there must be said to be: what is assumed counts only where it fits.
pub(super) fn named(signature: &Signature<'_>) -> bool {
    matches!(signature.names, Names::Given(_))
}
