"""What both scripts share: where things are, the letterbox, medians, Markdown."""

import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = ROOT / "target" / "release" / "trailsight"
MODEL = ROOT / "models" / "yolox_nano.onnx"
# What the network was trained to see around the picture.
FILL = 114


def letterbox(picture, width, height):
    """The picture (BGR) scaled to fit, top-left, as 1x3xHxW floats; and input pixels a picture pixel."""
    import cv2
    import numpy as np

    scale = min(width / picture.shape[1], height / picture.shape[0])
    size = (int(picture.shape[1] * scale), int(picture.shape[0] * scale))
    canvas = np.full((height, width, 3), FILL, np.uint8)
    way = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    canvas[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=way)
    return cv2.dnn.blobFromImage(canvas), scale


def spread(values, digits=2):
    """The median, with the least and the largest."""
    middle = statistics.median(values)
    return f"{middle:.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def ratios(above, below):
    """Round by round."""
    return [a / b for a, b in zip(above, below, strict=True) if b > 0]


def markdown(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" + "|--:" * (len(head) - 1) + "|"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def progress(text):
    """One line that is written over, where a person looks on."""
    if sys.stderr.isatty():
        print(f"\r{text:<70}\r", end="", file=sys.stderr, flush=True)


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        import platform

        return platform.machine()
