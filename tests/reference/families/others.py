"""Forms of torchvision, mmdeploy, PaddleDetection, NanoDet, TensorFlow and CenterNet."""

import numpy as np
from onnx import helper, numpy_helper

from .graph import FLOAT, INT32, INT64, Graph
from .picture import (
    COCO,
    COCO91,
    IMAGENET,
    Found,
    distribution,
    points,
    sigmoid,
    taken,
    to_corners,
)


def torchvision(picture, order="ssd", classes=91):
    """torchvision's detectors by torch.onnx.export(m, ([x],), dynamo=False) (pytorch.org/vision/stable/models.html): no
    batch; number names; boxes as corners in pixels of the input, scores, labels with 0 for background (Faster R-CNN:
    boxes, labels, scores). The suppression stands in an If that is empty where there is no box."""
    spec = taken([3, 480, 640], "image.1", fit="stretch")
    g = Graph(20, spec, picture, 13)
    strides = (8, 16, 32)
    rows = g.dense(strides, classes, top=3.0, spread=6.0)
    boxes = g.op(
        "Clip",
        g.squeeze(g.transpose(g.corners(rows["distance"], g.points(strides)[0]), 0, 2, 1), 0),
        np.float32(0),
        np.float32(640),
    )
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
    empty = helper.make_graph(
        [helper.make_node("Constant", [], ["no_rows"], value=numpy_helper.from_array(np.zeros(0, np.int64)))],
        "then",
        [],
        [helper.make_tensor_value_info("no_rows", INT64, [0])],
    )
    limit, iou, zero, two = (
        g.constant(np.array([1000])),
        g.constant(np.array([0.55], np.float32)),
        g.constant(np.array([0])),
        g.constant(np.array([2])),
    )
    inner = [
        helper.make_node("Unsqueeze", [moved, zero], ["if_boxes"]),
        helper.make_node("Unsqueeze", [score, g.constant(np.array([0, 1]))], ["if_scores"]),
        helper.make_node("NonMaxSuppression", ["if_boxes", "if_scores", limit, iou], ["if_kept"]),
        helper.make_node("Gather", ["if_kept", two], ["if_column"], axis=1),
        helper.make_node("Squeeze", ["if_column", g.constant(np.array([1]))], ["if_rows"]),
    ]
    some = helper.make_graph(inner, "else", [], [helper.make_tensor_value_info("if_rows", INT64, ["n"])])
    rows_kept = g.op("If", none, then_branch=empty, else_branch=some)
    score, box, label = g.ordered(
        300,
        g.op("Gather", score, rows_kept, axis=0),
        g.op("Gather", box, rows_kept, axis=0),
        g.op("Gather", label, rows_kept, axis=0),
    )
    ids = {"ssd": ("4208", "4177", "4178"), "frcnn": ("2033", "2002", "2003")}[order]
    for name, x in zip(ids, (box, score, label)):
        g.op("Identity", x, name=name)
    kinds = dict(zip(ids, ((FLOAT, ["n", 4]), (FLOAT, ["n"]), (INT64, ["n"]))))
    listed = ids if order == "ssd" else (ids[0], ids[2], ids[1])
    model = g.model([(n, *kinds[n]) for n in listed], 9, ("pytorch", "2.15.0"))
    return (
        g,
        model,
        lambda o, m: Found(o[ids[0]], o[ids[1]], o[ids[2]], COCO91),
        {"exporter": "torchvision, torch.onnx.export", "version": "0.29.2", "family": "torchvision", "least": 0.05},
    )


def mmdeploy(picture):
    """RTMDet by mmdeploy, onnxruntime_static (github.com/open-mmlab/mmdeploy; arXiv:2212.07784): dets 1 x n x 5,
    corners in pixels and score, labels 1 x n int64, suppressed in the graph. BGR, mean and deviation of 0 to 255."""
    spec = taken(
        [1, 3, 640, 640],
        "input",
        colour="BGR",
        scale=1,
        mean=(103.53, 116.28, 123.675),
        std=(57.375, 57.12, 58.395),
        fit="letterbox-top-left",
    )
    strides = (8, 16, 32)
    g = Graph(11, spec, picture, 14)
    rows = g.dense(strides, 80, top=0.0)
    boxes = g.transpose(g.corners(rows["distance"], g.points(strides, 0)[0]), 0, 2, 1)
    box, score, label, _ = g.suppress(boxes, g.op("Sigmoid", rows["class"]), 0.65, 0.05, 200)
    score, box, label = g.ordered(300, score, box, label)
    g.unsqueeze(g.concat(box, g.unsqueeze(score, 1), axis=1), 0, name="dets")
    g.unsqueeze(label, 0, name="labels")
    model = g.model(
        [("dets", FLOAT, [1, "Unsqueezedets_dim_1", 5]), ("labels", INT64, [1, "Unsqueezelabels_dim_1"])],
        6,
        ("pytorch", "2.0.1"),
    )
    return (
        g,
        model,
        lambda o, m: Found(o["dets"][0, :, :4], o["dets"][0, :, 4], o["labels"][0], COCO),
        {
            "exporter": "mmdeploy",
            "version": "1.3.1",
            "family": "mmdeploy",
            "least": 0.05,
            "cut": lambda b, s: Found(b, s.max(0), s.argmax(0), COCO, 0.65),
        },
    )


