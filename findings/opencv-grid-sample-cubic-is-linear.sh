#!/bin/sh
# GridSample with mode = cubic is linear in OpenCV's dnn.
#
# Guessed: a mode that is not there is refused.
# Seen: OpenCV 5.0.0 loads it without a word and gives the values of linear. With padding_mode = border tract 0.23.9 and onnx's
# ReferenceEvaluator 1.23.2 clamp the place that is asked for, onnxruntime 1.32.0 and OpenVINO 2026.4.1 clamp each of the four neighbours: outside
# of the picture cubic interpolation goes on swinging in these two (0.559 beside an edge of 1), and is still in the others.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 tract==0.23.9 opencv-python-headless==5.0.0.93
PYTHONPATH=$folder:$here python3 -B - <<'END'
from one_node import by_onnxruntime, by_opencv, by_openvino, by_reference, by_tract, expect, model, np

line = np.array([1, 5, 2, 7], np.float32).reshape(1, 1, 1, 4)
# Within the picture near its left edge, and left of it.
places = np.array([[[[-0.9, 0], [-1.2, 0]]]], np.float32)
how = dict(opset=20, padding_mode="border", align_corners=1)
cubic = model("GridSample", [line, places], mode="cubic", **how)
linear = model("GridSample", [line, places], mode="linear", **how)
expect("linear, onnxruntime", by_onnxruntime(*linear), [1.6, 1])
expect("cubic, OpenCV", by_opencv(*cubic), [1.6, 1])
expect("cubic, onnxruntime", by_onnxruntime(*cubic), [1.5538, 0.559])
expect("cubic, OpenVINO", by_openvino(*cubic), [1.5538, 0.559])
expect("cubic, tract", by_tract(*cubic), [1.5538, 1])
expect("cubic, reference", by_reference(*cubic), [1.5538, 1])
END
