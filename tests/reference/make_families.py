"""Makes small detector files of the output forms that real exporters write, and what is to be found with each in one picture.

    pip install onnx==1.23.2 onnxruntime==1.32.0 opencv-python-headless==5.0.0.93 numpy==2.4.6
    python make_families.py --picture street.png --out FOLDER [NAME...]

Each function below is one form: it names the family, its exporter and the public source of the form, and builds a graph whose
input, outputs, types, ranks, operator set and metadata keys are the exporter's. What is inside is ours: averages of the picture
over the cells of each stride, one small convolution, one linear layer a level with seeded weights. Nothing has learnt anything.
The weights are set so that scores and boxes differ from cell to cell of the picture.

NAME.json holds the boxes that the family's published post-processing, written here in numpy, makes of onnxruntime's outputs:
x, y, w, h in pixels of the picture (origin at the top left corner of the top left pixel), not clipped to it, by falling score.
Tensor = (pixel * scale - mean) / std, planes in the order `colour`. `fit`: letterbox-centre and letterbox-top-left scale by the
smaller ratio and fill the rest with `fill`; stretch scales each axis alone; none takes the picture as it is.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

COCO = (
    "person bicycle car motorcycle airplane bus train truck boat traffic_light fire_hydrant stop_sign parking_meter bench bird cat dog "
    "horse sheep cow elephant bear zebra giraffe backpack umbrella handbag tie suitcase frisbee skis snowboard sports_ball kite "
    "baseball_bat baseball_glove skateboard surfboard tennis_racket bottle wine_glass cup fork knife spoon bowl banana apple sandwich "
    "orange broccoli carrot hot_dog pizza donut cake chair couch potted_plant bed dining_table toilet tv laptop mouse remote keyboard "
    "cell_phone microwave oven toaster sink refrigerator book clock vase scissors teddy_bear hair_drier toothbrush"
).replace(" ", "\n").replace("_", " ").split("\n")
# The category numbers of COCO's own annotations: 1 to 90 with holes.
HOLES = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
COCO91 = dict(zip((i for i in range(1, 91) if i not in HOLES), COCO))
FEATURES = 8
FLOAT, INT64, INT32, UINT8, HALF = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32, TensorProto.UINT8, TensorProto.FLOAT16
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


class Graph:
    """Nodes and constants under construction, for one operator set."""

    def __init__(self, opset, spec, picture, seed):
        self.opset, self.spec, self.nodes, self.weights, self.count = opset, spec, [], {}, 0
        self.random = np.random.default_rng(seed)
        tensor, self.mapping = preprocess(picture, spec)
        self.tensor = tensor

    def op(self, kind, *inputs, outputs=1, name=None, **attributes):
        names = [name or f"{kind.lower()}_{self.count}"] + [f"{kind.lower()}_{self.count}_{i}" for i in range(1, outputs)]
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
        return self.op("Unsqueeze", x, np.array(axes), **kw) if self.opset >= 13 else self.op("Unsqueeze", x, axes=axes, **kw)

    def squeeze(self, x, *axes, **kw):
        if not axes:
            return self.op("Squeeze", x, **kw)
        return self.op("Squeeze", x, np.array(axes), **kw) if self.opset >= 13 else self.op("Squeeze", x, axes=axes, **kw)

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
            maps.append((out, np.tanh(np.einsum("chwij,fcij->fhw", windows(stride), kernel) + shift[:, None, None])[None]))
        return maps

    def linear(self, feature, count, spread=None, top=None, quantile=0.999, mean=0.0, deviation=1.0):
        """A 1 x 1 convolution. With `top`: its `quantile` is near `top` and its median `spread` lower; else mean and deviation."""
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
        """Every cell's distances (exp, in pixels), class logits, objectness logits and further columns: 1 x n x cells each."""
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
        label = self.op("Cast", self.op("Gather", self.op("ArgMax", scores, axis=2, keepdims=0), index, axis=1), to=FLOAT)
        parts = [self.op("Gather", boxes, index, axis=1), self.unsqueeze(score, 2), self.unsqueeze(label, 2)]
        return self.concat(*parts, *(self.op("Gather", m, index, axis=1) for m in more), axis=2)

    def suppress(self, boxes, scores, iou, least, limit):
        """NonMaxSuppression on 1 x A x 4 and 1 x C x A: the boxes, scores and classes kept, in its order (class by class)."""
        kept = self.op("NonMaxSuppression", boxes, scores, np.array([limit]), np.array([iou], np.float32), np.array([least], np.float32))
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
            self.nodes, "main_graph", [first] + [helper.make_tensor_value_info(*i) for i in inputs],
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


