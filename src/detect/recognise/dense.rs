//! One output with a box and its scores for every cell of a grid: YOLO and its kin.

use super::Unknown;
use super::appearance::Appearance;
use super::layouts::{Form, Part};
use super::probe::{self, Cells};
use super::reading::Reading;
use super::rules::{Found, box_form, classes, named, reading, values};
use super::signature::Signature;
use crate::detect::file::Metadata;
use crate::detect::heads::masks::prototypes;
use crate::detect::heads::{Behind, Points, Table};
use crate::detect::model::{BoxForm, Fit, ScoreForm};

/// Where the numbers of an object stand.
#[derive(Clone, Copy)]
struct Columns {
    table: Table,
    cells: Cells,
    /// The number of classes.
    classes: usize,
    objectness: bool,
    behind: Behind,
    /// Columns behind the scores.
    more: usize,
}

/// The family that an exporter names in the metadata.
pub(super) fn named_family<'a>(signature: &'a Signature<'_>) -> Option<&'a str> {
    let metadata = &signature.file.metadata;
    metadata.get("model_family").or_else(|| metadata.get("family")).filter(|name| !name.is_empty())
}

/// The family and the look of a picture that the settings say, or an exporter in the metadata.
pub(super) fn by_name(signature: &Signature<'_>) -> Option<(&'static str, Appearance)> {
    if let Some(family) = signature.settings.family {
        return Some((family.name(), family.appearance()));
    }
    let name = named_family(signature)?.to_ascii_lowercase().replace(['-', '_'], "");
    let known = [
        ("yolox", "YOLOX", Appearance::YOLOX),
        ("yolonas", "YOLO-NAS", Appearance::UNIT),
        ("yolo", "YOLO", Appearance::UNIT),
        ("rtmdet", "RTMDet", Appearance::RTMDET),
        ("picodet", "PicoDet", Appearance::IMAGENET_STRETCHED),
        ("nanodet", "NanoDet", Appearance::NANODET),
        ("ppyolo", "PP-YOLOE", Appearance::IMAGENET_STRETCHED),
        ("efficientdet", "EfficientDet", Appearance::EFFICIENTDET),
        ("centernet", "CenterNet", Appearance::CENTERNET),
        ("ssd", "SSD", Appearance::SSD),
        ("rfdetr", "RF-DETR", Appearance::IMAGENET_STRETCHED),
        ("lwdetr", "LW-DETR", Appearance::IMAGENET_STRETCHED),
        ("rtdetr", "RT-DETR", Appearance::UNIT_STRETCHED),
        ("dfine", "D-FINE", Appearance::UNIT_STRETCHED),
        ("deim", "DEIM", Appearance::UNIT_STRETCHED),
        ("detr", "DETR", Appearance::IMAGENET_STRETCHED),
    ];
    let (_, family, look) = known.into_iter().find(|(start, _, _)| name.starts_with(start))?;
    let top_left = signature.file.metadata.get("letterbox_pad") == Some("topleft");
    let fit = if top_left { Fit::LetterboxTopLeft(114) } else { look.fit };
    Some((family, Appearance { fit, ..look }))
}

/// One table of boxes and scores for the cells of grids.
pub(super) fn one_table(signature: &Signature<'_>) -> Found {
    if signature.outputs.first().is_none_or(|output| output.shape.len() != 3) {
        return Ok(None);
    }
    let tables = || [signature.rows(0), signature.columns(0)].into_iter().flatten();
    let dense = tables().filter_map(|table| Some((table, Cells::of(table.objects, signature.input)?)));
    // A table of few columns that happens to be as long as a grid the other way round is not meant.
    let Some((table, cells)) = dense.max_by_key(|(table, _)| table.objects) else {
        let names = signature.names.count();
        return match tables().find(|table| table.columns == 4 + names && table.objects > table.columns) {
            Some(table) => without_cells(signature, table),
            None => Ok(None),
        };
    };
    if let Some(reading) = distances(signature, table, cells)? {
        return Ok(Some(reading));
    }
    let columns = columns(signature, table, cells)?;
    let metadata = &signature.file.metadata;
    // What Ultralytics puts its own suppression behind are corners, and what it exports else centres.
    let form = if metadata.is_ultralytics() && metadata.has("task") && signature.cut.is_none() {
        Some(signature.settings.boxes.unwrap_or(BoxForm::CentreSize))
    } else {
        box_form(signature, &table, Some(cells))?
    };
    let classes = classes(signature, columns.classes)?;
    let Some(form) = form else {
        let raw =
            !table.across && columns.objectness && cells == (Cells { strides: &[8, 16, 32], anchors: 1 });
        if !raw {
            return Err(Unknown::Refused(
                "its boxes do not follow the cells of its grid: they are not decoded; export it with its last layer".to_owned(),
            ));
        }
        return Ok(Some(Reading::yolox(columns.classes)));
    };
    let part = Part { output: 0, across: table.across };
    let first = 4 + usize::from(columns.objectness);
    let objectness = columns.objectness.then_some(4);
    let form_of = Form::Scored { boxes: part, scores: part, first, objectness, behind: columns.behind };
    let (family, appearance, assumed) = family(signature, &columns, form)?;
    // Ultralytics and the makers of YOLOX and YOLOv5 export probabilities; others are asked.
    let scores =
        if metadata.is_ultralytics() { ScoreForm::Probabilities } else { score_form(signature, &columns)? };
    let mut reading = reading(family, form_of, (form, scores), classes, appearance);
    reading.why = why(signature, &columns);
    reading.assumed.extend(assumed);
    Ok(Some(reading))
}

