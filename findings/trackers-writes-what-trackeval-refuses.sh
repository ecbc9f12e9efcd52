#!/bin/sh
# roboflow's trackers and TrackEval: the file of tracks that one writes is refused by the other.
#
# Guessed: `trackers track --mot-output` writes tracks in the form of MOTChallenge, and boxes that belong to none yet are left out.
# Seen: trackers 2.6.1 writes each box that is not confirmed yet with the id -1, several in a frame. TrackEval 1.3.0 stops there:
# "predicts the same ID more than once". With one such box in a frame, -1 is scored as a track. trackers' own `eval` leaves the rows
# out, so that it gives no hint.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 scipy==1.17.1 supervision==0.31.2 trackers==2.6.1
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --no-deps --target "$folder" trackeval==1.3.0
cd "$folder"
mkdir -p pictures truth/X-train/film/gt tracks/X-train/found/data
PYTHONPATH=$folder python3 -B - <<'END'
import numpy as np
from PIL import Image

for frame in range(1, 13):
    Image.fromarray(np.zeros((240, 320, 3), np.uint8)).save(f"pictures/{frame:06}.png")
rows = [(frame, person, 20 + 100 * person + frame) for frame in range(1, 13) for person in range(3)]
with open("boxes.txt", "w") as boxes, open("truth/X-train/film/gt/gt.txt", "w") as truth:
    for frame, person, left in rows:
        print(f"{frame},-1,{left},50,40,80,0.9,-1,-1,-1", file=boxes)
        print(f"{frame},{person + 1},{left},50,40,80,1,1,1", file=truth)
END
PYTHONPATH=$folder python3 -B -m trackers.scripts track --source pictures --detections boxes.txt --tracker sort --mot-output tracks/X-train/found/data/film.txt >log 2>&1
head -4 tracks/X-train/found/data/film.txt
PYTHONPATH=$folder python3 -B -m trackers.scripts eval --gt truth/X-train/film/gt/gt.txt --tracker tracks/X-train/found/data/film.txt --columns MOTA CLR_FP 2>/dev/null | tail -1
PYTHONPATH=$folder python3 -B - <<'END'
import contextlib
import io

with contextlib.redirect_stdout(io.StringIO()):
    import trackeval
    from trackeval.utils import TrackEvalException

    data = trackeval.datasets.MotChallenge2DBox({
        "GT_FOLDER": "truth", "TRACKERS_FOLDER": "tracks", "BENCHMARK": "X", "SPLIT_TO_EVAL": "train", "SEQ_INFO": {"film": 12},
        "TRACKERS_TO_EVAL": ["found"], "PRINT_CONFIG": False, "DO_PREPROC": False,
    })


def scored():
    """The number of tracks, or why there is none."""
    try:
        return data.get_preprocessed_seq_data(data.get_raw_seq_data("found", "film"), "pedestrian")["num_tracker_ids"]
    except TrackEvalException as refused:
        return str(refused)


name = "tracks/X-train/found/data/film.txt"
rows = open(name).read().splitlines()
assert [row.split(",")[:2] for row in rows[:3]] == [["1", "-1"]] * 3
refused = scored()
open(name, "w").write("\n".join(rows[2:]) + "\n")
single = scored()
open(name, "w").write("\n".join(rows[3:]) + "\n")
without = scored()
print(f"TrackEval: {refused}\nwith one of these rows: {single} tracks; without: {without}")
assert "same ID more than once" in refused and (single, without) == (4, 3)
END
