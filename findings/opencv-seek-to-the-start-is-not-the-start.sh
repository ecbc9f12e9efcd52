#!/bin/sh
# OpenCV: in a transport stream, set(CAP_PROP_POS_FRAMES, 0), the usual way to play a film again, goes to the second key frame.
#
# Guessed: the first picture, or, where the stream has no index, `set` gives false.
# Seen: OpenCV 5.0.0 gives true and says position 0, and the next picture is number 50: the first 50 of 100 are never seen
# again. Position 10 gives number 51 (and says 50). From the second key frame on all is right; so is the same film in an MP4.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" \
    numpy==2.4.6 opencv-python-headless==5.0.0.93 imageio-ffmpeg==0.8.1
cd "$folder"
ffmpeg=$(ls imageio_ffmpeg/binaries/ffmpeg-*)
# Each picture has one brightness, and so a number.
"$ffmpeg" -v error -f lavfi -i color=s=64x64:r=25 -frames:v 100 -vf 'geq=lum=20+2*N:cb=128:cr=128' -pix_fmt yuv420p -c:v libx264 -x264-params keyint=50:min-keyint=50:scenecut=0 film.mp4
"$ffmpeg" -v error -i film.mp4 -c copy film.ts
PYTHONPATH=$folder python3 -B - 2>/dev/null <<'END'
import cv2


def number(picture):
    # From BGR of a limited range back to the brightness that was drawn.
    return round((picture.mean() * 219 / 255 + 16 - 20) / 2)


def at(name, place):
    film = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
    numbers = [number(film.read()[1]) for _ in range(100)]
    assert numbers == list(range(100)), numbers
    moved = film.set(cv2.CAP_PROP_POS_FRAMES, place)
    said = film.get(cv2.CAP_PROP_POS_FRAMES)
    return moved, said, number(film.read()[1])


for name, place, wanted in [
    ("film.mp4", 0, (True, 0, 0)), ("film.mp4", 10, (True, 10, 10)), ("film.mp4", 70, (True, 70, 70)),
    ("film.ts", 0, (True, 0, 50)), ("film.ts", 10, (True, 50, 51)), ("film.ts", 70, (True, 70, 70)),
]:
    got = at(name, place)
    print(f"{name}, set to {place}: {got[0]}, position {got[1]:.0f}, picture {got[2]}")
    assert got == wanted, f"changed: it was {wanted}"
END
