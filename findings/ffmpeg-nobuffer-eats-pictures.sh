#!/bin/sh
# ffmpeg's `-fflags nobuffer`, which every guide to low delay names, throws away the pictures that were looked at first.
#
# Guessed: the packets that ffmpeg reads to find out what a stream is are decoded at once instead of being kept back, and
# none is lost; a file, which is not live, is the same with and without.
# Seen: ffmpeg 9.0.2 gives 75 of 100 pictures of an MP4 and of a Matroska file (a whole group of pictures is gone, with its
# key frame), none of an FLV, and all 100 of a transport stream. Of a live stream whose key frames are far apart nothing is
# shown until the next one. Exit status 0, no message.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --no-deps --target "$folder" imageio-ffmpeg==0.8.1
ffmpeg=$(ls "$folder"/imageio_ffmpeg/binaries/ffmpeg-*)
pictures() { "$ffmpeg" -v quiet "$@" -f framecrc - | grep -vc '^#' || true; }
"$ffmpeg" -v error -f lavfi -i testsrc2=s=160x96:r=25 -frames:v 100 -c:v libx264 -pix_fmt yuv420p -g 25 "$folder/film.mp4"
for ending in mp4 mkv flv ts; do
    file=$folder/copy.$ending
    "$ffmpeg" -v error -i "$folder/film.mp4" -c copy "$file"
    plain=$(pictures -i "$file") hasty=$(pictures -fflags nobuffer -i "$file")
    echo "$ending: $plain pictures, with nobuffer $hasty"
    case $ending in mp4 | mkv) wanted=75 ;; flv) wanted=0 ;; ts) wanted=100 ;; esac
    [ "$plain" = 100 ] && [ "$hasty" = "$wanted" ]
done
