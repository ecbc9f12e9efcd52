#!/usr/bin/env python3
"""Whatever moves: trailsight's motion detector beside OpenCV's MOG2 and KNN with their usual post-processing.

Takes folders of MOTChallenge's layout with a video: those of motion_scenes.py, or others. Truth are the boxes that move;
boxes that stand still count neither for nor against. A box is right from an IoU of 0.5 on. Of the two peers, each gets the
best of a grid of settings for each clip by itself; trailsight has its defaults on all. Times are of one thread, in turn."""

import argparse
import configparser
import itertools
import json
import multiprocessing
import pathlib
import statistics
import subprocess
import tempfile
import time

import cv2
import numpy as np

from common import ROOT, markdown, processor, ratios, spread

LEAST_IOU = 0.5
# A box moves where its middle goes by more than this share of its height within a second.
MOVES = 0.1
GRID = {
    # Threshold on the squared distance: OpenCV's defaults, stricter, laxer.
    "threshold": (0.5, 1.0, 2.5, 5.0),
    "history": (100, 500),
    "opened": (3, 5),
    "closed": (3, 5, 9, 15),
    "area": (0.0004, 0.0012, 0.0024),
}
DEFAULT = {"MOG2": 16.0, "KNN": 400.0}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", nargs="+", type=pathlib.Path, help="folders with a video and gt/gt.txt")
    parser.add_argument("--driver", type=pathlib.Path, help="the bench `motion` as a program; without it cargo runs it")
    parser.add_argument("--rounds", type=int, default=3, help="how often time is taken")
    parser.add_argument("--peers", type=pathlib.Path, help="a file to keep the peers' best settings in, and read them from")
    parser.add_argument("--jobs", type=int, default=1, help="processes that go through the grid")
    parser.add_argument("--only", action="store_true", help="trailsight's score alone")
    return parser.parse_args()


class Clip:
    def __init__(self, folder):
        self.name = folder.name
        info = configparser.ConfigParser()
        info.read(folder / "seqinfo.ini")
        self.rate = float(info["Sequence"]["frameRate"])
        self.video = next(path for path in sorted(folder.iterdir()) if path.suffix in (".mkv", ".mp4", ".avi"))
        tracks = {}
        for line in (folder / "gt" / "gt.txt").read_text(encoding="utf-8").split():
            values = [float(value) for value in line.split(",")]
            tracks.setdefault(int(values[1]), {})[int(values[0]) - 1] = values[2:6]
        reader = cv2.VideoCapture(str(self.video))
        self.frames = []
        while True:
            more, picture = reader.read()
            if not more:
                break
            self.frames.append(picture)
        half = max(1, round(self.rate / 2))
        self.truth = [([], []) for _ in self.frames]
        for track in tracks.values():
            for frame, (left, top, width, height) in track.items():
                if frame >= len(self.frames):
                    continue
                first = max(frame - half, min(track))
                last = min(frame + half, max(track))
                begin, end = track.get(first, track[frame]), track.get(last, track[frame])
                dx = (end[0] + end[2] / 2) - (begin[0] + begin[2] / 2)
                dy = (end[1] + end[3]) - (begin[1] + begin[3])
                seconds = max(last - first, 1) / self.rate
                moving = np.hypot(dx, dy) / seconds > MOVES * height
                self.truth[frame][0 if moving else 1].append((left, top, left + width, top + height))
        self.truth = [tuple(np.array(part, float).reshape(-1, 4) for part in frame) for frame in self.truth]


def overlaps(a, b):
    if not len(a) or not len(b):
        return np.zeros((len(a), len(b)))
    least = np.maximum(a[:, None, :2], b[None, :, :2])
    most = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inner = np.clip(most - least, 0, None).prod(2)
    area = lambda boxes: (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return inner / (area(a)[:, None] + area(b)[None] - inner + 1e-9)


def score(truth, found):
    """F1, precision and recall over all frames; boxes are left, top, right, bottom."""
    right = wrong = missed = 0
    for (moving, still), boxes in zip(truth, found):
        boxes = np.array(boxes, float).reshape(-1, 4)
        iou = overlaps(boxes, moving)
        taken_boxes, taken = set(), set()
        for at in np.argsort(-iou, axis=None):
            box, one = divmod(int(at), max(len(moving), 1))
            if not iou.size or iou[box, one] < LEAST_IOU:
                break
            if box not in taken_boxes and one not in taken:
                taken_boxes.add(box)
                taken.add(one)
        ignored = overlaps(boxes, still).max(1, initial=0) >= LEAST_IOU
        right += len(taken)
        missed += len(moving) - len(taken)
        wrong += sum(1 for box in range(len(boxes)) if box not in taken_boxes and not ignored[box])
    precision, recall = right / max(right + wrong, 1), right / max(right + missed, 1)
    return 2 * precision * recall / max(precision + recall, 1e-9), precision, recall


# --- the peers --------------------------------------------------------------------------------------------------------


def subtractor(name, threshold, history):
    threshold *= DEFAULT[name]
    if name == "MOG2":
        return cv2.createBackgroundSubtractorMOG2(history, threshold, True)
    return cv2.createBackgroundSubtractorKNN(history, threshold, True)


def boxes_of(mask, opened, closed, area):
    """The usual way from a mask to boxes: no shadows, open, close, outer contours, a least area."""
    _, mask = cv2.threshold(mask, 200, 255, cv2.THRESH_BINARY)
    ellipse = lambda side: cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, ellipse(opened))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, ellipse(closed))
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boxes = []
    for contour in contours:
        if cv2.contourArea(contour) >= area * mask.size:
            left, top, width, height = cv2.boundingRect(contour)
            boxes.append((left, top, left + width, top + height))
    return boxes


