#!/bin/sh
# OpenVINO computes LRN with a bias of 1 whatever the network says.
#
# Guessed: all four numbers of LRN count.
# Seen: with bias 1.5 OpenVINO 2026.4.1 gives what onnxruntime 1.32.0 and tract 0.23.9 give with 1; AlexNet and its heirs have 2.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 tract==0.23.9
PYTHONPATH=$folder:$here python3 -B - <<'END'
from one_node import by_onnxruntime, by_openvino, by_tract, expect, model, np

channels = np.arange(1, 5, dtype=np.float32).reshape(1, 4, 1, 1)
biased = model("LRN", [channels], size=3, alpha=0.5, beta=0.6, bias=1.5)
plain = model("LRN", [channels], size=3, alpha=0.5, beta=0.6, bias=1.0)
expect("bias 1.5, onnxruntime", by_onnxruntime(*biased), [0.6015, 0.8931, 0.9912, 1.4127])
expect("bias 1.5, tract", by_tract(*biased), [0.6015, 0.8931, 0.9912, 1.4127])
expect("bias 1.5, OpenVINO", by_openvino(*biased), [0.6951, 0.9712, 1.0413, 1.4933])
expect("bias 1.0, onnxruntime", by_onnxruntime(*plain), [0.6951, 0.9712, 1.0413, 1.4933])
END
