#!/bin/sh
# OpenCV's dnn resizes by the ratio of whole sizes, not by the scales that the network names.
#
# Guessed: a Resize with scales uses these scales, as the operator says ("x_original = (x + 0.5) / scale - 0.5").
# Seen: 16 x 16 pixels by 1.3 become 20 x 20 everywhere; OpenCV 5.0.0 then works with 20/16, so that all pixels lie elsewhere than in
# onnxruntime 1.32.0, OpenVINO 2026.4.1 and tract 0.23.9 (half a pixel at the end). half_pixel_symmetric, the mode made for this
# case, is taken without a word and gives the values of asymmetric.
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

picture = np.tile(np.arange(16, dtype=np.float32), (16, 1)).reshape(1, 1, 16, 16)
scaled = model("Resize", [picture, None, np.array([1, 1, 1.3, 1.3], np.float32)], [2], mode="linear")
by_scale = np.clip((np.arange(20) + 0.5) / 1.3 - 0.5, 0, 15)
by_size = np.clip((np.arange(20) + 0.5) * 16 / 20 - 0.5, 0, 15)
for name, run in [("onnxruntime", by_onnxruntime), ("OpenVINO", by_openvino), ("tract", by_tract)]:
    expect(f"half_pixel, {name}", run(*scaled)[0, 0, 7], by_scale)
expect("half_pixel, OpenCV", by_opencv(*scaled)[0, 0, 7], by_size)
how = dict(mode="linear", coordinate_transformation_mode="half_pixel_symmetric", opset=19)
doubled = model("Resize", [picture, None, np.array([1, 1, 2, 2], np.float32)], [2], **how)
expect("half_pixel_symmetric, onnxruntime", by_onnxruntime(*doubled)[0, 0, 7], np.clip((np.arange(32) + 0.5) / 2 - 0.5, 0, 15))
expect("half_pixel_symmetric, OpenCV", by_opencv(*doubled)[0, 0, 7], np.clip(np.arange(32) / 2, 0, 15))
END
