#!/usr/bin/env python3
"""Makes tests/golden/eval_rules.json: small data sets in the formats of benchmarks with rules of their own, and their scores.

    pip install trackeval==1.3.0
    python3 tests/reference/golden_eval_rules.py [SEED] > tests/golden/eval_rules.json
    python3 tests/reference/golden_eval_rules.py check TRAILSIGHT LABELS RESULTS    compares a program on files of KITTI

KITTI is scored by TrackEval (MIT licence) as a whole. VisDrone's kit is written in MATLAB: what it leaves out is done here with a
painted picture, as it does, and TrackEval scores what is left, class by class. UAVDT likewise, all vehicles as one class. The
data is drawn here and is nobody's.
"""
import contextlib
import io
import json
import os
import random
import subprocess
import sys
import tempfile

import numpy as np
import trackeval

from golden_eval import METRICS, combine, evaluate, numbers

FRAMES = 20
KITTI = {"car": 1, "pedestrian": 4}  # as TrackEval numbers them, and trailsight
VISDRONE = (1, 4, 5, 6, 9)
SIZE = (320, 200)


def kitti_line(frame, i, kind, box, truncated=0, occluded=0, score=None):
    x, y, w, h = box
    tail = f" {score}" if score is not None else ""
    return f"{frame} {i} {kind} {truncated} {occluded} -10 {x:g} {y:g} {x + w:g} {y + h:g} -1 -1 -1 -1000 -1000 -1000 -10{tail}\n"


def kitti_by_hand():
    """One rule a frame, so that a rule that is missing shows."""
    truth, results = [], []
    t = lambda *a, **k: truth.append(kitti_line(*a, **k))
    r = lambda *a: results.append(kitti_line(*a, score=0.9))
    a, b, c = (10, 10, 40, 40), (100, 10, 40, 40), (200, 10, 40, 40)
    for frame in range(FRAMES):  # something that is found in each
        t(frame, 1, "Car", (10, 100, 50, 40))
        t(frame, 2, "Pedestrian", (110, 100, 20, 50))
        r(frame, 1, "Car", (10, 100, 50, 40))
        r(frame, 2 if frame < 9 else 3, "Pedestrian", (111, 100, 20, 50))
    t(0, 10, "Van", a), r(0, 10, "Car", a)  # a neighbouring class
    t(1, 11, "Person", a), r(1, 11, "Pedestrian", a)
    t(2, 12, "Van", a), r(2, 12, "Pedestrian", a)  # not a neighbour of this one
    t(3, 13, "Truck", a), r(3, 13, "Car", a)
    for frame, truncated, occluded in ((4, 0, 3), (5, 1, 0), (6, 0, 2), (7, 2, 3)):  # hidden, cut off
        t(frame, 20 + frame, "Car", a, truncated, occluded), r(frame, 20 + frame, "Car", a)
        t(frame, 40 + frame, "Pedestrian", b, truncated, occluded), r(frame, 40 + frame, "Pedestrian", b)
    for i, height in enumerate((24.9, 25, 25.1)):  # too low, on nothing
        r(8, 60 + i, "Car", (60 * i, 10, 30, height)), r(8, 70 + i, "Pedestrian", (60 * i, 50, 30, height))
    t(9, 15, "Car", (10, 10, 40, 20)), r(9, 80, "Car", (10, 10, 40, 20))  # low, but found
    t(9, 16, "Car", (100, 10, 40, 20)), r(9, 81, "Car", (100, 20, 40, 20))  # low, and a third on it
    t(10, -1, "DontCare", (0, 0, 60, 60), -1, -1)
    for i, left in enumerate((10, 39.9, 40, 40.1)):  # inside, more than half, half, less
        r(10, 90 + i, "Car", (left, 5, 40, 40))
    t(11, -1, "DontCare", (0, 0, 20, 60), -1, -1), t(11, -1, "DontCare", (20, 0, 20, 60), -1, -1)
    r(11, 95, "Car", (2, 5, 36, 40))  # half in each of two
    t(12, -1, "DontCare", (0, 0, 60, 60), -1, -1), t(12, 17, "Car", a), r(12, 96, "Car", a)
    t(13, 18, "Car", a), t(13, 19, "Van", (12, 10, 40, 40)), r(13, 97, "Car", (12, 10, 40, 40)), r(13, 98, "Car", a)
    t(14, 21, "Car", a), r(14, -1, "Car", b), r(14, 99, "DontCare", c)  # no identity, no object
    t(15, 22, "car", a), r(15, 22, "CAR", a)
    t(16, 23, "Cyclist", a), t(16, 24, "Misc", b), t(16, 25, "Tram", c), r(16, 23, "Cyclist", a), r(16, 24, "Car", b)
    t(17, 26, "Car", a, 0.7, 2.9), r(17, 26, "Car", a)  # cut off behind the point
    t(18, 27, "Car", a, -1, -1), r(18, 27, "Car", a)
    return "".join(truth), "".join(results)


