"""Makes the photographs under tests/photos/ from the packages that tests/photos/ORIGIN.md names.

Only needed again to change them: the detector's golden boxes belong to these very pixels.

    pip install scikit-image==0.26.0 matplotlib==3.11.2 pillow==13.0.0
    apt-get download lomiri-wallpapers-16.04=20.04.0-2 opencv-doc=4.6.0+dfsg-12
    for package in *.deb; do dpkg-deb -x "$package" debian; done
    python make_photos.py debian            # and ffmpeg, for the two frames of the clip
"""

import io
import subprocess
import sys
from pathlib import Path

import matplotlib
import skimage
from PIL import Image

DEBIAN = Path(sys.argv[1])
SCIKIT = Path(skimage.__file__).parent / "data"
MATPLOTLIB = Path(matplotlib.get_data_path()) / "sample_data"
LOMIRI = DEBIAN / "usr/share/backgrounds"
CLIP = DEBIAN / "usr/share/doc/opencv-doc/examples/data/vtest.avi"
PHOTOS = Path(__file__).resolve().parent.parent / "photos"


def photo(path, crop=None, size=None):
    """The picture of a file: the part `crop` (left, top, right, bottom), scaled to `size` (width, height)."""
    image = Image.open(path)
    if crop:
        image = image.crop(crop)
    if size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    return image


def frame(number, crop=None):
    """A frame of the clip, counted from 0."""
    png = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", CLIP, "-vf", f"select=eq(n\\,{number})", "-frames:v", "1",
         "-f", "image2pipe", "-c:v", "png", "-"],
        check=True, stdout=subprocess.PIPE,
    ).stdout
    return photo(io.BytesIO(png), crop)


def main():
    dogs = LOMIRI / "friends_by_Aitzol_Berasategi.jpg"
    pictures = {
        "astronaut": photo(SCIKIT / "astronaut.png"),
        "cameraman-grey": photo(SCIKIT / "camera.png"),
        "cat": photo(SCIKIT / "chelsea.png"),
        "coffee": photo(SCIKIT / "coffee.png"),
        "motorcycle": photo(SCIKIT / "motorcycle_left.png"),
        "officer": photo(MATPLOTLIB / "grace_hopper.jpg"),
        "dogs-large": photo(dogs, crop=(200, 500, 1700, 2500)),
        "dogs-tall": photo(dogs, crop=(500, 600, 1500, 3000), size=(500, 1200)),
        "room": photo(LOMIRI / "Wine_by_Jakkub_Mede.jpg", crop=(500, 300, 2400, 2000), size=(475, 425)),
        "street": frame(640),
        "street-wide": frame(700, crop=(0, 40, 768, 230)),
    }
    PHOTOS.mkdir(exist_ok=True)
    for name, image in pictures.items():
        image = image.convert("L" if image.mode == "L" else "RGB")
        # Pixels alone: no colour profile, no resolution, no comments.
        Image.frombytes(image.mode, image.size, image.tobytes()).save(PHOTOS / f"{name}.png", optimize=True)
        print(f"{name}: {image.width}x{image.height} {image.mode}")


if __name__ == "__main__":
    main()