def points(spec, strides, offset=0.5):
    """The middle of every cell in pixels of the input: 1 x 2 x cells, and the strides: 1 x 1 x cells."""
    h, w = size_of(spec)
    middles, steps = [], []
    for stride in strides:
        y, x = np.mgrid[: h // stride, : w // stride]
        middles.append((np.stack([x, y]).reshape(2, -1) + offset) * stride)
        steps.append(np.full((1, middles[-1].shape[1]), stride))
    return np.concatenate(middles, 1)[None].astype(np.float32), np.concatenate(steps, 1)[None].astype(np.float32)


# The picture in, the boxes out.


def size_of(spec):
    return spec["shape"][1:3] if spec.get("layout") == "NHWC" else spec["shape"][-2:]


def taken(shape, name="images", colour="RGB", scale=1 / 255, mean=(0, 0, 0), std=(1, 1, 1), fit="letterbox-centre", fill=114, dtype="float32", **more):
    return {"name": name, "shape": list(shape), "dtype": dtype, "colour": colour, "scale": scale, "mean": list(mean), "std": list(std), "fit": fit, "fill": fill, **more}


def preprocess(picture, spec):
    """The tensor for a BGR picture, and (ratio x, ratio y, left, top) of where the picture lies in it."""
    h, w = size_of(spec)
    ih, iw = picture.shape[:2]
    if spec["fit"] == "stretch":
        fitted, mapping = cv2.resize(picture, (w, h), interpolation=cv2.INTER_LINEAR), (w / iw, h / ih, 0, 0)
    else:
        r = min(w / iw, h / ih)
        if spec["fit"] == "letterbox-centre":
            across, down = round(iw * r), round(ih * r)
            left, top = round((w - across) / 2 - 0.1), round((h - down) / 2 - 0.1)
        else:
            across, down, left, top = int(iw * r), int(ih * r), 0, 0
        fitted = np.full((h, w, 3), spec["fill"], np.uint8)
        fitted[top : top + down, left : left + across] = cv2.resize(picture, (across, down), interpolation=cv2.INTER_LINEAR)
        mapping = (r, r, left, top)
    values = fitted if spec["colour"] == "BGR" else fitted[..., ::-1]
    if spec["dtype"] != "uint8":
        values = values.astype(np.float32) * np.float32(spec["scale"])
        values = ((values - np.float32(spec["mean"])) / np.float32(spec["std"])).astype(np.float32)
    if spec.get("layout") != "NHWC":
        values = values.transpose(2, 0, 1)
    return np.ascontiguousarray(values[None] if len(spec["shape"]) == 4 else values), mapping


def to_corners(boxes):
    boxes = np.asarray(boxes, np.float64)
    return np.concatenate([boxes[..., :2] - boxes[..., 2:4] / 2, boxes[..., :2] + boxes[..., 2:4] / 2], -1)


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


def softmax(x):
    e = np.exp(np.asarray(x, np.float64) - np.max(x, -1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def greedy(boxes, scores, classes, iou):
    """Indices kept by greedy suppression in each class, by falling score: of two with IoU above `iou` the weaker goes."""
    left, kept = np.argsort(-scores, kind="stable"), []
    area = np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), 1)
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        shared = np.prod(np.clip(np.minimum(boxes[best, 2:], boxes[left, 2:]) - np.maximum(boxes[best, :2], boxes[left, :2]), 0, None), 1)
        over = shared / np.maximum(area[best] + area[left] - shared, 1e-9)
        left = left[~((classes[left] == classes[best]) & (over > iou))]
    return np.array(kept, int)


def turned_apart(boxes, angles, scores, classes, iou):
    """Indices of turned boxes by falling score of which no better one of the class, kept or not, has ProbIoU of `iou` or more: boxes
    as normal distributions, 1 less their Hellinger distance (arXiv:2106.06072)."""
    order = np.argsort(-scores, kind="stable")
    middle, side = ((boxes[:, :2] + boxes[:, 2:]) / 2)[order], (boxes[:, 2:] - boxes[:, :2])[order]
    a, b, turn = side[:, 0] ** 2 / 12, side[:, 1] ** 2 / 12, angles[order]
    c, s = np.cos(turn), np.sin(turn)
    xx, yy, xy = a * c * c + b * s * s, a * s * s + b * c * c, (a - b) * c * s
    sx, sy, sxy = xx[:, None] + xx, yy[:, None] + yy, xy[:, None] + xy
    dx, dy = (middle[:, None] - middle).transpose(2, 0, 1)
    both = sx * sy - sxy**2
    distance = (sx * dy**2 + sy * dx**2 - 2 * sxy * dx * dy) / (4 * both + 1e-9)
    own = np.clip(xx * yy - xy**2, 0, None)
    distance = distance + 0.5 * np.log(both / (4 * np.sqrt(own[:, None] * own) + 1e-9) + 1e-9)
    like = 1 - np.sqrt(1 - np.exp(-np.clip(distance, 1e-7, 100)))
    same = classes[order][:, None] == classes[order]
    return order[~(np.triu(same & (like >= iou), 1)).any(0)]


class Found:
    """Boxes as corners, in pixels of the input or already of the picture, with scores and classes; `iou` where the family suppresses."""

    def __init__(self, boxes, scores, classes, names, iou=None, picture=False, extras=None):
        self.boxes, self.scores, self.classes = np.asarray(boxes, np.float64).reshape(-1, 4), np.asarray(scores, np.float64).ravel(), np.asarray(classes).astype(int).ravel()
        self.names, self.iou, self.picture, self.extras, self.angles = names, iou, picture, extras, None

    def turn(self, angles):
        """The boxes so far are unturned, of the true width and height; from here on they are the upright hulls of the turned ones."""
        self.flat, self.angles = self.boxes, angles
        middle, side = (self.flat[:, :2] + self.flat[:, 2:]) / 2, self.flat[:, 2:] - self.flat[:, :2]
        c, s = np.abs(np.cos(angles)), np.abs(np.sin(angles))
        half = np.stack([side[:, 0] * c + side[:, 1] * s, side[:, 0] * s + side[:, 1] * c], 1) / 2
        self.boxes = np.concatenate([middle - half, middle + half], 1)

    def above(self, threshold, mapping):
        keep = np.where(self.scores >= threshold)[0]
        if self.iou is None:
            keep = keep[np.argsort(-self.scores[keep], kind="stable")]
        elif self.angles is not None:
            keep = keep[turned_apart(self.flat[keep], self.angles[keep], self.scores[keep], self.classes[keep], self.iou)]
        else:
            keep = keep[greedy(self.boxes[keep], self.scores[keep], self.classes[keep], self.iou)]
        rx, ry, left, top = (1, 1, 0, 0) if self.picture else mapping
        rows = []
        for i in keep:
            l, t, r, b = (self.boxes[i] - [left, top, left, top]) / [rx, ry, rx, ry]
            row = {"x": l, "y": t, "w": r - l, "h": b - t, "score": self.scores[i], "class": int(self.classes[i])}
            row["name"] = self.names.get(row["class"]) if isinstance(self.names, dict) else self.names[row["class"]]
            if self.extras:
                row.update(self.extras(i, mapping))
            rows.append(row)
        return rows


# The forms. Each gives: graph, model, how its outputs are read (outputs, mapping -> Found), and what NAME.json tells of it.

OURS = "trailsight tests"


def ultralytics_metadata(task, head, names, size, end2end=False, nms=None, **more):
    """The keys that ultralytics 8.4 writes; the values are ours where they would be its makers'."""
    return {
        "description": "graph of the form of an Ultralytics export, without its weights", "author": OURS, "date": "2026-11-30T00:00:00", "version": "8.4.190",
        "license": "as the project's", "docs": "", "stride": 32, "task": task, "head": head, "batch": 1, "imgsz": list(size), "names": dict(enumerate(names)),
        "args": {"batch": 1, "nms": nms, "half": False, "dynamic": False, "simplify": True}, "channels": 3, "end2end": end2end, **more,
    }


def ultralytics(picture, seed=1, names=COCO, task="detect", size=(640, 640), form="dense", dynamic=False, half=False):
    """Ultralytics YOLOv8 to YOLO26 (docs.ultralytics.com/modes/export): 1 x (4 + C + more) x cells, centre and size in pixels, class
    scores 0 to 1; with nms=False (or, before 8.4.142, always) of YOLOv10 and YOLO26: 1 x 300 x (6 + more), corners, score, class; with
    nms=True suppressed in the graph and filled up with zeros. More: 32 mask coefficients, 17 x 3 keypoints, or an angle."""
    strides, classes = (8, 16, 32), len(names)
    extra = {"detect": 0, "segment": 32, "pose": 51, "obb": 1}[task]
    spec = taken([1, 3, *size])
    g = Graph(18, spec, picture, seed)
    rows = g.dense(strides, classes, extra=extra, top=-0.6 if form == "nms" else 0.6)
    middle, step = g.points(strides)
    scores = g.op("Sigmoid", rows["class"])
    boxes = g.centres(rows["distance"], middle) if form == "dense" else g.corners(rows["distance"], middle)
    more = []
    if task == "segment":
        more = [rows["extra"]]
    elif task == "pose":
        # Seventeen times x, y, visibility: near the middle of the cell.
        place = np.tile(np.array([1, 1, 0]), 17).reshape(1, -1, 1)
        base = g.op("Tile", g.concat(middle, g.op("Mul", step, np.float32(0)), axis=1), np.array([1, 17, 1]))
        moved = g.op("Add", g.op("Mul", g.op("Mul", rows["extra"], step), np.float32(place)), base)
        more = [g.op("Add", moved, g.op("Mul", g.op("Sigmoid", rows["extra"]), np.float32(1 - place)))]
    elif task == "obb":
        # The angle: from -pi/4 to 3 pi/4.
        more = [g.op("Mul", g.op("Sub", g.op("Sigmoid", rows["extra"]), np.float32(0.25)), np.float32(np.pi))]
        boxes = g.centres(rows["distance"], middle)
    cells = points(spec, strides)[0].shape[2]
    outputs, iou = [("output0", FLOAT, [1, 4 + classes + extra, cells])], 0.7
    if form == "dense":
        g.concat(boxes, scores, *more, axis=1, name="output0")
    elif form == "end2end":
        g.op("Identity", g.best(g.transpose(boxes, 0, 2, 1), g.transpose(scores, 0, 2, 1), 300, *(g.transpose(m, 0, 2, 1) for m in more)), name="output0")
        outputs, iou = [("output0", FLOAT, [1, 300, 6 + extra])], None
    else:
        flat, best = g.transpose(boxes, 0, 2, 1), g.reduce("ReduceMax", scores, 1, keep=1)
        label = g.op("Cast", g.op("ArgMax", scores, axis=1, keepdims=0), to=FLOAT)
        moved = g.op("Add", flat, g.op("Mul", g.unsqueeze(label, 2), np.float32(7680)))
        _, score, _, index = g.suppress(moved, best, 0.7, 0.25, 300)
        score, index = g.ordered(300, score, index)
        kept = g.concat(g.op("Gather", g.squeeze(flat, 0), index, axis=0), g.unsqueeze(score, 1), g.unsqueeze(g.op("Gather", g.squeeze(label, 0), index, axis=0), 1), axis=1)
        g.unsqueeze(g.filled(kept, 300, 2), 0, name="output0")
        outputs, iou = [("output0", FLOAT, [1, 300, 6])], None
    if task == "segment":
        prototypes = [f for f in g.features((4,))]
        g.op("Identity", g.linear(prototypes[0], 32)[0], name="output1")
        outputs.append(("output1", FLOAT, [1, 32, size[0] // 4, size[1] // 4]))
    head = {"detect": "Detect", "segment": "Segment", "pose": "Pose", "obb": "OBB"}[task]
    metadata = ultralytics_metadata(task, head, names, size, form == "end2end", True if form == "nms" else None, **({"kpt_shape": [17, 3]} if task == "pose" else {}))
    declared = None
    if dynamic:
        declared = ["batch", 3, "height", "width"]
        outputs = [("output0", FLOAT, ["batch", 84, "anchors"])]
    model = g.model(outputs, 8, ("pytorch", "2.15.0"), metadata, declared=declared)
    if half:
        halve(model)

    def read(outs, mapping):
        o = outs["output0"][0].astype(np.float64)
        if form != "dense":
            o = o[o[:, 4] > 0]
            boxes, scores, labels, rest = o[:, :4], o[:, 4], o[:, 5], o[:, 6:]
            if task == "obb":
                boxes = to_corners(boxes)
        else:
            boxes, scores, labels, rest = to_corners(o[:4].T), o[4 : 4 + classes].max(0), o[4 : 4 + classes].argmax(0), o[4 + classes :].T
        rx, ry, left, top = mapping

        def extras(i, _):
            if task == "pose":
                k = rest[i].reshape(17, 3) - [left, top, 0]
                return {"keypoints": (k / [rx, ry, 1]).tolist()}
            if task == "obb":
                middle, side = (boxes[i, :2] + boxes[i, 2:]) / 2, boxes[i, 2:] - boxes[i, :2]  # unturned
                return {"turned": {"cx": (middle[0] - left) / rx, "cy": (middle[1] - top) / ry, "w": side[0] / rx, "h": side[1] / ry, "angle": rest[i, 0]}}
            return mask_of(rest[i], outs["output1"][0], boxes[i], mapping, spec, picture.shape[:2])

        found = Found(boxes, scores, labels, names, iou, extras=extras if task != "detect" else None)
        if task == "obb":
            found.turn(rest[:, 0])
        return found

    return g, model, read, {"exporter": "ultralytics", "version": "8.4.190", "family": f"ultralytics {form} {task}"}


def mask_of(coefficients, prototypes, box, mapping, spec, size):
    """How many pixels of the picture the mask covers, and its rows and columns: prototypes times coefficients, the filling cut off,
    bilinear to the picture, above 0, inside the box."""
    rx, ry, left, top = mapping
    logits = np.tensordot(coefficients.astype(np.float32), prototypes.astype(np.float32), 1)
    h, w = size_of(spec)
    down, across = prototypes.shape[1] / h, prototypes.shape[2] / w
    inner = logits[round(top * down) : prototypes.shape[1] - round(top * down), round(left * across) : prototypes.shape[2] - round(left * across)]
    large = cv2.resize(inner, (size[1], size[0]), interpolation=cv2.INTER_LINEAR) > 0
    l, t, r, b = (box - [left, top, left, top]) / [rx, ry, rx, ry]
    y, x = np.mgrid[: size[0], : size[1]]
    large &= (x >= l) & (x < r) & (y >= t) & (y < b)
    return {"mask_area": int(large.sum()), "mask_middle": [float(x[large].mean()), float(y[large].mean())] if large.any() else None}


def halve(model):
    """Weights and arithmetic in 16 bits, input and output in 32, as half=True gives."""
    graph = model.graph
    for weight in graph.initializer:
        if weight.data_type == FLOAT:
            weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight).astype(np.float16), weight.name))
    first, last = graph.input[0].name, graph.output[0].name
    for node in graph.node:
        for i, name in enumerate(node.input):
            if name == first:
                node.input[i] = "half_in"
        for i, name in enumerate(node.output):
            if name == last:
                node.output[i] = "half_out"
    graph.node.insert(0, helper.make_node("Cast", [first], ["half_in"], to=HALF))
    graph.node.append(helper.make_node("Cast", ["half_out"], [last], to=FLOAT))


def ultralytics_classify(picture):
    """Ultralytics -cls: 1 x 1000 class scores and no boxes; to be refused."""
    spec = taken([1, 3, 224, 224])
    g = Graph(18, spec, picture, 3)
    mean = g.op("GlobalAveragePool", "images")
    g.op("Softmax", g.op("MatMul", g.reshape(mean, 1, 3), g.random.normal(size=(3, 1000))), axis=1, name="output0")
    metadata = ultralytics_metadata("classify", "Classify", [f"class {i}" for i in range(1000)], (224, 224))
    model = g.model([("output0", FLOAT, [1, 1000])], 8, ("pytorch", "2.15.0"), metadata)
    return g, model, None, {"exporter": "ultralytics", "version": "8.4.190", "family": "classify", "refuse": "classification: no boxes"}


def ultralytics_rtdetr(picture):
    """Ultralytics RT-DETR since 8.4.47 (docs.ultralytics.com/models/rtdetr): 1 x 300 x 6 as YOLO26's ready form, but centre and size
    as shares of the picture, which is stretched."""
    spec = taken([1, 3, 640, 640], fit="stretch")
    g = Graph(18, spec, picture, 4)
    rows = g.dense((8, 16, 32), 80, top=1.0)
    boxes = g.op("Mul", g.centres(rows["distance"], g.points((8, 16, 32))[0]), np.float32(1 / 640))
    g.op("Identity", g.best(g.transpose(boxes, 0, 2, 1), g.transpose(g.op("Sigmoid", rows["class"]), 0, 2, 1), 300), name="output0")
    model = g.model([("output0", FLOAT, [1, 300, 6])], 8, ("pytorch", "2.15.0"), ultralytics_metadata("detect", "RTDETRDecoder", COCO, (640, 640)))

    def read(outs, mapping):
        o = outs["output0"][0]
        return Found(shares(o[:, :4], picture), o[:, 4], o[:, 5], COCO, picture=True)

    return g, model, read, {"exporter": "ultralytics", "version": "8.4.190", "family": "ultralytics RT-DETR"}


def shares(boxes, picture):
    """Centre and size as shares of the picture -> corners in its pixels."""
    h, w = picture.shape[:2]
    return to_corners(boxes) * [w, h, w, h]


def yolox(picture, decoded=False, dynamic=False):
    """YOLOX (github.com/Megvii-BaseDetection/YOLOX, tools/export_onnx.py; arXiv:2107.08430): 1 x cells x 85: offsets, logarithms of
    sizes, objectness and class scores; decoded centre and size in pixels with --decode_in_inference. Names and shape are the same."""
    spec, strides = taken([1, 3, 416, 416], colour="BGR", scale=1, fit="letterbox-top-left"), (8, 16, 32)
    g = Graph(11, spec, picture, 5)
    maps = []
    for stride, feature in zip(strides, g.features(strides)):
        place = g.op("Add", g.linear(feature, 2, mean=0.3, deviation=0.4)[0], np.float32(0))
        side = g.linear(feature, 2, mean=0.8, deviation=0.4)[0]
        scores = g.op("Sigmoid", g.concat(g.linear(feature, 1, 4.0, 2.0, 0.99)[0], g.linear(feature, 80, 5.0, 1.0)[0], axis=1))
        maps.append(g.reshape(g.concat(place, side, scores, axis=1), 1, 85, -1))
    rows = g.transpose(g.concat(*maps, axis=2), 0, 2, 1, **({} if decoded else {"name": "output"}))
    middle, step = points(spec, strides, 0)
    cells = middle.shape[2]
    if decoded:
        corner, step_rows = (g.transpose(x, 0, 2, 1) for x in g.points(strides, 0))
        place = g.op("Add", g.op("Mul", g.slice(rows, 0, 2, 2), step_rows), corner)
        side = g.op("Mul", g.op("Exp", g.slice(rows, 2, 4, 2)), step_rows)
        g.concat(place, side, g.slice(rows, 4, 85, 2), axis=2, name="output")
    model = g.model([("output", FLOAT, ["batch", cells, 85] if dynamic else [1, cells, 85])], 6, ("pytorch", "2.3.1"), declared=["batch", 3, 416, 416] if dynamic else None)

    def read(outs, mapping):
        o = outs["output"][0].astype(np.float64)
        if not decoded:
            o = np.concatenate([(o[:, :2] + (middle / step)[0].T) * step[0].T, np.exp(o[:, 2:4]) * step[0].T, o[:, 4:]], 1)
        return Found(to_corners(o[:, :4]), o[:, 4] * o[:, 5:].max(1), o[:, 5:].argmax(1), COCO, 0.65)

    return g, model, read, {"exporter": "YOLOX", "version": "0.3.0", "family": "YOLOX decoded" if decoded else "YOLOX raw"}


ANCHORS = (((10, 13), (16, 30), (33, 23)), ((30, 61), (62, 45), (59, 119)), ((116, 90), (156, 198), (373, 326)))


def anchored(g, spec, strides=(8, 16, 32), classes=80):
    """YOLOv5's and v7's rows, level by level and anchor by anchor: sigmoid of x, y, w, h, objectness, classes; and the maps before it."""
    maps, rows = [], []
    for level, (stride, feature) in enumerate(zip(strides, g.features(strides))):
        parts = []
        for _ in ANCHORS[level]:
            parts += [g.linear(feature, 4, mean=0, deviation=0.5)[0], g.linear(feature, 1, 4.0, 2.0, 0.99)[0], g.linear(feature, classes, 5.0, 1.0)[0]]
        h, w = feature[1].shape[2:]
        raw = g.transpose(g.reshape(g.concat(*parts, axis=1), 1, 3, 5 + classes, h, w), 0, 1, 3, 4, 2)
        maps.append(raw)
        grid = g.unsqueeze(g.reshape(g.transpose(g.points((stride,), -0.5)[0], 0, 2, 1), 1, h, w, 2), 1)
        anchor = np.array(ANCHORS[level]).reshape(1, 3, 1, 1, 2)
        s = g.op("Sigmoid", raw)
        place = g.op("Add", g.op("Mul", g.slice(s, 0, 2, 4), np.float32(2 * stride)), grid)
        side = g.op("Mul", g.op("Pow", g.op("Mul", g.slice(s, 2, 4, 4), np.float32(2)), np.float32(2)), np.float32(anchor))
        rows.append(g.reshape(g.concat(place, side, g.slice(s, 4, 5 + classes, 4), axis=4), 1, 3 * h * w, 5 + classes))
    return maps, rows


def with_objectness(outs, mapping, name, iou=0.45):
    o = outs[name][0].astype(np.float64)
    return Found(to_corners(o[:, :4]), o[:, 4] * o[:, 5:].max(1), o[:, 5:].argmax(1), COCO, iou)


def yolov5(picture, dynamic=False):
    """YOLOv5's repository (github.com/ultralytics/yolov5, export.py): 1 x 25200 x 85, three anchors a cell; centre and size in
    pixels, objectness and class scores 0 to 1."""
    spec = taken([1, 3, 640, 640])
    g = Graph(17, spec, picture, 6)
    g.concat(*anchored(g, spec)[1], axis=1, name="output0")
    outputs, declared = [("output0", FLOAT, [1, 25200, 85])], None
    if dynamic:
        outputs, declared = [("output0", FLOAT, ["batch", "anchors", 85])], ["batch", 3, "height", "width"]
    model = g.model(outputs, 8, ("pytorch", "2.15.0"), {"stride": 32, "names": dict(enumerate(COCO))}, declared=declared)
    return g, model, lambda o, m: with_objectness(o, m, "output0"), {"exporter": "YOLOv5 repository", "version": "7.0", "family": "YOLOv5"}


def yolov6(picture):
    """YOLOv6 (github.com/meituan/YOLOv6, deploy/ONNX/export_onnx.py; arXiv:2209.02976): 1 x 8400 x 85; the objectness is always 1."""
    spec, strides = taken([1, 3, 640, 640]), (8, 16, 32)
    g = Graph(13, spec, picture, 7)
    rows = g.dense(strides, 80)
    boxes = g.centres(rows["distance"], g.points(strides)[0])
    g.transpose(g.concat(boxes, g.op("Expand", np.ones((1, 1, 1), np.float32), np.array([1, 1, 8400])), g.op("Sigmoid", rows["class"]), axis=1), 0, 2, 1, name="outputs")
    model = g.model([("outputs", FLOAT, [1, 8400, 85])], 7, ("pytorch", "2.1.2"))
    return g, model, lambda o, m: with_objectness(o, m, "outputs"), {"exporter": "YOLOv6 repository", "version": "0.4.1", "family": "YOLOv6"}


def yolov7(picture, form):
    """YOLOv7 (github.com/WongKinYiu/yolov7, export.py; arXiv:2207.02696). maps: three outputs of 1 x 3 x h x w x 85 before the sigmoid,
    whose anchors the file does not hold; grid: 1 x 25200 x 85 as YOLOv5; end2end: N x 7: picture, corners, class, score, suppressed
    with class x 640 added; trt: the operator EfficientNMS_TRT, which only TensorRT runs."""
    spec = taken([1, 3, 640, 640])
    g = Graph(12, spec, picture, 8)
    maps, rows = anchored(g, spec)
    names = {"maps": ("output", "277", "299")}.get(form)
    about = {"exporter": "YOLOv7 repository", "version": "2022", "family": f"YOLOv7 {form}"}
    producer = ("pytorch", "1.13.1")
    if form == "maps":
        for name, raw in zip(names, maps):
            g.op("Identity", raw, name=name)
        outputs = [(n, FLOAT, [1, 3, side, side, 85]) for n, side in zip(names, (80, 40, 20))]
        return g, g.model(outputs, 7, producer), None, about | {"refuse": "three maps of 5 dimensions before the sigmoid, anchors unknown: export with --grid"}
    if form == "grid":
        g.concat(*rows, axis=1, name="output")
        return g, g.model([("output", FLOAT, [1, 25200, 85])], 7, producer), lambda o, m: with_objectness(o, m, "output"), about
    row = g.concat(*rows, axis=1)
    scores = g.op("Mul", g.slice(row, 5, 85, 2), g.slice(row, 4, 5, 2))
    half = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [-0.5, 0, 0.5, 0], [0, -0.5, 0, 0.5]])
    boxes = g.op("MatMul", g.slice(row, 0, 4, 2), half)
    if form == "trt":
        g.nodes.append(helper.make_node("EfficientNMS_TRT", [boxes, scores], ["num_dets", "det_boxes", "det_scores", "det_classes"], domain="TRT", background_class=-1, box_coding=0,
                                        iou_threshold=0.45, max_output_boxes=100, plugin_version="1", score_activation=0, score_threshold=0.25))
        outputs = [("num_dets", INT32, ["1", "1"]), ("det_boxes", FLOAT, ["1", "100", "4"]), ("det_scores", FLOAT, ["1", "100"]), ("det_classes", INT32, ["1", "100"])]
        return g, g.model(outputs, 7, producer), None, about | {"refuse": "EfficientNMS_TRT runs in TensorRT only"}
    best = g.reduce("ReduceMax", scores, 2, keep=1)
    label = g.op("Cast", g.op("ArgMax", scores, axis=2, keepdims=1), to=FLOAT)
    moved = g.op("Add", boxes, g.op("Mul", label, np.float32(640)))
    kept = g.op("NonMaxSuppression", moved, g.transpose(best, 0, 2, 1), np.array([100]), np.array([0.45], np.float32), np.array([0.25], np.float32))
    index = g.squeeze(g.slice(kept, 2, 3, 1), 1)
    row_of = lambda x: g.op("Gather", g.squeeze(x, 0), index, axis=0)
    g.concat(g.op("Cast", g.slice(kept, 0, 1, 1), to=FLOAT), row_of(boxes), row_of(label), row_of(best), axis=1, name="output")

    def read(outs, mapping):
        o = outs["output"]
        return Found(o[:, 1:5], o[:, 6], o[:, 5], COCO)

    return g, g.model([("output", FLOAT, ["rows", 7])], 7, producer), read, about | {"least": 0.25}


