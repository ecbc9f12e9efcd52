#!/bin/sh
# MaxPool with ceil_mode: OpenVINO and OpenCV add a column in which no pixel lies.
#
# Guessed: ceil_mode rounds the size up only where that takes in pixels which would be left out otherwise.
# Seen: for 5 pixels, kernel 2, stride 3, one pixel of padding at both ends, onnxruntime 1.32.0 gives 2 columns; OpenVINO 2026.4.1 and OpenCV 5.0.0
# give a third one whose window lies in the padding alone, with the most negative float in it. OpenVINO's AveragePool, with the same attributes, has
# 2 columns: the two pools of one network can then no longer be added.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 opencv-python-headless==5.0.0.93
PYTHONPATH=$folder:$here python3 -B - <<'END'
from one_node import by_onnxruntime, by_opencv, by_openvino, expect, model, np

line = np.arange(1, 6, dtype=np.float32).reshape(1, 1, 1, 5)
how = dict(kernel_shape=[1, 2], strides=[1, 3], pads=[0, 1, 0, 1], ceil_mode=1)
most, mean = model("MaxPool", [line], **how), model("AveragePool", [line], **how)
lowest = float(np.finfo(np.float32).min)
expect("MaxPool, onnxruntime", by_onnxruntime(*most), [1, 4])
expect("MaxPool, OpenVINO", by_openvino(*most), [1, 4, lowest])
expect("MaxPool, OpenCV", by_opencv(*most), [1, 4, lowest])
expect("AveragePool, onnxruntime", by_onnxruntime(*mean), [1, 3.5])
expect("AveragePool, OpenVINO", by_openvino(*mean), [1, 3.5])
END
