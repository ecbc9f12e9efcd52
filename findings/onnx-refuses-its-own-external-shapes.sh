#!/bin/sh
# onnx writes models with all weights in a second file, which its own shape inference and onnxruntime then refuse to read.
#
# Guessed: external data is a part of ONNX, so that what onnx.save_model writes with size_threshold=0 is read by all of its own
# functions and by onnxruntime.
# Seen: in onnx 1.23.2 the checker passes such a file and the reference evaluator runs it. Its shape inference, the checker with
# full_check and onnxruntime 1.32.0 take it where the weight is a factor of Mul, and refuse it where it is the shape of Reshape,
# the axes of Squeeze or the ends of Slice: "Cannot parse data from external tensors".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder/packages" \
    onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
PYTHONPATH=$folder/packages python3 -B - <<'END'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

PICTURE = np.arange(64, dtype=np.float32).reshape(1, 4, 4, 4)


def outside(op, shape, *weights):
    """A model of one node with all weights in a second file; what onnx and onnxruntime make of it."""
    names = [f"w{i}" for i in range(len(weights))]
    graph = helper.make_graph(
        [helper.make_node(op, ["x", *names], ["y"])], op,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, PICTURE.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.array(w), n) for w, n in zip(weights, names)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.save_model(model, f"{op}.onnx", save_as_external_data=True, location=f"{op}.data", size_threshold=0)
    onnx.checker.check_model(f"{op}.onnx")
    assert list(ReferenceEvaluator(f"{op}.onnx").run(None, {"x": PICTURE})[0].shape) == shape
    try:
        onnx.checker.check_model(f"{op}.onnx", full_check=True)
        inferred = "inferred"
    except onnx.shape_inference.InferenceError as error:
        inferred = str(error)
    try:
        session = onnxruntime.InferenceSession(f"{op}.onnx", providers=["CPUExecutionProvider"])
        return inferred, str(session.run(None, {"x": PICTURE})[0].shape)
    except onnxruntime.capi.onnxruntime_pybind11_state.Fail as error:
        return inferred, str(error)


made = {
    "Mul": outside("Mul", [1, 4, 4, 4], np.full((1, 4, 4, 4), 2, np.float32)),
    "Reshape": outside("Reshape", [1, 64], np.array([1, 64])),
    "Squeeze": outside("Squeeze", [4, 4, 4], np.array([0])),
    "Slice": outside("Slice", [1, 2, 4, 4], np.array([0]), np.array([2]), np.array([1])),
}
for op, result in made.items():
    print(f"{op}: onnx {result[0][:60]}; onnxruntime {result[1][:60]}")
assert made.pop("Mul") == ("inferred", "(1, 4, 4, 4)")
assert all("Cannot parse data from external tensors" in one for result in made.values() for one in result)
END