def best_of(task):
    """The best settings of a peer for a clip, with its score."""
    name, folder = task
    cv2.setNumThreads(1)
    clip = Clip(folder)
    best = (-1.0, None, None)
    for threshold, history in itertools.product(GRID["threshold"], GRID["history"]):
        model = subtractor(name, threshold, history)
        masks = [model.apply(cv2.GaussianBlur(picture, (5, 5), 0)) for picture in clip.frames]
        for opened, closed, area in itertools.product(GRID["opened"], GRID["closed"], GRID["area"]):
            found = [boxes_of(mask, opened, closed, area) for mask in masks]
            f1, precision, recall = score(clip.truth, found)
            if f1 > best[0]:
                settings = {"threshold": threshold, "history": history, "opened": opened, "closed": closed, "area": area}
                best = (f1, (precision, recall), settings)
    return name, clip.name, best


def time_peer(name, clip, settings):
    """Milliseconds a frame: the subtractor alone, and with blur and boxes."""
    model = subtractor(name, settings["threshold"], settings["history"])
    alone, whole = [], []
    for picture in clip.frames[:200]:
        begun = time.perf_counter()
        blurred = cv2.GaussianBlur(picture, (5, 5), 0)
        ready = time.perf_counter()
        mask = model.apply(blurred)
        applied = time.perf_counter()
        boxes_of(mask, settings["opened"], settings["closed"], settings["area"])
        whole.append(1e3 * (time.perf_counter() - begun))
        alone.append(1e3 * (applied - ready))
    return statistics.median(alone), statistics.median(whole)


# --- trailsight -------------------------------------------------------------------------------------------------------


def run_driver(driver, clip, frames):
    """Boxes of each frame, and the median of milliseconds a frame."""
    height, width = clip.frames[0].shape[:2]
    begin = [driver] if driver else ["cargo", "bench", "-q", "-p", "trailsight-benches", "--bench", "motion", "--"]
    with tempfile.NamedTemporaryFile(suffix=".rgb") as raw:
        for picture in frames:
            raw.write(picture[..., ::-1].tobytes())
        raw.flush()
        command = [*begin, "--raw", raw.name, str(width), str(height), str(clip.rate)]
        out = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found, times = [[] for _ in frames], []
    for line in out.splitlines():
        kind, *values = line.split()
        if kind not in ("time", "box"):
            continue
        if kind == "time":
            times.append(float(values[0]))
        else:
            frame, left, top, width, height, _ = (float(value) for value in values)
            found[int(frame)].append((left, top, left + width, top + height))
    return found, statistics.median(times)


def main():
    options = arguments()
    cv2.setNumThreads(1)
    known = json.loads(options.peers.read_text()) if options.peers and options.peers.exists() else {}
    tasks = [(name, folder) for folder in options.clips for name in DEFAULT if f"{name} {folder.name}" not in known]
    if tasks and not options.only:
        with multiprocessing.Pool(options.jobs) as pool:
            for name, clip, best in pool.imap_unordered(best_of, tasks):
                known[f"{name} {clip}"] = best
                if options.peers:
                    options.peers.write_text(json.dumps(known, indent=1))
    rows = []
    for folder in options.clips:
        clip = Clip(folder)
        found, took = run_driver(options.driver, clip, clip.frames)
        f1, precision, recall = score(clip.truth, found)
        row = [clip.name, f"{f1:.3f}", f"{precision:.2f}/{recall:.2f}"]
        if options.only and not known:
            print(*row, f"{took:.2f} ms", flush=True)
            continue
        for name in DEFAULT:
            row.append(f"{known[f'{name} {clip.name}'][0]:.3f}")
        if options.only:
            print(*row, f"{took:.2f} ms", flush=True)
            continue
        rows.append(row)
        settings = known[f"MOG2 {clip.name}"][2]
        ours, alone, whole = [], [], []
        for _ in range(options.rounds):
            ours.append(run_driver(options.driver, clip, clip.frames[:200])[1])
            times = time_peer("MOG2", clip, settings)
            alone.append(times[0])
            whole.append(times[1])
        row += [f"{statistics.median(ours):.2f}", spread(ratios(ours, alone)), spread(ratios(ours, whole))]
    if rows:
        print(f"{processor()}, OpenCV {cv2.__version__}, one thread\n")
        head = ["clip", "trailsight F1", "precision/recall", "MOG2 F1", "KNN F1", "ms", "÷ MOG2 alone", "÷ MOG2 to boxes"]
        print(markdown(head, rows))


if __name__ == "__main__":
    main()
