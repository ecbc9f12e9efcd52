"""Other YOLO forms: YOLOX, YOLOv5, YOLOv6, YOLOv7, YOLO-NAS and libreyolo's."""

import json

import numpy as np
from onnx import helper

from .graph import FLOAT, INT32, INT64, Graph
from .picture import COCO, COCO91, IMAGENET, Found, points, taken, to_corners


def yolox(picture, decoded=False, dynamic=False):
    """YOLOX (github.com/Megvii-BaseDetection/YOLOX, tools/export_onnx.py; arXiv:2107.08430): 1 x cells x 85: offsets,
    logarithms of sizes, objectness and class scores; decoded centre and size in pixels with --decode_in_inference.
    Names and shape are the same."""
    spec, strides = taken([1, 3, 416, 416], colour="BGR", scale=1, fit="letterbox-top-left"), (8, 16, 32)
    g = Graph(11, spec, picture, 5)
    maps = []
    for stride, feature in zip(strides, g.features(strides)):
        place = g.op("Add", g.linear(feature, 2, mean=0.3, deviation=0.4)[0], np.float32(0))
        side = g.linear(feature, 2, mean=0.8, deviation=0.4)[0]
        scores = g.op(
            "Sigmoid", g.concat(g.linear(feature, 1, 4.0, 2.0, 0.99)[0], g.linear(feature, 80, 5.0, 1.0)[0], axis=1)
        )
        maps.append(g.reshape(g.concat(place, side, scores, axis=1), 1, 85, -1))
    rows = g.transpose(g.concat(*maps, axis=2), 0, 2, 1, **({} if decoded else {"name": "output"}))
    middle, step = points(spec, strides, 0)
    cells = middle.shape[2]
    if decoded:
        corner, step_rows = (g.transpose(x, 0, 2, 1) for x in g.points(strides, 0))
        place = g.op("Add", g.op("Mul", g.slice(rows, 0, 2, 2), step_rows), corner)
        side = g.op("Mul", g.op("Exp", g.slice(rows, 2, 4, 2)), step_rows)
        g.concat(place, side, g.slice(rows, 4, 85, 2), axis=2, name="output")
    model = g.model(
        [("output", FLOAT, ["batch", "Transposeoutput_dim_1", "Transposeoutput_dim_2"] if dynamic else [1, cells, 85])],
        6,
        ("pytorch", "2.3.1"),
        declared=["batch", 3, 416, 416] if dynamic else None,
    )

    def read(outs, mapping):
        o = outs["output"][0].astype(np.float64)
        if not decoded:
            o = np.concatenate(
                [(o[:, :2] + (middle / step)[0].T) * step[0].T, np.exp(o[:, 2:4]) * step[0].T, o[:, 4:]], 1
            )
        return Found(to_corners(o[:, :4]), o[:, 4] * o[:, 5:].max(1), o[:, 5:].argmax(1), COCO, 0.65)

    return (
        g,
        model,
        read,
        {"exporter": "YOLOX", "version": "0.3.0", "family": "YOLOX decoded" if decoded else "YOLOX raw"},
    )


ANCHORS = (((10, 13), (16, 30), (33, 23)), ((30, 61), (62, 45), (59, 119)), ((116, 90), (156, 198), (373, 326)))


def anchored(g, spec, strides=(8, 16, 32), classes=80):
    """YOLOv5's and v7's rows, level by level and anchor by anchor: sigmoid of x, y, w, h, objectness, classes; and the
    maps before it."""
    maps, rows = [], []
    for level, (stride, feature) in enumerate(zip(strides, g.features(strides))):
        parts = []
        for _ in ANCHORS[level]:
            parts += [
                g.linear(feature, 4, mean=0, deviation=0.5)[0],
                g.linear(feature, 1, 4.0, 2.0, 0.99)[0],
                g.linear(feature, classes, 5.0, 1.0)[0],
            ]
        h, w = feature[1].shape[2:]
        raw = g.transpose(g.reshape(g.concat(*parts, axis=1), 1, 3, 5 + classes, h, w), 0, 1, 3, 4, 2)
        maps.append(raw)
        grid = g.unsqueeze(g.reshape(g.transpose(g.points((stride,), -0.5)[0], 0, 2, 1), 1, h, w, 2), 1)
        anchor = np.array(ANCHORS[level]).reshape(1, 3, 1, 1, 2)
        s = g.op("Sigmoid", raw)
        place = g.op("Add", g.op("Mul", g.slice(s, 0, 2, 4), np.float32(2 * stride)), grid)
        side = g.op(
            "Mul", g.op("Pow", g.op("Mul", g.slice(s, 2, 4, 4), np.float32(2)), np.float32(2)), np.float32(anchor)
        )
        rows.append(g.reshape(g.concat(place, side, g.slice(s, 4, 5 + classes, 4), axis=4), 1, 3 * h * w, 5 + classes))
    return maps, rows


