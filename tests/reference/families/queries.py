"""Forms with a fixed number of queries: DETR, RT-DETR, RF-DETR, D-FINE."""

import numpy as np

from .graph import FLOAT, INT64, Graph
from .picture import (
    COCO,
    COCO91,
    IMAGENET,
    Found,
    mask_of,
    shares,
    sigmoid,
    size_of,
    softmax,
    taken,
)


def queries(g, spec, strides, columns, count, top, last=0.0, spread=5.0, extra=0):
    """Boxes as shares (1 x N x 4) and logits (1 x N x columns) of the `count` cells with the greatest logit; with `extra`
    so many more numbers of each."""
    rows = g.dense(strides, columns, top=top, spread=spread, extra=extra)
    h, w = size_of(spec)
    boxes = g.transpose(
        g.op(
            "Mul",
            g.centres(rows["distance"], g.points(strides)[0]),
            np.float32([1 / w, 1 / h, 1 / w, 1 / h]).reshape(1, 4, 1),
        ),
        0,
        2,
        1,
    )
    logits = g.transpose(rows["class"], 0, 2, 1)
    _, index = g.op("TopK", g.reduce("ReduceMax", logits, 2), np.array([count]), outputs=2, axis=1)
    index = g.squeeze(index, 0)
    gathered = [boxes, logits] + ([g.transpose(rows["extra"], 0, 2, 1)] if extra else [])
    return [g.op("Gather", values, index, axis=1) for values in gathered]


def pairs(outs, picture, names, logits, boxes, count):
    """DETRs with sigmoid scores: the `count` best pairs of query and class (post_process_object_detection of Hugging
    Face transformers, PostProcess of rfdetr): one query may name several classes."""
    scores = sigmoid(outs[logits][0])
    best = np.argsort(-scores.ravel(), kind="stable")[:count]
    query, label = best // scores.shape[1], best % scores.shape[1]
    return Found(shares(outs[boxes][0], picture)[query], scores.ravel()[best], label, names, picture=True)


def rtdetr(picture):
    """RT-DETR, RT-DETRv2, D-FINE, DEIM of Hugging Face transformers by torch.onnx.export(dynamo=False)
    (arXiv:2304.08069, 2410.13842): logits 1 x 300 x 80 (sigmoid) and pred_boxes 1 x 300 x 4, centre and size as shares;
    the picture is stretched, 0 to 1."""
    spec = taken([1, 3, 640, 640], "pixel_values", fit="stretch")
    g = Graph(17, spec, picture, 9)
    boxes, logits = queries(g, spec, (8, 16, 32), 80, 300, 1.0)
    g.op("Identity", logits, name="logits")
    g.op("Identity", boxes, name="pred_boxes")
    model = g.model(
        [("logits", FLOAT, [1, "Gatherlogits_dim_1", 80]), ("pred_boxes", FLOAT, [1, 300, 4])], 8, ("pytorch", "2.15.0")
    )
    return (
        g,
        model,
        lambda o, m: pairs(o, picture, COCO, "logits", "pred_boxes", 300),
        {"exporter": "transformers, torch.onnx.export", "version": "5.24.0", "family": "RT-DETR"},
    )


def detr(picture, classes=91, external=False):
    """DETR and YOLOS of Hugging Face transformers (arXiv:2005.12872, 2106.00666): logits 1 x 100 x (C + 1), softmax,
    the last is "no object"; pred_boxes as shares; ImageNet's mean and deviation. torch's default exporter puts the
    weights into a second file."""
    spec = taken([1, 3, 480, 640], "pixel_values", fit="stretch", **IMAGENET)
    g = Graph(20 if external else 17, spec, picture, 10 + classes)
    # No TopK: the queries are the cells of the coarsest level.
    feature = g.features((32,))[0]
    cells = feature[1].shape[2] * feature[1].shape[3]
    keep = np.linspace(0, cells - 1, 100).astype(np.int64)
    logits = g.reshape(g.linear(feature, classes + 1, 6.0, 4.0, 0.97)[0], 1, classes + 1, cells)
    none = np.zeros((1, classes + 1, 1), np.float32)
    none[0, -1] = 3.0
    distance = g.reshape(
        g.op("Mul", g.op("Exp", g.linear(feature, 4, mean=np.log(2), deviation=0.4)[0]), np.float32(32)), 1, 4, cells
    )
    boxes = g.op(
        "Mul",
        g.centres(distance, g.points((32,))[0]),
        np.float32([1 / 640, 1 / 480, 1 / 640, 1 / 480]).reshape(1, 4, 1),
    )
    g.op("Gather", g.transpose(g.op("Add", logits, none), 0, 2, 1), keep, axis=1, name="logits")
    g.op("Gather", g.transpose(boxes, 0, 2, 1), keep, axis=1, name="pred_boxes")
    model = g.model(
        [("logits", FLOAT, [1, 100, classes + 1]), ("pred_boxes", FLOAT, [1, 100, 4])],
        10 if external else 8,
        ("pytorch", "2.15.0"),
    )
    names = COCO91 if classes == 91 else {i: None for i in range(classes)}

    def read(outs, mapping):
        scores = softmax(outs["logits"][0])[:, :-1]
        return Found(shares(outs["pred_boxes"][0], picture), scores.max(1), scores.argmax(1), names, picture=True)

    return (
        g,
        model,
        read,
        {
            "exporter": "transformers, torch.onnx.export",
            "version": "5.24.0",
            "family": "DETR",
            "external_data": external,
        },
    )


