#!/bin/sh
# Resize with align_corners and a scale that gives no whole size does not reach the last pixel in tract.
#
# Guessed: align_corners puts the last output pixel onto the last input pixel; that is what its name says.
# Seen: 6 pixels by 1.3 are 7. onnxruntime 1.32.0 and OpenVINO 2026.4.1 go 0 to 5; tract 0.23.9 and the
# ReferenceEvaluator of onnx 1.23.2 divide by 6 x 1.3 - 1 instead of 7 - 1 and end at 4.41. With "sizes" in place of "scales" all agree.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 tract==0.23.9 openvino==2026.4.1
PYTHONPATH=$folder python3 - <<'END'
import sys, tempfile
import numpy as np, onnx
from onnx import helper, numpy_helper


def model(op, inputs, constants=(), opset=18, **attributes):
    """A network of one node. `inputs`: an array each, or None where it is left out; `constants`: which are weights."""
    names = ["" if value is None else f"x{i}" for i, value in enumerate(inputs)]
    fed = {n: v for i, (n, v) in enumerate(zip(names, inputs)) if n and i not in constants}
    infos = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for n, v in fed.items()]
    weights = [numpy_helper.from_array(inputs[i], names[i]) for i in constants]
    node = helper.make_node(op, names, ["y"], **attributes)
    graph = helper.make_graph([node], "one-node", infos, [onnx.ValueInfoProto(name="y")], weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    made = onnx.shape_inference.infer_shapes(made)
    onnx.checker.check_model(made)
    return made, fed


def by_onnxruntime(made, fed):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, fed)[0]


def by_tract(made, fed):
    import tract
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        file.write(made.SerializeToString())
        file.flush()
        run = tract.onnx().load(file.name).into_model().into_runnable().run
        return run([np.ascontiguousarray(value) for value in fed.values()])[0].to_numpy().copy()


def by_openvino(made, fed):
    import openvino
    core = openvino.Core()
    network = core.compile_model(core.read_model(made.SerializeToString()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return network(fed)[network.outputs[0]]


def by_reference(made, fed):
    from onnx.reference import ReferenceEvaluator
    return ReferenceEvaluator(made).run(None, fed)[0]


def expect(what, seen, wanted):
    seen = np.asarray(seen, np.float64).ravel()
    same = seen.shape == np.ravel(wanted).shape and np.allclose(seen, np.ravel(wanted), atol=1e-3, equal_nan=True)
    print(f"{what}: {np.round(seen, 4).tolist()}")
    if not same:
        sys.exit(f"changed: it was {wanted}")

line = np.arange(6, dtype=np.float32).reshape(1, 1, 1, 6)
how = dict(mode="linear", coordinate_transformation_mode="align_corners")
scaled = model("Resize", [line, None, np.array([1, 1, 1, 1.3], np.float32)], [2], **how)
sized = model("Resize", [line, None, None, np.array([1, 1, 1, 7], np.int64)], [3], **how)
reaches, misses = np.linspace(0, 5, 7), np.arange(7) * 5 / (6 * 1.3 - 1)
expect("scales, onnxruntime", by_onnxruntime(*scaled), reaches)
expect("scales, OpenVINO", by_openvino(*scaled), reaches)
expect("scales, tract", by_tract(*scaled), misses)
expect("scales, reference", by_reference(*scaled), misses)
expect("sizes, tract", by_tract(*sized), reaches)
expect("sizes, reference", by_reference(*sized), reaches)
END
