#!/bin/sh
# onnx's own ReferenceEvaluator is wrong where runtimes agree: LRN, LpNormalization, ArgMax.
#
# Guessed: where two runtimes differ, the reference implementation in the package onnx tells who is right.
# Seen: ReferenceEvaluator 1.23.2 normalises only the first channel of LRN, divides by the sum of signed values for LpNormalization with p = 1, and takes
# NaN for the largest in ArgMax. onnxruntime 1.32.0, tract 0.23.9 and OpenVINO 2026.4.1 agree with each other in all three.
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


def by_reference(made, fed):
    from onnx.reference import ReferenceEvaluator
    return ReferenceEvaluator(made).run(None, fed)[0]


def expect(what, seen, wanted):
    seen = np.asarray(seen, np.float64).ravel()
    same = seen.shape == np.ravel(wanted).shape and np.allclose(seen, np.ravel(wanted), atol=1e-3, equal_nan=True)
    print(f"{what}: {np.round(seen, 4).tolist()}")
    if not same:
        sys.exit(f"changed: it was {wanted}")

channels = np.arange(1, 5, dtype=np.float32).reshape(1, 4, 1, 1)
lrn = model("LRN", [channels], size=3, alpha=3.0, beta=1.0, bias=1.0)
norm = model("LpNormalization", [np.array([[-1, 2, 3]], np.float32)], axis=1, p=1)
most = model("ArgMax", [np.array([[1, float("nan"), 2]], np.float32)], axis=1)
for name, run in [("onnxruntime", by_onnxruntime), ("OpenVINO", by_openvino), ("tract", by_tract)]:
    expect(f"LRN, {name}", run(*lrn), [1 / 6, 2 / 15, 3 / 30, 4 / 26])
    expect(f"LpNormalization, {name}", run(*norm), [-1 / 6, 2 / 6, 3 / 6])
    expect(f"ArgMax, {name}", run(*most), [2])
expect("LRN, reference", by_reference(*lrn), [1 / 6, 2, 3, 4])
expect("LpNormalization, reference", by_reference(*norm), [-1 / 4, 2 / 4, 3 / 4])
expect("ArgMax, reference", by_reference(*most), [1])
END
