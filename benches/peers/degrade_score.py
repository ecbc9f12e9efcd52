"""COCO's average precision with a bootstrap over pictures, and HOTA by a scorer of its own, for degrade.py."""

import contextlib
import io
import json
import subprocess
import sys

import numpy as np

RECALLS = np.linspace(0, 1, 101)


class Precision:
    """One result's matches, from which the AP of any resampling of the pictures follows at once.

    COCOeval matches boxes picture by picture (all sizes, 100 boxes a picture). That does not depend on which other
    pictures are there, so it is done once; a resampling only counts each picture's matches as often as it was drawn.
    """

    def __init__(self, truth, result, pictures):
        from pycocotools.cocoeval import COCOeval

        with contextlib.redirect_stdout(io.StringIO()):
            found = truth.loadRes(str(result))
            judge = COCOeval(truth, found, "bbox")
            judge.params.imgIds = sorted(pictures)
            judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
            judge.evaluate()
        count = len(pictures)
        self.classes = []
        for first in range(0, len(judge.evalImgs), count):
            one = self.gather(judge.evalImgs[first : first + count])
            if one is not None:
                self.classes.append(one)

    @staticmethod
    def gather(pictures):
        """Of one class: how many objects each picture has; all boxes by falling score with picture and verdicts."""
        objects = np.zeros(len(pictures))
        scores, owners, right, wrong = [], [], [], []
        for number, seen in enumerate(pictures):
            if seen is None:
                continue
            objects[number] = np.count_nonzero(np.logical_not(seen["gtIgnore"]))
            scores.append(np.asarray(seen["dtScores"], float)[:100])
            owners.append(np.full(len(scores[-1]), number))
            matched, ignored = seen["dtMatches"][:, :100] > 0, seen["dtIgnore"][:, :100] > 0
            right.append(matched & ~ignored)
            wrong.append(~matched & ~ignored)
        if not objects.any():
            return None
        order = np.argsort(-np.concatenate(scores), kind="mergesort")
        owners = np.concatenate(owners)[order]
        return objects, owners, np.concatenate(right, 1)[:, order], np.concatenate(wrong, 1)[:, order]

    def ap(self, weights):
        """In points; `weights` says how often each picture counts."""
        values = []
        for objects, owners, right, wrong in self.classes:
            total = objects @ weights
            if total == 0:
                continue
            values.append(np.mean(curve(right * weights[owners], wrong * weights[owners], total)))
        return 100 * float(np.mean(values))


def curve(right, wrong, total):
    """Precision at each of the 101 recalls, for each overlap threshold."""
    right, wrong = np.cumsum(right, 1), np.cumsum(wrong, 1)
    precision = right / np.maximum(right + wrong, 1e-9)
    precision = np.maximum.accumulate(precision[:, ::-1], 1)[:, ::-1]
    out = np.zeros((len(right), len(RECALLS)))
    for row in range(len(right)):
        at = np.searchsorted(right[row] / total, RECALLS - 1e-9, side="left")
        reached = at < right.shape[1]
        out[row, reached] = precision[row, at[reached]]
    return out


def draws(pictures, resamples, seed):
    """How often each picture is drawn: the first row is each once, the others are resamplings."""
    rng = np.random.default_rng(seed)
    return np.vstack((np.ones(pictures), rng.multinomial(pictures, np.full(pictures, 1 / pictures), resamples)))


def difference(values, base):
    """A setting's AP without resampling, its difference to the base and that one's 95 % interval; paired draws."""
    apart = np.asarray(values) - np.asarray(base)
    low, high = np.percentile(apart[1:], [2.5, 97.5])
    return {"ap": values[0], "difference": float(apart[0]), "low": float(low), "high": float(high)}


def shortened(data, sequence, frames, cache):
    """A folder with the ground truth of the first frames."""
    folder = cache / f"truth-{frames}"
    (folder / sequence / "gt").mkdir(parents=True, exist_ok=True)
    lines = (data / sequence / "gt" / "gt.txt").read_text().splitlines()
    kept = [line for line in lines if line.strip() and int(float(line.split(",")[0])) <= frames]
    (folder / sequence / "gt" / "gt.txt").write_text("\n".join(kept) + "\n")
    (folder / sequence / "seqinfo.ini").write_text(f"[Sequence]\nname={sequence}\nseqLength={frames}\n")
    return folder


def hota(scorer, truth, results, sequence):
    """What the scorer says of one sequence: HOTA, DetA, AssA, MOTA, IDF1, IDSW ..."""
    out = results / f"{sequence}.score.json"
    if not out.exists():
        command = [sys.executable, str(scorer), str(truth), str(results), "--seq", sequence]
        subprocess.run([*command, "-j", "1", "--json", str(out)], check=True, stdout=subprocess.DEVNULL)
    return json.loads(out.read_text())[sequence]
