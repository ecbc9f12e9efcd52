#!/usr/bin/env python3
"""A whole clip, from the file to the tracks: trailsight beside OpenCV + onnxruntime + Roboflow's ByteTrack."""

import argparse
import importlib.metadata
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from common import BINARY, MODEL, letterbox, markdown, processor, progress, ratios, spread

# As ByteTrack takes them; suppression as trailsight's default.
LEAST_SCORE = 0.1
NMS_IOU = 0.65
STRIDES = (8, 16, 32)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=pathlib.Path)
    parser.add_argument("--binary", type=pathlib.Path, default=BINARY, help="the program")
    parser.add_argument("--model", type=pathlib.Path, default=MODEL, help="YOLOX as ONNX, for both")
    parser.add_argument("--runtime", default="auto", help="trailsight's detector.runtime")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="for both")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--child", type=pathlib.Path, help=argparse.SUPPRESS)
    return parser.parse_args()


# --- the pipeline in Python -------------------------------------------------------------------------------------------


class Yolox:
    """Finds objects in BGR pictures."""

    def __init__(self, model, threads):
        import numpy as np
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self.name = self.session.get_inputs()[0].name
        self.height, self.width = self.session.get_inputs()[0].shape[2:]
        # For each row of the output its cell's corner and stride.
        cells, strides = [], []
        for stride in STRIDES:
            x, y = np.meshgrid(np.arange(self.width // stride), np.arange(self.height // stride))
            cells.append(np.stack((x, y), 2).reshape(-1, 2))
            strides.append(np.full((x.size, 1), stride))
        self.cells = np.concatenate(cells).astype(np.float32)
        self.strides = np.concatenate(strides).astype(np.float32)

    def detect(self, picture):
        """Boxes as (left, top, right, bottom), scores and classes."""
        import cv2
        import numpy as np

        tensor, scale = letterbox(picture, self.width, self.height)
        rows = self.session.run(None, {self.name: tensor})[0][0]
        # A score is objectness times class score: where the first is low, the rest need not be looked at.
        likely = np.flatnonzero(rows[:, 4] >= LEAST_SCORE)
        rows = rows[likely]
        classes = rows[:, 5:].argmax(1)
        scores = rows[:, 4] * rows[np.arange(len(rows)), 5 + classes]
        sure = scores >= LEAST_SCORE
        rows, classes, scores, likely = rows[sure], classes[sure], scores[sure], likely[sure]
        strides = self.strides[likely]
        centres = (rows[:, :2] + self.cells[likely]) * strides / scale
        sizes = np.exp(rows[:, 2:4]) * strides / scale
        corners = centres - sizes / 2
        kept = np.empty(0, int)
        if len(rows):
            boxes = np.concatenate((corners, sizes), 1)
            kept = np.asarray(cv2.dnn.NMSBoxesBatched(boxes, scores, classes, LEAST_SCORE, NMS_IOU), int).ravel()
        limits = np.array([picture.shape[1], picture.shape[0]] * 2, np.float32)
        boxes = np.concatenate((corners[kept], corners[kept] + sizes[kept]), 1).clip(0, limits)
        return boxes, scores[kept], classes[kept]


def track_in_python(video, model, threads, output):
    """Writes the tracks as MOTChallenge; prints how long it took without the imports, as JSON."""
    import cv2
    import supervision
    from trackers import ByteTrackTracker

    started = time.perf_counter()
    detector = Yolox(model, threads)
    capture = cv2.VideoCapture(str(video))
    tracker = ByteTrackTracker(frame_rate=capture.get(cv2.CAP_PROP_FPS) or 30.0)
    frames = rows = 0
    with open(output, "w", encoding="utf-8") as file:
        while True:
            there, picture = capture.read()
            if not there:
                break
            frames += 1
            boxes, scores, classes = detector.detect(picture)
            found = supervision.Detections(xyxy=boxes, confidence=scores, class_id=classes)
            tracked = tracker.update(found)
            sizes = tracked.xyxy[:, 2:] - tracked.xyxy[:, :2]
            known = zip(tracked.tracker_id, tracked.xyxy, sizes, tracked.confidence, tracked.class_id, strict=True)
            lines = [
                f"{frames},{track},{left + 1:.2f},{top + 1:.2f},{width:.2f},{height:.2f},{score:.4f},{kind + 1},-1,-1\n"
                for track, (left, top, *_), (width, height), score, kind in known
                if track >= 0
            ]
            file.writelines(lines)
            rows += len(lines)
    print(json.dumps({"frames": frames, "rows": rows, "seconds": time.perf_counter() - started}))


# --- measuring --------------------------------------------------------------------------------------------------------


class Watch(threading.Thread):
    """Looks at the memory of a process and of its children while they run."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.own, self.children = pid, 0.0, {}
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.02):
            self.own = peak_of(self.pid) or self.own
            for child in children_of(self.pid):
                self.children[child] = peak_of(child) or self.children.get(child, 0.0)


def peak_of(pid):
    """Megabytes; None where the process has ended."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            return next((int(line.split()[1]) * 1024 / 1e6 for line in file if line.startswith("VmHWM")), None)
    except OSError:
        return None


def children_of(pid):
    found = []
    for tasks in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += tasks.read_text().split()
        except OSError:
            pass
    return found


def measure(command):
    """Runs a program: wall and processor seconds, memory of it and of its children, what it printed."""
    started = time.perf_counter()
    child = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    watch = Watch(child.pid)
    watch.start()
    text = child.stdout.read()
    # Its end, without taking it away: what it has used can still be read.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    wall = time.perf_counter() - started
    watch.ended.set()
    with open(f"/proc/{child.pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    user, system, children_user, children_system = (int(field) / os.sysconf("SC_CLK_TCK") for field in fields[11:15])
    if child.wait() != 0:
        sys.exit(f"it failed: {command}")
    return {
        "wall": wall,
        "cpu": user + system,
        "children_cpu": children_user + children_system,
        "memory": watch.own,
        "children_memory": sum(watch.children.values()),
        "text": text,
    }


def measure_python(args, folder):
    command = [sys.executable, __file__, args.video, "--model", args.model, "--threads", args.threads]
    result = measure([*command, "--child", pathlib.Path(folder) / "python.txt"])
    told = json.loads(result["text"])
    return {**result, "frames": told["frames"], "rows": told["rows"], "loop": told["seconds"]}


def measure_ours(args, folder):
    output = pathlib.Path(folder) / "ours.txt"
    settings = ["--set", f"detector.threads={args.threads}", "--set", f"detector.runtime={args.runtime}"]
    # The size that the model's file declares, which onnxruntime keeps to.
    settings += ["--set", "detector.input=416x416"]
    if args.model != MODEL:
        settings += ["--set", f"detector.model={args.model}"]
    result = measure([args.binary, "track", args.video, "--tracks", output, "-q", *settings])
    rows = len(output.read_text().splitlines())
    return {**result, "rows": rows, "loop": result["wall"]}


def main():
    args = arguments()
    if args.child:
        return track_in_python(args.video, args.model, args.threads, args.child)
    if not pathlib.Path("/proc/self/stat").exists():
        sys.exit("this script needs Linux: it reads /proc")
    for file in (args.binary, args.video, args.model):
        if not file.is_file():
            sys.exit(f"{file} is not there")
    names = ("onnxruntime", "opencv-python-headless", "trackers", "supervision")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    ours, python = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(args.rounds):
            pair = [(measure_ours, ours), (measure_python, python)]
            for run, results in pair if number % 2 == 0 else reversed(pair):
                results.append(run(args, folder))
                progress(f"round {number + 1} of {args.rounds}")
    progress("")
    frames = python[0]["frames"]

    def middle(results, value, digits=1):
        return f"{statistics.median(map(value, results)):.{digits}f}"

    def row(name, value, digits=1, above=ours, below=python):
        ratio = spread(ratios(list(map(value, above)), list(map(value, below))))
        return [name, middle(ours, value, digits), middle(python, value, digits), ratio]

    print(f"{processor()}, {os.cpu_count()} cores, {args.threads} threads; {versions}")
    print(f"{args.video.name}: {frames} frames; {args.rounds} rounds; medians, and the ratio with least and largest\n")
    rows = [
        row("frames a second, start to end", lambda r: frames / r["wall"]),
        row("the same, without the start of Python", lambda r: frames / r["loop"]),
        row("processor seconds, decoder included", lambda r: r["cpu"] + r["children_cpu"]),
        row("of these, in the process itself", lambda r: r["cpu"]),
        row("peak memory of the process, MB", lambda r: r["memory"], 0),
        row("the same and its children's", lambda r: r["memory"] + r["children_memory"], 0),
        ["boxes written", ours[0]["rows"], python[0]["rows"], ""],
    ]
    print(markdown(["", "trailsight", "Python", "trailsight ÷ Python"], rows))
    return None


if __name__ == "__main__":
    main()
