#!/usr/bin/env python3
"""Precision, recall and F1 of `trailsight detect` on pictures with COCO annotations.

    python3 benches/coco.py PICTURES ANNOTATIONS.json [TRAILSIGHT [OPTION ...]]

Runs `TRAILSIGHT detect PICTURES --coco FILE OPTION ...` and compares with the annotations: a box is right when one of exactly
its class overlaps it by an IoU of 0.5 or more, pairs by falling score, each true box once. Crowds count neither way. All
pictures are put together (micro-average).
"""
import json, subprocess, sys, tempfile
from collections import defaultdict
from pathlib import Path


def overlap(a, b):
    """The IoU of two boxes left, top, width, height, and the share of the first that lies in the second."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0, 0.0
    shared = width * height
    return shared / (a[2] * a[3] + b[2] * b[3] - shared), shared / (a[2] * a[3])


def count(found, truth):
    """How many of the found boxes are right, and how many wrong."""
    real = [one for one in truth if not one.get("iscrowd")]
    crowds = [one for one in truth if one.get("iscrowd")]
    taken, right, wrong = set(), 0, 0
    for box in sorted(found, key=lambda one: -one["score"]):
        free = [(overlap(box["bbox"], one["bbox"])[0], number) for number, one in enumerate(real)
                if number not in taken and one["category_id"] == box["category_id"]]
        best, number = max(free, default=(0.0, None))
        if best >= 0.5:
            taken.add(number)
            right += 1
        elif not any(one["category_id"] == box["category_id"] and overlap(box["bbox"], one["bbox"])[1] >= 0.5
                     for one in crowds):
            wrong += 1
    return right, wrong


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    pictures, annotations, program = sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "trailsight"
    data = json.loads(Path(annotations).read_text())
    truth, found = defaultdict(list), defaultdict(list)
    for one in data["annotations"]:
        truth[one["image_id"]].append(one)
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "found.json")
        subprocess.run([program, "detect", pictures, "--coco", results, "--quiet", *sys.argv[4:]], check=True,
                       stdout=subprocess.DEVNULL)
        for one in json.loads(results.read_text()):
            found[one["image_id"]].append(one)
    images = [image["id"] for image in data["images"]]
    counts = [count(found[image], truth[image]) for image in images]
    right, wrong = (sum(column) for column in zip(*counts))
    there = sum(not one.get("iscrowd") for image in images for one in truth[image])
    precision, recall = right / max(right + wrong, 1), right / max(there, 1)
    f1 = 2 * right / max(right + wrong + there, 1)
    print(f"{len(images)} pictures, {there} boxes: F1 {f1:.3f} (precision {precision:.3f}, recall {recall:.3f})")


if __name__ == "__main__":
    main()
