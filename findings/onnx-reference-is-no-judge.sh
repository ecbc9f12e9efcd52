#!/bin/sh
# onnx's own ReferenceEvaluator is wrong where runtimes agree: LRN, LpNormalization, ArgMax.
#
# Guessed: where two runtimes differ, the reference implementation in the package onnx tells who is right.
# Seen: ReferenceEvaluator 1.23.2 normalises only the first channel of LRN, divides by the sum of signed values for LpNormalization with p = 1, and takes
# NaN for the largest in ArgMax. onnxruntime 1.32.0, tract 0.23.9 and OpenVINO 2026.4.1 agree with each other in all three.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 tract==0.23.9
PYTHONPATH=$folder:$here python3 -B - <<'END'
from one_node import by_onnxruntime, by_openvino, by_reference, by_tract, expect, model, np

channels = np.arange(1, 5, dtype=np.float32).reshape(1, 4, 1, 1)
lrn = model("LRN", [channels], size=3, alpha=3.0, beta=1.0, bias=1.0)
norm = model("LpNormalization", [np.array([[-1, 2, 3]], np.float32)], axis=1, p=1)
most = model("ArgMax", [np.array([[1, float("nan"), 2]], np.float32)], axis=1)
for name, run in [("onnxruntime", by_onnxruntime), ("OpenVINO", by_openvino), ("tract", by_tract)]:
    expect(f"LRN, {name}", run(*lrn), [1 / 6, 2 / 15, 3 / 30, 4 / 26])
    expect(f"LpNormalization, {name}", run(*norm), [-1 / 6, 2 / 6, 3 / 6])
    expect(f"ArgMax, {name}", run(*most), [2])
expect("LRN, reference", by_reference(*lrn), [1 / 6, 2, 3, 4])
expect("LpNormalization, reference", by_reference(*norm), [-1 / 4, 2 / 4, 3 / 4])
expect("ArgMax, reference", by_reference(*most), [1])
END
