"""Makes the small ONNX files under tests/models/: models that load but cannot, or can, stand in for the bundled one.

    pip install onnx==1.23.2 numpy==2.4.6
    python tests/reference/make_models.py
"""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

FOLDER = Path(__file__).resolve().parent.parent / "models"
FLOAT = TensorProto.FLOAT


def write(name, nodes, inputs, outputs, weights=()):
    graph = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info(n, FLOAT, shape) for n, shape in inputs],
        [helper.make_tensor_value_info(n, FLOAT, shape) for n, shape in outputs],
        [numpy_helper.from_array(np.asarray(value), n) for n, value in weights],
    )
    # Operator set and format as old as the bundled model's, so that nothing newer is asked of a reader.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    model.producer_name = "trailsight tests"
    checker.check_model(model, full_check=True)
    path = FOLDER / f"{name}.onnx"
    save(model, path)
    print(f"{path.name}: {path.stat().st_size} bytes")


def yolox_like(name, classes):
    """A head of YOLOX's shape and nothing behind it: the picture averaged to each grid, one 1x1 convolution.

    Its boxes mean nothing; what counts is that rows, columns and value ranges are those of a real model.
    """
    random = np.random.default_rng(7)
    columns = 5 + classes
    nodes, weights, rows = [], [("rows", np.array([1, columns, -1], np.int64))], []
    for stride in (8, 16, 32):
        kernel = (random.normal(size=(columns, 3, 1, 1)) / 255).astype(np.float32)
        bias = random.normal(size=columns).astype(np.float32) / 4
        weights += [(f"kernel{stride}", kernel), (f"bias{stride}", bias)]
        nodes += [
            helper.make_node("AveragePool", ["images"], [f"pool{stride}"],
                             kernel_shape=[stride, stride], strides=[stride, stride]),
            helper.make_node("Conv", [f"pool{stride}", f"kernel{stride}", f"bias{stride}"], [f"conv{stride}"]),
            helper.make_node("Reshape", [f"conv{stride}", "rows"], [f"flat{stride}"]),
        ]
        rows.append(f"flat{stride}")
    nodes += [
        helper.make_node("Concat", rows, ["all"], axis=2),
        helper.make_node("Split", ["all"], ["box", "logits"], axis=1, split=[4, 1 + classes]),
        helper.make_node("Sigmoid", ["logits"], ["scores"]),
        helper.make_node("Concat", ["box", "scores"], ["columns"], axis=1),
        helper.make_node("Transpose", ["columns"], ["output"], perm=[0, 2, 1]),
    ]
    cells = sum((416 // stride) ** 2 for stride in (8, 16, 32))
    write(name, nodes, [("images", [1, 3, 416, 416])], [("output", [1, cells, columns])], weights)


def main():
    FOLDER.mkdir(exist_ok=True)
    picture = ("images", [1, 3, 416, 416])
    # A classifier: a picture in, ten numbers out.
    write(
        "wrong-output",
        [
            helper.make_node("GlobalAveragePool", ["images"], ["mean"]),
            helper.make_node("Conv", ["mean", "kernel"], ["ten"]),
            helper.make_node("Flatten", ["ten"], ["output"]),
        ],
        [picture], [("output", [1, 10])],
        [("kernel", np.random.default_rng(1).normal(size=(10, 3, 1, 1)).astype(np.float32))],
    )
    yolox_like("three-classes", 3)
    # Two pictures in.
    write(
        "two-inputs",
        [helper.make_node("Add", ["images", "other"], ["output"])],
        [picture, ("other", [1, 3, 416, 416])], [("output", [1, 3, 416, 416])],
    )
    # A table in: no picture at all.
    write(
        "no-picture",
        [helper.make_node("MatMul", ["table", "kernel"], ["output"])],
        [("table", [1, 16])], [("output", [1, 4])],
        [("kernel", np.ones((16, 4), np.float32))],
    )


if __name__ == "__main__":
    main()
