#!/bin/sh
# OpenCV's dnn clips where ONNX wraps, and calculates powers of integers as fractions.
#
# Guessed: integer tensors follow ONNX's rules: Cast to 8 bits keeps the low byte, Pow gives the type of its base, OneHot gives a row of zeros for an index that is
# out of range.
# Seen: OpenCV 5.0.0 casts 256, -1, 300 to 255, 0, 255 (onnxruntime 1.32.0: 0, 255, 44), gives 11.3137 for the integer 2 to the power of 3.5
# (onnxruntime: 11), and counts index 5 of 3 classes as the last class.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 opencv-python-headless==5.0.0.93
PYTHONPATH=$folder:$here python3 -B - <<'END'
import onnx

from one_node import by_onnxruntime, by_opencv, expect, model, np

cast = model("Cast", [np.array([[256, -1, 300]], np.int32)], to=onnx.TensorProto.UINT8)
power = model("Pow", [np.array([[2, 3]], np.int32), np.array([[3.5, 2]], np.float32)])
hot = model("OneHot", [np.array([0, 5], np.int64), np.array(3, np.int64), np.array([0, 1], np.float32)], [1, 2])
expect("Cast, onnxruntime", by_onnxruntime(*cast), [0, 255, 44])
expect("Cast, OpenCV", by_opencv(*cast), [255, 0, 255])
expect("Pow, onnxruntime", by_onnxruntime(*power), [11, 9])
expect("Pow, OpenCV", by_opencv(*power), [11.3137, 9])
expect("OneHot, onnxruntime", by_onnxruntime(*hot), [1, 0, 0, 0, 0, 0])
expect("OneHot, OpenCV", by_opencv(*hot), [1, 0, 0, 0, 0, 1])
END
