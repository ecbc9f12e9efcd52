#!/usr/bin/env python3
"""What image processing before the network is worth: the same spoilt pictures with and without it.

Labelled pictures and clips are spoilt in known ways (darkness, low contrast, noise ... see degrade_make.py), always
alike, and the program runs on them with each of several settings. Pictures: COCO's AP (50:95), and for each setting
its difference to the first one with a 95 % interval from a bootstrap over the pictures, the same draws for all. Clips:
HOTA of people and its difference, without an interval: the clips are few.

    python3 -m venv venv
    venv/bin/pip install numpy==2.4.6 opencv-python-headless==5.0.0.93 pycocotools==2.0.11 trackeval==1.3.0
    venv/bin/python benches/peers/degrade.py --coco train128.json train128/
    venv/bin/python benches/peers/degrade.py --clips e2e/ --scorer score_mot.py
    venv/bin/python benches/peers/degrade.py --coco train128.json train128/ --ways clean "gamma 3" \\
        --settings "none=enhance.auto=false" "auto=enhance.auto=true"

--clips wants folders SEQ/{gt/gt.txt,seqinfo.ini,a video}, with the true frame rate in seqinfo.ini. The scorer is called
as `score_mot.py DATA RESULTS --seq SEQ --json OUT`. Everything is kept in --cache: spoilt data are made once, and a run
that was stopped goes on where it was. Results are kept for each binary by what is in it. Prints Markdown; --json writes
the figures.
"""

import argparse
import configparser
import contextlib
import hashlib
import io
import json
import pathlib
import subprocess
import sys

from common import BINARY, markdown

import degrade_make as make
import degrade_score as score

VIDEOS = {".avi", ".mp4", ".mkv", ".mov"}
# The first is what the others are compared with. Several settings are separated by spaces.
SETTINGS = {
    "none": "enhance.auto=false",
    "auto": "enhance.auto=true",
    "exposure": "enhance.auto=false enhance.exposure=true",
    "white balance": "enhance.auto=false enhance.white_balance=grey-world",
    "CLAHE 2": "enhance.auto=false enhance.contrast=2",
    "median 3x3": "enhance.auto=false enhance.median=3x3",
    "Gaussian 1": "enhance.auto=false enhance.gaussian=1",
    "guided 20": "enhance.auto=false enhance.smooth=20",
    "sharpen 0.5": "enhance.auto=false enhance.sharpen=0.5",
    "deblock 12": "enhance.auto=false enhance.deblock=12",
    "temporal 20": "enhance.auto=false enhance.temporal=20",
}
# This one needs the pictures before; it says nothing about single ones.
CLIPS_ONLY = {"temporal 20"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--coco", nargs=2, type=pathlib.Path, metavar=("JSON", "FOLDER"), help="labelled pictures")
    parser.add_argument("--clips", type=pathlib.Path, metavar="FOLDER", help="sequences with ground truth")
    parser.add_argument("--scorer", type=pathlib.Path, help="the program that scores tracks, for --clips")
    parser.add_argument("--seq", nargs="*", help="only these sequences")
    parser.add_argument("--ways", nargs="*", choices=list(make.WAYS), metavar="WAY", help="only these ways to spoil")
    parser.add_argument("--settings", nargs="*", metavar="NAME[=KEY=VALUE ...]", help="instead of the script's own")
    parser.add_argument("--images", type=int, default=0, help="only the first so many pictures")
    parser.add_argument("--frames", type=int, default=0, help="only the first so many frames of a clip")
    parser.add_argument("--resamples", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1, help="of the bootstrap")
    parser.add_argument("--binary", type=pathlib.Path, default=BINARY, help="the program")
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path("degrade-cache"))
    parser.add_argument("--drop-clips", action="store_true", help="delete each spoilt clip once it was tracked")
    parser.add_argument("--json", type=pathlib.Path, help="write all figures to this file")
    options = parser.parse_args()
    if not options.coco and not options.clips:
        parser.error("say --coco or --clips")
    if options.clips and not options.scorer:
        parser.error("--clips needs --scorer")
    return options


def chosen(options, clips):
    """Names and their settings, the base first."""
    if options.settings is None:
        return {name: text for name, text in SETTINGS.items() if clips or name not in CLIPS_ONLY}
    known = {}
    for given in options.settings:
        name, has, text = given.partition("=")
        if not has and name not in SETTINGS:
            sys.exit(f"{name}: neither NAME=KEY=VALUE nor one of {', '.join(SETTINGS)}")
        known[name] = text if has else SETTINGS[name]
    return known


def say(text):
    print(text, file=sys.stderr, flush=True)


def place(options, *parts):
    """Where the results of this binary are kept."""
    mark = hashlib.sha256(options.binary.read_bytes()).hexdigest()[:12]
    return options.cache.joinpath("results", mark, *(make.slug(part) for part in parts))


