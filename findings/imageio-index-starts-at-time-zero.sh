#!/bin/sh
# imageio: imread(film, index=k) gives another picture than the k-th where a film does not begin at time 0.
#
# Guessed: picture k in the order in which imiter gives them, as the docs have it.
# Seen: imageio 2.38.1 with pyav 18.1.0 takes the time of picture k to be k / rate, and the start of the film to be 0. Of a
# transport stream, which ffmpeg starts at 1.4 seconds, only pictures 0 and 1 and the key frames can be had: index 40 is picture 25.
# Of an MP4 that was cut by `-i film.mp4 -ss 1.3 -c copy`, index 40 is picture 23. No message.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" \
    numpy==2.4.6 imageio==2.38.1 av==18.1.0 imageio-ffmpeg==0.8.1
cd "$folder"
ffmpeg=$(ls imageio_ffmpeg/binaries/ffmpeg-*)
# Each picture has one brightness, and so a number.
"$ffmpeg" -v error -f lavfi -i color=s=64x64:r=25 -frames:v 100 -vf 'geq=lum=20+2*N:cb=128:cr=128' -pix_fmt yuv420p -c:v libx264 -x264-params keyint=25:min-keyint=25:scenecut=0 film.mp4
"$ffmpeg" -v error -i film.mp4 -c copy film.ts
"$ffmpeg" -v error -i film.mp4 -ss 1.3 -c copy cut.mp4
PYTHONPATH=$folder python3 -B - <<'END'
import imageio.v3 as iio


def number(picture):
    return round((picture.mean() * 219 / 255 + 16 - 20) / 2)


for name, wanted in [("film.mp4", [0, 1, 2, 40]), ("film.ts", [0, 1, 0, 25]), ("cut.mp4", [0, 1, 0, 23])]:
    order = [number(picture) for picture in iio.imiter(name, plugin="pyav")]
    assert order == sorted(set(order)) and len(order) >= 50
    got = [order.index(number(iio.imread(name, plugin="pyav", index=k))) for k in (0, 1, 2, 40)]
    print(f"{name}, {len(order)} pictures: indices 0, 1, 2, 40 give {got}")
    assert got == wanted, f"changed: it was {wanted}"
END
