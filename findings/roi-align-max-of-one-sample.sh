#!/bin/sh
# RoiAlign's max and average of a single sample differ.
#
# Guessed: mode = max takes the largest of the interpolated samples, so that with one sample it is that sample, as the average is.
# Seen: onnxruntime 1.32.0, OpenCV 5.0.0 and onnx's ReferenceEvaluator 1.23.2 take the largest of the four weighted neighbours before they are added up:
# 1.5625, where the interpolated value is 2.6875. OpenVINO 2026.4.1 gives 2.6875 for both.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 opencv-python-headless==5.0.0.93
PYTHONPATH=$folder:$here python3 -B - <<'END'
from one_node import by_onnxruntime, by_opencv, by_openvino, by_reference, expect, model, np

picture = np.zeros((1, 1, 4, 4), np.float32)
picture[0, 0, 1, 1], picture[0, 0, 2, 2] = 8, 4
box, of = np.array([[0.25, 0.25, 3, 3]], np.float32), np.array([0], np.int64)
how = dict(opset=16, output_height=1, output_width=1, sampling_ratio=1, coordinate_transformation_mode="output_half_pixel")
most, mean = model("RoiAlign", [picture, box, of], mode="max", **how), model("RoiAlign", [picture, box, of], mode="avg", **how)
for name, run, value in [
    ("onnxruntime", by_onnxruntime, 1.5625), ("OpenCV", by_opencv, 1.5625),
    ("reference", by_reference, 1.5625), ("OpenVINO", by_openvino, 2.6875),
]:
    expect(f"average, {name}", run(*mean), [2.6875])
    expect(f"max, {name}", run(*most), [value])
END
