#!/bin/sh
# OpenVINO takes Resize with antialias, exclude_outside or keep_aspect_ratio_policy, and does without them.
#
# Guessed: an attribute that a runtime does not know is an error.
# Seen: OpenVINO 2026.4.1 loads all three and gives other numbers, and for keep_aspect_ratio_policy another shape, than
# onnxruntime 1.32.0, which follows the operator. A network with its letterbox inside is stretched that way.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1
PYTHONPATH=$folder:$here python3 -B - <<'END'
from one_node import by_onnxruntime, by_openvino, expect, model, np

spike = np.array([0, 0, 0, 8, 0, 0, 0, 0], np.float32).reshape(1, 1, 1, 8)
small = model("Resize", [spike, None, np.array([1, 1, 1, 0.25], np.float32)], [2], mode="linear", antialias=1)
expect("antialias, onnxruntime", by_onnxruntime(*small), [1.25, 0.75])
expect("antialias, OpenVINO", by_openvino(*small), [0, 0])
line = np.array([0, 4, 8, 0], np.float32).reshape(1, 1, 1, 4)
cubic = model("Resize", [line, None, np.array([1, 1, 1, 2], np.float32)], [2], mode="cubic", exclude_outside=1)
expect("exclude_outside, onnxruntime", by_onnxruntime(*cubic)[..., :2], [-0.5455, 0.6926])
expect("exclude_outside, OpenVINO", by_openvino(*cubic)[..., :2], [-0.4219, 0.7656])
wide = np.zeros((1, 1, 4, 8), np.float32)
how = dict(mode="nearest", axes=[2, 3], keep_aspect_ratio_policy="not_larger")
fitted = model("Resize", [wide, None, None, np.array([6, 6], np.int64)], [3], **how)
expect("shape of 8x4 in 6x6, onnxruntime", by_onnxruntime(*fitted).shape, [1, 1, 3, 6])
expect("shape of 8x4 in 6x6, OpenVINO", by_openvino(*fitted).shape, [1, 1, 6, 6])
END
