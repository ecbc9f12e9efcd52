#!/usr/bin/env python3
"""The network alone: trailsight's runtimes beside onnxruntime and OpenVINO, in turn, on the same picture."""

import argparse
import importlib.metadata
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

from common import BINARY, MODEL, ROOT, letterbox, markdown, processor, progress, ratios, spread

WARM_UP = 3
BASE = "onnxruntime, 1 thread"
SQUARE = ROOT / "tests" / "photos" / "astronaut.png"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=pathlib.Path, default=BINARY, help="the program")
    parser.add_argument("--model", type=pathlib.Path, default=MODEL, help="a YOLOX model as ONNX")
    parser.add_argument("--picture", type=pathlib.Path, default=ROOT / "tests" / "photos" / "street.png")
    parser.add_argument("--rounds", type=int, default=7, help="how often each contender is asked")
    parser.add_argument("--runs", type=int, default=60, help="runs of the network each time")
    parser.add_argument("--sizes", nargs="+", default=["416x416", "320x320", "640x384"], metavar="WxH")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


# --- a process for one of the libraries -------------------------------------------------------------------------------


def run_library(library, threads, model, tensor_file, runs):
    """Runs the network in this process; prints what it took, as JSON."""
    import numpy as np

    tensor = np.load(tensor_file)
    started = time.perf_counter()
    run = {"onnxruntime": onnxruntime_run, "openvino": openvino_run}[library](model, threads, tensor)
    run()
    load = time.perf_counter() - started
    for _ in range(WARM_UP):
        run()
    times = []
    cpu = time.process_time()
    for _ in range(runs):
        begun = time.perf_counter()
        run()
        times.append(time.perf_counter() - begun)
    cpu = time.process_time() - cpu
    print(json.dumps({"wall": 1e3 * statistics.median(times), "cpu": 1e3 * cpu / runs, "load": 1e3 * load}))


def onnxruntime_run(model, threads, tensor):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: tensor}
    return lambda: session.run(None, feed)


def openvino_run(model, threads, tensor):
    import openvino

    settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
    # The same precision as everyone else.
    settings["INFERENCE_PRECISION_HINT"] = "f32"
    request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
    request.set_input_tensor(openvino.Tensor(tensor, shared_memory=True))
    return request.infer


# --- the contenders ---------------------------------------------------------------------------------------------------


def bench(args, size, runtime, *more, picture=None):
    """What `trailsight bench` says."""
    settings = ["--set", f"detector.runtime={runtime}", "--set", f"detector.input={size}"]
    if args.model != MODEL:
        settings += ["--set", f"detector.model={args.model}"]
    command = [args.binary, "bench", picture or args.picture, "--json", "-", "-q", *settings, *more]
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE)


def answer(child):
    text, _ = child.communicate()
    if child.returncode != 0:
        sys.exit(f"a contender failed: {child.args}")
    return json.loads(text)


def ask_ours(args, size, runtime, threads, *more, picture=None):
    network = ("--network", "--frames", args.runs, "--threads", threads)
    report = answer(bench(args, size, runtime, *network, *more, picture=picture))
    network = report["network"]
    return {"wall": network["median_ms"], "cpu": network["cpu_ms"], "load": report["load_ms"]}


def ask_library(args, model, tensor_file, library, threads):
    me = [sys.executable, __file__, "--model", model, "--picture", tensor_file, "--runs", args.runs]
    command = list(map(str, me)) + ["--child", library, str(threads)]
    return answer(subprocess.Popen(command, stdout=subprocess.PIPE))


def contenders(args, size, model, tensor_file, ours):
    everyone = {}
    for threads in (1, 2):
        named = f"{threads} thread{'s' if threads > 1 else ''}"
        for library in ("onnxruntime", "openvino"):
            everyone[f"{library}, {named}"] = lambda library=library, threads=threads: ask_library(
                args, model, tensor_file, library, threads
            )
        if "native" in ours:
            # With the class scores of what is no object, and a picture that fills the input from top to bottom: what
            # the others compute.
            everyone[f"trailsight native, nothing left out, {named}"] = lambda threads=threads: ask_ours(
                args, size, "native", threads, "--confidence", 0, picture=SQUARE
            )
        for runtime in ours:
            everyone[f"trailsight {runtime}, {named}"] = lambda runtime=runtime, threads=threads: ask_ours(
                args, size, runtime, threads
            )
    return everyone


def runtimes(args, size):
    """Which of ours are there."""
    there = {}
    for runtime in ("native", "tract"):
        report = answer(bench(args, size, runtime, "--network", "--frames", 1, "--threads", 1))
        if report["runtime"].split()[0] == runtime:
            there[runtime] = report["runtime"]
    return there


