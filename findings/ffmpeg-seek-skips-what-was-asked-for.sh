#!/bin/sh
# ffmpeg: `-ss` before `-i` goes to the key frame after the time that was asked for, in a transport stream, or to the last one, in FLV.
#
# Guessed: as its docs have it, ffmpeg goes to a key frame before the time, decodes, and drops what is too early: `-ss 0.5` of 8
# seconds at 25 frames a second begins with picture 13. So it is in MP4.
# Seen: ffmpeg 9.0.2 begins a transport stream, with key frames two seconds apart, at picture 50 of 200; `-ss 7` gives nothing at
# all, although a second is left. `-stream_loop 1` shows the second time from picture 50 on. FLV (of a film with B-pictures) is right at 0.5, but `-ss 0`
# and `-ss 0.04` begin at picture 150. Of raw H.264 any `-ss`, of 0 too, shows nothing. Exit status 0 and no error, each time.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --no-deps --target "$folder" imageio-ffmpeg==0.8.1
cd "$folder"
ffmpeg=$(ls imageio_ffmpeg/binaries/ffmpeg-*)
# Each picture has one brightness, and so a number.
"$ffmpeg" -v error -f lavfi -i color=s=64x64:r=25 -frames:v 200 -vf 'geq=lum=20+N:cb=128:cr=128' -pix_fmt yuv420p -c:v libx264 -x264-params keyint=50:min-keyint=50:scenecut=0 film.mp4
"$ffmpeg" -v error -i film.mp4 -c copy film.ts
"$ffmpeg" -v error -i film.mp4 -c copy film.flv
"$ffmpeg" -v error -i film.mp4 -c copy film.h264
python3 -B - "$ffmpeg" <<'END'
import subprocess
import sys


def pictures(*arguments):
    plane = ["-fps_mode", "passthrough", "-vf", "extractplanes=y", "-f", "rawvideo", "-"]
    made = subprocess.run([sys.argv[1], "-v", "error", *arguments, *plane], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return [made.stdout[at + 64 * 32 + 32] - 20 for at in range(0, len(made.stdout), 64 * 64)]


for name, seek, wanted in [
    ("film.mp4", "0", 0), ("film.mp4", "0.04", 1), ("film.mp4", "0.5", 13), ("film.mp4", "7", 175),
    ("film.ts", "0", 0), ("film.ts", "0.04", 1), ("film.ts", "0.5", 50), ("film.ts", "7", None),
    ("film.h264", "0", None), ("film.h264", "0.5", None),
    ("film.flv", "0", 150), ("film.flv", "0.04", 150), ("film.flv", "0.5", 13), ("film.flv", "7", 175),
]:
    got = pictures("-ss", seek, "-i", name)
    print(f"{name} -ss {seek}: {f'picture {got[0]} to {got[-1]}' if got else 'nothing'}")
    assert (got == []) if wanted is None else (got == list(range(wanted, 200))), f"changed: it began at {wanted}"
for name, again in [("film.mp4", 0), ("film.ts", 50), ("film.flv", 0)]:
    got = pictures("-stream_loop", "1", "-i", name)
    print(f"{name}, twice: {len(got)} pictures")
    assert got == [*range(200), *range(again, 200)]
END
