#!/bin/sh
# motmetrics and TrackEval: after a gap, MOTA, switches, false positives and misses of the same tracks differ.
#
# Guessed: CLEAR MOT is one standard, and the same overlaps give the same MOTA.
# Seen: motmetrics 1.4.0 holds an object to the track it last had, however long ago, wherever the two overlap by the threshold, even if
# another object goes without. TrackEval 1.3.0 does so from one frame to the next only, and else takes the best of all pairs. With a gap
# of one frame, an object that comes back between its old track and a better one gives MOTA 0 in motmetrics (no switch) and -0.25 in
# TrackEval (one switch); with a second object beside it, motmetrics has a miss more (MOTA 0 against 0.25). IDF1 agrees.
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
    from trackeval.metrics import CLEAR, Identity


def by_trackeval(frames):
    truth, found, overlap = ([frame[part] for frame in frames] for part in range(3))
    data = {
        "num_timesteps": len(frames), "gt_ids": truth, "tracker_ids": found, "similarity_scores": overlap, "num_gt_ids": 2,
        "num_tracker_ids": 3, "num_gt_dets": sum(map(len, truth)), "num_tracker_dets": sum(map(len, found)),
    }
    with contextlib.redirect_stdout(io.StringIO()):
        clear, identity = CLEAR().eval_sequence(data), Identity().eval_sequence(data)
    return [clear["MOTA"], clear["IDSW"], clear["CLR_FP"], clear["CLR_FN"], identity["IDF1"]]


def by_motmetrics(frames):
    names = ["mota", "num_switches", "num_false_positives", "num_misses", "idf1"]
    kept = motmetrics.MOTAccumulator(auto_id=True)
    for truth, found, overlap in frames:
        kept.update(truth, found, np.where(overlap < 0.5, np.nan, 1 - overlap))
    return motmetrics.metrics.create().compute(kept, metrics=names).iloc[0][names].tolist()


def frame(truth, found, *overlap):
    return np.array(truth), np.array(found), np.array(overlap, float).reshape(len(truth), len(found))


# Object 0 has track 0, then is missed for a frame (with a false box elsewhere).
before = [frame([0], [0], 0.9), frame([0], [2], 0)]
better = before + 2 * [frame([0], [0, 1], 0.6, 0.9)]
beside = before + [frame([0, 1], [0, 1], 0.6, 0.7, 0.7, 0)]
for name, frames, wanted in [
    ("a better track", better, ([-0.25, 1, 3, 1], [0, 0, 3, 1])),
    ("a second object", beside, ([0.25, 1, 1, 1], [0, 0, 2, 2])),
]:
    got = by_trackeval(frames), by_motmetrics(frames)
    print(f"{name}: MOTA, switches, false, missed: TrackEval {[float(v) for v in got[0][:4]]}, motmetrics {got[1][:4]}")
    assert np.allclose([got[0][:4], got[1][:4]], wanted), f"changed: it was {wanted}"
    assert np.isclose(got[0][4], got[1][4])
END