def with_objectness(outs, mapping, name, iou=0.45):
    o = outs[name][0].astype(np.float64)
    return Found(to_corners(o[:, :4]), o[:, 4] * o[:, 5:].max(1), o[:, 5:].argmax(1), COCO, iou)


def yolov5(picture, dynamic=False):
    """YOLOv5's repository (github.com/ultralytics/yolov5, export.py): 1 x 25200 x 85, three anchors a cell; centre and
    size in pixels, objectness and class scores 0 to 1."""
    spec = taken([1, 3, 640, 640])
    g = Graph(17, spec, picture, 6)
    g.concat(*anchored(g, spec)[1], axis=1, name="output0")
    outputs, declared = [("output0", FLOAT, [1, 25200, 85])], None
    if dynamic:
        outputs, declared = [("output0", FLOAT, ["batch", "anchors", 85])], ["batch", 3, "height", "width"]
    model = g.model(
        outputs, 8, ("pytorch", "2.15.0"), {"stride": 32, "names": dict(enumerate(COCO))}, declared=declared
    )
    return (
        g,
        model,
        lambda o, m: with_objectness(o, m, "output0"),
        {"exporter": "YOLOv5 repository", "version": "7.0", "family": "YOLOv5"},
    )


def yolov6(picture):
    """YOLOv6 (github.com/meituan/YOLOv6, deploy/ONNX/export_onnx.py; arXiv:2209.02976): 1 x 8400 x 85; the objectness
    is always 1."""
    spec, strides = taken([1, 3, 640, 640]), (8, 16, 32)
    g = Graph(13, spec, picture, 7)
    rows = g.dense(strides, 80)
    boxes = g.centres(rows["distance"], g.points(strides)[0])
    g.transpose(
        g.concat(
            boxes,
            g.op("Expand", np.ones((1, 1, 1), np.float32), np.array([1, 1, 8400])),
            g.op("Sigmoid", rows["class"]),
            axis=1,
        ),
        0,
        2,
        1,
        name="outputs",
    )
    model = g.model([("outputs", FLOAT, [1, 8400, 85])], 7, ("pytorch", "2.1.2"))
    return (
        g,
        model,
        lambda o, m: with_objectness(o, m, "outputs"),
        {"exporter": "YOLOv6 repository", "version": "0.4.1", "family": "YOLOv6"},
    )


def yolov7(picture, form):
    """YOLOv7 (github.com/WongKinYiu/yolov7, export.py; arXiv:2207.02696). maps: three outputs of 1 x 3 x h x w x 85
    before the sigmoid, whose anchors the file does not hold; grid: 1 x 25200 x 85 as YOLOv5; end2end: N x 7: picture,
    corners, class, score, suppressed with class x 640 added; trt: the operator EfficientNMS_TRT, which only TensorRT
    runs."""
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
        return (
            g,
            g.model(outputs, 7, producer),
            None,
            about | {"refuse": "three maps of 5 dimensions before the sigmoid, anchors unknown: export with --grid"},
        )
    if form == "grid":
        g.concat(*rows, axis=1, name="output")
        return (
            g,
            g.model([("output", FLOAT, [1, 25200, 85])], 7, producer),
            lambda o, m: with_objectness(o, m, "output"),
            about,
        )
    row = g.concat(*rows, axis=1)
    scores = g.op("Mul", g.slice(row, 5, 85, 2), g.slice(row, 4, 5, 2))
    half = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [-0.5, 0, 0.5, 0], [0, -0.5, 0, 0.5]])
    boxes = g.op("MatMul", g.slice(row, 0, 4, 2), half)
    if form == "trt":
        g.nodes.append(
            helper.make_node(
                "EfficientNMS_TRT",
                [boxes, scores],
                ["num_dets", "det_boxes", "det_scores", "det_classes"],
                domain="TRT",
                background_class=-1,
                box_coding=0,
                iou_threshold=0.45,
                max_output_boxes=100,
                plugin_version="1",
                score_activation=0,
                score_threshold=0.25,
            )
        )
        outputs = [
            ("num_dets", INT32, ["1", "1"]),
            ("det_boxes", FLOAT, ["1", "100", "4"]),
            ("det_scores", FLOAT, ["1", "100"]),
            ("det_classes", INT32, ["1", "100"]),
        ]
        return g, g.model(outputs, 7, producer), None, about | {"refuse": "EfficientNMS_TRT runs in TensorRT only"}
    best = g.reduce("ReduceMax", scores, 2, keep=1)
    label = g.op("Cast", g.op("ArgMax", scores, axis=2, keepdims=1), to=FLOAT)
    moved = g.op("Add", boxes, g.op("Mul", label, np.float32(640)))
    kept = g.op(
        "NonMaxSuppression",
        moved,
        g.transpose(best, 0, 2, 1),
        np.array([100]),
        np.array([0.45], np.float32),
        np.array([0.25], np.float32),
    )
    index = g.squeeze(g.slice(kept, 2, 3, 1), 1)
    row_of = lambda x: g.op("Gather", g.squeeze(x, 0), index, axis=0)
    g.concat(
        g.op("Cast", g.slice(kept, 0, 1, 1), to=FLOAT),
        row_of(boxes),
        row_of(label),
        row_of(best),
        axis=1,
        name="output",
    )

    def read(outs, mapping):
        o = outs["output"]
        return Found(o[:, 1:5], o[:, 6], o[:, 5], COCO)

    return g, g.model([("output", FLOAT, ["rows", 7])], 7, producer), read, about | {"least": 0.25}


