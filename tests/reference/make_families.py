"""Makes small detector files of the output forms that real exporters write, and what is to be found with each in one
picture.

    pip install onnx==1.23.2 onnxruntime==1.32.0 opencv-python-headless==5.0.0.93 numpy==2.4.6 pycocotools==2.0.11
    python tests/reference/make_families.py [--picture FILE] [--out FOLDER] [NAME...]

Each function in families/ is one form: it names the family, its exporter and the public source of the form, and builds
a graph whose input, outputs, types, ranks, operator set and metadata keys are the exporter's. What is inside is ours:
averages of the picture over the cells of each stride, one small convolution, one linear layer a level with seeded
weights. Nothing has learnt anything. The weights are set so that scores and boxes differ from cell to cell of the
picture.

Some graphs suppress by themselves, class by class, so that one row may name several classes. For these "boxes_if_cut"
tells what is found from the tensors ahead of the suppression if each row names its best class alone.

NAME.json holds the boxes that the family's published post-processing, written here in numpy, makes of onnxruntime's
outputs: x, y, w, h in pixels of the picture (origin at the top left corner of the top left pixel), not clipped to it,
by falling score. Tensor = (pixel * scale - mean) / std, planes in the order `colour`. `fit`: letterbox-centre and
letterbox-top-left scale by the smaller ratio and fill the rest with `fill`; stretch scales each axis alone; none takes
the picture as it is.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
from onnx import helper

from families import FORMS
from families.graph import FLOAT
from families.picture import preprocess


def noisy(picture, seed=5):
    """The picture with one grey level more or less in a fifth of its values: as another way of scaling it would give."""
    random = np.random.default_rng(seed)
    change = random.integers(-1, 2, picture.shape) * (random.random(picture.shape) < 0.2)
    return np.clip(picture.astype(int) + change, 0, 255).astype(np.uint8)


def threshold_for(scores, least, want=60):
    """A threshold in the widest gap between neighbours around the `want`-th score, so that no rounding moves a box
    across it."""
    s = np.sort(scores[scores > least])[::-1]
    if len(s) < 24:
        return round(float(s[-1]) - 0.002, 4)
    first, last = min(want // 2, len(s) // 2), min(want * 2, len(s) - 1)
    gaps = s[first:last] - s[first + 1 : last + 1]
    i = first + int(np.argmax(gaps))
    return round(float(s[i] + s[i + 1]) / 2, 6)


def unlike(boxes, others):
    """Boxes without a partner of the same class within 8 pixels and 0.05, and the greatest difference of the others."""
    lost, pixels, score, left = 0, 0.0, 0.0, list(others)
    for a in boxes:
        apart = lambda b: max(max(abs(a[k] - b[k]) for k in "xywh") / 8, abs(a["score"] - b["score"]) / 0.05)
        near = sorted((b for b in left if b["class"] == a["class"]), key=apart)
        if not near or apart(near[0]) > 1:
            lost += 1
            continue
        left.remove(near[0])
        pixels = max(pixels, *(abs(a[k] - near[0][k]) for k in "xywh"))
        score = max(score, abs(a["score"] - near[0]["score"]))
    return {"lost": lost, "pixels": round(float(pixels), 3), "score": round(float(score), 5)}


def run(path, spec, tensor, also):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {spec["name"]: tensor}
    for name, value in also.items():
        feed[name] = np.array(value, np.int64 if name == "orig_target_sizes" else np.float32)
    return dict(zip((o.name for o in session.get_outputs()), session.run(None, feed)))


def plain(value):
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (np.floating, float)):
        return float(f"{float(value):.7g}")
    return value.item() if isinstance(value, np.generic) else value


def make(name, form, picture, file, folder):
    graph, model, read, about = form(picture)
    path = folder / f"{name}.onnx"
    if about.pop("external_data", False):
        (folder / f"{name}.onnx.data").unlink(missing_ok=True)
        onnx.save(model, path, save_as_external_data=True, location=f"{name}.onnx.data", size_threshold=512)
        about["beside"] = f"{name}.onnx.data"
    else:
        onnx.save(model, path)
    also, least, cut = about.pop("also", {}), about.pop("least", 0.0), about.pop("cut", None)
    told = about | {
        "input": graph.spec,
        "inputs_besides": also,
        "picture": file.name,
        "size": [picture.shape[1], picture.shape[0]],
    }
    boxes, said = [], "to be refused"
    if read:
        onnx.checker.check_model(path)
        outs = run(path, graph.spec, graph.tensor, also)
        told["outputs"] = [{"name": k, "shape": list(v.shape), "dtype": str(v.dtype)} for k, v in outs.items()]
        found, want = read(outs, graph.mapping), 60
        told["threshold"] = threshold_for(found.scores, least, want)
        while len(boxes := found.above(told["threshold"], graph.mapping)) < 12 and want < 2000:
            want *= 2
            told["threshold"] = threshold_for(found.scores, least, want)
        told["nms"] = {"iou": found.iou, "class_wise": True} if found.iou else None
        if cut:
            # What a program finds that takes the tensors ahead of the suppression and lets each row name its best class alone.
            opened = onnx.load(path)
            opened.graph.output.extend(helper.make_tensor_value_info(n, FLOAT, None) for n in graph.before)
            ahead = run(opened.SerializeToString(), graph.spec, graph.tensor, also)
            told["cut"] = {
                "boxes": graph.before[0],
                "scores": graph.before[1],
                "nms": {"iou": cut(*(ahead[n][0] for n in graph.before)).iou, "class_wise": True},
            }
            told["boxes_if_cut"] = cut(*(ahead[n][0] for n in graph.before)).above(told["threshold"], graph.mapping)
        again, mapping = preprocess(noisy(picture), graph.spec)
        told["with_noise"] = unlike(
            boxes, read(run(path, graph.spec, again, also), mapping).above(told["threshold"], mapping)
        )
        classes = len({b["class"] for b in boxes})
        said = f"{len(boxes)} boxes, {classes} classes, from {told['threshold']}; with noise {told['with_noise']}"
    lists = {"boxes_if_cut": told.pop("boxes_if_cut", None), "boxes": boxes}
    parts = [f' "{key}": {json.dumps(plain(value))}' for key, value in told.items()]
    for key, rows in lists.items():
        if rows is not None:
            parts.append(f' "{key}": [\n' + ",\n".join("  " + json.dumps(plain(row)) for row in rows) + "\n ]")
    text = "{\n" + ",\n".join(parts) + "\n}\n"
    (folder / f"{name}.json").write_text(text)
    print(f"{name}: {path.stat().st_size} bytes, {said}")


def main():
    here = Path(__file__).resolve().parent.parent
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--picture", type=Path, default=here / "photos/street.png")
    arguments.add_argument("--out", type=Path, default=here / "models/families")
    arguments.add_argument("names", nargs="*")
    arguments = arguments.parse_args()
    picture = cv2.imread(str(arguments.picture), cv2.IMREAD_COLOR)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, form in FORMS.items():
        if not arguments.names or name in arguments.names:
            make(name, form, picture, arguments.picture, arguments.out)


if __name__ == "__main__":
    main()
