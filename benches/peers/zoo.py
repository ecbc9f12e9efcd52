#!/usr/bin/env python3
"""Models of any family: trailsight beside onnxruntime on the same files, one thread, in turn."""

import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

from common import BINARY, ROOT, markdown, progress, ratios, spread

WARM_UP = 2


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="A file of class names beside a model, with the ending .labels, is used. Confidence 0.25: with weights that "
        "have learnt nothing few or all scores reach that, and what is left out for weak ones tells little.",
    )
    parser.add_argument("models", nargs="*", type=pathlib.Path, help="detectors as ONNX, or folders of them")
    parser.add_argument("--binary", type=pathlib.Path, default=BINARY, help="the program")
    parser.add_argument("--picture", type=pathlib.Path, default=ROOT / "tests" / "photos" / "street.png")
    parser.add_argument("--confidence", type=float, default=0.25, help="boxes count from this score on")
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender is asked")
    parser.add_argument("--runs", type=int, default=15, help="runs of the network each time")
    parser.add_argument("--runtimes", nargs="+", default=["auto"], help="trailsight's runtimes: auto, tract")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


def run_onnxruntime(model, runs):
    """Runs a model in this process on noise; prints what it took, as JSON."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    started = time.perf_counter()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    types = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(uint8)": "uint8", "tensor(int64)": "int64"}
    feed = {}
    for given in session.get_inputs():
        # A length that is open is one picture, or the usual side.
        shape = [side if isinstance(side, int) and side > 0 else 1 if at == 0 else 640 for at, side in enumerate(given.shape)]
        noise = np.random.default_rng(1).random(shape)
        kind = types[given.type]
        feed[given.name] = (noise * 255 if kind == "uint8" else noise * 640 if kind == "int64" else noise).astype(kind)
    session.run(None, feed)
    load = time.perf_counter() - started
    for _ in range(WARM_UP):
        session.run(None, feed)
    times = []
    for _ in range(runs):
        begun = time.perf_counter()
        session.run(None, feed)
        times.append(time.perf_counter() - begun)
    print(json.dumps({"wall": 1e3 * statistics.median(times), "load": 1e3 * load}))


def asked(command):
    """What a contender prints as JSON, with the most memory that it had, in MB; `None` and its last words if it fails."""
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as words:
        child = subprocess.Popen(list(map(str, command)), stdout=said, stderr=words, text=True)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0), words.seek(0)
        if child.returncode != 0:
            return None, (words.read().strip().splitlines() or ["it failed"])[-1]
        return json.loads(said.read()) | {"memory": used.ru_maxrss / 1024}, None


def ask_ours(args, model, runtime):
    settings = [f"detector.model={model}", f"detector.runtime={runtime}"]
    labels = model.with_suffix(".labels")
    if labels.exists():
        settings.append(f"detector.labels={labels}")
    command = [args.binary, "bench", args.picture, "--json", "-", "-q", "--network", "--frames", args.runs, "--threads", 1]
    command += ["--confidence", args.confidence]
    for setting in settings:
        command += ["--set", setting]
    report, why = asked(command)
    if report is None:
        return None, why
    network = report["network"]
    found = {"wall": network["median_ms"], "load": report["load_ms"], "memory": report["memory"]}
    return found | {"runtime": report["runtime"]}, None


def rows_of(args, model):
    """The table's rows for one model."""
    base, why = [], None
    ours = {runtime: [] for runtime in args.runtimes}
    contenders = ["onnxruntime", *args.runtimes]
    for number in range(args.rounds):
        random.Random(number).shuffle(contenders)
        for name in list(contenders):
            progress(f"{model.stem}, round {number + 1} of {args.rounds}: {name}")
            if name == "onnxruntime":
                found, why = asked([sys.executable, __file__, "--child", model, "--runs", args.runs])
                kept = base
            else:
                found, why = ask_ours(args, model, name)
                kept = ours[name]
            if found is None:
                progress("")
                return [[model.stem, name, f"refused: {why}"[:120], "", "", ""]]
            kept.append(found)
    progress("")
    rows = []
    for runtime, found in ours.items():
        cells = [model.stem, found[0]["runtime"], f"{statistics.median(one['wall'] for one in found):.0f}"]
        for what in ("wall", "load", "memory"):
            cells.append(spread(ratios([one[what] for one in found], [one[what] for one in base])))
        rows.append(cells)
    return rows


def main():
    args = arguments()
    if args.child:
        run_onnxruntime(args.child, args.runs)
        return
    models = []
    for given in args.models:
        models += sorted(given.glob("*.onnx")) if given.is_dir() else [given]
    if not models:
        sys.exit("name models, or folders of them: zoo.py MODEL.onnx …")
    rows = []
    for model in models:
        rows += rows_of(args, model)
    head = ["model", "run by", "ms a picture", "time ÷ onnxruntime", "file to first boxes ÷ the same", "peak memory ÷ the same"]
    print(markdown(head, rows))


if __name__ == "__main__":
    main()