def yolonas(picture, form):
    """YOLO-NAS by super-gradients (github.com/Deci-AI/super-gradients, model.export()): uint8 in; default: count int64
    1 x 1, boxes 1 x 1000 x 4 as corners in pixels, scores, classes int64, by class and not by score, rows behind the
    count are nothing; flat: n x 7: picture, corners, score, class; raw: boxes 1 x 8400 x 4 and scores 1 x 8400 x 80,
    whose names are numbers, for a float input of 0 to 1."""
    raw = form == "raw"
    spec = taken([1, 3, 640, 640], "input", **({} if raw else {"dtype": "uint8", "scale": 1}))
    strides = (8, 16, 32)
    g = Graph(17, spec, picture, 18)
    rows = g.dense(strides, 80, top=0.6 if raw else -1.0)
    about = {"exporter": "super-gradients", "version": "3.7.1", "family": "YOLO-NAS " + form}
    cut = {"cut": lambda b, s: Found(b, s.max(0), s.argmax(0), COCO, 0.7)}
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
    # In the operator's order, class by class: not by score.
    box, score, label, _ = g.suppress(boxes, scores, 0.7, 0.25, 1000)
    box, score, label = (g.slice(x, 0, 1000, 0) for x in (box, score, label))
    if form == "flat":
        column = lambda x: g.unsqueeze(x, 1)
        zero = g.op("Mul", score, np.float32(0))
        g.concat(
            column(zero),
            box,
            column(score),
            column(g.op("Cast", label, to=FLOAT)),
            axis=1,
            name="graph2_flat_predictions",
        )
        model = g.model([("graph2_flat_predictions", FLOAT, ["num_output_predictions", 7])], 9, producer)
        return (
            g,
            model,
            lambda o, m: Found(
                o["graph2_flat_predictions"][:, 1:5],
                o["graph2_flat_predictions"][:, 5],
                o["graph2_flat_predictions"][:, 6],
                COCO,
            ),
            about | cut | {"least": 0.25},
        )
    g.unsqueeze(g.op("Shape", score), 0, name="graph2_num_predictions")
    g.unsqueeze(g.filled(box, 1000, 2), 0, name="graph2_pred_boxes")
    g.unsqueeze(g.filled(score, 1000, 1), 0, name="graph2_pred_scores")
    # Behind the count: not zeros everywhere, so that nobody may read them.
    g.unsqueeze(
        g.op("Sub", g.filled(g.op("Add", label, np.array(1)), 1000, 1), np.array(1)), 0, name="graph2_pred_classes"
    )
    outputs = [
        ("graph2_num_predictions", INT64, [1, 1]),
        ("graph2_pred_boxes", FLOAT, [1, "rows", "columns"]),
        ("graph2_pred_scores", FLOAT, [1, "rows"]),
        ("graph2_pred_classes", INT64, [1, "rows"]),
    ]

    def read(outs, mapping):
        n = int(outs["graph2_num_predictions"][0, 0])
        return Found(
            outs["graph2_pred_boxes"][0, :n],
            outs["graph2_pred_scores"][0, :n],
            outs["graph2_pred_classes"][0, :n],
            COCO,
        )

    return g, g.model(outputs, 9, producer), read, about | cut | {"least": 0.25}


