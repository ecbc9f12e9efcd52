"""The picture in (preprocessing), the boxes out: decoding and suppression as the families publish them, in numpy."""

import cv2
import numpy as np
from pycocotools import mask as coco

COCO = (
    (
        "person bicycle car motorcycle airplane bus train truck boat traffic_light fire_hydrant stop_sign parking_meter bench bird cat dog "
        "horse sheep cow elephant bear zebra giraffe backpack umbrella handbag tie suitcase frisbee skis snowboard sports_ball kite "
        "baseball_bat baseball_glove skateboard surfboard tennis_racket bottle wine_glass cup fork knife spoon bowl banana apple sandwich "
        "orange broccoli carrot hot_dog pizza donut cake chair couch potted_plant bed dining_table toilet tv laptop mouse remote keyboard "
        "cell_phone microwave oven toaster sink refrigerator book clock vase scissors teddy_bear hair_drier toothbrush"
    )
    .replace(" ", "\n")
    .replace("_", " ")
    .split("\n")
)


# The category numbers of COCO's own annotations: 1 to 90 with holes.
HOLES = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)


COCO91 = dict(zip((i for i in range(1, 91) if i not in HOLES), COCO))


IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def size_of(spec):
    return spec["shape"][1:3] if spec.get("layout") == "NHWC" else spec["shape"][-2:]


def taken(
    shape,
    name="images",
    colour="RGB",
    scale=1 / 255,
    mean=(0, 0, 0),
    std=(1, 1, 1),
    fit="letterbox-centre",
    fill=114,
    dtype="float32",
    **more,
):
    return {
        "name": name,
        "shape": list(shape),
        "dtype": dtype,
        "colour": colour,
        "scale": scale,
        "mean": list(mean),
        "std": list(std),
        "fit": fit,
        "fill": fill,
        **more,
    }


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
        fitted = np.full((h, w, 3), spec["fill"][::-1] if isinstance(spec["fill"], list) else spec["fill"], np.uint8)
        fitted[top : top + down, left : left + across] = cv2.resize(
            picture, (across, down), interpolation=cv2.INTER_LINEAR
        )
        mapping = (r, r, left, top)
    values = fitted if spec["colour"] == "BGR" else fitted[..., ::-1]
    if spec["dtype"] != "uint8":
        values = values.astype(np.float32) * np.float32(spec["scale"])
        values = ((values - np.float32(spec["mean"])) / np.float32(spec["std"])).astype(np.float32)
    if spec.get("layout") != "NHWC":
        values = values.transpose(2, 0, 1)
    return np.ascontiguousarray(values[None] if len(spec["shape"]) == 4 else values), mapping


def points(spec, strides, offset=0.5):
    """The middle of every cell in pixels of the input: 1 x 2 x cells, and the strides: 1 x 1 x cells."""
    h, w = size_of(spec)
    middles, steps = [], []
    for stride in strides:
        y, x = np.mgrid[: h // stride, : w // stride]
        middles.append((np.stack([x, y]).reshape(2, -1) + offset) * stride)
        steps.append(np.full((1, middles[-1].shape[1]), stride))
    return np.concatenate(middles, 1)[None].astype(np.float32), np.concatenate(steps, 1)[None].astype(np.float32)


def to_corners(boxes):
    boxes = np.asarray(boxes, np.float64)
    return np.concatenate([boxes[..., :2] - boxes[..., 2:4] / 2, boxes[..., :2] + boxes[..., 2:4] / 2], -1)


def shares(boxes, picture):
    """Centre and size as shares of the picture -> corners in its pixels."""
    h, w = picture.shape[:2]
    return to_corners(boxes) * [w, h, w, h]


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


def softmax(x):
    e = np.exp(np.asarray(x, np.float64) - np.max(x, -1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def distribution(rows, middle, step, bins):
    """Corners from distances that are given as distributions over 0 to bins - 1 strides (arXiv:2006.04388)."""
    distance = (softmax(rows.reshape(-1, 4, bins)) * np.arange(bins)).sum(2) * step
    return np.concatenate([middle - distance[:, :2], middle + distance[:, 2:]], 1)


def greedy(boxes, scores, classes, iou):
    """Indices kept by greedy suppression in each class, by falling score: of two with IoU above `iou` the weaker goes."""
    left, kept = np.argsort(-scores, kind="stable"), []
    area = np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), 1)
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        shared = np.prod(
            np.clip(
                np.minimum(boxes[best, 2:], boxes[left, 2:]) - np.maximum(boxes[best, :2], boxes[left, :2]), 0, None
            ),
            1,
        )
        over = shared / np.maximum(area[best] + area[left] - shared, 1e-9)
        left = left[~((classes[left] == classes[best]) & (over > iou))]
    return np.array(kept, int)


def turned_apart(boxes, angles, scores, classes, iou):
    """Indices of turned boxes by falling score of which no better one of the class, kept or not, has ProbIoU of `iou`
    or more: boxes as normal distributions, 1 less their Hellinger distance (arXiv:2106.06072)."""
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
    """Boxes as corners, in pixels of the input or already of the picture, with scores and classes; `iou` where the
    family suppresses."""

    def __init__(self, boxes, scores, classes, names, iou=None, picture=False, extras=None):
        self.boxes, self.scores, self.classes = (
            np.asarray(boxes, np.float64).reshape(-1, 4),
            np.asarray(scores, np.float64).ravel(),
            np.asarray(classes).astype(int).ravel(),
        )
        self.names, self.iou, self.picture, self.extras, self.angles = names, iou, picture, extras, None

    def turn(self, angles):
        """The boxes so far are unturned, of the true width and height; from here on they are the upright hulls of the
        turned ones."""
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
            keep = keep[
                turned_apart(self.flat[keep], self.angles[keep], self.scores[keep], self.classes[keep], self.iou)
            ]
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


def mask_of(coefficients, prototypes, box, mapping, spec, size):
    """The pixels of the picture that the mask covers, as run lengths by pycocotools: prototypes times coefficients, the
    filling cut off, bilinear to the picture, above 0, inside the box."""
    rx, ry, left, top = mapping
    logits = np.tensordot(coefficients.astype(np.float32), prototypes.astype(np.float32), 1)
    h, w = size_of(spec)
    down, across = prototypes.shape[1] / h, prototypes.shape[2] / w
    inner = logits[
        round(top * down) : prototypes.shape[1] - round(top * down),
        round(left * across) : prototypes.shape[2] - round(left * across),
    ]
    large = cv2.resize(inner, (size[1], size[0]), interpolation=cv2.INTER_LINEAR) > 0
    l, t, r, b = (box - [left, top, left, top]) / [rx, ry, rx, ry]
    y, x = np.mgrid[: size[0], : size[1]]
    large &= (x >= l) & (x < r) & (y >= t) & (y < b)
    lengths = coco.encode(np.asfortranarray(large.astype(np.uint8)))
    return {"mask": {"size": list(size), "counts": lengths["counts"].decode()}}
