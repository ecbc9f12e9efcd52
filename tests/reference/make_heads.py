"""Makes tests/models/anchor-free.onnx and queries.onnx, two networks of 32×32 pixels that are not of the YOLOX family, and
tests/golden/heads.txt: what they find in a picture of one colour, worked out here in plain Python.

    pip install onnx==1.23.2 numpy==2.4.6
    python tests/reference/make_heads.py

Their boxes are constants. Their scores come from the mean of each channel of the input, so that a wrong order of colours,
another range of numbers or another fill around the picture changes them.
"""

import math
from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

TESTS = Path(__file__).resolve().parent.parent
SIDE = 32
CELLS = (SIDE // 8) ** 2 + (SIDE // 16) ** 2 + (SIDE // 32) ** 2
# The picture: pixels across and down, and its colour.
WIDTH, HEIGHT, COLOUR = 64, 32, (200, 100, 50)


def write(name, nodes, outputs, weights):
    graph = helper.make_graph(
        nodes, name, [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in outputs],
        [numpy_helper.from_array(np.asarray(value), n) for n, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    model.producer_name = "trailsight tests"
    checker.check_model(model, full_check=True)
    save(model, TESTS / "models" / f"{name}.onnx")


def anchor_free():
    """One output of 1 × (4 + 3) × cells: a class for each colour, whose score is a weight times the colour's mean."""
    boxes, weights = np.zeros((1, 4, CELLS), np.float32), np.zeros((1, 3, CELLS), np.float32)
    # That boxes are decoded is told by their following the cells.
    cells = [(x, y, s) for s in (8, 16, 32) for y in range(SIDE // s) for x in range(SIDE // s)]
    for cell, (x, y, s) in enumerate(cells):
        boxes[0, :, cell] = ((x + 0.5) * s, (y + 0.5) * s, s / 2, s / 2)
    boxes[0, :, 5], weights[0, :, 5] = (13, 13, 8, 6), (1, 1, 1)
    # The same object once more, a little aside and weaker: suppressed.
    boxes[0, :, 6], weights[0, :, 6] = (13.5, 13, 8, 6), (0.9, 0, 0)
    boxes[0, :, 19], weights[0, :, 19] = (22, 20, 10, 8), (0, 1.5, 0)
    # Too weak.
    boxes[0, :, 20], weights[0, :, 20] = (16, 16, 32, 16), (0, 0, 0.5)
    nodes = [
        helper.make_node("GlobalAveragePool", ["images"], ["mean"]),
        helper.make_node("Reshape", ["mean", "column"], ["colours"]),
        helper.make_node("Mul", ["weights", "colours"], ["scores"]),
        helper.make_node("Concat", ["boxes", "scores"], ["output0"], axis=1),
    ]
    constants = {"boxes": boxes, "weights": weights, "column": np.array([1, 3, 1], np.int64)}
    write("anchor-free", nodes, [("output0", [1, 7, CELLS])], constants)

    # 64×32 into 32×32: half the size, in the middle, 8 rows of 114 above and below.
    mean = [(level * 16 + 114 * 16) / 32 / 255 for level in COLOUR]
    for cell, colour in ((5, 0), (19, 1)):
        x, y, w, h = boxes[0, :, cell].tolist()
        yield (x - w / 2) / 0.5, (y - 8 - h / 2) / 0.5, w / 0.5, h / 0.5, weights[0, colour, cell] * mean[colour], colour


def queries():
    """Two outputs of 1 × 5 × (2 + 1) logits and 1 × 5 × 4 shares: red, green, and none of them, by blue."""
    boxes = np.full((1, 5, 4), 0.25, np.float32)
    logits = np.zeros((1, 5, 3), np.float32)
    logits[0] = [[0, 0, 9], [2, 0, 0], [0, 0, 9], [0, 4, -1], [2.5, 0, 0]]
    boxes[0, 1], boxes[0, 3] = (0.5, 0.5, 0.25, 0.5), (0.75, 0.25, 0.5, 0.25)
    # On the same place as another: nothing is suppressed.
    boxes[0, 4] = boxes[0, 1]
    nodes = [
        helper.make_node("GlobalAveragePool", ["images"], ["mean"]),
        helper.make_node("Reshape", ["mean", "row"], ["colours"]),
        helper.make_node("Add", ["constants", "colours"], ["logits"]),
        # The boxes must come from the picture in some way, or they are no output of the network.
        helper.make_node("Mul", ["colours", "zero"], ["nothing"]),
        helper.make_node("ReduceSum", ["nothing"], ["zeros"], axes=[2], keepdims=1),
        helper.make_node("Add", ["boxes", "zeros"], ["pred_boxes"]),
    ]
    constants = {
        "constants": logits, "boxes": boxes, "row": np.array([1, 1, 3], np.int64), "zero": np.float32(0),
    }
    write("queries", nodes, [("logits", [1, 5, 3]), ("pred_boxes", [1, 5, 4])], constants)

    mean = [
        (level / 255 - m) / s for level, m, s in zip(COLOUR, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    ]
    found = []
    for query in range(5):
        values = [float(logit) + m for logit, m in zip(logits[0, query], mean)]
        powers = [math.exp(value) for value in values]
        colour = 0 if values[0] >= values[1] else 1
        score = powers[colour] / sum(powers)
        if score >= 0.3:
            x, y, w, h = boxes[0, query].tolist()
            rect = (x - w / 2) * WIDTH, (y - h / 2) * HEIGHT, w * WIDTH, h * HEIGHT
            found.append((*rect, score, colour))
    return sorted(found, key=lambda detection: -detection[4])


def main():
    lines = ["# model left top width height score class; made by tests/reference/make_heads.py"]
    for name, detections in (("anchor-free", anchor_free()), ("queries", queries())):
        for detection in sorted(detections, key=lambda one: -one[4]):
            lines.append(f"{name} " + " ".join(f"{value:.6g}" for value in detection))
    (TESTS / "golden" / "heads.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
