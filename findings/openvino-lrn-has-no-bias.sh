#!/bin/sh
# OpenVINO computes LRN with a bias of 1 whatever the network says.
#
# Guessed: all four numbers of LRN count.
# Seen: with bias 1.5 OpenVINO 2026.4.1 gives what onnxruntime 1.32.0 and tract 0.23.9 give with 1; AlexNet and its heirs have 2.
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

channels = np.arange(1, 5, dtype=np.float32).reshape(1, 4, 1, 1)
biased = model("LRN", [channels], size=3, alpha=0.5, beta=0.6, bias=1.5)
plain = model("LRN", [channels], size=3, alpha=0.5, beta=0.6, bias=1.0)
expect("bias 1.5, onnxruntime", by_onnxruntime(*biased), [0.6015, 0.8931, 0.9912, 1.4127])
expect("bias 1.5, tract", by_tract(*biased), [0.6015, 0.8931, 0.9912, 1.4127])
expect("bias 1.5, OpenVINO", by_openvino(*biased), [0.6951, 0.9712, 1.0413, 1.4933])
expect("bias 1.0, onnxruntime", by_onnxruntime(*plain), [0.6951, 0.9712, 1.0413, 1.4933])
END