def queries(g, spec, strides, columns, count, top, last=0.0, spread=5.0):
    """Boxes as shares (1 x N x 4) and logits (1 x N x columns) of the `count` cells with the greatest logit."""
    rows = g.dense(strides, columns, top=top, spread=spread)
    h, w = size_of(spec)
    boxes = g.transpose(g.op("Mul", g.centres(rows["distance"], g.points(strides)[0]), np.float32([1 / w, 1 / h, 1 / w, 1 / h]).reshape(1, 4, 1)), 0, 2, 1)
    logits = g.transpose(rows["class"], 0, 2, 1)
    _, index = g.op("TopK", g.reduce("ReduceMax", logits, 2), np.array([count]), outputs=2, axis=1)
    index = g.squeeze(index, 0)
    return g.op("Gather", boxes, index, axis=1), g.op("Gather", logits, index, axis=1)


def pairs(outs, picture, names, logits, boxes, count):
    """DETRs with sigmoid scores: the `count` best pairs of query and class (post_process_object_detection of Hugging Face
    transformers, PostProcess of rfdetr): one query may name several classes."""
    scores = sigmoid(outs[logits][0])
    best = np.argsort(-scores.ravel(), kind="stable")[:count]
    query, label = best // scores.shape[1], best % scores.shape[1]
    return Found(shares(outs[boxes][0], picture)[query], scores.ravel()[best], label, names, picture=True)


