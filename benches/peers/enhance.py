"""What the steps of `enhance` cost beside OpenCV's, on one thread, on the same picture, in turn.

    pip install opencv-python-headless==5.0.0.93 numpy==2.4.6
    python benches/peers/enhance.py [--rounds 5] [picture]

Builds `benches/enhance.rs` and runs it in rounds; in each OpenCV does the same on the same 1280x720 picture (by default
noise over shades). Prints Markdown: milliseconds, and the ratio taken round by round.
"""

import argparse
import collections
import pathlib
import subprocess
import tempfile
import time

import cv2
import numpy as np
from common import ROOT, markdown, progress, ratios, spread

# For so long each of OpenCV's steps is repeated, in seconds.
SPAN = 0.15


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", nargs="?", help="an image file; scaled to 1280x720")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def load(path):
    if path is None:
        random = np.random.default_rng(1)
        down, across = np.mgrid[0:720, 0:1280]
        shades = np.stack([across / 6, (across // 64 + down // 48) % 2 * 160, down / 4], axis=-1)
        return (shades + random.normal(0, 8, shades.shape)).clip(0, 255).astype(np.uint8)
    picture = cv2.imread(str(path))
    return cv2.cvtColor(cv2.resize(picture, (1280, 720)), cv2.COLOR_BGR2RGB)


def peers(picture):
    """OpenCV's steps by the names that the bench has for ours."""
    table = np.arange(255, -1, -1, dtype=np.uint8)
    tables = np.repeat(table, 3).reshape(1, 256, 3)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    clahe = cv2.createCLAHE(2.0, (8, 8))

    turn = np.array([[0.99996, -0.0087, 5.3], [0.0087, 0.99996, -3.7]])

    def local_contrast():
        luma = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)
        luma[..., 0] = clahe.apply(np.ascontiguousarray(luma[..., 0]))
        return cv2.cvtColor(luma, cv2.COLOR_YCrCb2RGB)

    def sharpen():
        return cv2.addWeighted(picture, 2, cv2.GaussianBlur(picture, (0, 0), 1.0), -1, 0)

    return {
        "table": lambda: cv2.LUT(picture, table),
        "tables": lambda: cv2.LUT(picture, tables),
        "clahe": local_contrast,
        "clahe grey": lambda: clahe.apply(grey),
        "luma": lambda: cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY),
        "median3": lambda: cv2.medianBlur(picture, 3),
        "median5": lambda: cv2.medianBlur(picture, 5),
        "gaussian3": lambda: cv2.GaussianBlur(picture, (3, 3), 0),
        "gaussian5": lambda: cv2.GaussianBlur(picture, (5, 5), 0),
        "gaussian9": lambda: cv2.GaussianBlur(picture, (9, 9), 0),
        "guided2": lambda: cv2.bilateralFilter(picture, 5, 20, 2),
        "sharpen": sharpen,
        "letterbox": lambda: cv2.dnn.blobFromImage(
            cv2.resize(picture, (416, 234), interpolation=cv2.INTER_AREA), swapRB=True
        ),
        "shrink": lambda: cv2.resize(picture, (416, 234), interpolation=cv2.INTER_AREA),
        "warp": lambda: cv2.warpAffine(picture, turn, (1280, 720), flags=cv2.INTER_LINEAR),
    }


def milliseconds(step):
    step()
    begun, times = time.perf_counter(), []
    while time.perf_counter() - begun < SPAN or len(times) < 5:
        started = time.perf_counter()
        step()
        times.append((time.perf_counter() - started) * 1e3)
    return float(np.median(times))


def ours(raw, picture):
    height, width = picture.shape[:2]
    command = ["cargo", "bench", "-q", "-p", "trailsight-benches", "--bench", "enhance", "--", "--raw", str(raw), str(width), str(height)]
    text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    lines = [line.rsplit(None, 2) for line in text.splitlines() if line.strip()]
    return {name: float(median) for name, median, _ in lines}


def main():
    args = arguments()
    cv2.setNumThreads(1)
    picture = load(args.picture)
    theirs = peers(picture)
    times = collections.defaultdict(lambda: ([], []))
    with tempfile.TemporaryDirectory() as folder:
        raw = pathlib.Path(folder) / "picture.rgb"
        raw.write_bytes(picture.tobytes())
        for number in range(args.rounds):
            progress(f"round {number + 1} of {args.rounds}")
            for name, value in ours(raw, picture).items():
                times[name][0].append(value)
                if name in theirs:
                    times[name][1].append(milliseconds(theirs[name]))
    rows = []
    for name, (own, other) in times.items():
        against = [spread(other), spread(ratios(own, other))] if other else ["–", "–"]
        rows.append([name, spread(own), *against])
    print(f"OpenCV {cv2.__version__}, one thread, 1280x720 RGB, {args.rounds} rounds\n")
    print(markdown(["step", "ms", "OpenCV, ms", "ratio"], rows))


if __name__ == "__main__":
    main()
