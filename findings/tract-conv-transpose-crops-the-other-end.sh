#!/bin/sh
# ConvTranspose with an output_shape that is one pixel smaller than the natural one is shifted by a pixel in tract.
#
# Guessed: which end loses the odd pixel is settled by the operator.
# Seen: onnxruntime 1.32.0 and OpenVINO 2026.4.1 take it from the beginning (auto_pad NOTSET: the larger half of the padding goes to the beginning);
# tract 0.23.9 takes it from the end. The picture that comes out is the same, a pixel to the right and down.
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

picture = np.array([1, 2, 3, 4], np.float32).reshape(1, 1, 2, 2)
kernel = np.array([1, 10, 100, 1000], np.float32).reshape(1, 1, 2, 2)
# The natural size is 3 x 3.
whole = model("ConvTranspose", [picture, kernel], [1])
cropped = model("ConvTranspose", [picture, kernel], [1], output_shape=[2, 2])
full = by_onnxruntime(*whole)[0, 0]
expect("whole, tract", by_tract(*whole), full)
expect("cropped, onnxruntime", by_onnxruntime(*cropped), full[1:, 1:])
expect("cropped, OpenVINO", by_openvino(*cropped), full[1:, 1:])
expect("cropped, tract", by_tract(*cropped), full[:-1, :-1])
END
