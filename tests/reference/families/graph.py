"""Small ONNX graphs under construction: averages of the picture over the cells of each stride, one convolution, one
linear layer a level, whose seeded weights are set so that scores and boxes differ from cell to cell of the picture.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from .picture import preprocess, size_of

FEATURES = 8


FLOAT, INT64, INT32, UINT8, HALF = (
    TensorProto.FLOAT,
    TensorProto.INT64,
    TensorProto.INT32,
    TensorProto.UINT8,
    TensorProto.FLOAT16,
)


class Graph:
    """Nodes and constants under construction, for one operator set."""

    def __init__(self, opset, spec, picture, seed):
        self.opset, self.spec, self.nodes, self.weights, self.count = opset, spec, [], {}, 0
        self.random = np.random.default_rng(seed)
        tensor, self.mapping = preprocess(picture, spec)
        self.tensor = tensor

    def op(self, kind, *inputs, outputs=1, name=None, **attributes):
        names = [name or f"{kind.lower()}_{self.count}"] + [
            f"{kind.lower()}_{self.count}_{i}" for i in range(1, outputs)
        ]
        self.count += 1
        inputs = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, value):
        value = np.asarray(value)
        if value.dtype == np.float64:
            value = value.astype(np.float32)
        name = f"c{len(self.weights)}"
        self.weights[name] = value
        return name

    def unsqueeze(self, x, *axes, **kw):
        return (
            self.op("Unsqueeze", x, np.array(axes), **kw)
            if self.opset >= 13
            else self.op("Unsqueeze", x, axes=axes, **kw)
        )

    def squeeze(self, x, *axes, **kw):
        if not axes:
            return self.op("Squeeze", x, **kw)
        return (
            self.op("Squeeze", x, np.array(axes), **kw) if self.opset >= 13 else self.op("Squeeze", x, axes=axes, **kw)
        )

    def reduce(self, kind, x, axis, keep=0):
        by_input = self.opset >= (13 if kind == "ReduceSum" else 18)
        if by_input:
            return self.op(kind, x, np.array([axis]), keepdims=keep)
        return self.op(kind, x, axes=[axis], keepdims=keep)

    def slice(self, x, start, end, axis, **kw):
        return self.op("Slice", x, np.array([start]), np.array([end]), np.array([axis]), **kw)

    def transpose(self, x, *order, **kw):
        return self.op("Transpose", x, perm=order, **kw)

    def concat(self, *parts, axis, **kw):
        return self.op("Concat", *parts, axis=axis, **kw)

    def reshape(self, x, *shape, **kw):
        return self.op("Reshape", x, np.array(shape), **kw)

    def image(self):
        """The input as a float tensor of 1 x 3 x H x W, and its values."""
        name, values = self.spec["name"], self.tensor
        if self.spec["dtype"] == "uint8":
            name, values = self.op("Cast", name, to=FLOAT), values.astype(np.float32)
        if self.spec.get("layout") == "NHWC":
            name, values = self.transpose(name, 0, 3, 1, 2), values.transpose(0, 3, 1, 2)
        if values.ndim == 3:
            name, values = self.unsqueeze(name, 0), values[None]
        return name, values

    def features(self, strides):
        """One map of FEATURES channels a stride: means over the cells, a 3 x 3 convolution, tanh. Names and values."""
        name, values = self.image()
        h, w = values.shape[2:]

        def windows(stride):
            cells = values.reshape(1, 3, h // stride, stride, w // stride, stride).mean((3, 5))
            around = np.pad(cells, ((0, 0), (0, 0), (1, 1), (1, 1)))
            return np.lib.stride_tricks.sliding_window_view(around, (3, 3), (2, 3))[0]

        kernel = self.random.normal(size=(FEATURES, 3, 3, 3))
        found = np.einsum("chwij,fcij->fhw", windows(strides[0]), kernel)
        kernel = (kernel / found.std((1, 2))[:, None, None, None]).astype(np.float32)
        shift = (-found.mean((1, 2)) / found.std((1, 2))).astype(np.float32)
        kernels, shifts = self.constant(kernel), self.constant(shift)
        maps = []
        for stride in strides:
            pooled = self.op("AveragePool", name, kernel_shape=[stride, stride], strides=[stride, stride])
            out = self.op("Tanh", self.op("Conv", pooled, kernels, shifts, pads=[1, 1, 1, 1], kernel_shape=[3, 3]))
            maps.append(
                (out, np.tanh(np.einsum("chwij,fcij->fhw", windows(stride), kernel) + shift[:, None, None])[None])
            )
        return maps

    def linear(self, feature, count, spread=None, top=None, quantile=0.999, mean=0.0, deviation=1.0):
        """A 1 x 1 convolution. With `top`: its `quantile` is near `top` and its median `spread` lower; else mean and
        deviation."""
        name, values = feature
        weight = self.random.normal(size=(count, FEATURES))
        found = np.einsum("oc,chw->ohw", weight, values[0]).reshape(count, -1)
        if top is not None:
            high, middle = np.quantile(found, min(quantile, 1 - 1.5 / found.shape[1]), 1), np.quantile(found, 0.5, 1)
            scale = spread / np.maximum(high - middle, 1e-6)
            bias = top + 0.3 * self.random.normal(size=count) - high * scale
        else:
            scale = deviation / np.maximum(found.std(1), 1e-6)
            bias = mean - found.mean(1) * scale
        weight = (weight * scale[:, None]).astype(np.float32)
        out = self.op("Conv", name, weight[:, :, None, None], bias.astype(np.float32), kernel_shape=[1, 1])
        return out, np.einsum("oc,chw->ohw", weight, values[0])[None] + bias[None, :, None, None]

    def dense(self, strides, classes, top=0.6, objectness=False, anchors=1, reach=2.0, bins=0, extra=0, spread=5.0):
        """Every cell's distances (exp, in pixels), class logits, objectness logits and further columns: 1 x n x cells
        each."""
        rows = {"distance": [], "class": [], "object": [], "extra": []}
        for stride, feature in zip(strides, self.features(strides)):
            cells = feature[1].shape[2] * feature[1].shape[3]
            for _ in range(anchors):
                if bins:
                    d = self.linear(feature, 4 * bins, mean=0, deviation=0.5)[0]
                    tilt = np.tile(-0.3 * np.arange(bins), 4).reshape(1, -1, 1, 1)
                    rows["distance"].append(self.reshape(self.op("Add", d, tilt), 1, 4 * bins, cells))
                else:
                    d = self.op("Exp", self.linear(feature, 4, mean=np.log(reach), deviation=0.35)[0])
                    rows["distance"].append(self.reshape(self.op("Mul", d, np.float32(stride)), 1, 4, cells))
                rows["class"].append(self.reshape(self.linear(feature, classes, spread, top)[0], 1, classes, cells))
                if objectness:
                    rows["object"].append(self.reshape(self.linear(feature, 1, 4.0, 2.0, 0.99)[0], 1, 1, cells))
                if extra:
                    rows["extra"].append(self.reshape(self.linear(feature, extra)[0], 1, extra, cells))
        return {k: v[0] if len(v) == 1 else self.concat(*v, axis=2) for k, v in rows.items() if v}

    def points(self, strides, offset=0.5):
        """The middle of every cell in pixels of the input (1 x 2 x cells) and the strides (1 x 1 x cells)."""
        h, w = size_of(self.spec)
        middles, steps = [], []
        for stride in strides:
            down, across = h // stride, w // stride
            x = ((np.arange(across, dtype=np.float32) + offset) * stride).reshape(1, 1, 1, -1)
            y = ((np.arange(down, dtype=np.float32) + offset) * stride).reshape(1, 1, -1, 1)
            whole = np.array([1, 1, down, across])
            both = self.concat(self.op("Expand", x, whole), self.op("Expand", y, whole), axis=1)
            middles.append(self.reshape(both, 1, 2, down * across))
            steps.append(self.op("Expand", np.full((1, 1, 1), stride, np.float32), np.array([1, 1, down * across])))
        if len(strides) == 1:
            return middles[0], steps[0]
        return self.concat(*middles, axis=2), self.concat(*steps, axis=2)

    def corners(self, distance, points):
        """Left, top, right, bottom from distances to each side: 1 x 4 x cells."""
        near, far = self.slice(distance, 0, 2, 1), self.slice(distance, 2, 4, 1)
        return self.concat(self.op("Sub", points, near), self.op("Add", points, far), axis=1)

    def centres(self, distance, points):
        """Centre and size from distances to each side: 1 x 4 x cells."""
        near, far = self.slice(distance, 0, 2, 1), self.slice(distance, 2, 4, 1)
        middle = self.op("Add", points, self.op("Mul", self.op("Sub", far, near), np.float32(0.5)))
        return self.concat(middle, self.op("Add", near, far), axis=1)

    def best(self, boxes, scores, count, *more):
        """The `count` best (box, class) rows: boxes 1 x A x 4, scores 1 x A x C -> 1 x count x (4, 1, 1, more)."""
        one = self.reduce("ReduceMax", scores, 2)
        _, index = self.op("TopK", one, np.array([count]), outputs=2, axis=1)
        index = self.squeeze(index, 0)
        score = self.op("Gather", one, index, axis=1)
        label = self.op(
            "Cast", self.op("Gather", self.op("ArgMax", scores, axis=2, keepdims=0), index, axis=1), to=FLOAT
        )
        parts = [self.op("Gather", boxes, index, axis=1), self.unsqueeze(score, 2), self.unsqueeze(label, 2)]
        return self.concat(*parts, *(self.op("Gather", m, index, axis=1) for m in more), axis=2)

    def suppress(self, boxes, scores, iou, least, limit):
        """NonMaxSuppression on 1 x A x 4 and 1 x C x A: the boxes, scores and classes kept, in its order (class by
        class)."""
        self.before = boxes, scores
        kept = self.op(
            "NonMaxSuppression",
            boxes,
            scores,
            np.array([limit]),
            np.array([iou], np.float32),
            np.array([least], np.float32),
        )
        label = self.squeeze(self.slice(kept, 1, 2, 1), 1)
        index = self.squeeze(self.slice(kept, 2, 3, 1), 1)
        return self.op("Gather", self.squeeze(boxes, 0), index, axis=0), self.op("GatherND", scores, kept), label, index

    def ordered(self, count, score, *columns):
        """The rows by falling score, at most `count` of them."""
        length = self.op("Shape", score)
        most = self.op("ReduceMin", self.concat(length, np.array([count]), axis=0), keepdims=1)
        score, index = self.op("TopK", score, most, outputs=2, axis=0)
        return [score] + [self.op("Gather", c, index, axis=0) for c in columns]

    def filled(self, x, count, rank):
        """Rows of zeros behind x, up to `count`."""
        missing = self.op("Sub", np.array([count]), self.slice(self.op("Shape", x), 0, 1, 0))
        before = np.zeros(rank, np.int64)
        after = self.concat(missing, np.zeros(rank - 1, np.int64), axis=0) if rank > 1 else missing
        return self.op("Pad", x, self.concat(before, after, axis=0))

    def model(self, outputs, ir, producer, metadata=None, inputs=(), declared=None):
        spec = self.spec
        kind = {"uint8": UINT8, "float32": FLOAT}[spec["dtype"]]
        first = helper.make_tensor_value_info(spec["name"], kind, declared or spec["shape"])
        graph = helper.make_graph(
            self.nodes,
            "main_graph",
            [first] + [helper.make_tensor_value_info(*i) for i in inputs],
            [helper.make_tensor_value_info(*o) for o in outputs],
            [numpy_helper.from_array(v, n) for n, v in self.weights.items()],
        )
        sets = [helper.make_opsetid("", self.opset)]
        if any(n.domain for n in self.nodes):
            sets.append(helper.make_opsetid("TRT", 1))
        model = helper.make_model(graph, opset_imports=sets, ir_version=ir)
        model.producer_name, model.producer_version = producer
        for key, value in (metadata or {}).items():
            entry = model.metadata_props.add()
            entry.key, entry.value = key, str(value)
        return model
