#!/bin/sh
# ReduceLogSumExp and Softplus of ordinary numbers are infinite in tract and OpenCV.
#
# Guessed: every runtime takes the largest exponent out first (ReduceLogSumExp) or is linear for large inputs (Softplus),
# as their textbook forms do.
# Seen: from 89 on tract 0.23.9 and OpenCV 5.0.0 give infinity for both, where onnxruntime 1.32.0 gives 101.4 and 100.
# Heads with a distribution over bins or a softplus for the size of a box meet such logits.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 tract==0.23.9 opencv-python-headless==5.0.0.93
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

inf = float("inf")
logits = np.array([[100, 101, 99]], np.float32)
sums = model("ReduceLogSumExp", [logits])
soft = model("Softplus", [np.array([[20, 90, 100]], np.float32)])
expect("ReduceLogSumExp, onnxruntime", by_onnxruntime(*sums), [101.4076])
expect("ReduceLogSumExp, tract", by_tract(*sums), [inf])
expect("ReduceLogSumExp, OpenCV", by_opencv(*sums), [inf])
expect("Softplus, onnxruntime", by_onnxruntime(*soft), [20, 90, 100])
expect("Softplus, tract", by_tract(*soft), [20, inf, inf])
expect("Softplus, OpenCV", by_opencv(*soft), [20, inf, inf])
END
