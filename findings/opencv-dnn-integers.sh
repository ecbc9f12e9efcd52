#!/bin/sh
# OpenCV's dnn clips where ONNX wraps, and calculates powers of integers as fractions.
#
# Guessed: integer tensors follow ONNX's rules: Cast to 8 bits keeps the low byte, Pow gives the type of its base, OneHot gives a row of zeros for an index that is
# out of range.
# Seen: OpenCV 5.0.0 casts 256, -1, 300 to 255, 0, 255 (onnxruntime 1.32.0: 0, 255, 44), gives 11.3137 for the integer 2 to the power of 3.5
# (onnxruntime: 11), and counts index 5 of 3 classes as the last class.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 opencv-python-headless==5.0.0.93
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

cast = model("Cast", [np.array([[256, -1, 300]], np.int32)], to=onnx.TensorProto.UINT8)
power = model("Pow", [np.array([[2, 3]], np.int32), np.array([[3.5, 2]], np.float32)])
hot = model("OneHot", [np.array([0, 5], np.int64), np.array(3, np.int64), np.array([0, 1], np.float32)], [1, 2])
expect("Cast, onnxruntime", by_onnxruntime(*cast), [0, 255, 44])
expect("Cast, OpenCV", by_opencv(*cast), [255, 0, 255])
expect("Pow, onnxruntime", by_onnxruntime(*power), [11, 9])
expect("Pow, OpenCV", by_opencv(*power), [11.3137, 9])
expect("OneHot, onnxruntime", by_onnxruntime(*hot), [1, 0, 0, 0, 0, 0])
expect("OneHot, OpenCV", by_opencv(*hot), [1, 0, 0, 0, 0, 1])
END
