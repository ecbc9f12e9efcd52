#!/bin/sh
# decord: pictures that are not there are replaced by copies of the last one, and those at the start of a transport stream are lost.
#
# Guessed: len() is the number of pictures that can be decoded, and reader[k] is the k-th, as with ffmpeg.
# Seen: decord 0.6.0 counts packets. An MP4 that was cut by `-ss 1.5 -c copy` has 62 pictures to show (13 more lie before its edit
# list), but decord has 75: the last 13 are copies. Of a transport stream of 100 it gives those from the second key frame on,
# then the last one 25 times more, so that reader[0] is picture 25.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" \
    numpy==2.4.6 decord==0.6.0 imageio-ffmpeg==0.8.1
cd "$folder"
ffmpeg=$(ls imageio_ffmpeg/binaries/ffmpeg-*)
# Each picture has one brightness, and so a number.
"$ffmpeg" -v error -f lavfi -i color=s=64x64:r=25 -frames:v 100 -vf 'geq=lum=20+2*N:cb=128:cr=128' -pix_fmt yuv420p -c:v libx264 -x264-params keyint=25:min-keyint=25:scenecut=0 film.mp4
"$ffmpeg" -v error -ss 1.5 -i film.mp4 -c copy cut.mp4
"$ffmpeg" -v error -i film.mp4 -c copy film.ts
PYTHONPATH=$folder python3 -B - "$ffmpeg" 2>/dev/null <<'END'
import subprocess
import sys
import decord


def number(picture):
    return round((picture.mean() * 219 / 255 + 16 - 20) / 2)


for name, wanted in [
    ("film.mp4", list(range(100))),
    ("cut.mp4", list(range(38, 100)) + [99] * 13),
    ("film.ts", list(range(25, 100)) + [99] * 25),
]:
    shown = subprocess.run([sys.argv[1], "-v", "error", "-i", name, "-f", "framecrc", "-"], capture_output=True, text=True).stdout
    shown = sum(not line.startswith("#") for line in shown.splitlines())
    reader = decord.VideoReader(name)
    got = [number(reader[k].asnumpy()) for k in range(len(reader))]
    print(f"{name}: ffmpeg shows {shown}, decord {len(got)}, of which {len(set(got))} are different, from number {got[0]} on")
    assert got == wanted and shown == {"cut.mp4": 62}.get(name, 100)
END
