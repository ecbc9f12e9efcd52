#!/bin/sh
# similari: Sort does not predict: a track that is not seen stays where it was, and its `predicted_bbox` is the place of its last box.
#
# Guessed: SORT: a Kalman filter moves each track on in every frame, and boxes are compared with where it should be by now. An object
# that moves steadily is found again after any gap shorter than max_idle_epochs.
# Seen: similari 0.26.12 compares with the filtered box of the last time. An object 50 pixels wide that moves 5 pixels a frame is
# another one after 5 frames without it (25 + 5 pixels, IoU 0.25); one that gains speed is lost as soon as a step is
# more than half its width, though it is seen in every frame. trackforge's SORT 0.4.0, with the same threshold of 0.3, keeps both.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" similari-trackers-rs==0.26.12 trackforge==0.4.0
PYTHONPATH=$folder python3 -B - <<'END'
from similari import BoundingBox, PositionalMetricType, Sort
from trackforge import SORT


class Similari:
    def __init__(self):
        self.sort = Sort(shards=1, bbox_history=10, max_idle_epochs=30, method=PositionalMetricType.iou(0.3), spatio_temporal_constraints=None)

    def ids(self, lefts):
        return [track.id for track in self.sort.predict([(BoundingBox(left, 100, 50, 100).as_xyaah(), None) for left in lefts])]


class Trackforge:
    def __init__(self):
        self.sort = SORT(max_age=30, min_hits=1, iou_threshold=0.3)

    def ids(self, lefts):
        return [track[0] for track in self.sort.update([([left, 100, 50, 100], 0.9, 0) for left in lefts])]


def survives(tracker, places):
    """Whether one id is given to all places, of which None is a frame without the object."""
    return len({id for place in places for id in tracker.ids([] if place is None else [place])}) == 1


def with_gap(gap):
    return [100 + 5 * frame for frame in range(30)] + [None] * gap + [100 + 5 * (30 + gap)]


faster = [100 + frame * frame / 4 for frame in range(120)]
for name, tracker, wanted in [("similari", Similari, ([1, 2, 3, 4], False)), ("trackforge", Trackforge, (list(range(1, 26)), True))]:
    gaps = [gap for gap in range(1, 26) if survives(tracker(), with_gap(gap))]
    got = gaps, survives(tracker(), faster)
    print(f"{name}: found again after gaps of {gaps} frames; kept while it gains speed: {got[1]}")
    assert got == wanted, f"changed: it was {wanted}"
sort = Similari()
for left in range(100, 250, 5):
    sort.ids([left])
for _ in range(10):
    sort.ids([])
left = sort.sort.idle_tracks()[0].predicted_bbox.as_ltwh().left
print(f"last seen at 245, after 10 frames more `predicted` at {left:.1f}, where 295 would be")
assert abs(left - 245) < 0.5
END