/// Boxes and scores side by side whose rows are the cells of no grid that is known (SSD's 8732): corners tell themselves by
/// their order, other forms have to be said.
fn without_cells(signature: &Signature<'_>, table: Table) -> Found {
    let form = box_form(signature, &table, None)?;
    let told = signature.settings.boxes.is_some();
    let Some(form) = form.filter(|form| told || matches!(form, BoxForm::Corners | BoxForm::CornersShares))
    else {
        return Err(Unknown::Refused(
            "its rows are no cells of a grid that is known, so that the form of its boxes cannot be told; detector.boxes says it"
                .to_owned(),
        ));
    };
    let names = signature.names.count();
    let classes = classes(signature, names)?;
    let part = Part { output: 0, across: table.across };
    let form_of =
        Form::Scored { boxes: part, scores: part, first: 4, objectness: None, behind: Behind::default() };
    let columns = Columns {
        table,
        cells: Cells { strides: &[], anchors: 1 },
        classes: names,
        objectness: false,
        behind: Behind::default(),
        more: 0,
    };
    let (family, appearance, assumed) = family(signature, &columns, form)?;
    let scores = score_form(signature, &columns)?;
    let mut reading = reading(family, form_of, (form, scores), classes, appearance);
    reading.why.push(format!("{} rows of a box and {names} scores, no cells of a grid", table.objects));
    reading.assumed.extend(assumed);
    Ok(Some(reading))
}

fn why(signature: &Signature<'_>, columns: &Columns) -> Vec<String> {
    let Columns { cells, table, .. } = columns;
    let mut why = vec![format!(
        "{} {} for the cells of strides {:?}{}",
        table.objects,
        if table.across { "columns" } else { "rows" },
        cells.strides,
        if cells.anchors > 1 { format!(", {} a cell", cells.anchors) } else { String::new() }
    )];
    let objectness = if columns.objectness { ", an objectness" } else { "" };
    let more = if columns.more > 0 { format!(" and {} more numbers", columns.more) } else { String::new() };
    why.push(format!("4 numbers of a box{objectness}, {} scores{more}", columns.classes));
    if signature.file.metadata.is_ultralytics() {
        why.push("the metadata of Ultralytics' exporter".to_owned());
    } else {
        why.push("the form of its boxes by their values".to_owned());
    }
    why
}

fn score_form(signature: &Signature<'_>, columns: &Columns) -> Result<ScoreForm, Unknown> {
    let values = values(signature, 0)?;
    let Columns { table, classes, .. } = *columns;
    let first = 4 + usize::from(columns.objectness);
    let scores = (0..table.objects)
        .flat_map(|object| (first..first + classes).map(move |column| table.at(values, object, column)));
    Ok(if probe::are_probabilities(scores) { ScoreForm::Probabilities } else { ScoreForm::SigmoidLogits })
}

/// What the columns of a dense table are.
fn columns(signature: &Signature<'_>, table: Table, cells: Cells) -> Result<Columns, Unknown> {
    let metadata = &signature.file.metadata;
    let task = metadata.get("task").unwrap_or("detect");
    // Each row has a factor for each prototype of a mask.
    let has_masks = task == "segment" || metadata.get("task").is_none();
    let prototypes = prototypes(&signature.outputs).filter(|_| has_masks);
    let masks = prototypes.map_or(0, |(_, count)| count);
    let points = if task == "pose" { kpt_shape(metadata) } else { None };
    let turned = task == "obb";
    let more = masks + points.map_or(0, |(count, numbers)| count * numbers) + usize::from(turned);
    let names = signature.names.count();
    let left = table.columns.checked_sub(4 + more);
    let Some(left) = left.filter(|left| *left > 0) else { return Err(Unknown::Other) };
    // An objectness has so far been seen only where an object is a row, or a cell has several boxes.
    let may_have_objectness = !table.across || cells.anchors > 1;
    let (classes, objectness) = match left {
        _ if left == names => (left, false),
        _ if left == names + 1 && may_have_objectness => (names, true),
        _ if left == names + 1 && !named(signature) => {
            return Err(Unknown::Refused(format!(
                "each of its boxes has one number more than 4 and {names} scores, which may be an angle or an objectness; \
                 its file does not say"
            )));
        }
        // The shape alone speaks: who has rows mostly has an objectness.
        _ if may_have_objectness && left > 1 && left != 91 => {
            return Err(Unknown::Classes(left - 1));
        }
        _ => (left, false),
    };
    let behind_scores = 4 + usize::from(objectness) + classes;
    let behind = Behind {
        angle: turned.then_some(behind_scores),
        points: points.map(|(count, numbers)| Points { first: behind_scores, count, numbers }),
        masks: signature.masks(prototypes, behind_scores),
    };
    Ok(Columns { table, cells, classes, objectness, behind, more })
}

