#!/bin/sh
# MaxPool with ceil_mode: OpenVINO and OpenCV add a column in which no pixel lies.
#
# Guessed: ceil_mode rounds the size up only where that takes in pixels which would be left out otherwise.
# Seen: for 5 pixels, kernel 2, stride 3, one pixel of padding at both ends, onnxruntime 1.32.0 gives 2 columns; OpenVINO 2026.4.1 and OpenCV 5.0.0
# give a third one whose window lies in the padding alone, with the most negative float in it. OpenVINO's AveragePool, with the same attributes, has
# 2 columns: the two pools of one network can then no longer be added.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 opencv-python-headless==5.0.0.93
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

line = np.arange(1, 6, dtype=np.float32).reshape(1, 1, 1, 5)
how = dict(kernel_shape=[1, 2], strides=[1, 3], pads=[0, 1, 0, 1], ceil_mode=1)
most, mean = model("MaxPool", [line], **how), model("AveragePool", [line], **how)
lowest = float(np.finfo(np.float32).min)
expect("MaxPool, onnxruntime", by_onnxruntime(*most), [1, 4])
expect("MaxPool, OpenVINO", by_openvino(*most), [1, 4, lowest])
expect("MaxPool, OpenCV", by_opencv(*most), [1, 4, lowest])
expect("AveragePool, onnxruntime", by_onnxruntime(*mean), [1, 3.5])
expect("AveragePool, OpenVINO", by_openvino(*mean), [1, 3.5])
END
