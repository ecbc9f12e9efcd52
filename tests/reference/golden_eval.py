#!/usr/bin/env python3
"""Makes tests/golden/eval.json: a small data set with results, and what TrackEval says of it.

    pip install trackeval==1.3.0
    python3 tests/reference/golden_eval.py [SEED] > tests/golden/eval.json

The data is drawn here and is nobody's. The numbers are computed by TrackEval (Jonathon Luiten and Arne Hoffhues, MIT
licence), which is the evaluation kit of MOTChallenge; nothing of it is copied. Scoring by class, ignored regions and
thinning are not part of it; they are done here, on the files that it reads.
"""
import contextlib
import io
import json
import os
import random
import sys
import tempfile

import numpy as np
import trackeval

FRAMES = 30
CURVES = ("HOTA", "DetA", "AssA", "LocA", "DetRe", "DetPr", "AssRe", "AssPr")


def number(rng, value, whole):
    return str(round(value)) if whole else f"{value:.2f}"


def draw(rng, kind, objects, whole):
    """The truth, regions and results of a sequence: rows as in the files."""
    truth, regions, results = [], [], []
    classes = {"mot17": [1] * 12 + [2, 7, 8, 12, 3, 6, 13], "kitti": [1, 1, 3, 3, 3, 4, 8], "dancetrack": [1]}.get(kind, [-1])
    next_id = 1
    fill = lambda x, y, w, h: [number(rng, v, whole) for v in (x, y, w, h)]
    for o in range(objects):
        cls, conf = rng.choice(classes), 1
        if kind == "mot17" and (cls != 1 or rng.random() < 0.15):
            conf = 0
        first, last = sorted(rng.sample(range(1, FRAMES + 1), 2))
        x, y, w, h = rng.uniform(0, 90), rng.uniform(0, 40), rng.uniform(14, 30), rng.uniform(24, 60)
        dx, dy = rng.uniform(-3, 3), rng.uniform(-1, 1)
        said, next_id = next_id, next_id + 1
        for f in range(first, last + 1):
            x, y = x + dx, y + dy
            if 12 <= f <= 13 or rng.random() < 0.05:
                continue  # two frames without any truth
            if kind == "mot15" and rng.random() < 0.1:
                conf = 1 - conf
            truth.append([str(f), str(o + 1), *fill(x, y, w, h), str(conf), str(cls), "1"])
            if rng.random() < 0.08:
                said, next_id = next_id, next_id + 1
            if rng.random() < 0.85 and f not in (20, 21):  # two frames without any result
                s = rng.choice([0, 0.02, 0.08, 0.2]) if not whole else rng.choice([0, 0, 0.1])
                box = [x + rng.gauss(0, s) * w, y + rng.gauss(0, s) * h, w * (1 + rng.gauss(0, s)), h * (1 + rng.gauss(0, s))]
                said_class = cls if cls > 0 and rng.random() < 0.9 else 1
                results.append([str(f), str(said), *fill(*box), "0.9", str(said_class), "-1", "-1"])
                if rng.random() < 0.1:  # once more, in the same place
                    results.append([str(f), str(1000 + said), *fill(*box), "0.5", str(said_class), "-1", "-1"])
    for f in range(1, FRAMES + 1):
        if kind == "kitti" and rng.random() < 0.5:
            regions.append([str(f), "-1", *fill(rng.uniform(0, 120), 0, 60, 70)])
        if f not in (20, 21) and rng.random() < 0.5:
            results.append([str(f), str(2000 + f // 4), *fill(rng.uniform(0, 120), rng.uniform(0, 50), 20, 40), "0.4", str(abs(rng.choice(classes))), "-1", "-1"])
    if kind in ("mot17", "dancetrack"):  # as in the benchmark's files, which are sorted by object
        truth.sort(key=lambda r: (int(r[1]), int(r[0])))
    rng.shuffle(results)
    return truth, regions, results


def thin(rows, every):
    return [[str((int(r[0]) - 1) // every + 1)] + r[1:] for r in rows if (int(r[0]) - 1) % every == 0]


def shared(a, b):
    (al, at, aw, ah), (bl, bt, bw, bh) = ([float(v) for v in r[2:6]] for r in (a, b))
    width, height = min(al + aw, bl + bw) - max(al, bl), min(at + ah, bt + bh) - max(at, bt)
    return max(width, 0) * max(height, 0)


def area(row):
    return float(row[4]) * float(row[5])


def of_class(truth, regions, results, cls):
    """One class: all its true boxes count; results half inside a region and on none of them do not."""
    truth = [r for r in truth if int(r[7]) == cls]
    on = lambda a, b: shared(a, b) >= 0.5 * (area(a) + area(b) - shared(a, b))
    inside = lambda r: any(g[0] == r[0] and shared(r, g) >= 0.5 * area(r) for g in regions)
    results = [r for r in results if int(r[7]) == cls]
    results = [r for r in results if not inside(r) or any(g[0] == r[0] and on(r, g) for g in truth)]
    return [r[:6] + ["1", "1", "1"] for r in truth], results


def evaluate(truth, results, frames, benchmark):
    with tempfile.TemporaryDirectory() as tmp, contextlib.redirect_stdout(io.StringIO()):
        os.makedirs(f"{tmp}/r")
        for path, rows in ((f"{tmp}/gt.txt", truth), (f"{tmp}/r/s.txt", [r[:7] + ["-1", "-1", "-1"] for r in results])):
            with open(path, "w") as file:
                file.writelines(",".join(r) + "\n" for r in rows)
        dataset = trackeval.datasets.MotChallenge2DBox(dict(
            GT_FOLDER=tmp, TRACKERS_FOLDER=tmp, TRACKERS_TO_EVAL=["r"], TRACKER_SUB_FOLDER="", SKIP_SPLIT_FOL=True,
            SEQ_INFO={"s": frames}, GT_LOC_FORMAT=f"{tmp}/gt.txt", PRINT_CONFIG=False, BENCHMARK=benchmark,
            DO_PREPROC=True, OUTPUT_FOLDER=tmp))
        data = dataset.get_preprocessed_seq_data(dataset.get_raw_seq_data("r", "s"), "pedestrian")
        return [metric.eval_sequence(data) for metric in METRICS]


def percent(value):
    return round(100 * float(value), 9)


def numbers(result):
    hota, clear, identity = result
    flat = {name: percent(np.mean(hota[name])) for name in CURVES}
    flat["by_alpha"] = {name: [percent(v) for v in hota[name]] for name in ("HOTA", "AssA", "LocA")}
    flat.update({name: percent(clear[name]) for name in ("MOTA", "MOTP")})
    flat.update({name: percent(identity[name]) for name in ("IDF1", "IDP", "IDR")})
    flat.update({name: int(clear[name]) for name in ("IDSW", "Frag", "MT", "PT", "ML")})
    flat.update({name: int(clear["CLR_" + name]) for name in ("TP", "FP", "FN")})
    flat.update({name: int(identity[name]) for name in ("IDTP", "IDFP", "IDFN")})
    return flat


METRICS = [trackeval.metrics.HOTA()] + [
    metric(dict(THRESHOLD=0.5, PRINT_CONFIG=False)) for metric in (trackeval.metrics.CLEAR, trackeval.metrics.Identity)]


def combine(results, how="combine_sequences"):
    return [getattr(metric, how)({name: result[k] for name, result in results.items()}) for k, metric in enumerate(METRICS)]


def main():
    rng = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 20260801)
    sets = {}
    for name, kind, objects, whole in (
        ("MOT17-01", "mot17", 14, False), ("MOT17-02", "mot17", 18, True), ("MOT20-01", "mot17", 12, False),
        ("dancetrack0001", "dancetrack", 8, False), ("Park", "mot15", 8, False), ("Street", "mot15", 9, True),
        ("KITTI-0000", "kitti", 14, False), ("KITTI-0001", "kitti", 12, True),
    ):
        sets[name] = draw(rng, kind, objects, whole)
    sets["MOT17-03"] = (*draw(rng, "mot17", 5, False)[:2], [])  # no results
    sets["Park-empty"] = ([], [], draw(rng, "mot15", 4, False)[2])  # no truth
    cases = []

    def case(names, arguments, benchmark, classes=(None,), every=1):
        scores, over = [], {}
        for cls in classes:
            each = {}
            for name in names:
                truth, regions, results = sets[name]
                if cls is not None:
                    truth, results = of_class(truth, regions, results, cls)
                each[name] = evaluate(thin(truth, every), thin(results, every), (FRAMES - 1) // every + 1, benchmark)
            over[str(cls)] = combine(each)
            scores.append({"class": cls, "sequences": {name: numbers(each[name]) for name in names}, "combined": numbers(over[str(cls)])})
        mean = numbers(combine(over, "combine_classes_class_averaged")) if len(classes) > 1 else None
        cases.append({"arguments": arguments, "every": every, "scores": scores, "mean_over_classes": mean})

    mot17 = ["MOT17-01", "MOT17-02", "MOT17-03"]
    mot15 = ["Park", "Park-empty", "Street"]
    kitti = ["KITTI-0000", "KITTI-0001"]
    common = [{int(r[7]) for name in kitti for r in sets[name][side]} for side in (0, 2)]
    case(mot17, ["--prefix", "MOT17"], "MOT17")
    case(mot17, ["--prefix", "MOT17", "--every", "3"], "MOT17", every=3)
    case(mot17, ["--prefix", "MOT17", "--class", "1"], "MOT15", [1])
    case(mot17, ["--prefix", "MOT17", "--benchmark", "mot15"], "MOT15")
    case(["MOT20-01"], ["--seq", "MOT20-01"], "MOT20")
    case(["dancetrack0001"], ["--prefix", "dancetrack"], "MOT17")
    case(mot15, ["--seq", "Park", "--seq", "Park-empty", "--seq", "Street"], "MOT15")
    case(["Park"], ["--seq", "Park", "--every", "2"], "MOT15", every=2)
    case(kitti, ["--prefix", "KITTI"], "MOT15", sorted(common[0] & common[1]))
    case(kitti, ["--prefix", "KITTI", "--class", "3", "--every", "4"], "MOT15", [3], every=4)
    text = lambda rows: "".join(",".join(row) + "\n" for row in rows)
    files = {name: {"truth": text(t), "regions": text(r), "results": text(s)} for name, (t, r, s) in sets.items()}
    lines = lambda items: ",\n".join(items)
    print(f'{{"trackeval": "1.3.0", "frames": {FRAMES}, "files": {{')
    print(lines(f"{json.dumps(name)}: {json.dumps(file)}" for name, file in files.items()))
    print('}, "cases": [')
    print(lines(map(json.dumps, cases)))
    print("]}")


if __name__ == "__main__":
    main()
