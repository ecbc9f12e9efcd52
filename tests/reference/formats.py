#!/usr/bin/env python3
"""One small scene as other libraries write it, and what they read of what trailsight writes.

    pip install supervision==0.31.2 datumaro==1.13.12 label-studio-sdk==2.1.2 pycocotools==2.0.11 motmetrics==1.4.0 numpy==2.2.6
    python3 tests/reference/formats.py write tests/golden/formats    makes the files that tests read
    python3 tests/reference/formats.py check TRAILSIGHT              has the libraries read what a program writes

`check` ends with 0 where every number arrives. It also goes through the labelling of docs/tracker.md, with Datumaro, which is
what CVAT imports and exports MOT 1.1 with.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile

SIZE, FPS, FRAMES = (640, 480), 25, 6
CLASSES = ["person", "car", "bicycle"]


def scene():
    """(frame from 0, id, class, (left, top, width, height) from 0, score): three objects, one with a gap, one partly outside."""
    rows = []
    for frame in range(FRAMES):
        rows.append((frame, 1, "car", (100.25 + 3.5 * frame, 200.5, 80.75, 40.25), 0.875))
        if frame != 3:
            rows.append((frame, 7, "person", (300.5 - 2.25 * frame, 120.25, 30.5, 90.75), 0.75))
        if frame >= 1:
            rows.append((frame, 42, "bicycle", (-10.25 + 4.5 * frame, 400.75, 45.5, 60.25), 0.5))
    return rows


# Files that the libraries write.


def write_supervision(folder):
    import numpy as np
    import supervision as sv

    sinks = sv.CSVSink(f"{folder}/supervision.csv"), sv.JSONSink(f"{folder}/supervision.json")
    for sink in sinks:
        sink.open()
    for frame in range(FRAMES):
        rows = [row for row in scene() if row[0] == frame]
        found = sv.Detections(
            xyxy=np.array([[x, y, x + w, y + h] for _, _, _, (x, y, w, h), _ in rows]),
            confidence=np.array([row[4] for row in rows]), class_id=np.array([CLASSES.index(row[2]) for row in rows]),
            tracker_id=np.array([row[1] for row in rows]), data={"class_name": np.array([row[2] for row in rows])})
        for sink in sinks:
            sink.append(found, {"frame_index": frame})
    sinks[0].close(), sinks[1].write_and_close()


def datumaro_scene():
    import datumaro
    from datumaro.components.annotation import AnnotationType, Bbox, LabelCategories
    from datumaro.components.media import Image

    items = []
    for frame in range(FRAMES):
        boxes = [Bbox(*box, label=CLASSES.index(kind), id=i, group=i, attributes={"track_id": i, "occluded": False})
                 for f, i, kind, box, _ in scene() if f == frame]
        items.append(datumaro.DatasetItem(
            id=f"{frame + 1:06}", subset="default", annotations=boxes, attributes={"frame": frame, "id": frame + 1},
            media=Image.from_file(path=f"{frame + 1:06}.jpg", size=SIZE[::-1])))
    return datumaro.Dataset.from_iterable(items, categories={AnnotationType.label: LabelCategories.from_iterable(CLASSES)})


def write_datumaro(folder):
    with tempfile.TemporaryDirectory() as tmp:
        for name, form, more, found in (
            ("datumaro-mot", "mot_seq_gt", {}, "gt"),
            ("datumaro-coco.json", "coco_instances", {}, "annotations/instances_default.json"),
            ("datumaro-cvat.xml", "cvat", {"use_track": True}, "default.xml"),
        ):
            datumaro_scene().export(f"{tmp}/{name}", form, save_media=False, **more)
            shutil.rmtree(f"{folder}/{name}", ignore_errors=True)
            shutil.move(f"{tmp}/{name}/{found}", f"{folder}/{name}/gt" if found == "gt" else f"{folder}/{name}")


def write_label_studio(folder):
    from types import SimpleNamespace

    from label_studio_sdk.converter.imports import pathtrack

    info = SimpleNamespace(original_width=SIZE[0], original_height=SIZE[1], fps=FPS, frame_count=FRAMES)
    result = []
    for i in sorted({row[1] for row in scene()}):
        rows = [row for row in scene() if row[1] == i]
        region = pathtrack.new_region([rows[0][2]], info, "box", "video")
        region["id"] = str(i)  # the library draws one at random
        for frame, _, _, (x, y, w, h), _ in rows:
            pathtrack.new_keyframe(region, SimpleNamespace(x=x, y=y, width=w, height=h, frame=frame + 1), info)
        result.append(region)
    with open(f"{folder}/label-studio.json", "w") as file:
        json.dump([pathtrack.new_task({"video": "video.mp4"}, result)], file, indent=1)


def write(folder):
    os.makedirs(folder, exist_ok=True)
    write_supervision(folder), write_datumaro(folder), write_label_studio(folder)
    with open(f"{folder}/scene.json", "w") as file:
        rows = [{"frame": frame, "id": i, "class": kind, "box": box, "score": score} for frame, i, kind, box, score in scene()]
        file.write("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")


# What the libraries read: lists of (frame from 0, id, class, box, score), None for what a format does not have.


def of_datumaro(path, form):
    import datumaro

    dataset = datumaro.Dataset.import_from(path, form)
    names = [label.name for label in dataset.categories()[datumaro.AnnotationType.label]]
    rows = []
    for item in dataset:
        frame = item.attributes["frame"] if form == "cvat" else int(item.id) - 1
        for box in item.annotations:
            if not box.attributes.get("outside"):
                rows.append((frame, box.attributes["track_id"], names[box.label], box.get_bbox(), box.attributes.get("score")))
    return rows


def of_mot(path):
    import motmetrics

    table = motmetrics.io.loadtxt(path, fmt="mot15-2D").reset_index()
    return [(row.FrameId - 1, row.Id, None, (row.X, row.Y, row.Width, row.Height), row.Confidence) for row in table.itertuples()]


def of_pycocotools(path):
    from pycocotools.coco import COCO

    coco = COCO(path)
    return [(coco.loadImgs(one["image_id"])[0]["frame_id"], one["track_id"], coco.loadCats(one["category_id"])[0]["name"], one["bbox"], one["score"])
            for one in coco.loadAnns(coco.getAnnIds())]


def of_pycocotools_results(truth, results):
    from pycocotools.coco import COCO

    coco = COCO(truth)
    names = {1: "person", 2: "bicycle", 3: "car"}
    found = coco.loadRes(results)
    return [(one["image_id"] - 1, one["track_id"], names[one["category_id"]], one["bbox"], one["score"]) for one in found.loadAnns(found.getAnnIds())]


def of_supervision(folder, path):
    import numpy as np
    import supervision as sv
    from PIL import Image

    os.makedirs(f"{folder}/pictures")
    for frame in range(FRAMES):
        Image.fromarray(np.zeros((SIZE[1], SIZE[0], 3), np.uint8)).save(f"{folder}/pictures/{frame + 1:06}.jpg")
    dataset = sv.DetectionDataset.from_coco(f"{folder}/pictures", path)
    rows = []
    for name, _, found in dataset:
        for (x, y, right, bottom), kind in zip(found.xyxy, found.class_id):
            rows.append((int(os.path.basename(name)[:6]) - 1, None, dataset.classes[kind], (x, y, right - x, bottom - y), None))
    return rows


def of_label_studio(path):
    from label_studio_sdk.label_interface import LabelInterface
    from label_studio_sdk.label_interface.control_tags import VideoRectangleValue

    labels = "".join(f'<Label value="{kind}"/>' for kind in CLASSES)
    interface = LabelInterface(
        f'<View><Video name="video" value="$video"/><VideoRectangle name="box" toName="video"/>'
        f'<Labels name="labels" toName="video">{labels}</Labels></View>')
    rows = []
    with open(path) as file:
        [task] = json.load(file)
    assert set(task["data"]) == {"video"}, task["data"]
    for region in task["annotations"][0]["result"]:
        assert interface.get_control(region["from_name"]).to_name == [region["to_name"]], region
        value = VideoRectangleValue(**region["value"])
        assert (value.framesCount, round(value.duration * FPS)) == (FRAMES, FRAMES), value
        for key in value.sequence:
            assert abs(key.time - key.frame / FPS) < 1e-9, key
            box = (key.x * SIZE[0] / 100, key.y * SIZE[1] / 100, key.width * SIZE[0] / 100, key.height * SIZE[1] / 100)
            rows.append((key.frame - 1, int(region["id"]), value.labels[0], box, None))
    return rows


def compare(what, rows, tolerance=0.011):
    """Says what does not arrive. Ids may be numbered anew, as long as each stays one."""
    left = sorted(scene(), key=lambda row: (row[0], row[3]))
    found = sorted(rows, key=lambda row: (row[0], tuple(row[3])))
    wrong, ids = [], {}
    if [row[0] for row in found] != [row[0] for row in left]:
        wrong.append(f"{len(found)} boxes for {len(left)}")
    for one, other in zip(left, found):
        if max(abs(a - b) for a, b in zip(one[3], other[3])) > tolerance:
            wrong.append(f"{other} for {one}")
        if other[1] is not None and ids.setdefault(one[1], other[1]) != other[1]:
            wrong.append(f"id {other[1]} for {one}")
        if other[2] is not None and other[2].lower() != one[2]:
            wrong.append(f"class {other[2]} for {one}")
        if other[4] is not None and abs(other[4] - one[4]) > 1e-4:
            wrong.append(f"score {other[4]} for {one}")
    if len(set(ids.values())) != len(ids):
        wrong.append("two objects have one id")
    print(f"{'wrong' if wrong else 'right'}: {what}", *wrong[:3], sep="\n       " if wrong else "")
    return not wrong


def scores(run, *arguments):
    [block] = json.loads(run("eval", *arguments, "--json", "-"))["scores"]
    return block["combined"]


def labelling(run, tmp):
    """The walk-through of docs/tracker.md: a draft goes to CVAT, comes back as truth, and the tracks that it was made of score 100."""
    import datumaro

    run("convert", "scene.jsonl", "--to", "cvat-mot", "draft.zip")
    with zipfile.ZipFile(f"{tmp}/draft.zip") as archive:
        archive.extractall(f"{tmp}/draft")
    draft = datumaro.Dataset.import_from(f"{tmp}/draft", "mot_seq")
    right = not any(box.attributes["occluded"] or box.attributes["ignored"] for item in draft for box in item.annotations)
    draft.export(f"{tmp}/exported", "mot_seq_gt", save_media=False)
    os.makedirs(f"{tmp}/mydata/lobby/gt"), os.makedirs(f"{tmp}/out")
    for name in ("gt.txt", "labels.txt"):
        shutil.copy(f"{tmp}/exported/gt/{name}", f"{tmp}/mydata/lobby/gt/{name}")
    with zipfile.ZipFile(f"{tmp}/exported.zip", "w") as archive:
        for name in ("gt.txt", "labels.txt"):
            archive.write(f"{tmp}/exported/gt/{name}", f"gt/{name}")
    os.makedirs(f"{tmp}/zipdata/lobby/gt")
    shutil.copy(f"{tmp}/exported.zip", f"{tmp}/zipdata/lobby/gt/gt.zip")
    # The other export of CVAT: tracks with closing boxes, which go through Datumaro as they are.
    # It keeps the size of no picture of a video, and then asks for it.
    video = datumaro.Dataset.import_from(f"{tmp}/cvat", "cvat")
    for item in list(video):
        video.put(item.wrap(media=datumaro.Image.from_file(path=item.media.path, size=SIZE[::-1])))
    video.export(f"{tmp}/xml", "cvat", use_track=True, save_media=False)
    [name] = (name for name in os.listdir(f"{tmp}/xml") if name.endswith(".xml"))
    with zipfile.ZipFile(f"{tmp}/video.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(f"{tmp}/xml/{name}", "annotations.xml")
    run("convert", "scene.jsonl", "--to", "mot", "out/lobby.txt")
    for what, arguments in (
        ("gt.txt and labels.txt", ["--gt", "mydata", "--pixels-from", "0"]),
        ("the exported archive", ["--gt", "exported.zip"]),
        ("the archive as gt.zip of a sequence", ["--gt", "zipdata"]),
        ("the exported XML", ["--gt", f"xml/{name}"]),
        ("the exported XML in an archive", ["--gt", "video.zip"]),
    ):
        for results in ("out/lobby.txt", "scene.jsonl"):
            found = scores(run, *arguments, "--results", results)
            whole = [found[key] for key in ("HOTA", "MOTA", "IDF1")]
            good = min(whole) > 99.9999 and found["LocA"] > 99.9
            print(f"{'right' if good else 'wrong'}: labelling, {what}, scored with {results}: {whole}")
            right &= good
    return right


def check(program):
    with tempfile.TemporaryDirectory() as tmp:
        def run(*arguments):
            done = subprocess.run([program, *arguments, "-q"], cwd=tmp, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            assert done.returncode == 0, (arguments, done.stderr)
            return done.stdout

        with open(f"{tmp}/scene.jsonl", "w") as file:
            for frame in range(FRAMES):
                tracks = [{"id": i, "class": kind, "box": box, "score": score} for f, i, kind, box, score in scene() if f == frame]
                file.write(json.dumps({"frame": frame + 1, "width": SIZE[0], "height": SIZE[1], "tracks": tracks}) + "\n")
        size = ["--size", f"{SIZE[0]}x{SIZE[1]}", "--fps", str(FPS)]
        os.makedirs(f"{tmp}/coco/annotations"), os.makedirs(f"{tmp}/coco/images"), os.makedirs(f"{tmp}/cvat")
        for form, name in (
            ("mot", "tracks.txt"), ("cvat-mot", "mot.zip"), ("cvat", "cvat/annotations.xml"),
            ("coco", "coco/annotations/instances_default.json"), ("coco-results", "results.json"), ("label-studio", "task.json"),
        ):
            run("convert", "scene.jsonl", "--to", form, name, *size)
        with zipfile.ZipFile(f"{tmp}/mot.zip") as archive:
            archive.extractall(f"{tmp}/mot")
        coco = f"{tmp}/coco/annotations/instances_default.json"
        return all([
            compare("mot, read by motmetrics", of_mot(f"{tmp}/tracks.txt")),
            compare("cvat-mot, read by Datumaro", of_datumaro(f"{tmp}/mot", "mot_seq")),
            compare("cvat, read by Datumaro", of_datumaro(f"{tmp}/cvat", "cvat")),
            compare("coco, read by Datumaro", of_datumaro(f"{tmp}/coco", "coco_instances")),
            compare("coco, read by pycocotools", of_pycocotools(coco)),
            compare("coco, read by supervision", of_supervision(tmp, coco)),
            compare("coco-results, read by pycocotools", of_pycocotools_results(coco, f"{tmp}/results.json")),
            compare("label-studio, read by label-studio-sdk", of_label_studio(f"{tmp}/task.json")),
            labelling(run, tmp),
        ])


if __name__ == "__main__":
    if sys.argv[1:2] == ["write"]:
        write(sys.argv[2])
    else:
        sys.exit(not check(os.path.abspath(sys.argv[2])))
