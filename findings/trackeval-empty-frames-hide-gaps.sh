#!/bin/sh
# TrackEval: a gap in a track is a fragmentation only if something else was reported in the frames of the gap.
#
# Guessed: Frag counts how often an object is found again after it was not, whatever happens elsewhere in the picture.
# Seen: TrackEval 1.3.0, the reference for MOTChallenge, leaves a frame without any reported box early, so that the frame before the gap
# counts as the one before: one object found, missed and found again has Frag 0. With one false box far away in the middle
# frame it has Frag 1. Whoever drops weak boxes gets fewer fragmentations. roboflow's trackers 2.6.1 does the same; motmetrics 1.4.0 says 1
# for both.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --no-deps --target "$folder" numpy==2.4.6 scipy==1.17.1 \
    trackeval==1.3.0 motmetrics==1.4.0 pandas==3.1.1 python-dateutil==2.9.0.post0 six==1.17.0 xmltodict==1.0.4
PYTHONPATH=$folder python3 -B - 2>/dev/null <<'END'
import contextlib
import io
import motmetrics
import numpy as np

with contextlib.redirect_stdout(io.StringIO()):
    from trackeval.metrics import CLEAR


def by_trackeval(truth, found, overlap):
    with contextlib.redirect_stdout(io.StringIO()):
        return int(CLEAR().eval_sequence({
            "num_timesteps": len(truth), "gt_ids": truth, "tracker_ids": found, "similarity_scores": overlap,
            "num_gt_ids": 1, "num_tracker_ids": 2, "num_gt_dets": sum(map(len, truth)), "num_tracker_dets": sum(map(len, found)),
        })["Frag"])


def by_motmetrics(truth, found, overlap):
    frames = motmetrics.MOTAccumulator(auto_id=True)
    for ids, others, shares in zip(truth, found, overlap):
        frames.update(ids, others, np.where(shares < 0.5, np.nan, 1 - shares))
    return int(motmetrics.metrics.create().compute(frames, metrics=["num_fragmentations"]).iloc[0, 0])


there = np.array([0])
for name, middle, wanted in [("nothing", [], (0, 1)), ("a false box", [1], (1, 1))]:
    truth = [there, there, there]
    found = [there, np.array(middle, int), there]
    overlap = [np.array([[0.9]]), np.zeros((1, len(middle))), np.array([[0.9]])]
    got = by_trackeval(truth, found, overlap), by_motmetrics(truth, found, overlap)
    print(f"{name} in the gap: Frag {got[0]} by TrackEval, {got[1]} by motmetrics")
    assert got == wanted, f"changed: it was {wanted}"
END
