#!/bin/sh
# Relu, Clip, Max and MaxPool turn NaN into a number in tract and OpenVINO.
#
# Guessed: a NaN inside a network goes through to its output, so that one check of the scores finds it.
# Seen: tract 0.23.9 and OpenVINO 2026.4.1 give 0 for Relu(NaN) and the other operand for Max(NaN, 1); MaxPool passes
# over NaN. onnxruntime 1.32.0 keeps the NaN in all four (in MaxPool only where it
# comes last in the window). A network that is broken inside can so look healthy, and
# the same broken network gives different boxes in different runtimes.
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


def expect(what, seen, wanted):
    seen = np.asarray(seen, np.float64).ravel()
    same = seen.shape == np.ravel(wanted).shape and np.allclose(seen, np.ravel(wanted), atol=1e-3, equal_nan=True)
    print(f"{what}: {np.round(seen, 4).tolist()}")
    if not same:
        sys.exit(f"changed: it was {wanted}")

nan = np.float32("nan")
row = np.array([[1, nan, 2]], np.float32)
one, zero = np.ones_like(row), np.array(0, np.float32)
picture = np.array([[[[1, nan, 2, 3]]]], np.float32)
nodes = [
    ("Relu", model("Relu", [row]), [1, nan, 2], [1, 0, 2]),
    ("Clip to 0..1", model("Clip", [row, zero, zero + 1], [1, 2]), [1, nan, 1], [1, 0, 1]),
    ("Max with 1", model("Max", [row, one]), [1, nan, 2], [1, 1, 2]),
    ("MaxPool 1x2", model("MaxPool", [picture], kernel_shape=[1, 2]), [nan, 2, 3], [1, 2, 3]),
]
for name, made, kept, swallowed in nodes:
    expect(f"{name}, tract", by_tract(*made), swallowed)
    expect(f"{name}, OpenVINO", by_openvino(*made), swallowed)
    expect(f"{name}, onnxruntime", by_onnxruntime(*made), kept)
END
