#!/bin/sh
# NonMaxSuppression with an IoU threshold of 0, its default, removes boxes that do not touch in OpenVINO.
#
# Guessed: a box is removed where its overlap is more than the threshold; boxes far apart overlap by 0 and stay.
# Seen: so it is in onnxruntime 1.32.0 and tract 0.23.9; OpenVINO 2026.4.1 keeps only the best of three boxes that are far
# apart, also where the threshold is left out. With 0.01 it keeps all three.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 tract==0.23.9
PYTHONPATH=$folder:$here python3 -B - <<'END'
from one_node import by_onnxruntime, by_openvino, by_tract, expect, model, np

boxes = np.array([[[0, 0, 1, 1], [0, 5, 1, 6], [0, 9, 1, 10]]], np.float32)
scores = np.array([[[0.9, 0.8, 0.7]]], np.float32)
most = np.array([9], np.int64)
for what, threshold in [("left out", None), ("0", 0.0), ("0.01", 0.01)]:
    more = [] if threshold is None else [np.array([threshold], np.float32)]
    made = model("NonMaxSuppression", [boxes, scores, most, *more], range(2, 3 + len(more)), opset=11)
    expect(f"kept, threshold {what}, onnxruntime", by_onnxruntime(*made)[:, 2], [0, 1, 2])
    expect(f"kept, threshold {what}, tract", by_tract(*made)[:, 2], [0, 1, 2])
    expect(f"kept, threshold {what}, OpenVINO", by_openvino(*made)[:, 2], [0, 1, 2] if threshold else [0])
END