def rtdetr(picture):
    """RT-DETR, RT-DETRv2, D-FINE, DEIM of Hugging Face transformers by torch.onnx.export(dynamo=False) (arXiv:2304.08069, 2410.13842):
    logits 1 x 300 x 80 (sigmoid) and pred_boxes 1 x 300 x 4, centre and size as shares; the picture is stretched, 0 to 1."""
    spec = taken([1, 3, 640, 640], "pixel_values", fit="stretch")
    g = Graph(17, spec, picture, 9)
    boxes, logits = queries(g, spec, (8, 16, 32), 80, 300, 1.0)
    g.op("Identity", logits, name="logits")
    g.op("Identity", boxes, name="pred_boxes")
    model = g.model([("logits", FLOAT, ["Gatherlogits_dim_0", "Gatherlogits_dim_1", 80]), ("pred_boxes", FLOAT, [1, 300, 4])], 8, ("pytorch", "2.15.0"))
    return g, model, lambda o, m: pairs(o, picture, COCO, "logits", "pred_boxes", 300), {"exporter": "transformers, torch.onnx.export", "version": "5.24.0", "family": "RT-DETR"}


def detr(picture, classes=91, external=False):
    """DETR and YOLOS of Hugging Face transformers (arXiv:2005.12872, 2106.00666): logits 1 x 100 x (C + 1), softmax, the last is
    "no object"; pred_boxes as shares; ImageNet's mean and deviation. torch's default exporter puts the weights into a second file."""
    spec = taken([1, 3, 480, 640], "pixel_values", fit="stretch", **IMAGENET)
    g = Graph(20 if external else 17, spec, picture, 10 + classes)
    # No TopK: the queries are the cells of the coarsest level.
    feature = g.features((32,))[0]
    cells = feature[1].shape[2] * feature[1].shape[3]
    keep = np.linspace(0, cells - 1, 100).astype(np.int64)
    logits = g.reshape(g.linear(feature, classes + 1, 6.0, 4.0, 0.97)[0], 1, classes + 1, cells)
    none = np.zeros((1, classes + 1, 1), np.float32)
    none[0, -1] = 3.0
    distance = g.reshape(g.op("Mul", g.op("Exp", g.linear(feature, 4, mean=np.log(2), deviation=0.4)[0]), np.float32(32)), 1, 4, cells)
    boxes = g.op("Mul", g.centres(distance, g.points((32,))[0]), np.float32([1 / 640, 1 / 480, 1 / 640, 1 / 480]).reshape(1, 4, 1))
    g.op("Gather", g.transpose(g.op("Add", logits, none), 0, 2, 1), keep, axis=1, name="logits")
    g.op("Gather", g.transpose(boxes, 0, 2, 1), keep, axis=1, name="pred_boxes")
    model = g.model([("logits", FLOAT, [1, 100, classes + 1]), ("pred_boxes", FLOAT, [1, 100, 4])], 10 if external else 8, ("pytorch", "2.15.0"))
    names = COCO91 if classes == 91 else {i: None for i in range(classes)}

    def read(outs, mapping):
        scores = softmax(outs["logits"][0])[:, :-1]
        return Found(shares(outs["pred_boxes"][0], picture), scores.max(1), scores.argmax(1), names, picture=True)

    return g, model, read, {"exporter": "transformers, torch.onnx.export", "version": "5.24.0", "family": "DETR", "external_data": external}


