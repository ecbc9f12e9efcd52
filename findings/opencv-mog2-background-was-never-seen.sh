#!/bin/sh
# OpenCV's MOG2 gives a background picture of colours that no frame ever showed.
#
# Guessed: where a pixel shows two colours in turn (a leaf and the sky behind it), getBackgroundImage() has the one that is seen
# more often.
# Seen: opencv-python-headless 5.0.0.93 gives the mean of all modes that count as background, by their weights: a grey between
# the two, 83 for a pixel that is 40 in seven frames of ten and 200 in the others. KNN gives each pixel one of the two.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 opencv-python-headless==5.0.0.93
PYTHONPATH=$folder python3 - <<'END'
import sys
import cv2
import numpy as np


def background(make, often):
    subtractor = make(history=200, detectShadows=False)
    for frame in range(400):
        subtractor.apply(np.full((20, 20, 3), 40 if frame % 10 < often else 200, np.uint8))
    return sorted(set(subtractor.getBackgroundImage().ravel().tolist()))


even = background(cv2.createBackgroundSubtractorMOG2, 5)
often = background(cv2.createBackgroundSubtractorMOG2, 7)
nearest = background(cv2.createBackgroundSubtractorKNN, 7)
print(f"40 and 200 in turn: MOG2 half and half {even}, seven of ten {often}; KNN {nearest}")
between = all(60 < level < 180 for level in even + often)
if not between or not set(nearest) <= {40, 200}:
    sys.exit("changed: MOG2's levels lay between the two, KNN's were among them")
END