/// How many points an object has, and how many numbers each of them.
pub(super) fn kpt_shape(metadata: &Metadata) -> Option<(usize, usize)> {
    let text = metadata.get("kpt_shape")?.trim_matches(['[', ']', '(', ')']);
    let (count, numbers) = text.split_once(',')?;
    let (count, numbers) = (count.trim().parse().ok()?, numbers.trim().parse().ok()?);
    ((1..=1000).contains(&count) && (2..=3).contains(&numbers)).then_some((count, numbers))
}

/// The family of a decoded table, the look of its picture, and what of that is a guess.
fn family(
    signature: &Signature<'_>,
    columns: &Columns,
    form: BoxForm,
) -> Result<(&'static str, Appearance, Option<String>), Unknown> {
    let metadata = &signature.file.metadata;
    if metadata.is_ultralytics() {
        return Ok(("YOLO of Ultralytics", Appearance::UNIT, None));
    }
    if let Some((family, appearance)) = by_name(signature) {
        return Ok((family, appearance, None));
    }
    let guess = |family: &'static str, appearance, numbers: &str| {
        Ok((family, appearance, Some(format!("{numbers}, as {family} is trained"))))
    };
    const UNIT: &str = "red first, numbers from 0 to 1, the picture in the middle";
    if columns.objectness && columns.cells.anchors > 1 {
        return guess("YOLOv5 or YOLOv7", Appearance::UNIT, UNIT);
    }
    if columns.objectness {
        let (table, values) = (columns.table, values(signature, 0)?);
        let always = (0..table.objects).all(|object| table.at(values, object, 4) == 1.0);
        return if always {
            guess("YOLOv6", Appearance::UNIT, UNIT)
        } else {
            guess("YOLOX", Appearance::YOLOX, "blue first, levels up to 255, the picture at the top left")
        };
    }
    match form {
        BoxForm::Corners | BoxForm::CornersShares if columns.cells.strides.len() == 4 => {
            guess("PicoDet", Appearance::IMAGENET_STRETCHED, "red first, ImageNet's mean and deviation")
        }
        _ => guess("YOLOv8 and later", Appearance::UNIT, UNIT),
    }
}

/// Scores and distributions of distances side by side.
fn distances(signature: &Signature<'_>, table: Table, cells: Cells) -> Found {
    let names = signature.names.count();
    let Some(bins) =
        table.columns.checked_sub(names).filter(|left| left.is_multiple_of(4)).map(|left| left / 4)
    else {
        return Ok(None);
    };
    // With one bin there is a box; objectness, angle and points make no multiple of four of this kind.
    if !matches!(bins, 8 | 16 | 17 | 32) || cells.anchors > 1 || signature.outputs.len() > 1 {
        return Ok(None);
    }
    let part = Part { output: 0, across: table.across };
    let all = values(signature, 0)?;
    // NanoDet has the scores first, as probabilities; YOLOv8 the distances, and scores without their sigmoid.
    let probabilities = |first: usize| {
        let columns = move |object| (first..first + names).map(move |column| table.at(all, object, column));
        probe::are_probabilities((0..table.objects).flat_map(columns))
    };
    let nanodet = probabilities(0);
    let (family, appearance, first_score, first, offset, scores) = if nanodet {
        ("NanoDet-Plus", Appearance::NANODET, 0, names, 0.0, ScoreForm::Probabilities)
    } else if bins == 16 || bins == 17 {
        let scores =
            if probabilities(4 * bins) { ScoreForm::Probabilities } else { ScoreForm::SigmoidLogits };
        ("YOLOv8 without its last step", Appearance::UNIT, 4 * bins, 0, 0.5, scores)
    } else {
        return Ok(None);
    };
    let form = Form::Distances { part, cells, first_score, first, bins, offset };
    let classes = classes(signature, names)?;
    let mut reading: Reading = reading(family, form, (BoxForm::Distances, scores), classes, appearance);
    reading.any_size = true;
    reading.why.push(format!(
        "{names} scores and 4 distributions of {bins} for the cells of strides {:?}",
        cells.strides
    ));
    reading.assumed.push(format!("range and order of colours as {family} is trained"));
    Ok(Some(reading))
}