def rfdetr(picture, columns=91):
    """RF-DETR (github.com/roboflow/rf-detr, RFDETRNano().export()): dets 1 x 300 x 4 as shares, labels 1 x 300 x 91 float logits
    (sigmoid); the columns are COCO's own category numbers. Fine-tuned: C + 1 columns, the last is background; with three classes both
    outputs have four columns."""
    spec = taken([1, 3, 384, 384], "input", fit="stretch", **IMAGENET)
    g = Graph(17, spec, picture, 11)
    boxes, logits = queries(g, spec, (8, 16, 32), columns, 300, 0.8, spread=4.0)
    if columns != 91:
        off = np.zeros((1, 1, columns), np.float32)
        off[..., -1] = -6
        logits = g.op("Add", logits, off)
    g.op("Identity", boxes, name="dets")
    g.op("Identity", logits, name="labels")
    model = g.model([("dets", FLOAT, [1, 300, 4]), ("labels", FLOAT, [1, 300, columns])], 8, ("pytorch", "2.15.0"))
    names = COCO91 if columns == 91 else {i: None for i in range(columns)}
    return g, model, lambda o, m: pairs(o, picture, names, "labels", "dets", 300), {"exporter": "rfdetr", "version": "1.11.2", "family": "RF-DETR"}


def dfine(picture):
    """D-FINE's, RT-DETR's and DEIM's own tools/deployment/export_onnx.py (github.com/Peterande/D-FINE): a second input orig_target_sizes
    (width, height); labels int64, boxes as corners in those sizes, scores."""
    spec = taken([1, 3, 640, 640], "images", fit="stretch")
    g = Graph(16, spec, picture, 12)
    boxes, logits = queries(g, spec, (8, 16, 32), 80, 300, 1.0)
    scores, index = g.op("TopK", g.reshape(g.op("Sigmoid", logits), 1, -1), np.array([300]), outputs=2, axis=1)
    g.op("Identity", scores, name="scores")
    g.op("Mod", index, np.array(80), name="labels")
    query = g.squeeze(g.op("Div", index, np.array(80)), 0)
    half = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [-0.5, 0, 0.5, 0], [0, -0.5, 0, 0.5]])
    sides = g.op("Cast", g.unsqueeze(g.concat("orig_target_sizes", "orig_target_sizes", axis=1), 1), to=FLOAT)
    g.op("Mul", g.op("MatMul", g.op("Gather", boxes, query, axis=1), half), sides, name="boxes")
    model = g.model([("labels", INT64, ["N", 300]), ("boxes", FLOAT, ["N", 300, 4]), ("scores", FLOAT, ["N", 300])], 8, ("pytorch", "2.5.1"),
                    inputs=[("orig_target_sizes", INT64, ["N", 2])], declared=["N", 3, 640, 640])
    h, w = picture.shape[:2]
    about = {"exporter": "D-FINE repository", "version": "2025", "family": "D-FINE deploy", "also": {"orig_target_sizes": [[w, h]]}}
    return g, model, lambda o, m: Found(o["boxes"][0], o["scores"][0], o["labels"][0], COCO, picture=True), about


def torchvision(picture, order="ssd", classes=91):
    """torchvision's detectors by torch.onnx.export(m, ([x],), dynamo=False) (pytorch.org/vision/stable/models.html): no batch; number
    names; boxes as corners in pixels of the input, scores, labels with 0 for background (Faster R-CNN: boxes, labels, scores).
    The suppression stands in an If that is empty where there is no box."""
    spec = taken([3, 480, 640], "image.1", fit="stretch")
    g = Graph(20, spec, picture, 13)
    strides = (8, 16, 32)
    rows = g.dense(strides, classes, top=3.0, spread=6.0)
    boxes = g.op("Clip", g.squeeze(g.transpose(g.corners(rows["distance"], g.points(strides)[0]), 0, 2, 1), 0), np.float32(0), np.float32(640))
    shift = np.zeros((1, 1, classes), np.float32)
    shift[..., 0] = 3
    scores = g.op("Softmax", g.op("Add", g.transpose(rows["class"], 0, 2, 1), shift), axis=2)
    front = g.squeeze(g.slice(scores, 1, classes, 2), 0)
    best = g.reduce("ReduceMax", front, 1)
    label = g.op("Add", g.op("ArgMax", front, axis=1, keepdims=0), np.array(1))
    _, first = g.op("TopK", best, np.array([400]), outputs=2, axis=0)
    box, score, label = (g.op("Gather", x, first, axis=0) for x in (boxes, best, label))
    kept = g.squeeze(g.op("NonZero", g.op("Greater", score, np.float32(0.05))), 0)
    box, score, label = (g.op("Gather", x, kept, axis=0) for x in (box, score, label))
    moved = g.op("Add", box, g.op("Mul", g.op("Cast", g.unsqueeze(label, 1), to=FLOAT), np.float32(641)))
    none = g.op("Equal", g.op("Size", score), np.array(0))
    empty = helper.make_graph([helper.make_node("Constant", [], ["no_rows"], value=numpy_helper.from_array(np.zeros(0, np.int64)))], "then", [], [helper.make_tensor_value_info("no_rows", INT64, [0])])
    limit, iou, zero, two = g.constant(np.array([1000])), g.constant(np.array([0.55], np.float32)), g.constant(np.array([0])), g.constant(np.array([2]))
    inner = [
        helper.make_node("Unsqueeze", [moved, zero], ["if_boxes"]), helper.make_node("Unsqueeze", [score, g.constant(np.array([0, 1]))], ["if_scores"]),
        helper.make_node("NonMaxSuppression", ["if_boxes", "if_scores", limit, iou], ["if_kept"]),
        helper.make_node("Gather", ["if_kept", two], ["if_column"], axis=1), helper.make_node("Squeeze", ["if_column", g.constant(np.array([1]))], ["if_rows"]),
    ]
    some = helper.make_graph(inner, "else", [], [helper.make_tensor_value_info("if_rows", INT64, ["n"])])
    rows_kept = g.op("If", none, then_branch=empty, else_branch=some)
    score, box, label = g.ordered(300, g.op("Gather", score, rows_kept, axis=0), g.op("Gather", box, rows_kept, axis=0), g.op("Gather", label, rows_kept, axis=0))
    ids = {"ssd": ("4208", "4177", "4178"), "frcnn": ("2033", "2002", "2003")}[order]
    for name, x in zip(ids, (box, score, label)):
        g.op("Identity", x, name=name)
    kinds = dict(zip(ids, ((FLOAT, ["n", 4]), (FLOAT, ["n"]), (INT64, ["n"]))))
    listed = ids if order == "ssd" else (ids[0], ids[2], ids[1])
    model = g.model([(n, *kinds[n]) for n in listed], 9, ("pytorch", "2.15.0"))
    return g, model, lambda o, m: Found(o[ids[0]], o[ids[1]], o[ids[2]], COCO91), {"exporter": "torchvision, torch.onnx.export", "version": "0.29.2", "family": "torchvision", "least": 0.05}


def mmdeploy(picture):
    """RTMDet by mmdeploy, onnxruntime_static (github.com/open-mmlab/mmdeploy; arXiv:2212.07784): dets 1 x n x 5, corners in pixels and
    score, labels 1 x n int64, suppressed in the graph. BGR, mean and deviation of 0 to 255."""
    spec = taken([1, 3, 640, 640], "input", colour="BGR", scale=1, mean=(103.53, 116.28, 123.675), std=(57.375, 57.12, 58.395), fit="letterbox-top-left")
    strides = (8, 16, 32)
    g = Graph(11, spec, picture, 14)
    rows = g.dense(strides, 80, top=0.0)
    boxes = g.transpose(g.corners(rows["distance"], g.points(strides, 0)[0]), 0, 2, 1)
    box, score, label, _ = g.suppress(boxes, g.op("Sigmoid", rows["class"]), 0.65, 0.05, 200)
    score, box, label = g.ordered(300, score, box, label)
    g.unsqueeze(g.concat(box, g.unsqueeze(score, 1), axis=1), 0, name="dets")
    g.unsqueeze(label, 0, name="labels")
    model = g.model([("dets", FLOAT, [1, "Unsqueezedets_dim_1", 5]), ("labels", INT64, [1, "Unsqueezelabels_dim_1"])], 6, ("pytorch", "2.0.1"))
    return g, model, lambda o, m: Found(o["dets"][0, :, :4], o["dets"][0, :, 4], o["labels"][0], COCO), {"exporter": "mmdeploy", "version": "1.3.1", "family": "mmdeploy", "least": 0.05}


