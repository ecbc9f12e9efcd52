"""Makes tests/golden/enhance/light_*.png: what OpenCV makes of small pictures, for tests/library/enhance_light.rs.

    python tests/reference/golden_enhance_light.py

Made with OpenCV 5.0.0 and NumPy 2. The pictures are drawn from integers alone, so they are the same everywhere.
"""

from pathlib import Path

import cv2
import numpy as np

OUT = Path(__file__).resolve().parent.parent / "golden" / "enhance"
SIZES = [(61, 47), (33, 20), (1, 9), (17, 1), (1, 1), (48, 36)]
# Clip limit, tiles across, tiles down.
CLAHE = [(2.0, 8, 8), (4.0, 4, 3), (0.0, 2, 2), (40.0, 1, 1), (1.0, 3, 5)]


def picture(width: int, height: int) -> np.ndarray:
    """A slope of colours with a dark and a bright patch, and noise. RGB."""
    y, x = np.mgrid[0:height, 0:width]
    noise = ((x * 7919 + y * 104729 + x * y * 31) % 23) - 11
    slope = np.stack([x * 3 + 20, y * 4 + 40, (x + y) * 2 + 10], -1) + noise[..., None]
    slope[height // 4 : height // 2, width // 4 : width // 2] //= 5
    slope[height // 2 :, width * 3 // 4 :] += 150
    return np.clip(slope, 0, 255).astype(np.uint8)


def save(name: str, rgb: np.ndarray) -> None:
    pixels = rgb if rgb.ndim == 2 else cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    assert cv2.imwrite(str(OUT / f"light_{name}.png"), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    level = np.arange(256)
    table = ((level * level + 97 * level) % 256).astype(np.uint8)
    tables = np.stack([table, 255 - table, np.roll(table, 40)], -1)[None]
    for width, height in SIZES:
        size = f"{width}x{height}"
        rgb = picture(width, height)
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        save(f"{size}", rgb)
        save(f"{size}_grey", grey)
        save(f"{size}_table", cv2.LUT(rgb, table))
        save(f"{size}_tables", cv2.LUT(rgb, tables))
        for clip, across, down in CLAHE:
            made = cv2.createCLAHE(clip, (across, down)).apply(grey)
            save(f"{size}_clahe_{clip:g}_{across}x{down}", made)


if __name__ == "__main__":
    main()
