"""Makes the pictures under tests/golden/enhance/geometry_*.png: small pictures shrunk and turned by OpenCV.

tests/library/enhance_geometry.rs compares the kernels of src/kernels/ with them.

    pip install numpy opencv-python-headless==5.0.0.93
    python golden_enhance_geometry.py
"""

import cv2
import numpy as np
from golden_enhance_noise import GOLDEN, scene

# Name of the picture: width, height, channels, noise, and the sizes that it is shrunk to.
PICTURES = {
    "grey": (61, 47, 1, 12, [(30, 23), (20, 11), (61, 5), (1, 1)]),
    "colour": (97, 60, 3, 8, [(48, 30), (32, 20), (31, 17), (7, 60)]),
    "column": (1, 29, 3, 30, [(1, 14), (1, 9), (1, 1)]),
    "row": (37, 1, 3, 30, [(18, 1), (5, 1), (1, 1)]),
    "pixel": (1, 1, 3, 30, [(1, 1)]),
}
# From pixels of the picture to pixels of the new one, the corner of the first at (0, 0).
MAPS = {
    "shift": [[1, 0, 2.25], [0, 1, -1.5]],
    "turn": [[0.9994, -0.0349, 3.2], [0.0349, 0.9994, -1.1]],
    "zoom": [[1.2, 0.1, -6.0], [-0.1, 1.2, 2.5]],
}


def turned(picture, matrix):
    """In double precision, bilinear, the nearest pixel beyond the border; and how far OpenCV's fixed numbers are off."""
    height, width = picture.shape[:2]
    matrix = np.array(matrix, np.float64)
    # OpenCV has the centre of the first pixel at (0, 0).
    centred = matrix.copy()
    centred[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    theirs = cv2.warpAffine(picture, centred, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    back = np.linalg.inv(np.vstack([centred, [0, 0, 1]]))
    y, x = np.mgrid[:height, :width]
    from_x, from_y = (back[row, 0] * x + back[row, 1] * y + back[row, 2] for row in (0, 1))
    left, top = np.floor(from_x).astype(int), np.floor(from_y).astype(int)
    across, down = (from_x - left)[..., None], (from_y - top)[..., None]
    values = picture.astype(np.float64)

    def at(column, row):
        return values[row.clip(0, height - 1), column.clip(0, width - 1)]

    above = at(left, top) * (1 - across) + at(left + 1, top) * across
    below = at(left, top + 1) * (1 - across) + at(left + 1, top + 1) * across
    exact = np.rint(above * (1 - down) + below * down).astype(np.uint8)
    print("  OpenCV is off by at most", np.abs(exact.astype(int) - theirs.reshape(exact.shape)).max())
    return exact


def write(name, picture):
    """Red first, as PNG."""
    cv2.imwrite(str(GOLDEN / f"geometry_{name}.png"), picture[..., ::-1] if picture.shape[-1] == 3 else picture)


def main():
    for seed, (name, (width, height, channels, noise, sizes)) in enumerate(PICTURES.items()):
        picture = scene(width, height, channels, noise, 20 + seed)
        write(name, picture)
        for size in sizes:
            small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], channels)
            write(f"{name}_{size[0]}x{size[1]}", small)
        for way, matrix in MAPS.items():
            print(name, way)
            write(f"{name}_{way}", turned(picture, matrix))


if __name__ == "__main__":
    main()