def libreyolo_metadata(family, size, side, **more):
    """The keys that libreyolo 1.6 writes; names are JSON with numbers as text."""
    return {
        "schema_version": "1.0",
        "libreyolo_version": "1.6.0",
        "model_family": family,
        "size": size,
        "model_size": size,
        "task": "detect",
        "supported_tasks": '["detect"]',
        "default_task": "detect",
        "nc": 80,
        "nb_classes": 80,
        "names": json.dumps({str(i): n for i, n in enumerate(COCO)}),
        "imgsz": side,
        "imgsz_h": side,
        "imgsz_w": side,
        "dynamic": True,
        "precision": "fp32",
        "half": False,
        "segmentation": "false",
        "obb": "false",
        **more,
    }


def libreyolo(picture):
    """libreyolo (pypi.org/project/libreyolo), yolo9: 1 x 84 x 8400 as Ultralytics' in all but that the boxes are
    corners and the picture lies at the top left; names as JSON."""
    spec, strides = taken([1, 3, 640, 640], fit="letterbox-top-left"), (8, 16, 32)
    g = Graph(13, spec, picture, 19)
    rows = g.dense(strides, 80)
    g.concat(g.corners(rows["distance"], g.points(strides)[0]), g.op("Sigmoid", rows["class"]), axis=1, name="output")
    outputs = [("output", FLOAT, ["batch", "Concatoutput_dim_1", "Concatoutput_dim_2"])]
    metadata = libreyolo_metadata("yolo9", "t", 640, letterbox_pad="topleft")
    model = g.model(outputs, 7, ("pytorch", "2.15.0"), metadata, declared=["batch", 3, 640, 640])

    def read(outs, mapping):
        o = outs["output"][0]
        return Found(o[:4].T, o[4:].max(0), o[4:].argmax(0), COCO, 0.45)

    return g, model, read, {"exporter": "libreyolo", "version": "1.6.0", "family": "YOLOv9 with corners"}


def rows_of_six(picture, family):
    """libreyolo's efficientdet (1 x 5000 x 6) and centernet (1 x 100 x 6): corners in pixels of the input, score,
    class. EfficientDet's rows are not suppressed, and the class of a row is -1 where its network's column is no
    category of COCO."""
    spec = taken([1, 3, 512, 512], fit="letterbox-top-left", fill=[124, 116, 104], **IMAGENET)
    if family == "centernet":
        spec = taken([1, 3, 512, 512], colour="BGR", mean=(0.408, 0.447, 0.470), std=(0.289, 0.274, 0.278), fill=0)
    count, iou, seed, opset, ir, size, columns = {
        "efficientdet": (5000, 0.5, 22, 13, 7, "d0", 90),
        "centernet": (100, None, 23, 18, 8, "resdcn18", 80),
    }[family]
    strides = (8, 16, 32)
    g = Graph(opset, spec, picture, seed)
    rows = g.dense(strides, columns)
    boxes = g.transpose(g.corners(rows["distance"], g.points(strides)[0]), 0, 2, 1)
    best = g.best(boxes, g.transpose(g.op("Sigmoid", rows["class"]), 0, 2, 1), count)
    if columns == 90:
        order = list(COCO91)
        known = np.array([order.index(i) if i in COCO91 else -1 for i in range(1, 91)], np.float32)
        label = g.op("Gather", known, g.op("Cast", g.slice(best, 5, 6, 2), to=INT64), axis=0)
        best = g.concat(g.slice(best, 0, 5, 2), label, axis=2)
    g.op("Identity", best, name="output")
    metadata = libreyolo_metadata(family, size, 512)
    model = g.model(
        [("output", FLOAT, ["batch", "Concatoutput_dim_1", 6])],
        ir,
        ("pytorch", "2.15.0"),
        metadata,
        declared=["batch", 3, 512, 512],
    )

    def read(outs, mapping):
        o = outs["output"][0]
        o = o[o[:, 5] >= 0]
        return Found(o[:, :4], o[:, 4], o[:, 5], COCO, iou)

    return g, model, read, {"exporter": "libreyolo", "version": "1.6.0", "family": family}
