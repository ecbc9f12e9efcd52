//! The inputs: one picture `[1, 3, height, width]` or `[1, height, width, 3]` of 32-bit floats is all that goes in.
//!
//! A picture of whole levels, or without the axis that counts pictures, gets a node in front that makes it of ours. Sizes that
//! some networks want beside the picture, to bring boxes to it themselves, become constants: that is the detector's work.

use tract_onnx::pb::GraphProto;
use tract_onnx::pb::tensor_proto::DataType;

use super::FileError;
use super::graph::{declared, inputs, node, tensor_type, whole, whole_numbers};
use crate::detect::model::Layout;

/// What a file declares of its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) struct Picture {
    /// The order of the axes.
    pub(in crate::detect) layout: Layout,
    /// Pixels across, where they are fixed.
    pub(in crate::detect) width: Option<usize>,
    /// Pixels down, likewise.
    pub(in crate::detect) height: Option<usize>,
    /// It takes whole levels from 0 to 255, and scales them itself.
    pub(in crate::detect) levels: bool,
    /// It takes no axis that counts pictures: torchvision's form, which scales and crops by itself.
    pub(in crate::detect) single: bool,
}

/// Inputs beside the picture that are known, with what they are given: sizes of 1×1, so that boxes are shares of the picture,
/// and a scale of 1.
const KNOWN: [(&str, &[f32]); 3] =
    [("orig_target_sizes", &[1.0, 1.0]), ("im_shape", &[1.0, 1.0]), ("scale_factor", &[1.0, 1.0])];

/// Gives the known inputs beside the picture their constants; tells which there were.
pub(super) fn bind(graph: &mut GraphProto, rewritten: &mut Vec<String>) -> Vec<&'static str> {
    let mut bound = Vec::new();
    for (name, values) in KNOWN {
        let Some(at) = inputs(graph).into_iter().find(|&at| graph.input[at].name == name) else { continue };
        let kind = declared(&graph.input[at]).map(|(kind, _)| kind);
        let mut weight = whole_numbers(name, &[1, values.len() as i64], &[]);
        weight.raw_data = match kind {
            Some(DataType::Int64) => values.iter().flat_map(|&value| (value as i64).to_le_bytes()).collect(),
            Some(DataType::Int32) => values.iter().flat_map(|&value| (value as i32).to_le_bytes()).collect(),
            Some(DataType::Float) => values.iter().flat_map(|&value| value.to_le_bytes()).collect(),
            _ => continue,
        };
        weight.data_type = kind.unwrap_or(DataType::Int64).into();
        graph.input.remove(at);
        graph.initializer.push(weight);
        rewritten.push(format!("its input {name} is given {values:?}"));
        bound.push(name);
    }
    bound
}

