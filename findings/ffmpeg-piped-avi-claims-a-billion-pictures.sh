#!/bin/sh
# ffmpeg: an AVI that was written to a pipe says that it has 1,073,741,824 pictures, and readers believe it.
#
# Guessed: where the number of pictures is not known when the header is written, it is 0, as in Matroska and FLV, and readers say unknown.
# Seen: ffmpeg 9.0.2 writes 2 to the 30 and cannot come back to it. OpenCV 5.0.0 (CAP_PROP_FRAME_COUNT), PyAV 18.1.0 (stream.frames) and
# imageio 2.38.1 (improps) say 1073741824 for a film of 50 pictures, which is 497 days; all of them read the 50 without complaint.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" \
    numpy==2.4.6 opencv-python-headless==5.0.0.93 imageio==2.38.1 av==18.1.0 imageio-ffmpeg==0.8.1
cd "$folder"
ffmpeg=$(ls imageio_ffmpeg/binaries/ffmpeg-*)
for codec in mjpeg mpeg4; do
    "$ffmpeg" -v error -f lavfi -i testsrc2=s=64x64:r=25 -frames:v 50 -pix_fmt yuv420p -strict unofficial -c:v $codec -f avi file-$codec.avi
    "$ffmpeg" -v error -i file-$codec.avi -c copy -f avi - | cat >pipe-$codec.avi
done
PYTHONPATH=$folder python3 -B - 2>/dev/null <<'END'
import av
import cv2
import imageio.v3 as iio

for codec in ["mjpeg", "mpeg4"]:
    for written, wanted in [("file", 50), ("pipe", 2**30)]:
        name = f"{written}-{codec}.avi"
        film = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
        counted = int(film.get(cv2.CAP_PROP_FRAME_COUNT))
        with av.open(name) as same:
            stream = same.streams.video[0]
            said, there = stream.frames, sum(1 for _ in same.decode(stream))
        known = iio.improps(name, plugin="pyav").n_images
        read = 0
        while film.read()[0]:
            read += 1
        print(f"{name}: OpenCV {counted}, PyAV {said}, imageio {known}; read {read}, {there}")
        assert (counted, said, known) == (wanted,) * 3 and read == there == 50
END
