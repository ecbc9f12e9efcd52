#!/bin/sh
# ConvTranspose with an output_shape that is one pixel smaller than the natural one is shifted by a pixel in tract.
#
# Guessed: which end loses the odd pixel is settled by the operator.
# Seen: onnxruntime 1.32.0 and OpenVINO 2026.4.1 take it from the beginning (auto_pad NOTSET: the larger half of the padding goes to the beginning);
# tract 0.23.9 takes it from the end. The picture that comes out is the same, a pixel to the right and down.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 tract==0.23.9
PYTHONPATH=$folder:$here python3 -B - <<'END'
from one_node import by_onnxruntime, by_openvino, by_tract, expect, model, np

picture = np.array([1, 2, 3, 4], np.float32).reshape(1, 1, 2, 2)
kernel = np.array([1, 10, 100, 1000], np.float32).reshape(1, 1, 2, 2)
# The natural size is 3 x 3.
whole = model("ConvTranspose", [picture, kernel], [1])
cropped = model("ConvTranspose", [picture, kernel], [1], output_shape=[2, 2])
full = by_onnxruntime(*whole)[0, 0]
expect("whole, tract", by_tract(*whole), full)
expect("cropped, onnxruntime", by_onnxruntime(*cropped), full[1:, 1:])
expect("cropped, OpenVINO", by_openvino(*cropped), full[1:, 1:])
expect("cropped, tract", by_tract(*cropped), full[:-1, :-1])
END
