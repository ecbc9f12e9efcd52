#!/bin/sh
# ffmpeg's filter zscale gives HLG its system gamma component by component, not by luminance as the standard has it.
#
# Guessed: ITU-R BT.2100's OOTF, so that light of one hue keeps its hue: blue of BT.2020 at 203 cd/m² on a display of
# 1000 cd/m² is the code value 0.84.
# Seen: 0.75 in ffmpeg 9.0.2 (zimg), the code value of white at 203 cd/m²: each component has the gamma of 1.2 by itself.
# Red and blue read back by the standard come out darker and paler than they went in; greys agree.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --no-deps --target "$folder" imageio-ffmpeg==0.8.1
ffmpeg=$(ls "$folder"/imageio_ffmpeg/binaries/ffmpeg-*)
for colour in 0000FF FFFFFF; do
    "$ffmpeg" -v error -f lavfi -i "color=c=0x$colour:s=16x16" -frames:v 1 -vf "format=gbrp,zscale=pin=bt2020:tin=bt709:min=gbr:rin=full\
:p=bt2020:t=arib-std-b67:m=gbr:npl=203,format=gbrpf32le" -f rawvideo "$folder/$colour"
done
python3 -B - "$folder" <<'END'
import math
import struct
import sys

def blue(colour):
    """The second plane of G, B, R."""
    return struct.unpack_from("<f", open(f"{sys.argv[1]}/{colour}", "rb").read(), 4 * 16 * 16)[0]

def code(light):
    """The OETF of BT.2100 for more than 1/12 of the scene's light."""
    return 0.17883277 * math.log(12 * light - 0.28466892) + 0.55991073

display = 203 / 1000
luminance = 0.0593 * display
by_luminance = code(display / luminance ** (1 / 6))
by_component = code(display ** (1 / 1.2))
print(f"blue: {blue('0000FF'):.3f}; by luminance {by_luminance:.3f}, by component {by_component:.3f}")
assert abs(by_luminance - 0.84) < 0.005 and abs(by_component - 0.75) < 0.005
assert abs(blue("0000FF") - by_component) < 0.01 and abs(blue("FFFFFF") - by_component) < 0.01
END
