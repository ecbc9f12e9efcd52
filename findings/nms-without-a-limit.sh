#!/bin/sh
# NonMaxSuppression without max_output_boxes_per_class keeps nothing in two runtimes and everything in two others.
#
# Guessed: left out, the limit is no limit.
# Seen: the operator's default is 0, "no output": onnxruntime 1.32.0 and OpenVINO 2026.4.1 give an empty list, without a word;
# tract 0.23.9 and OpenCV 5.0.0 give all boxes that remain.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 tract==0.23.9 opencv-python-headless==5.0.0.93
PYTHONPATH=$folder:$here python3 -B - <<'END'
from one_node import by_onnxruntime, by_opencv, by_openvino, by_tract, expect, model, np

boxes = np.array([[[0, 0, 1, 1], [0, 5, 1, 6], [0, 9, 1, 10]]], np.float32)
scores = np.array([[[0.9, 0.8, 0.7]]], np.float32)
made = model("NonMaxSuppression", [boxes, scores], opset=11)
expect("rows, onnxruntime", [len(by_onnxruntime(*made))], [0])
expect("rows, OpenVINO", [len(by_openvino(*made))], [0])
expect("rows, tract", [len(by_tract(*made))], [3])
expect("rows, OpenCV", [len(by_opencv(*made))], [3])
END
