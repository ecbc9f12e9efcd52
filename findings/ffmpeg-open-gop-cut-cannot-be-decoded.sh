#!/bin/sh
# ffmpeg: a cut of an MP4 with open groups of pictures, copied into a transport stream, holds no picture that can be decoded.
#
# Guessed: H.264's parameter sets, which an MP4 has once in its header, are written again before each key frame, so that a
# stream can be entered at any of them. That is so with closed groups.
# Seen: ffmpeg 9.0.2 writes them before IDR pictures only. With open groups the first picture of a film is the only one: a cut
# by `-ss 2 -c copy` into .ts or .h264 has 150 pictures and gives none, and of HLS only the first segment can be
# played alone. Exit status 0 at each step. The same cut as Matroska or FLV, and that of HEVC, is whole.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --no-deps --target "$folder" imageio-ffmpeg==0.8.1
ffmpeg=$(ls "$folder"/imageio_ffmpeg/binaries/ffmpeg-*)
pictures() { "$ffmpeg" -v quiet -i "$1" -f framecrc - | grep -vc '^#' || true; }
film() { "$ffmpeg" -v error -f lavfi -i testsrc2=s=160x96:r=25 -frames:v 200 -pix_fmt yuv420p "$@"; }
cd "$folder"
film -c:v libx264 -x264-params keyint=50:open-gop=0 closed.mp4
film -c:v libx264 -x264-params keyint=50:open-gop=1 open.mp4
film -c:v libx265 -x265-params keyint=50:open-gop=1:log-level=none hevc.mp4
check() {
    "$ffmpeg" -v error -ss 2 -i "$1" -c copy -y "$2"
    echo "$1 cut into $2: $(pictures "$2") pictures"
    [ "$(pictures "$2")" = "$3" ]
}
check closed.mp4 cut.ts 150
check open.mp4 cut.ts 0
check open.mp4 cut.h264 0
check open.mp4 cut.mkv 150
check open.mp4 cut.flv 150
check hevc.mp4 cut.ts 150
"$ffmpeg" -v error -i open.mp4 -c copy -f hls -hls_time 2 -hls_list_size 0 list.m3u8
echo "segments of HLS: $(pictures list0.ts), $(pictures list1.ts), $(pictures list2.ts) pictures; as a list $(pictures list.m3u8)"
[ "$(pictures list0.ts) $(pictures list1.ts) $(pictures list2.ts) $(pictures list.m3u8)" = "48 0 0 200" ]
