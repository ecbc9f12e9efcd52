#!/bin/sh
# ensemble-boxes: soft_nms gives the boxes in the order of their lowered scores, but with the scores they came with.
#
# Guessed: soft-NMS lowers the score of a box by its overlap with better ones and returns the lowered score, as OpenCV's softNMSBoxes does.
# Seen: ensemble-boxes 1.0.9 lowers the score of a box of 0.8, which lies on one of 0.9, to 0.21, puts it behind a box of 0.6 that lies
# alone, and returns 0.8. Whoever sorts by score or takes a threshold, as all scorers do, has the boxes as without any NMS.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --no-deps --target "$folder" \
    numpy==2.4.6 llvmlite==0.50.0 numba==0.68.1 ensemble-boxes==1.0.9 opencv-python-headless==5.0.0.93
PYTHONPATH=$folder python3 -B - <<'END'
import cv2
import numpy as np
from ensemble_boxes import soft_nms

# x, y, width, height in a picture of 100 x 100: one object with three boxes, and one alone.
boxes, scores = [[10, 10, 50, 50], [15, 15, 50, 50], [30, 10, 50, 50], [80, 80, 10, 10]], [0.9, 0.8, 0.7, 0.6]
corners = [[x / 100, y / 100, (x + w) / 100, (y + h) / 100] for x, y, w, h in boxes]
for name, method, same in [("Gaussian", 2, cv2.dnn.SoftNMSMethod_SOFTNMS_GAUSSIAN), ("linear", 1, cv2.dnn.SoftNMSMethod_SOFTNMS_LINEAR)]:
    lowered, order = cv2.dnn.softNMSBoxes(boxes, scores, 0.001, 0.3, 0, 0.5, same)
    found, given, _ = soft_nms([corners], [list(scores)], [[0] * 4], method=method, iou_thr=0.3, sigma=0.5, thresh=0.001)
    ours = [corners.index([round(float(v), 4) for v in box]) for box in found]
    print(f"{name}: OpenCV {list(map(int, order))} with {[f'{s:.2f}' for s in lowered]}; ensemble-boxes {ours} with {[f'{s:.2f}' for s in given]}")
    assert ours == list(map(int, order)), "changed: the orders agreed"
    assert np.allclose(given, [scores[box] for box in ours]), "changed: the scores were those that came in"
    assert lowered[ours.index(1)] < 0.25
END
