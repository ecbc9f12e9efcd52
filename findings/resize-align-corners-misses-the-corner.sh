#!/bin/sh
# Resize with align_corners and a scale that gives no whole size does not reach the last pixel in tract.
#
# Guessed: align_corners puts the last output pixel onto the last input pixel; that is what its name says.
# Seen: 6 pixels by 1.3 are 7. onnxruntime 1.32.0 and OpenVINO 2026.4.1 go 0 to 5; tract 0.23.9 and the
# ReferenceEvaluator of onnx 1.23.2 divide by 6 x 1.3 - 1 instead of 7 - 1 and end at 4.41. With "sizes" in place of "scales" all agree.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 tract==0.23.9 openvino==2026.4.1
PYTHONPATH=$folder:$here python3 -B - <<'END'
from one_node import by_onnxruntime, by_openvino, by_reference, by_tract, expect, model, np

line = np.arange(6, dtype=np.float32).reshape(1, 1, 1, 6)
how = dict(mode="linear", coordinate_transformation_mode="align_corners")
scaled = model("Resize", [line, None, np.array([1, 1, 1, 1.3], np.float32)], [2], **how)
sized = model("Resize", [line, None, None, np.array([1, 1, 1, 7], np.int64)], [3], **how)
reaches, misses = np.linspace(0, 5, 7), np.arange(7) * 5 / (6 * 1.3 - 1)
expect("scales, onnxruntime", by_onnxruntime(*scaled), reaches)
expect("scales, OpenVINO", by_openvino(*scaled), reaches)
expect("scales, tract", by_tract(*scaled), misses)
expect("scales, reference", by_reference(*scaled), misses)
expect("sizes, tract", by_tract(*sized), reaches)
expect("sizes, reference", by_reference(*sized), reaches)
END
