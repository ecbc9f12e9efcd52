#!/bin/sh
# Softmax of networks before opset 13 is another function, and OpenVINO knows that for LogSoftmax only.
#
# Guessed: a runtime that reads opset 11 reads all of its operators by the rules of opset 11.
# Seen: before opset 13 Softmax flattens everything from its axis on and sums over all of it (default axis 1). onnxruntime 1.32.0
# and tract 0.23.9 do; OpenVINO 2026.4.1 sums along one axis for Softmax, but flattens for LogSoftmax and Hardmax of the same
# file; OpenCV 5.0.0 sums along one axis for all, and so does onnx's ReferenceEvaluator 1.23.2 (axis -1). Class scores come out several times too high.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 tract==0.23.9 opencv-python-headless==5.0.0.93
PYTHONPATH=$folder:$here python3 -B - <<'END'
from one_node import by_onnxruntime, by_opencv, by_openvino, by_reference, by_tract, expect, model, np

weights = np.array([[[1, 1], [1, 5]]], np.float32)
soft = model("Softmax", [np.log(weights)], opset=11)
logs = model("LogSoftmax", [np.log(weights)], opset=11)
flat, axis = [1 / 8, 1 / 8, 1 / 8, 5 / 8], [1 / 2, 1 / 6, 1 / 2, 5 / 6]
expect("Softmax, onnxruntime", by_onnxruntime(*soft), flat)
expect("Softmax, tract", by_tract(*soft), flat)
expect("Softmax, OpenVINO", by_openvino(*soft), axis)
expect("Softmax, OpenCV", by_opencv(*soft), axis)
expect("Softmax, reference", by_reference(*soft), [1 / 2, 1 / 2, 1 / 6, 5 / 6])
expect("exp(LogSoftmax), onnxruntime", np.exp(by_onnxruntime(*logs)), flat)
expect("exp(LogSoftmax), OpenVINO", np.exp(by_openvino(*logs)), flat)
expect("exp(LogSoftmax), OpenCV", np.exp(by_opencv(*logs)), axis)
END
