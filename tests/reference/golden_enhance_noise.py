"""Makes the pictures under tests/golden/enhance/noise_*.png: what OpenCV and numpy make of small noisy pictures.

tests/library/enhance_noise.rs compares the kernels of src/kernels/ with them.

    pip install numpy opencv-python-headless==5.0.0.93
    python golden_enhance_noise.py
"""

from pathlib import Path

import cv2
import numpy as np

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "enhance"


def scene(width, height, channels, noise, seed):
    """A ramp with a bright box, a dark disc and noise, some of it salt and pepper."""
    chance = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float64)
    plane = 60 + 100 * x / max(width - 1, 1) + 30 * y / max(height - 1, 1)
    plane[(x > width * 0.2) & (x < width * 0.5) & (y > height * 0.3) & (y < height * 0.7)] = 220
    plane[(x - width * 0.7) ** 2 + (y - height * 0.5) ** 2 < (height * 0.3) ** 2] = 20
    planes = np.stack([np.roll(plane, 2 * channel, 1) for channel in range(channels)], -1)
    planes += chance.normal(0, noise, planes.shape)
    spots = chance.random(planes.shape)
    planes[spots < 0.02], planes[spots > 0.98] = 0, 255
    return np.clip(np.rint(planes), 0, 255).astype(np.uint8)


def guided(picture, radius, strength):
    """The self-guided filter (He, Sun, Tang 2010) in floating point."""

    def mean(values):
        side = 2 * radius + 1
        return cv2.boxFilter(values, -1, (side, side), borderType=cv2.BORDER_REPLICATE).reshape(values.shape)

    values = picture.astype(np.float64)
    means = mean(values)
    variance = mean(values * values) - means * means
    a = variance / (variance + strength**2)
    return np.clip(np.rint(mean(a) * values + mean((1 - a) * means)), 0, 255).astype(np.uint8)


def sharpened(picture, sigma, amount, threshold):
    """An unsharp mask in whole levels."""
    values = picture.astype(np.float64)
    detail = values - cv2.GaussianBlur(picture, (0, 0), sigma).reshape(picture.shape)
    detail[np.abs(detail) <= threshold] = 0
    return np.clip(np.rint(values + amount * detail), 0, 255).astype(np.uint8)


STEPS = {
    "median3": lambda picture: cv2.medianBlur(picture, 3),
    "median5": lambda picture: cv2.medianBlur(picture, 5),
    "gauss3": lambda picture: cv2.GaussianBlur(picture, (3, 3), 0),
    "gauss5": lambda picture: cv2.GaussianBlur(picture, (5, 5), 0),
    "gauss7": lambda picture: cv2.GaussianBlur(picture, (7, 7), 0),
    "gauss9": lambda picture: cv2.GaussianBlur(picture, (9, 9), 0),
    "sigma06": lambda picture: cv2.GaussianBlur(picture, (0, 0), 0.6),
    "sigma23": lambda picture: cv2.GaussianBlur(picture, (0, 0), 2.3),
    "guided1": lambda picture: guided(picture, 1, 10),
    "guided2": lambda picture: guided(picture, 2, 25),
    "guided6": lambda picture: guided(picture, 6, 40),
    "sharpen": lambda picture: sharpened(picture, 1.0, 1.5, 0),
    "sharpen_above": lambda picture: sharpened(picture, 1.0, 1.5, 12),
}

# Name of the picture: width, height, channels, noise, and the steps that are taken of it.
PICTURES = {
    "grey": (61, 47, 1, 12, ["median3", "median5", "gauss5", "gauss9", "sigma23", "guided6"]),
    "colour": (33, 20, 3, 8, list(STEPS)),
    "column": (1, 9, 3, 30, list(STEPS)),
    "row": (17, 1, 3, 30, list(STEPS)),
    "pixel": (1, 1, 3, 30, list(STEPS)),
}


def write(name, picture):
    """Red first, as PNG."""
    picture = picture[..., 0] if picture.shape[2] == 1 else picture[..., ::-1]
    cv2.imwrite(str(GOLDEN / f"noise_{name}.png"), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def main():
    """All of them."""
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for seed, (name, (width, height, channels, noise, steps)) in enumerate(PICTURES.items()):
        picture = scene(width, height, channels, noise, seed)
        write(name, picture)
        for step in steps:
            write(f"{name}_{step}", STEPS[step](picture.copy()).reshape(picture.shape))


if __name__ == "__main__":
    main()
