#!/bin/sh
# supervision's LineZone counts who walks around the end of the line.
#
# Guessed: a crossing is counted where the path of an object crosses the segment that is drawn.
# Seen: supervision 0.31.2 keeps the side on which an object was last seen beside the segment, however long ago that was: one that
# walks past its end, down there, and back on the other side, is counted as if it had crossed. Its path never meets the segment.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 supervision==0.31.2
PYTHONPATH=$folder python3 - <<'END'
import sys
import numpy as np
import supervision


def walk(places):
    line = supervision.LineZone(supervision.Point(0, 100), supervision.Point(200, 100))
    for x, y in places:
        box = np.array([[x - 10, y - 10, x + 10, y + 10]], float)
        line.trigger(supervision.Detections(xyxy=box, class_id=np.array([0]), tracker_id=np.array([1])))
    return line.in_count + line.out_count


straight = walk([(100, 50), (100, 80), (100, 120), (100, 150)])
beyond = walk([(300, 50), (300, 150)])
around = walk([(100, 50), (300, 50), (300, 150), (100, 150)])
print(f"straight across: {straight}; beyond the end: {beyond}; around the end: {around}")
if (straight, beyond, around) != (1, 0, 1):
    sys.exit("changed: it was 1, 0, 1")
END
