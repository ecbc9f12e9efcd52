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


class Network:
    """A network under construction: each layer takes the name of what it reads and gives the name of what it writes."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.nodes, self.weights, self.channels = [], [], {"images": 3}

    def add(self, op, inputs, channels, **attributes):
        name = f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], **attributes))
        self.channels[name] = channels
        return name

    def weight(self, value):
        name = f"w{len(self.weights)}"
        self.weights.append((name, value))
        return name

    def conv(self, x, channels, kernel=1, stride=1, depthwise=False, scale=1.0):
        per_output = 1 if depthwise else self.channels[x]
        shape = (channels, per_output, kernel, kernel)
        kernels = self.random.normal(size=shape) * scale * (1.5 / (per_output * kernel**2)) ** 0.5
        bias = self.random.normal(size=channels) / 4
        weights = [self.weight(kernels.astype(np.float32)), self.weight(bias.astype(np.float32))]
        return self.add("Conv", [x, *weights], channels, kernel_shape=[kernel] * 2, strides=[stride] * 2,
                        pads=[kernel // 2] * 4, group=channels if depthwise else 1)

    def silu(self, x):
        return self.add("Mul", [x, self.add("Sigmoid", [x], self.channels[x])], self.channels[x])

    def concat(self, inputs, axis=1):
        return self.add("Concat", inputs, sum(self.channels[x] for x in inputs), axis=axis)


def many_layers(name, classes):
    """A small network of every layer that models of this family are made of; random weights, rows as YOLOX has them."""
    net = Network(11)
    x = net.conv("images", 8, 3, 2, scale=1 / 100)
    x = net.add("Relu", [x], 8)
    x = net.conv(x, 10, 3, 2)
    x = net.add("LeakyRelu", [x], 10, alpha=0.1)
    x = net.conv(x, 10, 5, 2, depthwise=True)
    fine = net.silu(net.conv(net.silu(x), 17))
    x = net.conv(net.add("MaxPool", [fine], 17, kernel_shape=[2, 2], strides=[2, 2]), 20, 3)
    low, high = net.weight(np.float32(0)), net.weight(np.float32(6))
    middle = net.add("Clip", [x, low, high], 20)
    x = net.silu(net.conv(middle, 24, 3, 2))
    x = net.add("Add", [net.silu(net.conv(x, 24)), x], 24)
    pools = [
        net.add("MaxPool", [x], 24, kernel_shape=[k, k], strides=[1, 1], pads=[k // 2] * 4) for k in (5, 9, 13)
    ]
    coarse = net.silu(net.conv(net.concat([x, *pools]), 24))
    empty, twice = net.weight(np.array([], np.float32)), net.weight(np.array([1, 1, 2, 2], np.float32))
    larger = net.add("Resize", [net.conv(coarse, 8), empty, twice], 8, mode="nearest", nearest_mode="floor",
                     coordinate_transformation_mode="asymmetric")
    middle = net.silu(net.conv(net.concat([larger, middle]), 20))

    columns = 5 + classes
    flat = net.weight(np.array([1, columns, -1], np.int64))
    rows = []
    for x in (fine, middle, coarse):
        stem = net.silu(net.conv(x, 16))
        scores = net.silu(net.conv(net.silu(net.conv(stem, 16, 3, depthwise=True)), 16))
        scores = net.add("Sigmoid", [net.conv(scores, classes)], classes)
        boxes = net.silu(net.conv(stem, 16, 3))
        objectness = net.add("Sigmoid", [net.conv(boxes, 1)], 1)
        row = net.concat([net.conv(boxes, 4), objectness, scores])
        row = net.add("Reshape", [row, flat], columns)
        rows.append(net.add("Transpose", [row], columns, perm=[0, 2, 1]))
    net.nodes.append(helper.make_node("Concat", rows, ["output"], axis=1))
    cells = sum((416 // stride) ** 2 for stride in (8, 16, 32))
    write(name, net.nodes, [("images", [1, 3, 416, 416])], [("output", [1, cells, columns])], net.weights)


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
    many_layers("many-layers", 3)
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
