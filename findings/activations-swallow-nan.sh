#!/bin/sh
# Relu, Clip, Max and MaxPool turn NaN into a number in tract and OpenVINO.
#
# Guessed: a NaN inside a network goes through to its output, so that one check of the scores finds it.
# Seen: tract 0.23.9 and OpenVINO 2026.4.1 give 0 for Relu(NaN) and the other operand for Max(NaN, 1); MaxPool passes
# over NaN. onnxruntime 1.32.0 keeps the NaN in all four (in MaxPool only where it
# comes last in the window). A network that is broken inside can so look healthy, and
# the same broken network gives different boxes in different runtimes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 tract==0.23.9 openvino==2026.4.1
PYTHONPATH=$folder:$here python3 -B - <<'END'
from one_node import by_onnxruntime, by_openvino, by_tract, expect, model, np

nan = np.float32("nan")
row = np.array([[1, nan, 2]], np.float32)
one, zero = np.ones_like(row), np.array(0, np.float32)
picture = np.array([[[[1, nan, 2, 3]]]], np.float32)
nodes = [
    ("Relu", model("Relu", [row]), [1, nan, 2], [1, 0, 2]),
    ("Clip to 0..1", model("Clip", [row, zero, zero + 1], [1, 2]), [1, nan, 1], [1, 0, 1]),
    ("Max with 1", model("Max", [row, one]), [1, nan, 2], [1, 1, 2]),
    ("MaxPool 1x2", model("MaxPool", [picture], kernel_shape=[1, 2]), [nan, 2, 3], [1, 2, 3]),
]
for name, made, kept, swallowed in nodes:
    expect(f"{name}, tract", by_tract(*made), swallowed)
    expect(f"{name}, OpenVINO", by_openvino(*made), swallowed)
    expect(f"{name}, onnxruntime", by_onnxruntime(*made), kept)
END
