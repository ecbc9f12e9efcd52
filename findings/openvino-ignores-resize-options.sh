#!/bin/sh
# OpenVINO takes Resize with antialias, exclude_outside or keep_aspect_ratio_policy, and does without them.
#
# Guessed: an attribute that a runtime does not know is an error.
# Seen: OpenVINO 2026.4.1 loads all three and gives other numbers, and for keep_aspect_ratio_policy another shape, than
# onnxruntime 1.32.0, which follows the operator. A network with its letterbox inside is stretched that way.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1
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


def by_openvino(made, fed):
    import openvino
    core = openvino.Core()
    network = core.compile_model(core.read_model(made.SerializeToString()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return network(fed)[network.outputs[0]]


def expect(what, seen, wanted):
    seen = np.asarray(seen, np.float64).ravel()
    same = seen.shape == np.ravel(wanted).shape and np.allclose(seen, np.ravel(wanted), atol=1e-3, equal_nan=True)
    print(f"{what}: {np.round(seen, 4).tolist()}")
    if not same:
        sys.exit(f"changed: it was {wanted}")

spike = np.array([0, 0, 0, 8, 0, 0, 0, 0], np.float32).reshape(1, 1, 1, 8)
small = model("Resize", [spike, None, np.array([1, 1, 1, 0.25], np.float32)], [2], mode="linear", antialias=1)
expect("antialias, onnxruntime", by_onnxruntime(*small), [1.25, 0.75])
expect("antialias, OpenVINO", by_openvino(*small), [0, 0])
line = np.array([0, 4, 8, 0], np.float32).reshape(1, 1, 1, 4)
cubic = model("Resize", [line, None, np.array([1, 1, 1, 2], np.float32)], [2], mode="cubic", exclude_outside=1)
expect("exclude_outside, onnxruntime", by_onnxruntime(*cubic)[..., :2], [-0.5455, 0.6926])
expect("exclude_outside, OpenVINO", by_openvino(*cubic)[..., :2], [-0.4219, 0.7656])
wide = np.zeros((1, 1, 4, 8), np.float32)
how = dict(mode="nearest", axes=[2, 3], keep_aspect_ratio_policy="not_larger")
fitted = model("Resize", [wide, None, None, np.array([6, 6], np.int64)], [3], **how)
expect("shape of 8x4 in 6x6, onnxruntime", by_onnxruntime(*fitted).shape, [1, 1, 3, 6])
expect("shape of 8x4 in 6x6, OpenVINO", by_openvino(*fitted).shape, [1, 1, 6, 6])
END
