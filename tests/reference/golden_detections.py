"""Makes tests/golden/detections.json: what YOLOX-Nano sees in tests/photos/, computed without this crate.

Pre- and post-processing follow YOLOX's own code (`preproc` of yolox/data/data_augment.py and `postprocess` of
yolox/utils/boxes.py; Ge et al. 2021, arXiv:2107.08430), inference is onnxruntime's:

- letterbox: r = min(H / h, W / w); cv2.resize, bilinear, or INTER_AREA where r < 0.5, which is not YOLOX's, to
  (int(w * r), int(h * r)); top-left; the rest 114;
  planar B, G, R, float 0..255;
- decoding: centre = (delta + cell) * stride, size = exp(delta) * stride, divided by r;
- score = objectness * the highest class score: each cell names one class, as `postprocess` does for the published
  accuracy (YOLOX's ONNX demo lets one cell name several classes; that is not followed);
- suppression: greedy, per class, on whole boxes; of two with IoU above 0.65 the weaker goes;
- boxes are not cut at the picture's edges.

Only needed again when the model or the photographs change:

    pip install onnx==1.23.2 onnxruntime==1.32.0 opencv-python-headless==5.0.0.93 numpy==2.4.6
    python tests/reference/golden_detections.py [--draw FOLDER]
"""

import argparse
import hashlib
import json
import re
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models/yolox_nano.onnx"
NAMES = (ROOT / "models/coco.names").read_text().split("\n")
STRIDES = (8, 16, 32)
FILL = 114
NMS_IOU = 0.65
# Lower than any threshold that is tested, so that a box just below one is known as well.
LOWEST_SCORE = 0.05

EVERY = [(416, 416)]
# Five shapes of picture at two more sizes of input, one of them not square.
ALSO = {name: [(640, 384), (320, 320)] for name in ("street", "street-wide", "motorcycle", "officer", "coffee")}


def session(width, height):
    """The model at an input size: the file declares shapes for 416x416 alone, which are taken out."""
    model = onnx.load(MODEL)
    dims = model.graph.input[0].type.tensor_type.shape.dim
    dims[2].dim_value, dims[3].dim_value = height, width
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def letterbox(picture, width, height):
    """The network's input for a BGR picture, and the scale r."""
    h, w = picture.shape[:2]
    r = min(height / h, width / w)
    # Shrunk by more than 2, interpolation would skip pixels.
    way = cv2.INTER_AREA if r < 0.5 else cv2.INTER_LINEAR
    scaled = cv2.resize(picture, (int(w * r), int(h * r)), interpolation=way)
    padded = np.full((height, width, 3), FILL, np.uint8)
    padded[: scaled.shape[0], : scaled.shape[1]] = scaled
    return np.ascontiguousarray(padded.transpose(2, 0, 1)[None], np.float32), r


def decode(output, width, height, r):
    """Boxes (left, top, right, bottom) in picture pixels, scores, classes, one a cell."""
    cells, strides = [], []
    for stride in STRIDES:
        y, x = np.mgrid[: height // stride, : width // stride]
        cells.append(np.stack([x, y], axis=-1).reshape(-1, 2))
        strides.append(np.full((cells[-1].shape[0], 1), stride))
    cells, strides = np.concatenate(cells), np.concatenate(strides)
    assert output.shape == (len(cells), 5 + 80), output.shape
    output = output.astype(np.float64)
    centre = (output[:, :2] + cells) * strides
    half = np.exp(output[:, 2:4]) * strides / 2
    boxes = np.hstack([centre - half, centre + half]) / r
    classes = output[:, 5:].argmax(axis=1)
    scores = output[:, 4] * output[:, 5:].max(axis=1)
    return boxes, scores, classes


def iou(box, others):
    corner = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.clip(corner[1] - corner[0], 0, None), axis=1)
    area = np.prod(box[2:] - box[:2]), np.prod(others[:, 2:] - others[:, :2], axis=1)
    return shared / (area[0] + area[1] - shared)


def suppress(boxes, scores, classes):
    """The indices of the boxes that stay, by falling score."""
    left, kept = np.argsort(-scores, kind="stable"), []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        hidden = (classes[left] == classes[best]) & (iou(boxes[best], boxes[left]) > NMS_IOU)
        left = left[~hidden]
    return kept


def detect(run, picture, width, height):
    tensor, r = letterbox(picture, width, height)
    output = run.run(None, {run.get_inputs()[0].name: tensor})[0][0]
    boxes, scores, classes = decode(output, width, height, r)
    found = scores >= LOWEST_SCORE
    boxes, scores, classes = boxes[found], scores[found], classes[found]
    return [
        {
            "class": int(classes[i]),
            "name": NAMES[classes[i]],
            "score": round(float(scores[i]), 5),
            "left": round(float(boxes[i][0]), 3),
            "top": round(float(boxes[i][1]), 3),
            "width": round(float(boxes[i][2] - boxes[i][0]), 3),
            "height": round(float(boxes[i][3] - boxes[i][1]), 3),
        }
        for i in suppress(boxes, scores, classes)
    ]


def draw(picture, boxes, path):
    for box in (b for b in boxes if b["score"] >= 0.3):
        left, top = round(box["left"]), round(box["top"])
        right, bottom = round(box["left"] + box["width"]), round(box["top"] + box["height"])
        cv2.rectangle(picture, (left, top), (right, bottom), (0, 0, 255), 2)
        text = f"{box['name']} {box['score']:.2f}"
        cv2.putText(picture, text, (max(left, 0) + 3, max(top, 0) + 14), 0, 0.5, (0, 255, 255), 1)
    cv2.imwrite(str(path), picture)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--draw", type=Path, help="also write the pictures with their boxes here")
    arguments = arguments.parse_args()
    sessions, cases = {}, []
    for path in sorted((ROOT / "tests/photos").glob("*.png")):
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        for width, height in EVERY + ALSO.get(path.stem, []):
            run = sessions.setdefault((width, height), session(width, height))
            boxes = detect(run, picture, width, height)
            cases.append({
                "photo": path.name, "width": picture.shape[1], "height": picture.shape[0],
                "input": f"{width}x{height}", "boxes": boxes,
            })
            seen = ", ".join(f"{b['name']} {b['score']:.2f}" for b in boxes if b["score"] >= 0.3)
            print(f"{path.name} {width}x{height}: {len(boxes)} boxes; {seen}")
            if arguments.draw:
                arguments.draw.mkdir(exist_ok=True)
                draw(picture.copy(), boxes, arguments.draw / f"{path.stem}-{width}x{height}.png")
    golden = {
        "model_sha256": hashlib.sha256(MODEL.read_bytes()).hexdigest(),
        "made_with": {"onnxruntime": onnxruntime.__version__, "opencv": cv2.__version__},
        "nms_iou": NMS_IOU,
        "lowest_score": LOWEST_SCORE,
        "cases": cases,
    }
    text = json.dumps(golden, indent=1)
    # One box a line: a change shows as the boxes that changed.
    text = re.sub(r"\{\n\s+(\"class\"[^}]*?)\n\s+\}", lambda m: "{" + " ".join(m[1].split()) + "}", text)
    (ROOT / "tests/golden/detections.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
