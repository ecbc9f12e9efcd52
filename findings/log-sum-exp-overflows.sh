#!/bin/sh
# ReduceLogSumExp and Softplus of ordinary numbers are infinite in tract and OpenCV.
#
# Guessed: every runtime takes the largest exponent out first (ReduceLogSumExp) or is linear for large inputs (Softplus),
# as their textbook forms do.
# Seen: from 89 on tract 0.23.9 and OpenCV 5.0.0 give infinity for both, where onnxruntime 1.32.0 gives 101.4 and 100.
# Heads with a distribution over bins or a softplus for the size of a box meet such logits.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 tract==0.23.9 opencv-python-headless==5.0.0.93
PYTHONPATH=$folder:$here python3 -B - <<'END'
from one_node import by_onnxruntime, by_opencv, by_tract, expect, model, np

inf = float("inf")
logits = np.array([[100, 101, 99]], np.float32)
sums = model("ReduceLogSumExp", [logits])
soft = model("Softplus", [np.array([[20, 90, 100]], np.float32)])
expect("ReduceLogSumExp, onnxruntime", by_onnxruntime(*sums), [101.4076])
expect("ReduceLogSumExp, tract", by_tract(*sums), [inf])
expect("ReduceLogSumExp, OpenCV", by_opencv(*sums), [inf])
expect("Softplus, onnxruntime", by_onnxruntime(*soft), [20, 90, 100])
expect("Softplus, tract", by_tract(*soft), [20, inf, inf])
expect("Softplus, OpenCV", by_opencv(*soft), [20, inf, inf])
END
