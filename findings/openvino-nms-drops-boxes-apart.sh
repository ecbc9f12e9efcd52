#!/bin/sh
# NonMaxSuppression with an IoU threshold of 0, its default, removes boxes that do not touch in OpenVINO.
#
# Guessed: a box is removed where its overlap is more than the threshold; boxes far apart overlap by 0 and stay.
# Seen: so it is in onnxruntime 1.32.0 and tract 0.23.9; OpenVINO 2026.4.1 keeps only the best of three boxes that are far
# apart, also where the threshold is left out. With 0.01 it keeps all three.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 tract==0.23.9
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


def by_tract(made, fed):
    import tract
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        file.write(made.SerializeToString())
        file.flush()
        run = tract.onnx().load(file.name).into_model().into_runnable().run
        return run([np.ascontiguousarray(value) for value in fed.values()])[0].to_numpy().copy()


def expect(what, seen, wanted):
    seen = np.asarray(seen, np.float64).ravel()
    same = seen.shape == np.ravel(wanted).shape and np.allclose(seen, np.ravel(wanted), atol=1e-3, equal_nan=True)
    print(f"{what}: {np.round(seen, 4).tolist()}")
    if not same:
        sys.exit(f"changed: it was {wanted}")

boxes = np.array([[[0, 0, 1, 1], [0, 5, 1, 6], [0, 9, 1, 10]]], np.float32)
scores = np.array([[[0.9, 0.8, 0.7]]], np.float32)
most = np.array([9], np.int64)
for what, threshold in [("left out", None), ("0", 0.0), ("0.01", 0.01)]:
    more = [] if threshold is None else [np.array([threshold], np.float32)]
    made = model("NonMaxSuppression", [boxes, scores, most, *more], range(2, 3 + len(more)), opset=11)
    expect(f"kept, threshold {what}, onnxruntime", by_onnxruntime(*made)[:, 2], [0, 1, 2])
    expect(f"kept, threshold {what}, tract", by_tract(*made)[:, 2], [0, 1, 2])
    expect(f"kept, threshold {what}, OpenVINO", by_openvino(*made)[:, 2], [0, 1, 2] if threshold else [0])
END
