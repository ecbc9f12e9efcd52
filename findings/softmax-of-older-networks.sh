#!/bin/sh
# Softmax of networks before opset 13 is another function, and OpenVINO knows that for LogSoftmax only.
#
# Guessed: a runtime that reads opset 11 reads all of its operators by the rules of opset 11.
# Seen: before opset 13 Softmax flattens everything from its axis on and sums over all of it (default axis 1). onnxruntime 1.32.0
# and tract 0.23.9 do; OpenVINO 2026.4.1 sums along one axis for Softmax, but flattens for LogSoftmax and Hardmax of the same
# file; OpenCV 5.0.0 sums along one axis for all, and so does onnx's ReferenceEvaluator 1.23.2 (axis -1). Class scores come out several times too high.
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


def by_reference(made, fed):
    from onnx.reference import ReferenceEvaluator
    return ReferenceEvaluator(made).run(None, fed)[0]


def expect(what, seen, wanted):
    seen = np.asarray(seen, np.float64).ravel()
    same = seen.shape == np.ravel(wanted).shape and np.allclose(seen, np.ravel(wanted), atol=1e-3, equal_nan=True)
    print(f"{what}: {np.round(seen, 4).tolist()}")
    if not same:
        sys.exit(f"changed: it was {wanted}")

weights = np.array([[[1, 1], [1, 5]]], np.float32)
soft = model("Softmax", [np.log(weights)], opset=11)
logs = model("LogSoftmax", [np.log(weights)], opset=11)
flat, axis = [1 / 8, 1 / 8, 1 / 8, 5 / 8], [1 / 2, 1 / 6, 1 / 2, 5 / 6]
expect("Softmax, onnxruntime", by_onnxruntime(*soft), flat)
expect("Softmax, tract", by_tract(*soft), flat)
expect("Softmax, OpenVINO", by_openvino(*soft), axis)
expect("Softmax, OpenCV", by_opencv(*soft), axis)
expect("Softmax, reference", by_reference(*soft), [1 / 2, 1 / 2, 1 / 6, 5 / 6])
expect("exp(LogSoftmax), onnxruntime", np.exp(by_onnxruntime(*logs)), flat)
expect("exp(LogSoftmax), OpenVINO", np.exp(by_openvino(*logs)), flat)
expect("exp(LogSoftmax), OpenCV", np.exp(by_opencv(*logs)), axis)
END