def model_for(model, width, height, folder):
    """The model with its input declared for this size."""
    import onnx

    loaded = onnx.load(model)
    dims = loaded.graph.input[0].type.tensor_type.shape.dim
    if [dim.dim_value for dim in dims[2:]] == [height, width]:
        return model
    dims[2].dim_value, dims[3].dim_value = height, width
    # What was inferred for the old size.
    del loaded.graph.value_info[:]
    for output in loaded.graph.output:
        output.type.tensor_type.ClearField("shape")
    path = pathlib.Path(folder) / f"model-{width}x{height}.onnx"
    onnx.save(loaded, path)
    return path


# --- the measurements -------------------------------------------------------------------------------------------------


def in_turn(everyone, rounds):
    """Every contender once a round, in an order that changes: for each what was measured, round by round."""
    results = {name: [] for name in everyone}
    for number in range(rounds):
        order = list(everyone)
        random.Random(number).shuffle(order)
        for name in order:
            results[name].append(everyone[name]())
            progress(f"round {number + 1} of {rounds}: {name}")
    progress("")
    return results


def column(results, name, what):
    return [result[what] for result in results[name]]


def network_table(results):
    rows = []
    for name in sorted(results, key=lambda name: statistics.median(column(results, name, "wall"))):
        cells = [name, f"{statistics.median(column(results, name, 'wall')):.2f}"]
        for what in ("wall", "cpu"):
            values = column(results, name, what)
            known = all(value is not None for value in values)
            cells.append(spread(ratios(values, column(results, BASE, what))) if known else "not told")
        rows.append(cells)
    return markdown(["", "ms, median", f"wall ÷ {BASE}", "CPU ÷ the same"], rows)


def ceiling_table(args, size, runtime, results):
    """What a second thread can bring on this machine, and what it brings."""

    def speed(child):
        return 1e3 / answer(child)["network"]["median_ms"]

    alone = ("--network", "--frames", args.runs, "--threads", 1)

    def processes(count):
        return sum(speed(child) for child in [bench(args, size, runtime, *alone) for _ in range(count)])

    def throughput(workers):
        more = ("--detector", "--frames", args.runs * workers, "--threads", workers)
        return answer(bench(args, size, runtime, *more))["detector"]["fps"]

    def latency(name):
        pair = (column(results, f"{name}, {threads}", "wall") for threads in ("1 thread", "2 threads"))
        return spread(ratios(*pair))

    two, both = [], []
    for number in range(args.rounds):
        first, second = (1, 2) if number % 2 else (2, 1)
        speeds = {count: processes(count) for count in (first, second)}
        two.append(speeds[2] / speeds[1])
        speeds = {count: throughput(count) for count in (first, second)}
        both.append(speeds[2] / speeds[1])
    rows = [
        ["two processes of one thread at once, speed of both ÷ one alone (the machine's ceiling)", spread(two)],
        ["pictures in memory, two threads with a picture each, speed ÷ one thread", spread(both)],
        [f"trailsight {runtime}: one picture with two threads, speed ÷ one thread", latency(f"trailsight {runtime}")],
        ["onnxruntime: the same", latency("onnxruntime")],
        ["openvino: the same", latency("openvino")],
    ]
    return markdown(["two threads", "times"], rows)


def load_table(results, ours):
    base = f"trailsight {ours[0]}, 1 thread"
    names = [name for name in results if name.endswith(", 1 thread")]
    rows = []
    for name in names:
        loads = column(results, name, "load")
        rows.append([name, f"{statistics.median(loads):.0f}", spread(ratios(loads, column(results, base, "load")))])
    return markdown(["model to first result", "ms, median", f"÷ {base}"], rows)


def main():
    args = arguments()
    if args.child:
        library, threads = args.child
        return run_library(library, int(threads), str(args.model), args.picture, args.runs)
    if not args.binary.is_file():
        sys.exit(f"{args.binary} is not there; cargo build --release makes it, --binary names another")
    import cv2
    import numpy as np

    picture = cv2.imread(str(args.picture))
    if picture is None:
        sys.exit(f"cannot read the picture {args.picture}")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("onnxruntime", "openvino"))
    print(f"{processor()}, {os.cpu_count()} cores; {versions}; {args.rounds} rounds of {args.runs} runs\n")
    with tempfile.TemporaryDirectory() as folder:
        for size in args.sizes:
            width, height = map(int, size.split("x"))
            tensor_file = pathlib.Path(folder) / f"{size}.npy"
            np.save(tensor_file, letterbox(picture, width, height)[0])
            model = model_for(args.model, width, height, folder)
            ours = runtimes(args, size)
            for missing in {"native", "tract"} - set(ours):
                print(f"(left out: this program has no runtime {missing})\n")
            if not ours:
                sys.exit("none of trailsight's runtimes is there")
            results = in_turn(contenders(args, size, model, tensor_file, ours), args.rounds)
            print(f"### {size}: {', '.join(f'trailsight {name}' for name in ours.values())}\n")
            print(network_table(results), "\n")
            print(ceiling_table(args, size, next(iter(ours)), results), "\n")
            print(load_table(results, list(ours)), "\n", flush=True)
    return None


if __name__ == "__main__":
    main()
