"""A network of one node, run by several runtimes; what the scripts beside this file share."""

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