/// Leaves one picture of 32-bit floats as the only input.
pub(super) fn one_picture(graph: &mut GraphProto, rewritten: &mut Vec<String>) -> Result<Picture, FileError> {
    const WANTED: &str = "one input of 1×3×height×width or 1×height×width×3 32-bit floats";
    let all = inputs(graph);
    let [at] = all[..] else {
        let names: Vec<&str> = all.iter().map(|&at| graph.input[at].name.as_str()).collect();
        let (count, outputs) = (all.len(), graph.output.len());
        let found = match names.len() {
            0 => format!("{count} inputs and {outputs} outputs"),
            _ => format!("{count} inputs ({}) and {outputs} outputs", names.join(", ")),
        };
        return Err(FileError::Input(found, format!("{WANTED} and at least one output")));
    };
    let name = graph.input[at].name.clone();
    let known = declared(&graph.input[at]);
    let wrong = |what: String| FileError::Input(format!("an input {name} of {what}"), WANTED.to_owned());
    let Some((kind, shape)) = known else { return Err(wrong("an unknown kind".to_owned())) };
    let shape = shape.unwrap_or_else(|| vec![None; 4]);
    let in_words = |shape: &[Option<i64>]| {
        let sides: Vec<String> =
            shape.iter().map(|side| side.map_or_else(|| "?".to_owned(), |side| side.to_string())).collect();
        sides.join(",")
    };
    let levels = match kind {
        DataType::Float => false,
        DataType::Uint8 => true,
        _ => return Err(wrong(format!("{} {kind:?}", in_words(&shape)))),
    };
    let single = shape.len() == 3;
    let axes: &[Option<i64>] = match shape.as_slice() {
        [Some(1) | None, axes @ ..] if axes.len() == 3 => axes,
        axes if single => axes,
        _ => return Err(wrong(in_words(&shape))),
    };
    // An open number of channels counts as three.
    let three = |axis: usize| axes.get(axis).is_some_and(|side| side.is_none_or(|side| side == 3));
    let layout = match () {
        () if three(0) && axes[0].is_some() || three(0) && axes[2] != Some(3) => Layout::Nchw,
        () if three(2) => Layout::Nhwc,
        () => return Err(wrong(in_words(&shape))),
    };
    let side = |axis: usize| axes[axis].and_then(|side| usize::try_from(side).ok());
    let (height, width) = if layout == Layout::Nchw { (side(1), side(2)) } else { (side(0), side(1)) };

    let ours = |graph: &mut GraphProto,
                rewritten: &mut Vec<String>,
                what: &str,
                op: &str,
                attributes,
                more: &[&str]| {
        let given = format!("{name}/{op}");
        super::graph::rename(graph, &name, &given);
        let mut from = vec![name.as_str()];
        from.extend(more);
        graph.node.insert(0, node(op, &from, &given, attributes));
        rewritten.push(what.to_owned());
    };
    if single {
        let first = format!("{name}/first");
        graph.initializer.push(whole_numbers(&first, &[], &[0]));
        ours(
            graph,
            rewritten,
            "its picture has no axis for the number of pictures",
            "Gather",
            vec![whole("axis", 0)],
            &[&first],
        );
    }
    if levels {
        let cast = vec![whole("to", i32::from(DataType::Uint8).into())];
        ours(graph, rewritten, "its picture is of whole levels", "Cast", cast, &[]);
    }
    let mut shape = vec![Some(1)];
    shape.extend_from_slice(axes);
    graph.input[at].r#type = Some(tensor_type(DataType::Float, Some(&shape)));
    Ok(Picture { layout, width, height, levels, single })
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::ValueInfoProto;

    use super::*;

    fn graph(inputs: &[(&str, DataType, &[i64])]) -> GraphProto {
        let info = |&(name, kind, shape): &(&str, DataType, &[i64])| {
            let shape: Vec<Option<i64>> = shape.iter().map(|&side| (side > 0).then_some(side)).collect();
            ValueInfoProto {
                name: name.to_owned(),
                r#type: Some(tensor_type(kind, Some(&shape))),
                ..ValueInfoProto::default()
            }
        };
        GraphProto {
            input: inputs.iter().map(info).collect(),
            node: vec![node("Relu", &[inputs.first().map_or("x", |first| first.0)], "y", vec![])],
            ..GraphProto::default()
        }
    }

    fn picture(shape: &[i64], kind: DataType) -> Result<Picture, FileError> {
        one_picture(&mut graph(&[("images", kind, shape)]), &mut Vec::new())
    }

    #[test]
    fn pictures_of_all_forms_are_known() {
        use Layout::{Nchw, Nhwc};
        for (shape, layout, width, height) in [
            (&[1, 3, 480, 640][..], Nchw, Some(640), Some(480)),
            (&[0, 3, 0, 0], Nchw, None, None),
            (&[0, 0, 0, 0], Nchw, None, None),
            (&[1, 480, 640, 3], Nhwc, Some(640), Some(480)),
            (&[0, 0, 0, 3], Nhwc, None, None),
            (&[3, 480, 640], Nchw, Some(640), Some(480)),
            (&[1, 3, 3, 3], Nchw, Some(3), Some(3)),
        ] {
            let found = picture(shape, DataType::Float).unwrap();
            assert_eq!((found.layout, found.width, found.height), (layout, width, height), "{shape:?}");
        }
        for shape in [&[1, 1, 480, 640][..], &[2, 3, 480, 640], &[1, 16], &[1, 3, 4, 480, 640]] {
            let Err(FileError::Input(found, expected)) = picture(shape, DataType::Float) else {
                panic!("{shape:?}")
            };
            assert!(found.contains("images") && expected.contains("1×3×height×width"), "{found}, {expected}");
        }
        assert!(picture(&[1, 3, 32, 32], DataType::Int64).is_err());
    }

    #[test]
    fn levels_and_single_pictures_are_made_of_ours() {
        let mut levels = graph(&[("images", DataType::Uint8, &[1, 3, 32, 32])]);
        assert!(one_picture(&mut levels, &mut Vec::new()).unwrap().levels);
        let ops: Vec<&str> = levels.node.iter().map(|node| node.op_type.as_str()).collect();
        assert_eq!((ops, levels.node[1].input[0].as_str()), (vec!["Cast", "Relu"], "images/Cast"));
        let mut single = graph(&[("image.1", DataType::Float, &[3, 32, 64])]);
        assert!(one_picture(&mut single, &mut Vec::new()).unwrap().single);
        assert_eq!(declared(&single.input[0]).unwrap().1.unwrap(), [Some(1), Some(3), Some(32), Some(64)]);
    }

    #[test]
    fn known_sizes_beside_the_picture_are_bound_and_others_are_not() {
        let picture = ("images", DataType::Float, &[1, 3, 32, 32][..]);
        let mut known = graph(&[picture, ("orig_target_sizes", DataType::Int64, &[1, 2])]);
        assert_eq!(bind(&mut known, &mut Vec::new()), ["orig_target_sizes"]);
        assert_eq!((known.input.len(), known.initializer[0].raw_data.len()), (1, 16));
        let mut other = graph(&[picture, ("prompt", DataType::Int64, &[1, 2])]);
        assert!(bind(&mut other, &mut Vec::new()).is_empty());
        let Err(FileError::Input(found, _)) = one_picture(&mut other, &mut Vec::new()) else { panic!() };
        assert!(found.contains("2 inputs") && found.contains("prompt"), "{found}");
    }
}