def key(name, text):
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def run(options, *words):
    done = subprocess.run([str(options.binary), *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stderr}")


def sets(text):
    return [word for setting in text.split() for word in ("--set", setting)]


# --- pictures ---------------------------------------------------------------------------------------------------------


def measure_pictures(options):
    """AP of each way and setting."""
    from pycocotools.coco import COCO

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(options.coco[0]))
    known = {pathlib.Path(entry["file_name"]).name: number for number, entry in truth.imgs.items()}
    paths = sorted(path for path in options.coco[1].iterdir() if path.name in known)
    paths = paths[: options.images or None]
    if not paths:
        sys.exit(f"no picture of {options.coco[0]} in {options.coco[1]}")
    numbers = [known[path.name] for path in paths]
    weights = score.draws(len(paths), options.resamples, options.seed)
    table = {}
    for way in options.ways or make.WAYS:
        table[way] = {}
        base = None
        for name, text in chosen(options, False).items():
            say(f"{way}: {name}")
            boxes = found_boxes(options, way, key(name, text), text, paths)
            precision = score.Precision(truth, boxes, numbers)
            values = [precision.ap(row) for row in weights]
            base = base or values
            table[way][name] = score.difference(values, base)
    return {"pictures": len(paths), "resamples": options.resamples, "ways": table}


def found_boxes(options, way, mark, text, paths):
    out = place(options, f"pictures-{len(paths)}", way, mark + ".json")
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = make.stills(way, paths, options.cache)
        run(options, "detect", folder, "--coco", out, "-q", "--set", "detector.confidence=0.01", *sets(text))
    return out


# --- clips ------------------------------------------------------------------------------------------------------------


def sequences(options):
    """Name, video, frames a second, frames."""
    for folder in sorted(options.clips.iterdir()):
        if not (folder / "seqinfo.ini").exists() or (options.seq and folder.name not in options.seq):
            continue
        videos = sorted(path for path in folder.iterdir() if path.suffix.lower() in VIDEOS)
        if not videos:
            continue
        about = configparser.ConfigParser()
        about.read(folder / "seqinfo.ini")
        frames = int(about["Sequence"]["seqLength"])
        rate = float(about["Sequence"]["frameRate"])
        yield folder.name, videos[0], rate, min(frames, options.frames or frames)


def measure_clips(options):
    """HOTA of each sequence, way and setting."""
    table = {}
    for sequence, video, rate, frames in sequences(options):
        truth = score.shortened(options.clips, sequence, frames, options.cache)
        ways = table[f"{sequence}, {frames} frames"] = {}
        for way in options.ways or make.CLIP_WAYS:
            ways[way] = {}
            for name, text in chosen(options, True).items():
                say(f"{sequence}, {way}: {name}")
                folder = place(options, f"clips-{frames}", way, key(name, text))
                if not (folder / f"{sequence}.txt").exists():
                    clip = make.clip(way, video, rate, frames, options.cache)
                    track(options, clip, rate, folder / f"{sequence}.txt", text)
                got = score.hota(options.scorer, truth, folder, sequence)
                base = next(iter(ways[way].values()), got)
                ways[way][name] = got | {"difference": got["HOTA"] - base["HOTA"]}
            if options.drop_clips:
                for old in (options.cache / "clips").glob(f"{video.stem}-{frames}-{make.slug(way)}.mkv"):
                    old.unlink()
    return table


def track(options, clip, rate, out, text):
    out.parent.mkdir(parents=True, exist_ok=True)
    words = ["track", clip, "--tracks", out, "-q", "--classes", "person", "--set", f"source.fps={rate}"]
    run(options, *words, *sets(text))


# --- tables -----------------------------------------------------------------------------------------------------------


def picture_table(result):
    """One row a way; behind each setting's AP its difference to the first with the interval."""
    ways = result["ways"]
    names = list(next(iter(ways.values())))
    rows = []
    for way, settings in ways.items():
        row = [way, f"{settings[names[0]]['ap']:.1f}"]
        for name in names[1:]:
            one = settings[name]
            row.append(f"{one['ap']:.1f} ({one['difference']:+.1f}: {one['low']:+.1f} to {one['high']:+.1f})")
        rows.append(row)
    head = f"AP, {result['pictures']} pictures"
    return markdown([head, *names], rows)


def clip_table(name, ways):
    names = list(next(iter(ways.values())))
    rows = []
    for way, settings in ways.items():
        row = [way, f"{settings[names[0]]['HOTA']:.1f}"]
        row += [f"{settings[other]['HOTA']:.1f} ({settings[other]['difference']:+.1f})" for other in names[1:]]
        rows.append(row)
    return markdown([f"HOTA, {name}", *names], rows)


def warn(ways, values):
    """A setting that changes nothing anywhere is most likely one that the program does not heed."""
    names = list(next(iter(ways.values())))
    for name in names[1:]:
        if all(values(settings[name]) == values(settings[names[0]]) for settings in ways.values()):
            say(f"warning: {name} gives exactly what {names[0]} gives: does this binary heed it?")


def main():
    options = arguments()
    result = {"binary": str(options.binary)}
    if options.coco:
        result["pictures"] = measure_pictures(options)
        print(picture_table(result["pictures"]) + "\n")
        warn(result["pictures"]["ways"], lambda one: (one["ap"], one["low"], one["high"]))
    if options.clips:
        result["clips"] = measure_clips(options)
        for name, ways in result["clips"].items():
            print(clip_table(name, ways) + "\n")
            warn(ways, lambda one: (one["HOTA"], one["DetA"], one["AssA"]))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
