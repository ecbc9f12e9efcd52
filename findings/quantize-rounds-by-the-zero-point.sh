#!/bin/sh
# QuantizeLinear rounds halves up or down depending on whether the zero point is odd, in OpenVINO and OpenCV.
#
# Guessed: x / scale is rounded to the nearest even number, then the zero point is added, as the operator says.
# Seen: OpenVINO 2026.4.1 and OpenCV 5.0.0 add the zero point first. With an even zero point nobody sees it; with an odd one every half goes
# the other way than in onnxruntime 1.32.0 and tract 0.23.9, and quantised networks differ by one step.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 tract==0.23.9 opencv-python-headless==5.0.0.93
PYTHONPATH=$folder:$here python3 -B - <<'END'
from one_node import by_onnxruntime, by_opencv, by_openvino, by_tract, expect, model, np

halves = np.array([[0.5, 1.5, 2.5, 3.5]], np.float32)
for zero, first, after in [(4, [4, 6, 6, 8], [4, 6, 6, 8]), (3, [3, 5, 5, 7], [4, 4, 6, 6])]:
    made = model("QuantizeLinear", [halves, np.array(1, np.float32), np.array(zero, np.uint8)], [1, 2], opset=13)
    expect(f"zero point {zero}, onnxruntime", by_onnxruntime(*made), first)
    expect(f"zero point {zero}, tract", by_tract(*made), first)
    expect(f"zero point {zero}, OpenVINO", by_openvino(*made), after)
    expect(f"zero point {zero}, OpenCV", by_opencv(*made), after)
END