def rfdetr(picture, columns=91):
    """RF-DETR (github.com/roboflow/rf-detr, RFDETRNano().export()): dets 1 x 300 x 4 as shares, labels 1 x 300 x 91
    float logits (sigmoid); the columns are COCO's own category numbers. Fine-tuned: C + 1 columns, the last is
    background; with three classes both outputs have four columns."""
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
    return (
        g,
        model,
        lambda o, m: pairs(o, picture, names, "labels", "dets", 300),
        {"exporter": "rfdetr", "version": "1.11.2", "family": "RF-DETR"},
    )


def rfdetr_segment(picture):
    """RF-DETR for segmentation (RFDETRSegNano().export()): a third output, masks 1 x 100 x h / 4 x w / 4, logits of each query:
    features of the picture times those of the query; bilinear to the picture, above 0. Cut at the box here, which its makers leave out."""
    spec = taken([1, 3, 384, 384], "input", fit="stretch", **IMAGENET)
    g = Graph(17, spec, picture, 13)
    boxes, logits, own = queries(g, spec, (8, 16, 32), 91, 100, 0.8, spread=4.0, extra=8)
    g.op("Identity", boxes, name="dets")
    g.op("Identity", logits, name="labels")
    shared = g.reshape(g.linear(g.features((4,))[0], 8)[0], 1, 8, -1)
    g.op("Reshape", g.op("MatMul", own, shared), np.array([1, 100, 96, 96]), name="masks")
    outputs = [("dets", FLOAT, [1, 100, 4]), ("labels", FLOAT, [1, 100, 91]), ("masks", FLOAT, [1, 100, 96, 96])]
    model = g.model(outputs, 8, ("pytorch", "2.15.0"))

    def read(outs, mapping):
        found = pairs(outs, picture, COCO91, "labels", "dets", 100)
        scores = sigmoid(outs["labels"][0])
        query = np.argsort(-scores.ravel(), kind="stable")[:100] // scores.shape[1]
        h, w = picture.shape[:2]
        across, down = 384 / w, 384 / h
        found.extras = lambda i, _: mask_of(
            np.eye(100)[query[i]],
            outs["masks"][0],
            found.boxes[i] * [across, down, across, down],
            (across, down, 0, 0),
            spec,
            (h, w),
        )
        return found

    return g, model, read, {"exporter": "rfdetr", "version": "1.11.2", "family": "RF-DETR segment"}


def dfine(picture):
    """D-FINE's, RT-DETR's and DEIM's own tools/deployment/export_onnx.py (github.com/Peterande/D-FINE): a second input
    orig_target_sizes (width, height); labels int64, boxes as corners in those sizes, scores."""
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
    model = g.model(
        [
            ("labels", INT64, ["Modlabels_dim_0", "Modlabels_dim_1"]),
            ("boxes", FLOAT, ["Mulboxes_dim_0", "Mulboxes_dim_1", 4]),
            ("scores", FLOAT, ["TopKscores_dim_0", "TopKscores_dim_1"]),
        ],
        8,
        ("pytorch", "2.5.1"),
        inputs=[("orig_target_sizes", INT64, ["N", 2])],
        declared=["N", 3, 640, 640],
    )
    h, w = picture.shape[:2]
    about = {
        "exporter": "D-FINE repository",
        "version": "2025",
        "family": "D-FINE deploy",
        "also": {"orig_target_sizes": [[w, h]]},
    }
    return g, model, lambda o, m: Found(o["boxes"][0], o["scores"][0], o["labels"][0], COCO, picture=True), about
