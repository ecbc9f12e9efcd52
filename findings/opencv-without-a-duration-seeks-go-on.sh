#!/bin/sh
# OpenCV: in a film whose header has no duration, each seek, wherever to, goes on to the next key frame.
#
# Guessed: set(CAP_PROP_POS_FRAMES, 0) goes to the first picture, or gives false where it cannot.
# Seen: OpenCV 5.0.0 gives true and position 0 for any number. In Matroska that was written to a pipe, and in raw H.264, the picture
# after `set` is that of the next key frame: set to 0 again and again, the film of 100 goes 0, 25, 50, 75, end. CAP_PROP_POS_MSEC
# is no better, and CAP_PROP_FRAME_COUNT is a large negative number. ffmpeg seeks in the same Matroska file.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" \
    numpy==2.4.6 opencv-python-headless==5.0.0.93 imageio-ffmpeg==0.8.1
cd "$folder"
ffmpeg=$(ls imageio_ffmpeg/binaries/ffmpeg-*)
# Each picture has one brightness, and so a number.
"$ffmpeg" -v error -f lavfi -i color=s=64x64:r=25 -frames:v 100 -vf 'geq=lum=20+2*N:cb=128:cr=128' -pix_fmt yuv420p -c:v libx264 -x264-params keyint=25:min-keyint=25:scenecut=0 film.mp4
"$ffmpeg" -v error -i film.mp4 -c copy whole.mkv
"$ffmpeg" -v error -i film.mp4 -c copy -f matroska - | cat >piped.mkv
"$ffmpeg" -v error -i film.mp4 -c copy raw.h264
left=$("$ffmpeg" -v error -ss 3 -i piped.mkv -f framecrc - | grep -vc '^#')
echo "ffmpeg -ss 3 of piped.mkv: $left pictures"
[ "$left" = 25 ]
PYTHONPATH=$folder python3 -B - 2>/dev/null <<'END'
import cv2


def after(film, what, place):
    """What `set` says, and the number of the next picture."""
    moved = film.set(what, place)
    if film.get(cv2.CAP_PROP_FRAME_COUNT) < 0:
        assert film.get(cv2.CAP_PROP_POS_FRAMES) == 0
    there, picture = film.read()
    # From BGR of a limited range back to the brightness that was drawn.
    return moved, round((picture.mean() * 219 / 255 + 16 - 20) / 2) if there else None


for name, forwards in [("whole.mkv", False), ("piped.mkv", True), ("raw.h264", True)]:
    film = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
    again = [after(film, cv2.CAP_PROP_POS_FRAMES, 0) for _ in range(5)]
    film = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
    others = [after(film, cv2.CAP_PROP_POS_FRAMES, 60), after(film, cv2.CAP_PROP_POS_MSEC, 400.0)]
    count = film.get(cv2.CAP_PROP_FRAME_COUNT)
    print(f"{name}: five times to 0: {[number for _, number in again]}; to 60, to 0.4 s: {[number for _, number in others]}; count {count:.0f}")
    assert all(moved for moved, _ in again + others)
    assert [number for _, number in again] == ([0, 25, 50, 75, None] if forwards else [0] * 5)
    assert [number for _, number in others] == ([0, 25] if forwards else [60, 10])
    assert (count < 0) if forwards else (count == 100)
END
