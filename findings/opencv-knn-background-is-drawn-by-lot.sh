#!/bin/sh
# OpenCV's KNN background subtractor finds something else in the same frames each time.
#
# Guessed: two new subtractors that are given the same frames give the same masks, as MOG2's do.
# Seen: opencv-python-headless 5.0.0.93 draws from the process's one random generator which sample to replace: masks of a restless
# scene differ in thousands of pixels, with one thread too. Whatever else draws from it changes them; after cv2.setRNGSeed they are
# the same.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 opencv-python-headless==5.0.0.93
PYTHONPATH=$folder python3 - <<'END'
import sys
import cv2
import numpy as np

cv2.setNumThreads(1)
random = np.random.default_rng(1)
frames = [(random.integers(0, 60, (60, 80, 3)) + (100 if at % 7 == 0 else 0)).astype(np.uint8) for at in range(100)]


def masks(make, seed=None):
    if seed is not None:
        cv2.setRNGSeed(seed)
    subtractor = make()
    return np.stack([subtractor.apply(frame).copy() for frame in frames])


def differ(make, seed=None):
    return int((masks(make, seed) != masks(make, seed)).sum())


mog2 = differ(cv2.createBackgroundSubtractorMOG2)
knn = differ(cv2.createBackgroundSubtractorKNN)
seeded = differ(cv2.createBackgroundSubtractorKNN, 5)
print(f"pixels that differ between two runs: MOG2 {mog2}, KNN {knn}, KNN with a seed {seeded}")
if mog2 != 0 or knn < 1000 or seeded != 0:
    sys.exit("changed: it was 0, tens of thousands, 0")
END
