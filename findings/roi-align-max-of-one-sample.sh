#!/bin/sh
# RoiAlign's max and average of a single sample differ.
#
# Guessed: mode = max takes the largest of the interpolated samples, so that with one sample it is that sample, as the average is.
# Seen: onnxruntime 1.32.0, OpenCV 5.0.0 and onnx's ReferenceEvaluator 1.23.2 take the largest of the four weighted neighbours before they are added up:
# 1.5625, where the interpolated value is 2.6875. OpenVINO 2026.4.1 gives 2.6875 for both.
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


def by_reference(made, fed):
    from onnx.reference import ReferenceEvaluator
    return ReferenceEvaluator(made).run(None, fed)[0]


def expect(what, seen, wanted):
    seen = np.asarray(seen, np.float64).ravel()
    same = seen.shape == np.ravel(wanted).shape and np.allclose(seen, np.ravel(wanted), atol=1e-3, equal_nan=True)
    print(f"{what}: {np.round(seen, 4).tolist()}")
    if not same:
        sys.exit(f"changed: it was {wanted}")

picture = np.zeros((1, 1, 4, 4), np.float32)
picture[0, 0, 1, 1], picture[0, 0, 2, 2] = 8, 4
box, of = np.array([[0.25, 0.25, 3, 3]], np.float32), np.array([0], np.int64)
how = dict(opset=16, output_height=1, output_width=1, sampling_ratio=1, coordinate_transformation_mode="output_half_pixel")
most, mean = model("RoiAlign", [picture, box, of], mode="max", **how), model("RoiAlign", [picture, box, of], mode="avg", **how)
for name, run, value in [
    ("onnxruntime", by_onnxruntime, 1.5625), ("OpenCV", by_opencv, 1.5625),
    ("reference", by_reference, 1.5625), ("OpenVINO", by_openvino, 2.6875),
]:
    expect(f"average, {name}", run(*mean), [2.6875])
    expect(f"max, {name}", run(*most), [value])
END
