#!/bin/sh
# QuantizeLinear rounds halves up or down depending on whether the zero point is odd, in OpenVINO and OpenCV.
#
# Guessed: x / scale is rounded to the nearest even number, then the zero point is added, as the operator says.
# Seen: OpenVINO 2026.4.1 and OpenCV 5.0.0 add the zero point first. With an even zero point nobody sees it; with an odd one every half goes
# the other way than in onnxruntime 1.32.0 and tract 0.23.9, and quantised networks differ by one step.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 tract==0.23.9 opencv-python-headless==5.0.0.93
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


def by_opencv(made, fed):
    import cv2
    net = cv2.dnn.readNetFromONNX(np.frombuffer(made.SerializeToString(), np.uint8))
    for name, value in fed.items():
        net.setInput(value, name)
    return np.array(net.forward("y"), copy=True)


def expect(what, seen, wanted):
    seen = np.asarray(seen, np.float64).ravel()
    same = seen.shape == np.ravel(wanted).shape and np.allclose(seen, np.ravel(wanted), atol=1e-3, equal_nan=True)
    print(f"{what}: {np.round(seen, 4).tolist()}")
    if not same:
        sys.exit(f"changed: it was {wanted}")

halves = np.array([[0.5, 1.5, 2.5, 3.5]], np.float32)
for zero, first, after in [(4, [4, 6, 6, 8], [4, 6, 6, 8]), (3, [3, 5, 5, 7], [4, 4, 6, 6])]:
    made = model("QuantizeLinear", [halves, np.array(1, np.float32), np.array(zero, np.uint8)], [1, 2], opset=13)
    expect(f"zero point {zero}, onnxruntime", by_onnxruntime(*made), first)
    expect(f"zero point {zero}, tract", by_tract(*made), first)
    expect(f"zero point {zero}, OpenVINO", by_openvino(*made), after)
    expect(f"zero point {zero}, OpenCV", by_opencv(*made), after)
END
