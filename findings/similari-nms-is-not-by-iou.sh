#!/bin/sh
# similari: nms() compares with the share of the weaker box that is covered, not with the IoU.
#
# Guessed: nms_threshold is an IoU, as in every detector's post-processing.
# Seen: similari 0.26.12 divides the intersection by the area of the box with the lower score. A small box in a large one (IoU 0.25)
# is dropped at any threshold up to 0.99; with the scores exchanged, both stay from 0.25 on. A person before a bus goes or stays by which
# of the two has the higher score.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" similari-trackers-rs==0.26.12
PYTHONPATH=$folder python3 -B - <<'END'
from similari import BoundingBox, nms


def kept(large_score, small_score, threshold):
    large, small = BoundingBox(0, 0, 100, 100).as_xyaah(), BoundingBox(0, 0, 50, 50).as_xyaah()
    return sorted(box.as_ltwh().width for box in nms([(large, large_score), (small, small_score)], threshold, None))


for threshold in [0.1, 0.2, 0.3, 0.5, 0.9, 0.99]:
    got = kept(0.9, 0.8, threshold), kept(0.8, 0.9, threshold)
    print(f"threshold {threshold}: widths kept {got[0]}, with the small box ahead {got[1]}")
    assert got == ([100], [50, 100] if threshold > 0.25 else [50])
END
