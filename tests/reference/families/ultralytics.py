"""Ultralytics' forms: YOLOv8 to YOLO26 with boxes, masks, keypoints and turned boxes, RT-DETR, classification."""

import numpy as np
from onnx import helper, numpy_helper

from .graph import FLOAT, HALF, Graph
from .picture import COCO, Found, mask_of, points, shares, taken, to_corners

OURS = "trailsight tests"


def ultralytics_metadata(task, head, names, size, end2end=False, nms=None, **more):
    """The keys that ultralytics 8.4 writes; the values are ours where they would be its makers'."""
    return {
        "description": "graph of the form of an Ultralytics export, without its weights",
        "author": OURS,
        "date": "2026-11-30T00:00:00",
        "version": "8.4.190",
        "license": "as the project's",
        "docs": "",
        "stride": 32,
        "task": task,
        "head": head,
        "batch": 1,
        "imgsz": list(size),
        "names": dict(enumerate(names)),
        "args": {"batch": 1, "nms": nms, "half": False, "dynamic": False, "simplify": True},
        "channels": 3,
        "end2end": end2end,
        **more,
    }


def ultralytics(picture, seed=1, names=COCO, task="detect", size=(640, 640), form="dense", dynamic=False, half=False):
    """Ultralytics YOLOv8 to YOLO26 (docs.ultralytics.com/modes/export): 1 x (4 + C + more) x cells, centre and size in
    pixels, class scores 0 to 1; with nms=False (or, before 8.4.142, always) of YOLOv10 and YOLO26: 1 x 300 x (6 +
    more), corners, score, class; with nms=True suppressed in the graph and filled up with zeros. More: 32 mask
    coefficients, 17 x 3 keypoints, or an angle."""
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
        g.op(
            "Identity",
            g.best(
                g.transpose(boxes, 0, 2, 1), g.transpose(scores, 0, 2, 1), 300, *(g.transpose(m, 0, 2, 1) for m in more)
            ),
            name="output0",
        )
        outputs, iou = [("output0", FLOAT, [1, 300, 6 + extra])], None
    else:
        flat, best = g.transpose(boxes, 0, 2, 1), g.reduce("ReduceMax", scores, 1, keep=1)
        label = g.op("Cast", g.op("ArgMax", scores, axis=1, keepdims=0), to=FLOAT)
        moved = g.op("Add", flat, g.op("Mul", g.unsqueeze(label, 2), np.float32(7680)))
        _, score, _, index = g.suppress(moved, best, 0.7, 0.25, 300)
        score, index = g.ordered(300, score, index)
        kept = g.concat(
            g.op("Gather", g.squeeze(flat, 0), index, axis=0),
            g.unsqueeze(score, 1),
            g.unsqueeze(g.op("Gather", g.squeeze(label, 0), index, axis=0), 1),
            axis=1,
        )
        g.unsqueeze(g.filled(kept, 300, 2), 0, name="output0")
        outputs, iou = [("output0", FLOAT, [1, 300, 6])], None
    if task == "segment":
        prototypes = [f for f in g.features((4,))]
        g.op("Identity", g.linear(prototypes[0], 32)[0], name="output1")
        outputs.append(("output1", FLOAT, [1, 32, size[0] // 4, size[1] // 4]))
    head = {"detect": "Detect", "segment": "Segment", "pose": "Pose", "obb": "OBB"}[task]
    metadata = ultralytics_metadata(
        task,
        head,
        names,
        size,
        form == "end2end",
        True if form == "nms" else None,
        **({"kpt_shape": [17, 3]} if task == "pose" else {}),
    )
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
            boxes, scores, labels, rest = (
                to_corners(o[:4].T),
                o[4 : 4 + classes].max(0),
                o[4 : 4 + classes].argmax(0),
                o[4 + classes :].T,
            )
        rx, ry, left, top = mapping

        def extras(i, _):
            if task == "pose":
                k = rest[i].reshape(17, 3) - [left, top, 0]
                return {"keypoints": (k / [rx, ry, 1]).tolist()}
            if task == "obb":
                middle, side = (boxes[i, :2] + boxes[i, 2:]) / 2, boxes[i, 2:] - boxes[i, :2]  # unturned
                return {
                    "turned": {
                        "cx": (middle[0] - left) / rx,
                        "cy": (middle[1] - top) / ry,
                        "w": side[0] / rx,
                        "h": side[1] / ry,
                        "angle": rest[i, 0],
                    }
                }
            return mask_of(rest[i], outs["output1"][0], boxes[i], mapping, spec, picture.shape[:2])

        found = Found(boxes, scores, labels, names, iou, extras=extras if task != "detect" else None)
        if task == "obb":
            found.turn(rest[:, 0])
        return found

    return g, model, read, {"exporter": "ultralytics", "version": "8.4.190", "family": f"ultralytics {form} {task}"}


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
    return (
        g,
        model,
        None,
        {"exporter": "ultralytics", "version": "8.4.190", "family": "classify", "refuse": "classification: no boxes"},
    )


def ultralytics_rtdetr(picture):
    """Ultralytics RT-DETR since 8.4.47 (docs.ultralytics.com/models/rtdetr): 1 x 300 x 6 as YOLO26's ready form, but
    centre and size as shares of the picture, which is stretched."""
    spec = taken([1, 3, 640, 640], fit="stretch")
    g = Graph(18, spec, picture, 4)
    rows = g.dense((8, 16, 32), 80, top=1.0)
    boxes = g.op("Mul", g.centres(rows["distance"], g.points((8, 16, 32))[0]), np.float32(1 / 640))
    g.op(
        "Identity",
        g.best(g.transpose(boxes, 0, 2, 1), g.transpose(g.op("Sigmoid", rows["class"]), 0, 2, 1), 300),
        name="output0",
    )
    model = g.model(
        [("output0", FLOAT, [1, 300, 6])],
        8,
        ("pytorch", "2.15.0"),
        ultralytics_metadata("detect", "RTDETRDecoder", COCO, (640, 640)),
    )

    def read(outs, mapping):
        o = outs["output0"][0]
        return Found(shares(o[:, :4], picture), o[:, 4], o[:, 5], COCO, picture=True)

    return g, model, read, {"exporter": "ultralytics", "version": "8.4.190", "family": "ultralytics RT-DETR"}