def paddle(picture, form="nms"):
    """PP-YOLOE and PicoDet by PaddleDetection and paddle2onnx (github.com/PaddlePaddle/PaddleDetection; arXiv:2203.16250, 2111.00902): a
    second input scale_factor (down, across); n x 6: class, score, corners in pixels of the picture, and how many rows. heads: with
    exclude_nms, boxes 1 x cells x 4 and scores 1 x 80 x cells, stride 32 first. The picture is stretched, 0 to 1."""
    spec, strides = taken([1, 3, 640, 640], "image", fit="stretch"), (32, 16, 8)
    g = Graph(11, spec, picture, 15)
    rows = g.dense(strides, 80, top=0.0)
    boxes = g.transpose(g.corners(rows["distance"], g.points(strides)[0]), 0, 2, 1)
    factor = g.concat(*(g.slice("scale_factor", i, i + 1, 1) for i in (1, 0, 1, 0)), axis=1)
    boxes = g.op("Div", boxes, g.unsqueeze(factor, 1), **({"name": "save_infer_model/scale_0.tmp_1"} if form == "heads" else {}))
    scores = g.op("Sigmoid", rows["class"], **({"name": "save_infer_model/scale_1.tmp_1"} if form == "heads" else {}))
    h, w = picture.shape[:2]
    about = {"exporter": "PaddleDetection, paddle2onnx", "version": "2.6, 1.3.1", "family": "PP-YOLOE " + form, "also": {"scale_factor": [[640 / h, 640 / w]]}}
    more, declared = [("scale_factor", FLOAT, ["DynamicDimension.1", 2])], ["DynamicDimension.0", 3, 640, 640]
    if form == "heads":
        model = g.model([("save_infer_model/scale_0.tmp_1", FLOAT, ["DynamicDimension.0", 8400, 4]), ("save_infer_model/scale_1.tmp_1", FLOAT, ["DynamicDimension.0", 80, 8400])], 6, ("", ""), inputs=more, declared=declared)

        def read(outs, mapping):
            s = outs["save_infer_model/scale_1.tmp_1"][0]
            return Found(outs["save_infer_model/scale_0.tmp_1"][0], s.max(0), s.argmax(0), COCO, 0.7, picture=True)

        return g, model, read, about
    box, score, label, _ = g.suppress(boxes, scores, 0.7, 0.05, 1000)
    score, box, label = g.ordered(300, score, box, label)
    g.concat(g.op("Cast", g.unsqueeze(label, 1), to=FLOAT), g.unsqueeze(score, 1), box, axis=1, name="save_infer_model/scale_0.tmp_0")
    g.op("Cast", g.op("Shape", score), to=INT32, name="save_infer_model/scale_1.tmp_0")
    model = g.model([("save_infer_model/scale_0.tmp_0", FLOAT, ["n", 6]), ("save_infer_model/scale_1.tmp_0", INT32, ["m"])], 6, ("", ""), inputs=more, declared=declared)

    def read(outs, mapping):
        o = outs["save_infer_model/scale_0.tmp_0"]
        return Found(o[:, 2:], o[:, 1], o[:, 0], COCO, picture=True)

    return g, model, read, about | {"least": 0.05}


def distribution(rows, middle, step, bins):
    """Corners from distances that are given as distributions over 0 to bins - 1 strides (arXiv:2006.04388)."""
    distance = (softmax(rows.reshape(-1, 4, bins)) * np.arange(bins)).sum(2) * step
    return np.concatenate([middle - distance[:, :2], middle + distance[:, 2:]], 1)


