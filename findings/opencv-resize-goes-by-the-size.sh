#!/bin/sh
# OpenCV's dnn resizes by the ratio of whole sizes, not by the scales that the network names.
#
# Guessed: a Resize with scales uses these scales, as the operator says ("x_original = (x + 0.5) / scale - 0.5").
# Seen: 16 x 16 pixels by 1.3 become 20 x 20 everywhere; OpenCV 5.0.0 then works with 20/16, so that all pixels lie elsewhere than in
# onnxruntime 1.32.0, OpenVINO 2026.4.1 and tract 0.23.9 (half a pixel at the end). half_pixel_symmetric, the mode made for this
# case, is taken without a word and gives the values of asymmetric.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 tract==0.23.9 opencv-python-headless==5.0.0.93
PYTHONPATH=$folder:$here python3 -B - <<'END'
from one_node import by_onnxruntime, by_opencv, by_openvino, by_tract, expect, model, np

picture = np.tile(np.arange(16, dtype=np.float32), (16, 1)).reshape(1, 1, 16, 16)
scaled = model("Resize", [picture, None, np.array([1, 1, 1.3, 1.3], np.float32)], [2], mode="linear")
by_scale = np.clip((np.arange(20) + 0.5) / 1.3 - 0.5, 0, 15)
by_size = np.clip((np.arange(20) + 0.5) * 16 / 20 - 0.5, 0, 15)
for name, run in [("onnxruntime", by_onnxruntime), ("OpenVINO", by_openvino), ("tract", by_tract)]:
    expect(f"half_pixel, {name}", run(*scaled)[0, 0, 7], by_scale)
expect("half_pixel, OpenCV", by_opencv(*scaled)[0, 0, 7], by_size)
how = dict(mode="linear", coordinate_transformation_mode="half_pixel_symmetric", opset=19)
doubled = model("Resize", [picture, None, np.array([1, 1, 2, 2], np.float32)], [2], **how)
expect("half_pixel_symmetric, onnxruntime", by_onnxruntime(*doubled)[0, 0, 7], np.clip((np.arange(32) + 0.5) / 2 - 0.5, 0, 15))
expect("half_pixel_symmetric, OpenCV", by_opencv(*doubled)[0, 0, 7], np.clip(np.arange(32) / 2, 0, 15))
END
