#!/bin/sh
# ffmpeg: of the four options that say what the colours of a film are, two have no effect any more.
#
# Guessed: -colorspace, -color_primaries, -color_trc and -color_range, which stand together in every recipe, are written into the file.
# Seen: ffmpeg 9.0.2 writes matrix and range; primaries and transfer stay unknown in H.264, HEVC, VP9 and MPEG-4, without a word, if the
# pictures came without them (raw video from a pipe, images, test sources). ffmpeg 5.1 wrote all four. The filter setparams still does.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --no-deps --target "$folder" imageio-ffmpeg==0.8.1
ffmpeg=$(ls "$folder"/imageio_ffmpeg/binaries/ffmpeg-*)
options="-colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv"
# $1: codec, $2: filter
colours() {
    head -c 20480 /dev/zero | "$ffmpeg" -v quiet -f rawvideo -pix_fmt gray -s 64x64 -i - -vf "$2" -c:v "$1" $options -y "$folder/film.mkv"
    "$ffmpeg" -hide_banner -i "$folder/film.mkv" 2>&1 | sed -n 's/.*Video:.*yuv420p(\([^)]*\)).*/\1/p'
}
for codec in libx264 libx265 libvpx-vp9 mpeg4; do
    plain=$(colours $codec format=yuv420p)
    named=$(colours $codec format=yuv420p,setparams=color_primaries=bt709:color_trc=bt709)
    echo "$codec: $plain; with setparams: $named"
    [ "$plain" = "tv, bt709/unknown/unknown, progressive" ] || [ "$plain" = "tv, bt709/unknown/unknown" ]
    [ "$named" = "tv, bt709, progressive" ] || [ "$named" = "tv, bt709" ]
done