def nanodet(picture):
    """NanoDet-Plus (github.com/RangiLyu/nanodet, tools/export_onnx.py): data -> output 1 x 3598 x (80 + 4 x 8): class scores 0 to 1, then
    distributions; strides 8 to 64, cells counted from their corner. BGR, mean and deviation of 0 to 255, stretched."""
    spec = taken([1, 3, 416, 416], "data", colour="BGR", scale=1, mean=(103.53, 116.28, 123.675), std=(57.375, 57.12, 58.395), fit="stretch")
    strides = (8, 16, 32, 64)
    g = Graph(11, spec, picture, 16)
    # 416 is no multiple of 64: the last level has 7 x 7 cells, of a picture filled up to 448.
    g.spec = spec | {"shape": [1, 3, 448, 448]}
    fitted, g.tensor = g.tensor, np.pad(g.tensor, ((0, 0), (0, 0), (0, 32), (0, 32)))
    whole = g.op("Pad", "data", np.array([0, 0, 0, 0, 0, 0, 32, 32]))
    g.spec, parts = g.spec | {"name": whole}, []
    for stride, feature in zip(strides, g.features(strides)):
        side = -(-416 // stride)
        cut = g.slice(g.slice(feature[0], 0, side, 2), 0, side, 3)
        feature = (cut, feature[1][:, :, :side, :side])
        tilt = np.tile(-0.4 * np.arange(8), 4).reshape(1, -1, 1, 1)
        both = g.concat(g.op("Sigmoid", g.linear(feature, 80, 5.0, 0.6)[0]), g.op("Add", g.linear(feature, 32, mean=0, deviation=0.5)[0], tilt), axis=1)
        parts.append(g.reshape(both, 1, 112, side * side))
    g.transpose(g.concat(*parts, axis=2), 0, 2, 1, name="output")
    g.spec, g.tensor = spec, fitted
    model = g.model([("output", FLOAT, [1, 3598, 112])], 6, ("pytorch", "1.13.1"))
    middle, step = [], []
    for stride in strides:
        side = -(-416 // stride)
        y, x = np.mgrid[:side, :side]
        middle.append(np.stack([x, y], -1).reshape(-1, 2) * stride)
        step.append(np.full((side * side, 1), stride))
    middle, step = np.concatenate(middle), np.concatenate(step)

    def read(outs, mapping):
        o = outs["output"][0]
        return Found(distribution(o[:, 80:], middle, step, 8), o[:, :80].max(1), o[:, :80].argmax(1), COCO, 0.6)

    return g, model, read, {"exporter": "NanoDet repository", "version": "1.0.0", "family": "NanoDet-Plus"}


def picodet_heads(picture):
    """PicoDet exported without its post-processing (github.com/PaddlePaddle/PaddleDetection, configs/picodet): eight outputs: class scores
    1 x cells x 80 of strides 8 to 64, then distributions 1 x cells x 32; cells counted from their middle. ImageNet's mean, stretched."""
    spec, strides = taken([1, 3, 448, 448], "image", fit="stretch", **IMAGENET), (8, 16, 32, 64)
    g = Graph(14, spec, picture, 17)
    scores, boxes, outputs = [], [], []
    for i, (stride, feature) in enumerate(zip(strides, g.features(strides))):
        cells = (448 // stride) ** 2
        tilt = np.tile(-0.4 * np.arange(8), 4).reshape(1, -1, 1, 1)
        score, box = f"save_infer_model/scale_{i}.tmp_0", f"save_infer_model/scale_{i + 4}.tmp_0"
        g.transpose(g.reshape(g.op("Sigmoid", g.linear(feature, 80, 5.0, 0.6)[0]), 1, 80, cells), 0, 2, 1, name=score)
        g.transpose(g.reshape(g.op("Add", g.linear(feature, 32, mean=0, deviation=0.5)[0], tilt), 1, 32, cells), 0, 2, 1, name=box)
        scores.append((score, FLOAT, [1, cells, 80]))
        boxes.append((box, FLOAT, [1, cells, 32]))
    model = g.model(scores + boxes, 7, ("", ""))
    middle, step = points(spec, strides)

    def read(outs, mapping):
        s = np.concatenate([outs[n][0] for n, *_ in scores])
        d = np.concatenate([outs[n][0] for n, *_ in boxes])
        return Found(distribution(d, middle[0].T, step[0].T, 8), s.max(1), s.argmax(1), COCO, 0.6)

    return g, model, read, {"exporter": "PaddleDetection, paddle2onnx", "version": "2.6, 1.3.1", "family": "PicoDet heads"}


def yolonas(picture, form):
    """YOLO-NAS by super-gradients (github.com/Deci-AI/super-gradients, model.export()): uint8 in; default: count int64 1 x 1, boxes
    1 x 1000 x 4 as corners in pixels, scores, classes int64, rows behind the count are nothing; flat: n x 7: picture, corners, score,
    class; raw: boxes 1 x 8400 x 4 and scores 1 x 8400 x 80, whose names are numbers, for a float input of 0 to 1."""
    raw = form == "raw"
    spec = taken([1, 3, 640, 640], "input", **({} if raw else {"dtype": "uint8", "scale": 1}))
    strides = (8, 16, 32)
    g = Graph(17, spec, picture, 18)
    rows = g.dense(strides, 80, top=-0.3 if form != "raw" else 0.6)
    about = {"exporter": "super-gradients", "version": "3.7.1", "family": "YOLO-NAS " + form}
    boxes = g.corners(rows["distance"], g.points(strides)[0])
    scores = g.transpose(g.op("Sigmoid", rows["class"]), 0, 2, 1, **({"name": "1127"} if raw else {}))
    boxes = g.transpose(boxes, 0, 2, 1, **({"name": "1135"} if raw else {}))
    producer = ("pytorch", "2.3.1")
    if raw:
        model = g.model([("1135", FLOAT, [1, 8400, 4]), ("1127", FLOAT, [1, 8400, 80])], 8, producer)
        return g, model, lambda o, m: Found(o["1135"][0], o["1127"][0].max(1), o["1127"][0].argmax(1), COCO, 0.7), about
    _, first = g.op("TopK", g.reduce("ReduceMax", scores, 2), np.array([1000]), outputs=2, axis=1)
    first = g.squeeze(first, 0)
    boxes = g.op("Gather", boxes, first, axis=1, name="pre_nms_bboxes_xyxy")
    scores = g.transpose(g.op("Gather", scores, first, axis=1), 0, 2, 1, name="permuted_scores")
    box, score, label, _ = g.suppress(boxes, scores, 0.7, 0.25, 100)
    score, box, label = g.ordered(1000, score, box, label)
    if form == "flat":
        column = lambda x: g.unsqueeze(x, 1)
        zero = g.op("Mul", score, np.float32(0))
        g.concat(column(zero), box, column(score), column(g.op("Cast", label, to=FLOAT)), axis=1, name="graph2_flat_predictions")
        model = g.model([("graph2_flat_predictions", FLOAT, ["num_predictions", 7])], 9, producer)
        return g, model, lambda o, m: Found(o["graph2_flat_predictions"][:, 1:5], o["graph2_flat_predictions"][:, 5], o["graph2_flat_predictions"][:, 6], COCO), about | {"least": 0.25}
    g.unsqueeze(g.op("Shape", score), 0, name="graph2_num_predictions")
    g.unsqueeze(g.filled(box, 1000, 2), 0, name="graph2_pred_boxes")
    g.unsqueeze(g.filled(score, 1000, 1), 0, name="graph2_pred_scores")
    # Behind the count: not zeros everywhere, so that nobody may read them.
    g.unsqueeze(g.op("Sub", g.filled(g.op("Add", label, np.array(1)), 1000, 1), np.array(1)), 0, name="graph2_pred_classes")
    outputs = [("graph2_num_predictions", INT64, [1, 1]), ("graph2_pred_boxes", FLOAT, [1, 1000, 4]), ("graph2_pred_scores", FLOAT, [1, 1000]), ("graph2_pred_classes", INT64, [1, 1000])]

    def read(outs, mapping):
        n = int(outs["graph2_num_predictions"][0, 0])
        return Found(outs["graph2_pred_boxes"][0, :n], outs["graph2_pred_scores"][0, :n], outs["graph2_pred_classes"][0, :n], COCO)

    return g, g.model(outputs, 9, producer), read, about | {"least": 0.25}


def libreyolo(picture):
    """libreyolo (pypi.org/project/libreyolo), yolo9: 1 x 84 x 8400 as Ultralytics' in all but that the boxes are corners; names as JSON."""
    spec, strides = taken([1, 3, 640, 640]), (8, 16, 32)
    g = Graph(13, spec, picture, 19)
    rows = g.dense(strides, 80)
    g.concat(g.corners(rows["distance"], g.points(strides)[0]), g.op("Sigmoid", rows["class"]), axis=1, name="output")
    metadata = {"model_family": "yolo9", "size": "t", "task": "detect", "nc": 80, "names": json.dumps({str(i): n for i, n in enumerate(COCO)}), "imgsz": 640, "imgsz_h": 640, "imgsz_w": 640, "precision": "fp32", "nms": False}
    model = g.model([("output", FLOAT, [1, 84, 8400])], 7, ("pytorch", "2.15.0"), metadata)

    def read(outs, mapping):
        o = outs["output"][0]
        return Found(o[:4].T, o[4:].max(0), o[4:].argmax(0), COCO, 0.45)

    return g, model, read, {"exporter": "libreyolo", "version": "1.6.0", "family": "YOLOv9 with corners"}


def efficientdet(picture):
    """EfficientDet by TensorFlow's object detection API and tf2onnx (github.com/tensorflow/models, exporter_main_v2.py; arXiv:1911.09070):
    input_tensor uint8 1 x H x W x 3; detection_boxes 1 x 100 x 4 as shares: top, left, bottom, right; classes from 1 as floats; scores;
    num_detections. SSD, CenterNet and Faster R-CNN of that API give the same."""
    spec = taken([1, 512, 512, 3], "input_tensor", scale=1, dtype="uint8", layout="NHWC", fit="stretch")
    strides = (8, 16, 32)
    g = Graph(13, spec, picture, 20)
    rows = g.dense(strides, 90, top=0.3)
    boxes = g.op("Mul", g.transpose(g.corners(rows["distance"], g.points(strides)[0]), 0, 2, 1), np.float32(1 / 512))
    box, score, label, _ = g.suppress(boxes, g.op("Sigmoid", rows["class"]), 0.5, 0.05, 100)
    score, box, label = g.ordered(100, score, box, label)
    length = g.op("Cast", g.op("Shape", score), to=FLOAT, name="num_detections")
    turned = g.op("Gather", box, np.array([1, 0, 3, 2]), axis=1)
    g.unsqueeze(g.filled(turned, 100, 2), 0, name="detection_boxes")
    g.unsqueeze(g.filled(score, 100, 1), 0, name="detection_scores")
    g.unsqueeze(g.filled(g.op("Cast", g.op("Add", label, np.array(1)), to=FLOAT), 100, 1), 0, name="detection_classes")
    outputs = [("detection_boxes", FLOAT, [1, 100, 4]), ("detection_classes", FLOAT, [1, 100]), ("detection_scores", FLOAT, [1, 100]), (length, FLOAT, [1])]
    model = g.model(outputs, 7, ("tf2onnx", "1.16.1"))
    h, w = picture.shape[:2]

    def read(outs, mapping):
        n = int(outs["num_detections"][0])
        box = outs["detection_boxes"][0, :n][:, [1, 0, 3, 2]].astype(np.float64) * [w, h, w, h]
        return Found(box, outs["detection_scores"][0, :n], outs["detection_classes"][0, :n], COCO91, picture=True)

    return g, model, read, {"exporter": "TensorFlow object detection API, tf2onnx", "version": "2", "family": "EfficientDet", "least": 0.05}


def centernet(picture):
    """CenterNet (github.com/xingyizhou/CenterNet; arXiv:1904.07850): hm 1 x 80 x h/4 x w/4 logits, wh and reg 1 x 2 x h/4 x w/4 in cells of
    four pixels; a cell counts where no neighbour's score is greater, and nothing is suppressed. Stretched here (its own code keeps the
    shape by an affine map)."""
    spec = taken([1, 3, 512, 512], "input", colour="BGR", mean=(0.408, 0.447, 0.470), std=(0.289, 0.274, 0.278), fit="stretch")
    g = Graph(11, spec, picture, 21)
    feature = g.features((4,))[0]
    g.op("Identity", g.linear(feature, 80, 6.0, 0.5, 0.9995)[0], name="hm")
    g.op("Exp", g.linear(feature, 2, mean=2.0, deviation=0.4)[0], name="wh")
    g.op("Sigmoid", g.linear(feature, 2)[0], name="reg")
    model = g.model([("hm", FLOAT, [1, 80, 128, 128]), ("wh", FLOAT, [1, 2, 128, 128]), ("reg", FLOAT, [1, 2, 128, 128])], 6, ("pytorch", "1.13.1"))

    def read(outs, mapping):
        heat = sigmoid(outs["hm"][0])
        around = np.pad(heat, ((0, 0), (1, 1), (1, 1)), constant_values=-1)
        peak = heat >= np.lib.stride_tricks.sliding_window_view(around, (3, 3), (1, 2)).max((3, 4))
        label, y, x = np.where(peak)
        score = heat[peak]
        best = np.argsort(-score, kind="stable")[:100]
        label, y, x, score = label[best], y[best], x[best], score[best]
        middle = np.stack([x, y], 1) + outs["reg"][0][:, y, x].T
        return Found(to_corners(np.concatenate([middle, outs["wh"][0][:, y, x].T], 1)) * 4, score, label, COCO)

    return g, model, read, {"exporter": "CenterNet", "version": "2019", "family": "CenterNet heads"}


def rows_of_six(picture, family):
    """libreyolo's efficientdet (1 x 5000 x 6) and centernet (1 x 100 x 6): corners in pixels of the input, score, class; the first is not
    suppressed, its rows are of 512 x 512 stretched."""
    count, iou, seed = {"efficientdet": (5000, 0.5, 22), "centernet": (100, None, 23)}[family]
    spec, strides = taken([1, 3, 512, 512], fit="stretch", **IMAGENET), (8, 16, 32)
    g = Graph(13, spec, picture, seed)
    rows = g.dense(strides, 80)
    g.op("Identity", g.best(g.transpose(g.corners(rows["distance"], g.points(strides)[0]), 0, 2, 1), g.transpose(g.op("Sigmoid", rows["class"]), 0, 2, 1), count), name="output")
    metadata = {"model_family": family, "size": "d0", "task": "detect", "nc": 80, "names": json.dumps({str(i): n for i, n in enumerate(COCO)}), "imgsz": 512, "precision": "fp32", "nms": False}
    model = g.model([("output", FLOAT, [1, count, 6])], 7, ("pytorch", "2.15.0"), metadata)
    return g, model, lambda o, m: Found(o["output"][0, :, :4], o["output"][0, :, 4], o["output"][0, :, 5], COCO, iou), {"exporter": "libreyolo", "version": "1.6.0", "family": family}


FORMS = {
    "ultralytics": ultralytics,
    "ultralytics-end2end": lambda p: ultralytics(p, 31, form="end2end"),
    "ultralytics-nms": lambda p: ultralytics(p, 32, form="nms"),
    "ultralytics-rect": lambda p: ultralytics(p, 33, size=(384, 640)),
    "ultralytics-dynamic": lambda p: ultralytics(p, 34, dynamic=True),
    "ultralytics-half": lambda p: ultralytics(p, 35, half=True),
    "ultralytics-1-class": lambda p: ultralytics(p, 36, names=["drone"]),
    "ultralytics-2-classes": lambda p: ultralytics(p, 37, names=["red thing", "it's blue"]),
    "ultralytics-segment": lambda p: ultralytics(p, 38, task="segment"),
    "ultralytics-segment-end2end": lambda p: ultralytics(p, 39, task="segment", form="end2end"),
    "ultralytics-pose": lambda p: ultralytics(p, 40, names=["person"], task="pose"),
    "ultralytics-pose-end2end": lambda p: ultralytics(p, 41, names=["person"], task="pose", form="end2end"),
    "ultralytics-obb": lambda p: ultralytics(p, 42, names=[f"kind {i}" for i in range(15)], task="obb"),
    "ultralytics-obb-end2end": lambda p: ultralytics(p, 43, names=[f"kind {i}" for i in range(15)], task="obb", form="end2end"),
    "ultralytics-classify": ultralytics_classify,
    "ultralytics-rtdetr": ultralytics_rtdetr,
    "yolox": yolox,
    "yolox-decoded": lambda p: yolox(p, decoded=True),
    "yolox-dynamic": lambda p: yolox(p, dynamic=True),
    "yolov5": yolov5,
    "yolov5-dynamic": lambda p: yolov5(p, dynamic=True),
    "yolov6": yolov6,
    "yolov7-maps": lambda p: yolov7(p, "maps"),
    "yolov7-grid": lambda p: yolov7(p, "grid"),
    "yolov7-end2end": lambda p: yolov7(p, "end2end"),
    "yolov7-trt": lambda p: yolov7(p, "trt"),
    "rtdetr": rtdetr,
    "detr": detr,
    "detr-3-classes": lambda p: detr(p, classes=3),
    "detr-external": lambda p: detr(p, external=True),
    "rfdetr": rfdetr,
    "rfdetr-3-classes": lambda p: rfdetr(p, columns=4),
    "dfine-deploy": dfine,
    "torchvision-ssd": torchvision,
    "torchvision-faster-rcnn": lambda p: torchvision(p, order="frcnn"),
    "torchvision-3-classes": lambda p: torchvision(p, classes=3),
    "mmdeploy": mmdeploy,
    "ppyoloe": paddle,
    "ppyoloe-heads": lambda p: paddle(p, "heads"),
    "picodet-heads": picodet_heads,
    "nanodet-plus": nanodet,
    "yolonas": lambda p: yolonas(p, "default"),
    "yolonas-flat": lambda p: yolonas(p, "flat"),
    "yolonas-raw": lambda p: yolonas(p, "raw"),
    "libreyolo-yolo9": libreyolo,
    "libreyolo-efficientdet": lambda p: rows_of_six(p, "efficientdet"),
    "libreyolo-centernet": lambda p: rows_of_six(p, "centernet"),
    "efficientdet-tf2": efficientdet,
    "centernet-heads": centernet,
}


def noisy(picture, seed=5):
    """The picture with one grey level more or less in a fifth of its values: as another way of scaling it would give."""
    random = np.random.default_rng(seed)
    change = random.integers(-1, 2, picture.shape) * (random.random(picture.shape) < 0.2)
    return np.clip(picture.astype(int) + change, 0, 255).astype(np.uint8)


def threshold_for(scores, least, want=60):
    """A threshold in the widest gap between neighbours around the `want`-th score, so that no rounding moves a box across it."""
    s = np.sort(scores[scores > least])[::-1]
    if len(s) < 24:
        return round(float(s[-1]) - 0.002, 4)
    first, last = min(want // 2, len(s) // 2), min(want * 2, len(s) - 1)
    gaps = s[first:last] - s[first + 1 : last + 1]
    i = first + int(np.argmax(gaps))
    return round(float(s[i] + s[i + 1]) / 2, 6)


def unlike(boxes, others):
    """Boxes without a partner of the same class within 8 pixels and 0.05, and the greatest difference of the others."""
    lost, pixels, score, left = 0, 0.0, 0.0, list(others)
    for a in boxes:
        apart = lambda b: max(max(abs(a[k] - b[k]) for k in "xywh") / 8, abs(a["score"] - b["score"]) / 0.05)
        near = sorted((b for b in left if b["class"] == a["class"]), key=apart)
        if not near or apart(near[0]) > 1:
            lost += 1
            continue
        left.remove(near[0])
        pixels = max(pixels, *(abs(a[k] - near[0][k]) for k in "xywh"))
        score = max(score, abs(a["score"] - near[0]["score"]))
    return {"lost": lost, "pixels": round(float(pixels), 3), "score": round(float(score), 5)}


def run(path, spec, tensor, also):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {spec["name"]: tensor}
    for name, value in also.items():
        feed[name] = np.array(value, np.int64 if name == "orig_target_sizes" else np.float32)
    return dict(zip((o.name for o in session.get_outputs()), session.run(None, feed)))


def plain(value):
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (np.floating, float)):
        return float(f"{float(value):.7g}")
    return value.item() if isinstance(value, np.generic) else value


def make(name, form, picture, file, folder):
    graph, model, read, about = form(picture)
    path = folder / f"{name}.onnx"
    if about.pop("external_data", False):
        (folder / f"{name}.onnx.data").unlink(missing_ok=True)
        onnx.save(model, path, save_as_external_data=True, location=f"{name}.onnx.data", size_threshold=512)
        about["beside"] = f"{name}.onnx.data"
    else:
        onnx.save(model, path)
    also, least = about.pop("also", {}), about.pop("least", 0.0)
    told = about | {"input": graph.spec, "inputs_besides": also, "picture": file.name, "size": [picture.shape[1], picture.shape[0]]}
    boxes, said = [], "to be refused"
    if read:
        onnx.checker.check_model(path)
        outs = run(path, graph.spec, graph.tensor, also)
        told["outputs"] = [{"name": k, "shape": list(v.shape), "dtype": str(v.dtype)} for k, v in outs.items()]
        found, want = read(outs, graph.mapping), 60
        told["threshold"] = threshold_for(found.scores, least, want)
        while len(boxes := found.above(told["threshold"], graph.mapping)) < 12 and want < 2000:
            want *= 2
            told["threshold"] = threshold_for(found.scores, least, want)
        told["nms"] = {"iou": found.iou, "class_wise": True} if found.iou else None
        again, mapping = preprocess(noisy(picture), graph.spec)
        told["with_noise"] = unlike(boxes, read(run(path, graph.spec, again, also), mapping).above(told["threshold"], mapping))
        said = f"{len(boxes)} boxes of {len({b['class'] for b in boxes})} classes from {told['threshold']}, {boxes[0]['score']:.3f} the best; with noise {told['with_noise']}"
    text = json.dumps(plain(told), indent=1)[:-2] + ',\n "boxes": [\n' + ",\n".join("  " + json.dumps(plain(b)) for b in boxes) + "\n ]\n}\n"
    (folder / f"{name}.json").write_text(text)
    print(f"{name}: {path.stat().st_size} bytes, {said}")


def main():
    here = Path(__file__).resolve().parent.parent
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--picture", type=Path, default=here / "photos/street.png")
    arguments.add_argument("--out", type=Path, default=here / "models/families")
    arguments.add_argument("names", nargs="*")
    arguments = arguments.parse_args()
    picture = cv2.imread(str(arguments.picture), cv2.IMREAD_COLOR)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, form in FORMS.items():
        if not arguments.names or name in arguments.names:
            make(name, form, picture, arguments.picture, arguments.out)


if __name__ == "__main__":
    main()
