#!/usr/bin/env python3
"""Who crossed a line: trailsight beside supervision's LineZone behind Roboflow's BoT-SORT and ByteTrack, on recorded detections.

Lays ten lines on each sequence, where its objects walk, counts at them, and compares with the truth: how often the bottom
centre of a true box changed its side within the line's ends. The error is the sum over lines and directions of how far
each count is from the truth. Sequences are folders of MOTChallenge's layout (seqinfo.ini, gt/gt.txt, det/det.txt).
"""

import argparse
import configparser
import csv
import hashlib
import importlib.metadata
import json
import math
import pathlib
import random
import subprocess
import tempfile

from common import BINARY, markdown

LINES = 10
PEERS = ("BoT-SORT", "ByteTrack")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sequences", type=pathlib.Path, nargs="+")
    parser.add_argument("--binary", type=pathlib.Path, default=BINARY, help="the program")
    parser.add_argument("--lines", type=int, default=LINES, help="a sequence")
    parser.add_argument("--set", action="append", default=[], help="a setting of trailsight")
    parser.add_argument("--line", action="append", default=[], help="KEY=VALUE for each line of trailsight")
    parser.add_argument("--cache", type=pathlib.Path, help="a folder to keep the peers' counts in")
    parser.add_argument("--verbose", action="store_true", help="tell each line")
    return parser.parse_args()


class Sequence:
    """What is known of a sequence: its size and rate, true ways by id, detections by frame."""

    def __init__(self, folder):
        info = configparser.ConfigParser()
        text = (folder / "seqinfo.ini").read_text().splitlines()
        info.read_string("\n".join(line.split(" ;")[0] for line in text))
        info = info["Sequence"]
        self.name = folder.name
        self.width, self.height = int(info["imWidth"]), int(info["imHeight"])
        self.rate, self.frames = float(info["frameRate"]), int(info["seqLength"])
        self.ways = {}
        for row in rows(folder / "gt" / "gt.txt"):
            frame, number, left, top, width, height, counts = row[:7]
            if counts > 0:
                point = (left - 1 + width / 2, top - 1 + height)
                self.ways.setdefault(int(number), []).append((int(frame), point))
        for way in self.ways.values():
            way.sort()
        self.detections_file = folder / "det" / "det.txt"
        self.detections = {}
        for row in rows(self.detections_file):
            frame, _, left, top, width, height, score = row[:7]
            box = (left - 1, top - 1, left - 1 + width, top - 1 + height)
            self.detections.setdefault(int(frame), []).append((box, score))


def rows(path):
    with open(path) as file:
        return [[float(value) for value in row] for row in csv.reader(file) if row]


def lay(sequence, count):
    """Lines through places where true boxes stood, in any direction, in pixels. The same for each run."""
    seed = hashlib.sha256(sequence.name.encode()).digest()
    chance = random.Random(seed)
    points = [point for way in sequence.ways.values() for _, point in way]
    lines = []
    while len(lines) < count:
        x, y = chance.choice(points)
        angle, half = chance.uniform(0, 2 * math.pi), chance.uniform(0.1, 0.3) * sequence.width
        ends = [
            (x + sign * half * math.cos(angle), y + sign * half * math.sin(angle)) for sign in (-1, 1)
        ]
        ends = [
            (min(max(x, 0.0), sequence.width), min(max(y, 0.0), sequence.height)) for x, y in ends
        ]
        if math.dist(*ends) >= 0.1 * sequence.width:
            lines.append(tuple((round(x, 1), round(y, 1)) for x, y in ends))
    return lines


def side(line, point):
    """Positive to the right of the way from the line's first point to its last, as seen on the screen."""
    (ax, ay), (bx, by) = line
    return (bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax)


def truth(sequence, line):
    """How often true objects crossed in and out, within the line's ends."""
    counts = [0, 0]
    for way in sequence.ways.values():
        for (_, before), (_, now) in zip(way, way[1:]):
            was, is_ = side(line, before) >= 0, side(line, now) >= 0
            if was == is_:
                continue
            if (side((before, now), line[0]) >= 0) != (side((before, now), line[1]) >= 0):
                counts[0 if is_ else 1] += 1
    return counts