def paddle(picture, form="nms"):
    """PP-YOLOE and PicoDet by PaddleDetection and paddle2onnx (github.com/PaddlePaddle/PaddleDetection;
    arXiv:2203.16250, 2111.00902): a second input scale_factor (down, across); n x 6: class, score, corners in pixels of
    the picture, and how many rows. heads: with exclude_nms, boxes 1 x cells x 4 and scores 1 x 80 x cells, stride 32
    first. The picture is stretched, 0 to 1."""
    spec, strides = taken([1, 3, 640, 640], "image", fit="stretch"), (32, 16, 8)
    g = Graph(11, spec, picture, 15)
    rows = g.dense(strides, 80, top=0.0)
    boxes = g.transpose(g.corners(rows["distance"], g.points(strides)[0]), 0, 2, 1)
    factor = g.concat(*(g.slice("scale_factor", i, i + 1, 1) for i in (1, 0, 1, 0)), axis=1)
    boxes = g.op(
        "Div", boxes, g.unsqueeze(factor, 1), **({"name": "save_infer_model/scale_0.tmp_1"} if form == "heads" else {})
    )
    scores = g.op("Sigmoid", rows["class"], **({"name": "save_infer_model/scale_1.tmp_1"} if form == "heads" else {}))
    h, w = picture.shape[:2]
    about = {
        "exporter": "PaddleDetection, paddle2onnx",
        "version": "2.6, 1.3.1",
        "family": "PP-YOLOE " + form,
        "also": {"scale_factor": [[640 / h, 640 / w]]},
    }
    more, declared = [("scale_factor", FLOAT, ["DynamicDimension.1", 2])], ["DynamicDimension.0", 3, 640, 640]
    if form == "heads":
        model = g.model(
            [
                ("save_infer_model/scale_0.tmp_1", FLOAT, ["DynamicDimension.2", 8400, 4]),
                ("save_infer_model/scale_1.tmp_1", FLOAT, ["DynamicDimension.3", 80, 8400]),
            ],
            6,
            ("", ""),
            inputs=more,
            declared=declared,
        )

        def read(outs, mapping):
            s = outs["save_infer_model/scale_1.tmp_1"][0]
            return Found(outs["save_infer_model/scale_0.tmp_1"][0], s.max(0), s.argmax(0), COCO, 0.7, picture=True)

        return g, model, read, about
    box, score, label, _ = g.suppress(boxes, scores, 0.7, 0.05, 1000)
    score, box, label = g.ordered(300, score, box, label)
    g.concat(
        g.op("Cast", g.unsqueeze(label, 1), to=FLOAT),
        g.unsqueeze(score, 1),
        box,
        axis=1,
        name="save_infer_model/scale_0.tmp_0",
    )
    g.op("Cast", g.op("Shape", score), to=INT32, name="save_infer_model/scale_1.tmp_0")
    model = g.model(
        [
            ("save_infer_model/scale_0.tmp_0", FLOAT, ["DynamicDimension.2", 6]),
            ("save_infer_model/scale_1.tmp_0", INT32, ["DynamicDimension.3"]),
        ],
        6,
        ("", ""),
        inputs=more,
        declared=declared,
    )

    def read(outs, mapping):
        o = outs["save_infer_model/scale_0.tmp_0"]
        return Found(o[:, 2:], o[:, 1], o[:, 0], COCO, picture=True)

    return (
        g,
        model,
        read,
        about | {"least": 0.05, "cut": lambda b, s: Found(b, s.max(0), s.argmax(0), COCO, 0.7, picture=True)},
    )


