#!/bin/sh
# OpenCV's dnn pads auto_pad = SAME_LOWER at the wrong end.
#
# Guessed: the odd pixel of padding goes to the beginning, which is all that tells SAME_LOWER from SAME_UPPER.
# Seen: OpenCV 5.0.0 puts it at the end for Conv and MaxPool: the picture is shifted by a pixel a layer. onnxruntime 1.32.0,
# OpenVINO 2026.4.1 and tract 0.23.9 pad the beginning.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 tract==0.23.9 opencv-python-headless==5.0.0.93
PYTHONPATH=$folder:$here python3 -B - <<'END'
from one_node import by_onnxruntime, by_opencv, by_openvino, by_tract, expect, model, np

line = np.array([5, 1, 2, 3], np.float32).reshape(1, 1, 1, 4)
kernel = np.array([1, 10], np.float32).reshape(1, 1, 1, 2)
conv = model("Conv", [line, kernel], [1], auto_pad="SAME_LOWER")
pool = model("MaxPool", [line], kernel_shape=[1, 2], auto_pad="SAME_LOWER")
for name, run in [("onnxruntime", by_onnxruntime), ("OpenVINO", by_openvino), ("tract", by_tract)]:
    expect(f"Conv, {name}", run(*conv), [50, 15, 21, 32])
    expect(f"MaxPool, {name}", run(*pool), [5, 5, 2, 3])
expect("Conv, OpenCV", by_opencv(*conv), [15, 21, 32, 3])
expect("MaxPool, OpenCV", by_opencv(*pool), [5, 2, 3, 3])
END
