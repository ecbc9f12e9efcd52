#!/bin/sh
# ffmpeg: an animated AVIF is one picture, unless its second stream is asked for.
#
# Guessed: as with animated GIF, PNG and WebP, all pictures come, each for its time.
# Seen: ffmpeg 9.0.2 makes two video streams of the file, the still that stands for it and the film, with equal size and the same
# stream id, and takes the still. `-map 0:v:1` gives the four pictures. PyAV 18.1.0, which has streams.video[0] for "the video", gives one.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --no-deps --target "$folder" \
    imageio-ffmpeg==0.8.1 pillow==13.0.0 av==18.1.0
cd "$folder"
ffmpeg=$(ls imageio_ffmpeg/binaries/ffmpeg-*)
PYTHONPATH=$folder python3 -B - "$ffmpeg" <<'END'
import subprocess
import sys
import av
from PIL import Image

pictures = [Image.new("RGB", (64, 48), colour) for colour in ["red", "green", "blue", "yellow"]]


def by_ffmpeg(name, *arguments):
    made = subprocess.run(
        [sys.argv[1], "-v", "error", "-i", name, *arguments, "-fps_mode", "passthrough", "-f", "framecrc", "-"],
        capture_output=True, text=True, check=True,
    )
    return sum(not line.startswith("#") for line in made.stdout.splitlines())


for name, wanted in [("film.gif", (4, 4)), ("film.png", (4, 4)), ("film.avif", (1, 1))]:
    pictures[0].save(name, save_all=True, append_images=pictures[1:], duration=[100, 200, 300, 400])
    with Image.open(name) as film, av.open(name) as same:
        assert film.n_frames == 4
        got = by_ffmpeg(name), sum(1 for _ in same.decode(video=0))
    print(f"{name}: {got[0]} of 4 by ffmpeg, {got[1]} by PyAV")
    assert got == wanted, f"changed: it was {wanted}"
second = by_ffmpeg("film.avif", "-map", "0:v:1")
print(f"film.avif, second stream: {second}")
assert second == 4
END