def nanodet(picture):
    """NanoDet-Plus (github.com/RangiLyu/nanodet, tools/export_onnx.py): data -> output 1 x 3598 x (80 + 4 x 8): class
    scores 0 to 1, then distributions; strides 8 to 64, cells counted from their corner. BGR, mean and deviation of 0 to
    255, stretched."""
    spec = taken(
        [1, 3, 416, 416],
        "data",
        colour="BGR",
        scale=1,
        mean=(103.53, 116.28, 123.675),
        std=(57.375, 57.12, 58.395),
        fit="stretch",
    )
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
        both = g.concat(
            g.op("Sigmoid", g.linear(feature, 80, 5.0, 0.6)[0]),
            g.op("Add", g.linear(feature, 32, mean=0, deviation=0.5)[0], tilt),
            axis=1,
        )
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
    """PicoDet exported without its post-processing (github.com/PaddlePaddle/PaddleDetection, configs/picodet): eight
    outputs: class scores 1 x cells x 80 of strides 8 to 64, then distributions 1 x cells x 32; cells counted from their
    middle. ImageNet's mean, stretched."""
    spec, strides = taken([1, 3, 448, 448], "image", fit="stretch", **IMAGENET), (8, 16, 32, 64)
    g = Graph(14, spec, picture, 17)
    scores, boxes = [], []
    for i, (stride, feature) in enumerate(zip(strides, g.features(strides))):
        cells = (448 // stride) ** 2
        tilt = np.tile(-0.4 * np.arange(8), 4).reshape(1, -1, 1, 1)
        score, box = f"save_infer_model/scale_{i}.tmp_0", f"save_infer_model/scale_{i + 4}.tmp_0"
        g.transpose(g.reshape(g.op("Sigmoid", g.linear(feature, 80, 5.0, 0.6)[0]), 1, 80, cells), 0, 2, 1, name=score)
        g.transpose(
            g.reshape(g.op("Add", g.linear(feature, 32, mean=0, deviation=0.5)[0], tilt), 1, 32, cells),
            0,
            2,
            1,
            name=box,
        )
        scores.append((score, FLOAT, [1, cells, 80]))
        boxes.append((box, FLOAT, [1, cells, 32]))
    model = g.model(scores + boxes, 7, ("", ""))
    middle, step = points(spec, strides)

    def read(outs, mapping):
        s = np.concatenate([outs[n][0] for n, *_ in scores])
        d = np.concatenate([outs[n][0] for n, *_ in boxes])
        return Found(distribution(d, middle[0].T, step[0].T, 8), s.max(1), s.argmax(1), COCO, 0.6)

    return (
        g,
        model,
        read,
        {"exporter": "PaddleDetection, paddle2onnx", "version": "2.6, 1.3.1", "family": "PicoDet heads"},
    )


def efficientdet(picture):
    """EfficientDet by TensorFlow's object detection API and tf2onnx (github.com/tensorflow/models, exporter_main_v2.py;
    arXiv:1911.09070): input_tensor uint8 1 x H x W x 3; detection_boxes 1 x 100 x 4 as shares: top, left, bottom,
    right; classes from 1 as floats; scores; num_detections. SSD, CenterNet and Faster R-CNN of that API give the same."""
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
    outputs = [
        ("detection_boxes", FLOAT, [1, 100, 4]),
        ("detection_classes", FLOAT, [1, 100]),
        ("detection_scores", FLOAT, [1, 100]),
        (length, FLOAT, [1]),
    ]
    model = g.model(outputs, 7, ("tf2onnx", "1.16.1"))
    h, w = picture.shape[:2]

    def read(outs, mapping):
        n = int(outs["num_detections"][0])
        box = outs["detection_boxes"][0, :n][:, [1, 0, 3, 2]].astype(np.float64) * [w, h, w, h]
        return Found(box, outs["detection_scores"][0, :n], outs["detection_classes"][0, :n], COCO91, picture=True)

    return (
        g,
        model,
        read,
        {
            "exporter": "TensorFlow object detection API, tf2onnx",
            "version": "2",
            "family": "EfficientDet",
            "least": 0.05,
            "cut": lambda b, s: Found(b * [w, h, w, h], s.max(0), s.argmax(0) + 1, COCO91, 0.5, picture=True),
        },
    )


def centernet(picture):
    """CenterNet (github.com/xingyizhou/CenterNet; arXiv:1904.07850): hm 1 x 80 x h/4 x w/4 logits, wh and reg 1 x 2 x
    h/4 x w/4 in cells of four pixels; a cell counts where no neighbour's score is greater, and nothing is suppressed.
    Stretched here (its own code keeps the shape by an affine map)."""
    spec = taken(
        [1, 3, 512, 512], "input", colour="BGR", mean=(0.408, 0.447, 0.470), std=(0.289, 0.274, 0.278), fit="stretch"
    )
    g = Graph(11, spec, picture, 21)
    feature = g.features((4,))[0]
    g.op("Identity", g.linear(feature, 80, 6.0, 0.5, 0.9995)[0], name="hm")
    g.op("Exp", g.linear(feature, 2, mean=2.0, deviation=0.4)[0], name="wh")
    g.op("Sigmoid", g.linear(feature, 2)[0], name="reg")
    model = g.model(
        [("hm", FLOAT, [1, 80, 128, 128]), ("wh", FLOAT, [1, 2, 128, 128]), ("reg", FLOAT, [1, 2, 128, 128])],
        6,
        ("pytorch", "1.13.1"),
    )

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