def kitti_drawn(rng):
    kinds = ["Car"] * 6 + ["Van"] * 2 + ["Pedestrian"] * 5 + ["Person"] * 2 + ["Truck", "Cyclist", "Tram", "Misc"]
    truth, results, said = [], [], 0
    for i in range(24):
        kind = rng.choice(kinds)
        x, y, w, h = rng.uniform(0, 260), rng.uniform(0, 120), rng.uniform(15, 70), rng.uniform(15, 70)
        dx, dy = rng.uniform(-4, 4), rng.uniform(-1, 1)
        first, last = sorted(rng.sample(range(FRAMES), 2))
        said += 1
        for frame in range(first, last + 1):
            x, y = x + dx, y + dy
            truncated, occluded = rng.choice([0, 0, 0, 0, 1, 2]), rng.choice([0, 0, 1, 1, 2, 3])
            truth.append(kitti_line(frame, i, kind, [round(v, 2) for v in (x, y, w, h)], truncated, occluded))
            said += rng.random() < 0.1
            for again in range(rng.choice([0, 1, 1, 1, 2])):
                s = rng.choice([0, 0.03, 0.1, 0.2])
                box = [x + rng.gauss(0, s) * w, y + rng.gauss(0, s) * h, w * (1 + rng.gauss(0, s)), h * (1 + rng.gauss(0, s))]
                named = kind if rng.random() < 0.8 else rng.choice(["Car", "Pedestrian"])
                named = "Car" if named == "Van" else "Pedestrian" if named == "Person" else named
                results.append(kitti_line(frame, said + 1000 * again, named, [round(v, 3) for v in box], score=0.5))
    for frame in range(FRAMES):
        for _ in range(rng.choice([0, 1, 2])):
            truth.append(kitti_line(frame, -1, "DontCare", [round(rng.uniform(*r), 2) for r in ((0, 250), (0, 120), (20, 90), (20, 90))], -1, -1))
        for extra in range(rng.choice([0, 1, 3])):
            box = [round(rng.uniform(*r), 2) for r in ((0, 250), (0, 150), (15, 60), (20, 30))]
            results.append(kitti_line(frame, 5000 + 10 * (frame // 5) + extra, rng.choice(["Car", "Pedestrian"]), box, score=0.3))
    rng.shuffle(results)
    return "".join(truth), "".join(results)


def kitti_scores(sequences):
    """What TrackEval says of {name: (truth, results, frames)}."""
    with tempfile.TemporaryDirectory() as tmp, contextlib.redirect_stdout(io.StringIO()):
        os.makedirs(f"{tmp}/gt/label_02"), os.makedirs(f"{tmp}/r/t/data")
        with open(f"{tmp}/gt/evaluate_tracking.seqmap.training", "w") as file:
            file.writelines(f"{name} empty 000000 {frames:06}\n" for name, (_, _, frames) in sequences.items())
        for name, (truth, results, _) in sequences.items():
            for path, text in ((f"{tmp}/gt/label_02/{name}.txt", truth), (f"{tmp}/r/t/data/{name}.txt", results)):
                with open(path, "w") as file:
                    file.write(text)
        dataset = trackeval.datasets.Kitti2DBox(dict(
            GT_FOLDER=f"{tmp}/gt", TRACKERS_FOLDER=f"{tmp}/r", TRACKERS_TO_EVAL=["t"], PRINT_CONFIG=False, OUTPUT_FOLDER=tmp))
        raw = {name: dataset.get_raw_seq_data("t", name) for name in sequences}
        scores, over = [], {}
        for kind, number in KITTI.items():
            data = {name: dataset.get_preprocessed_seq_data(raw[name], kind) for name in sequences}
            each = {name: [metric.eval_sequence(data[name]) for metric in METRICS] for name in sequences}
            over[kind] = combine(each)
            scores.append({"class": number, "sequences": {name: numbers(one) for name, one in each.items()}, "combined": numbers(over[kind])})
        return scores, numbers(combine(over, "combine_classes_class_averaged"))


def drone_drawn(rng, classes):
    """Truth, ignored regions, results: rows of numbers. Results are submissions: they have no truncation."""
    truth, ignored, results, said = [], [], [], 0
    for i in range(26):
        cls = rng.choice(classes)
        x, y, w, h = rng.uniform(-5, 280), rng.uniform(-5, 170), rng.uniform(8, 40), rng.uniform(8, 40)
        dx, dy = rng.uniform(-4, 4), rng.uniform(-2, 2)
        first, last = sorted(rng.sample(range(1, FRAMES + 1), 2))
        said += 1
        for frame in range(first, last + 1):
            x, y = x + dx, y + dy
            truth.append([frame, i + 1, *(round(v) for v in (x, y, w, h)), 0 if cls == 11 else 1, cls, rng.choice([0, 1]), rng.choice([0, 1, 2])])
            said += rng.random() < 0.1
            if rng.random() < 0.85:
                s = rng.choice([0, 0.03, 0.1, 0.2])
                box = [x + rng.gauss(0, s) * w, y + rng.gauss(0, s) * h, w * (1 + rng.gauss(0, s)), h * (1 + rng.gauss(0, s))]
                results.append([frame, said, *(round(v, 2) for v in box), 0.9, cls if cls in VISDRONE and rng.random() < 0.9 else 4, -1, -1])
    truth.append([FRAMES, 99, 280, 180, 20, 20, 1, classes[0], 0, 0])  # nothing else says how long it is
    for frame in range(1, FRAMES + 1):
        for _ in range(rng.choice([0, 1, 3])):
            ignored.append([frame, 0, *(rng.randrange(*r) for r in ((-10, 300), (-10, 190), (20, 120), (20, 90))), 0, 0, 0, 0])
        for extra in range(rng.choice([0, 1, 3])):
            box = [round(rng.uniform(*r), 1) for r in ((-5, 300), (-5, 190), (8, 40), (8, 40))]
            results.append([frame, 5000 + 10 * (frame // 5) + extra, *box, 0.3, rng.choice(VISDRONE), -1, -1])
    return truth, ignored, results


def whole(row):
    """As MATLAB rounds, from 1."""
    return [max(1, int(np.floor(abs(v) + 0.5) * np.sign(v))) for v in row[2:6]]


def outside(rows, regions, size):
    """The rows that lie less than half in the regions, which are painted into a picture."""
    (width, height), kept = size, []
    for row in rows:
        picture = np.zeros((height + 1, width + 1))
        for x, y, w, h in (whole(r) for r in regions if r[0] == row[0]):
            picture[y:min(height, y + h) + 1, x:min(width, x + w) + 1] = 1
        x, y, w, h = whole(row)
        x, y = min(width, x), min(height, y)
        inside = picture[y + 1:min(height, y + h) + 1, x + 1:min(width, x + w) + 1].sum()
        if inside / (w * h) < 0.5:
            kept.append(row)
    return kept


def words(rows):
    return [[f"{v:g}" for v in row] for row in rows]


def visdrone_scores(sequences, size):
    scores, over = [], {}
    for cls in VISDRONE:
        each = {}
        for name, (truth, ignored, results) in sequences.items():
            regions = ignored + [row for row in truth if row[7] == 11]
            of_class = lambda rows: [row for row in outside(rows, regions, size) if row[7] == cls]
            there = [row[:6] + [1, 1, 1] for row in of_class(truth)]
            # A class that a sequence does not have is left out.
            each[name] = evaluate(words(there), words(of_class(results) if there else []), FRAMES, "MOT15")
        over[cls] = combine(each)
        scores.append({"class": cls, "sequences": {name: numbers(one) for name, one in each.items()}, "combined": numbers(over[cls])})
    return scores, numbers(combine(over, "combine_classes_class_averaged")), numbers(combine(over))


def uavdt_scores(sequences, size):
    each = {}
    for name, (truth, ignored, results) in sequences.items():
        there = [row[:6] + [1, 1, 1] for row in truth]
        each[name] = evaluate(words(there), words(outside(results, ignored, size)), FRAMES, "MOT15")
    return [{"class": None, "sequences": {name: numbers(one) for name, one in each.items()}, "combined": numbers(combine(each))}]


def check(program, labels, results):
    """Compares a program with TrackEval on files of KITTI, all sequences that have results."""
    with open(os.path.join(labels, "..", "evaluate_tracking.seqmap.training")) as file:
        lengths = {line.split()[0]: int(line.split()[3]) for line in file if line.split()}
    read = lambda folder, name: open(os.path.join(folder, name + ".txt")).read()
    sequences = {name: (read(labels, name), read(results, name), length) for name, length in lengths.items()}
    expected, mean = kitti_scores(sequences)
    found = json.loads(subprocess.run([program, "eval", "--gt", labels, "--results", results, "--json", "-"], check=True, stdout=subprocess.PIPE).stdout)
    worst, count = 0, 0
    for a, b in zip([*expected, {"combined": mean}], [*found["scores"], {"combined": found["mean_over_classes"]}]):
        pairs = [(a["combined"], b["combined"])] + [(a["sequences"][name], b["sequences"][name]) for name in a.get("sequences", {})]
        for one, other in pairs:
            for key, value in one.items():
                if not isinstance(value, dict):
                    worst, count = max(worst, abs(value - other[key])), count + 1
    print(f"{count} numbers of {len(sequences)} sequences, at most {worst:.2e} apart")
    print({key: round(mean[key], 3) for key in ("HOTA", "MOTA", "IDF1")})
    return worst > 1e-6


def main():
    rng = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 20261130)
    files, cases = {}, []
    kitti = {"0000": (*kitti_by_hand(), FRAMES), "0001": (*kitti_drawn(rng), FRAMES), "0002": (*kitti_drawn(rng), FRAMES)}
    files["kitti/evaluate_tracking.seqmap.training"] = "".join(f"{name} empty 000000 {FRAMES:06}\n" for name in kitti)
    for name, (truth, results, _) in kitti.items():
        files[f"kitti/label_02/{name}.txt"], files[f"kitti/results/{name}.txt"] = truth, results
    scores, mean = kitti_scores(kitti)
    cases.append({"arguments": ["--gt", "kitti/label_02", "--results", "kitti/results"], "scores": scores, "mean_over_classes": mean})
    text = lambda rows: "".join(",".join(row) + "\n" for row in words(rows))
    drones = {name: drone_drawn(rng, classes) for name, classes in (
        ("uav0000001_00000_v", [1, 1, 4, 4, 4, 5, 6, 9, 2, 3, 10, 11]), ("uav0000002_00000_v", [1, 4, 4, 4, 7, 11]))}
    for name, (truth, ignored, results) in drones.items():
        files[f"visdrone/annotations/{name}.txt"], files[f"visdrone/results/{name}.txt"] = text(ignored + truth), text(results)
        files[f"visdrone/annotations/{name}/seqinfo.ini"] = f"[Sequence]\nimWidth={SIZE[0]}\nimHeight={SIZE[1]}\n"
    scores, mean, total = visdrone_scores(drones, SIZE)
    given = ["--gt", "visdrone/annotations", "--results", "visdrone/results"]
    cases.append({"arguments": given, "scores": scores, "mean_over_classes": mean, "all_classes": total})
    vehicles = {name: drone_drawn(rng, [1, 2, 3]) for name in ("M0001", "M0002")}
    for name, (truth, ignored, results) in vehicles.items():
        files[f"uavdt/GT/{name}_gt.txt"] = text([row[:6] + [1, -1, -1] for row in truth])
        files[f"uavdt/GT/{name}_gt_whole.txt"] = text([row[:6] + [1, 1, row[7]] for row in truth])
        files[f"uavdt/GT/{name}_gt_ignore.txt"] = text([row[:2] + row[2:6] + [1, -1, -1] for row in ignored])
        files[f"uavdt/results/{name}.txt"] = text(results)
    # Nothing there says how large the pictures are.
    cases.append({"arguments": ["--gt", "uavdt/GT", "--results", "uavdt/results"], "scores": uavdt_scores(vehicles, (2000, 2000))})
    print(f'{{"trackeval": "1.3.0", "files": {{')
    print(",\n".join(f"{json.dumps(name)}: {json.dumps(file)}" for name, file in files.items()))
    print('}, "cases": [')
    print(",\n".join(map(json.dumps, cases)))
    print("]}")


if __name__ == "__main__":
    sys.exit(check(*sys.argv[2:]) if sys.argv[1:2] == ["check"] else main())