def by_trailsight(binary, sequence, lines, settings, more):
    """In and out at each line, by the program."""
    width, height = sequence.width, sequence.height
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        text = ""
        for number, ends in enumerate(lines):
            points = ", ".join(f"[{x / width:.6f}, {y / height:.6f}]" for x, y in ends)
            text += f'[[line]]\nname = "{number}"\npoints = [{points}]\n'
            text += "".join(f"{item.replace('=', ' = ', 1)}\n" for item in more)
        (folder / "lines.toml").write_text(text)
        command = [binary, "track", "--detections", sequence.detections_file, "--config", folder / "lines.toml"]
        command += ["--counts", folder / "counts.json", "--quiet"]
        for item in settings:
            command += ["--set", item]
        subprocess.run([str(word) for word in command], check=True)
        counts = json.loads((folder / "counts.json").read_text())
    return [[line["in"], line["out"]] for line in counts["lines"]]


def by_peer(name, sequence, lines):
    """In and out at each line, by LineZone behind one of Roboflow's trackers as it is set."""
    import numpy as np
    import supervision as sv
    import trackers

    kind = {"BoT-SORT": trackers.BoTSORTTracker, "ByteTrack": trackers.ByteTrackTracker}[name]
    more = {"enable_cmc": False} if name == "BoT-SORT" else {}
    tracker = kind(frame_rate=sequence.rate, **more)

    def zone(ends):
        start, end = (sv.Point(x, y) for x, y in ends)
        return sv.LineZone(start=start, end=end, triggering_anchors=[sv.Position.BOTTOM_CENTER])

    # Which of its two counts is ours: one who goes down over a line from the left to the right goes in.
    trial = zone(((0.0, 100.0), (200.0, 100.0)))
    for y in (50.0, 60.0, 140.0, 150.0):
        box = np.array([[90.0, y - 40.0, 110.0, y]])
        trial.trigger(sv.Detections(xyxy=box, class_id=np.array([0]), tracker_id=np.array([1])))
    turned = trial.in_count == 0
    assert trial.in_count + trial.out_count == 1

    zones = [zone(ends) for ends in lines]
    for frame in range(1, sequence.frames + 1):
        found = sequence.detections.get(frame, [])
        detections = sv.Detections(
            xyxy=np.array([box for box, _ in found], dtype=np.float32).reshape(-1, 4),
            confidence=np.array([score for _, score in found], dtype=np.float32),
            class_id=np.zeros(len(found), dtype=int),
        )
        tracked = tracker.update(detections)
        tracked = tracked[tracked.tracker_id >= 0] if tracked.tracker_id is not None else tracked
        for one in zones:
            one.trigger(tracked)
    counts = [[one.in_count, one.out_count] for one in zones]
    return [[b, a] if turned else [a, b] for a, b in counts]


def peers(name, sequence, lines, cache):
    place = cache and cache / f"{sequence.name}-{name}-{len(lines)}.json"
    if place and place.exists():
        return json.loads(place.read_text())
    counts = by_peer(name, sequence, lines)
    if place:
        cache.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(counts))
    return counts


def error(counts, true):
    return sum(abs(a - b) for one, other in zip(counts, true) for a, b in zip(one, other))


def main():
    given = arguments()
    table, sums = [], [0, 0, 0, 0]
    for folder in given.sequences:
        sequence = Sequence(folder)
        lines = lay(sequence, given.lines)
        true = [truth(sequence, line) for line in lines]
        ours = by_trailsight(given.binary.resolve(), sequence, lines, given.set, given.line)
        others = [peers(name, sequence, lines, given.cache) for name in PEERS]
        if given.verbose:
            for number, line in enumerate(zip(true, ours, *others)):
                print(sequence.name, number, *line, flush=True)
        row = [sum(map(sum, true)), error(ours, true), *(error(counts, true) for counts in others)]
        sums = [a + b for a, b in zip(sums, row)]
        table.append([sequence.name, *map(str, row)])
    table.append(["all", *map(str, sums)])
    print(markdown(["sequence", "true crossings", "trailsight", *PEERS], table))
    better = min(sums[2:])
    print(f"\nerror of trailsight ÷ that of the better: {sums[1] / better if better else math.nan:.3f}")
    versions = (f"{name} {importlib.metadata.version(name)}" for name in ("supervision", "trackers"))
    print(f"beside {', '.join(versions)}")


if __name__ == "__main__":
    main()
