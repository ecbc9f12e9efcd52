#!/usr/bin/env python3
"""Renders scenes with walkers and what is no motion: rain, a flickering lamp, shadows, a shaking camera, and others.

Each scene is a folder as MOTChallenge has it: NAME.mkv, gt/gt.txt (frame,id,left,top,width,height,1,1,1, from 1) and
seqinfo.ini. All is drawn from a seed; nothing is read. `ffmpeg` writes the videos."""

import argparse
import pathlib
import subprocess

import cv2
import numpy as np

WIDTH, HEIGHT, RATE = 640, 480, 25
SECONDS = 12
HORIZON = 150
MARGIN = 24
SCENES = ("plain", "rain", "flicker", "shadow", "shake", "exposure", "leaves", "night")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="where the scenes go")
    parser.add_argument("--scenes", nargs="+", default=list(SCENES), choices=SCENES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plates", action="store_true", help="also the empty place as plate.png")
    return parser.parse_args()


def cloud(random, height, width, scales, strength):
    """Noise of several sizes, of mean 0."""
    total = np.zeros((height, width), np.float32)
    for scale in scales:
        small = random.standard_normal((height // scale + 3, width // scale + 3)).astype(np.float32)
        total += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return total * strength / np.sqrt(len(scales))


def place(random):
    """An empty place with a margin around it: a house with windows, a path, grass."""
    height, width = HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN
    picture = np.zeros((height, width, 3), np.float32)
    horizon = HORIZON + MARGIN
    picture[:horizon] = (105, 120, 140)
    picture[horizon:] = (118, 122, 126)
    left = width // 3
    picture[horizon:, :left] = (70, 110, 90)
    for top in range(20, horizon - 30, 46):
        for x in range(14, width - 34, 58):
            shade = random.uniform(40, 90)
            picture[top : top + 30, x : x + 26] = (shade + 14, shade + 6, shade)
            picture[top + 14 : top + 16, x : x + 26] = 170
    for y in range(horizon, height, 36):
        picture[y : y + 2, left:] -= 26
    for x in range(left, width, 52):
        cv2.line(picture, (x, horizon), (x * 2 - left - 60, height), (96, 98, 102), 2)
    picture += cloud(random, height, width, (2, 5, 14, 40), 9)[..., None]
    picture[horizon:, :left] += cloud(random, height - horizon, left, (1, 2, 4), 12)[..., None]
    for x in (90, 420):
        picture[horizon - 110 : horizon + 60, x : x + 7] = (52, 50, 48)
    return np.clip(picture, 4, 250)


class Walker:
    """Someone with a head, a trunk, arms and legs, who walks on a straight line and may stop."""

    def __init__(self, random, number, begin):
        self.number, self.begin = number, begin
        self.foot = random.uniform(HORIZON + 70, HEIGHT - 8)
        self.height = 34 + 0.34 * (self.foot - HORIZON)
        self.right = random.random() < 0.5
        self.speed = self.height * random.uniform(0.45, 0.85)
        colours = random.uniform(25, 215, (3, 3))
        self.coat = colours[0] * random.uniform(0.5, 1.0)
        self.trousers = colours[1] * random.uniform(0.35, 0.8)
        self.hair = colours[2] * 0.4
        self.skin = np.array([140, 165, 205.0])
        self.stop = random.uniform(1.5, 6.0) if random.random() < 0.3 else None
        self.stride = random.uniform(1.5, 2.1)
        self.texture = random.standard_normal((24, 12)).astype(np.float32) * 9
        self.drift = random.uniform(-6, 6)

    def at(self, time):
        """Where the feet are, and how far the step is; None while away."""
        passed = time - self.begin
        if passed < 0:
            return None
        walked = passed
        if self.stop is not None and passed > self.stop:
            walked = self.stop + max(0.0, passed - self.stop - 2.0)
        distance = walked * self.speed
        x = -30 + distance if self.right else WIDTH + 30 - distance
        if not -60 < x < WIDTH + 60:
            return None
        still = self.stop is not None and self.stop < passed < self.stop + 2.0
        phase = 0.0 if still else np.sin(2 * np.pi * self.stride * walked / 2)
        return x, self.foot + self.drift * walked / 6, phase

    def draw(self, x, foot, phase):
        """Colours and coverage around the walker, three times as fine, then made small; and where that lies."""
        fine = 3
        tall, wide = int(self.height * 1.1), int(self.height * 0.75)
        colour = np.zeros((tall * fine, wide * fine, 3), np.float32)
        cover = np.zeros((tall * fine, wide * fine), np.float32)
        unit = self.height * fine
        middle, ground = wide * fine / 2, tall * fine - 2 * fine

        def limb(begin, end, thick, paint):
            points = tuple(int(v) for v in begin), tuple(int(v) for v in end)
            cv2.line(cover, *points, 1.0, max(int(thick), 1), cv2.LINE_AA)
            cv2.line(colour, *points, tuple(float(v) for v in paint), max(int(thick), 1))

        hip, neck = ground - 0.48 * unit, ground - 0.82 * unit
        for side in (-1, 1):
            step = side * phase * 0.17 * unit
            limb((middle + side * 0.03 * unit, hip), (middle + step, ground), 0.10 * unit, self.trousers * (1 + 0.1 * side))
        for side in (-1, 1):
            limb((middle + side * 0.08 * unit, neck + 0.05 * unit), (middle - side * phase * 0.13 * unit + side * 0.09 * unit, hip), 0.06 * unit, self.coat * 0.85)
        cv2.rectangle(cover, (int(middle - 0.10 * unit), int(neck)), (int(middle + 0.10 * unit), int(hip + 0.06 * unit)), 1.0, -1)
        cv2.rectangle(colour, (int(middle - 0.10 * unit), int(neck)), (int(middle + 0.10 * unit), int(hip + 0.06 * unit)), tuple(float(v) for v in self.coat), -1)
        head = (int(middle), int(ground - 0.91 * unit))
        cv2.circle(cover, head, int(0.075 * unit), 1.0, -1, cv2.LINE_AA)
        cv2.circle(colour, head, int(0.075 * unit), tuple(self.skin), -1)
        cv2.ellipse(colour, head, (int(0.075 * unit),) * 2, 0, 180, 360, tuple(float(v) for v in self.hair), -1)
        colour += cv2.resize(self.texture, (colour.shape[1], colour.shape[0]))[..., None]
        colour = cv2.resize(colour, (wide, tall), interpolation=cv2.INTER_AREA)
        cover = cv2.resize(cover, (wide, tall), interpolation=cv2.INTER_AREA)
        return colour, cover, int(round(x - wide / 2)), int(round(foot - tall + 2))


def paste(picture, colour, cover, left, top, shade=None):
    """Puts something on the picture; gives the pixels that it covers, as a mask of the whole picture."""
    height, width = picture.shape[:2]
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + cover.shape[1], width), min(top + cover.shape[0], height)
    mask = np.zeros((height, width), bool)
    if x0 >= x1 or y0 >= y1:
        return mask
    part = cover[y0 - top : y1 - top, x0 - left : x1 - left, None]
    target = picture[y0:y1, x0:x1]
    if shade is None:
        target[:] = target * (1 - part) + colour[y0 - top : y1 - top, x0 - left : x1 - left] * part
    else:
        target *= 1 - part * shade
    mask[y0:y1, x0:x1] = part[..., 0] > 0.4
    return mask


def shadow_of(cover, x, foot):
    """The walker laid down to the right of the feet."""
    tall, wide = cover.shape
    long = int(tall * 0.85)
    out = np.zeros((tall, wide + long), np.float32)
    # Head far from the feet: a shear, and half as high.
    matrix = np.float32([[1, -0.8, 0.8 * tall], [0, -0.32, tall * 0.32]])
    flipped = cv2.warpAffine(cover, matrix, (wide + long, tall), flags=cv2.INTER_LINEAR)
    out[:] = cv2.GaussianBlur(flipped, (0, 0), 1.2)
    return out, int(round(x - wide / 2)), int(round(foot - 3))


def scene(name, seed, writer, plate):
    random = np.random.default_rng([seed, SCENES.index(name)])
    empty = place(random)
    if plate is not None:
        cv2.imwrite(str(plate), empty[MARGIN:-MARGIN, MARGIN:-MARGIN].astype(np.uint8))
    walkers = [Walker(random, number, begin) for number, begin in enumerate(np.arange(1.0, SECONDS, 1.1), 1)]
    rows = []
    drops = random.uniform(0, 1, (420, 3))
    tree = np.zeros(empty.shape[:2], np.float32)
    for _ in range(90):
        cv2.circle(tree, (int(random.uniform(480, 640)), int(random.uniform(30, 170))), int(random.uniform(6, 15)), 1.0, -1)
    leaves = cloud(random, *empty.shape[:2], (3, 6), 26)
    for frame in range(SECONDS * RATE):
        time = frame / RATE
        picture = empty.copy()
        if name == "leaves":
            wind = 3.2 * np.sin(2.1 * time) + 1.4 * np.sin(5.3 * time + 1)
            down, across = np.mgrid[: empty.shape[0], : empty.shape[1]]
            across = (across + wind + np.sin(down / 19 + 3 * time) * 1.8).astype(np.float32)
            down = (down + 0.4 * wind).astype(np.float32)
            moved = cv2.remap(leaves, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            at = cv2.remap(tree, across, down, cv2.INTER_LINEAR)[..., None]
            picture = picture * (1 - at) + (np.array([40, 95, 60], np.float32) + moved[..., None]) * at
        inner = picture[MARGIN:-MARGIN, MARGIN:-MARGIN]
        present = [(walker, walker.at(time)) for walker in walkers]
        present = sorted(((w, at) for w, at in present if at is not None), key=lambda pair: pair[1][1])
        drawn = [(walker, at, *walker.draw(*at)) for walker, at in present]
        if name == "shadow":
            for walker, at, _, cover, _, _ in drawn:
                laid, left, top = shadow_of(cover, at[0], at[1])
                paste(inner, None, laid, left, top, shade=0.42)
        masks = []
        for walker, at, colour, cover, left, top in drawn:
            mask = paste(inner, colour, cover, left, top)
            masks = [(who, whole, seen & ~mask) for who, whole, seen in masks]
            masks.append((walker, mask, mask))
        if name == "rain":
            fallen = (drops[:, 1] + time * (1.4 + drops[:, 2])) % 1.0
            shift = (drops[:, 0] + 0.37 * np.floor(drops[:, 1] + time * (1.4 + drops[:, 2]))) % 1.0
            layer = np.zeros(picture.shape[:2], np.float32)
            for x, y, depth in zip(shift, fallen, drops[:, 2]):
                begin = int(x * picture.shape[1]), int(y * picture.shape[0])
                cv2.line(layer, begin, (begin[0] - 2, begin[1] + int(8 + 14 * depth)), 0.30, 1, cv2.LINE_AA)
            picture = picture * (1 - layer[..., None]) + 215 * layer[..., None]
            picture = picture * 0.92 + 12
        if name == "flicker":
            down = np.arange(picture.shape[0], dtype=np.float32)[:, None, None]
            bands = 1 + 0.07 * np.sin(2 * np.pi * (down / 190 + 7.3 * time))
            lamp = 1 + 0.06 * np.sin(2 * np.pi * 3.1 * time) + (0.12 if int(time * 1.3) % 4 == 3 else 0.0)
            picture = picture * bands * lamp
        if name == "exposure":
            # The camera's automatic follows steps of the light within a second.
            light = 1.0 if time < 4 else (1.35 if time < 8 else 0.75)
            before = 1.0 if time < 8 else 1.35
            since = time - (4 if time < 8 else 8)
            gain = 1.0 if time < 4 else light + (before - light) * np.exp(-since / 0.5)
            picture = picture * gain
        if name == "night":
            picture = picture * 0.28 + 3
        view = picture[MARGIN:-MARGIN, MARGIN:-MARGIN]
        shift = (0.0, 0.0)
        if name == "shake":
            dx = 5 * np.sin(2 * np.pi * 1.7 * time) + 2.5 * np.sin(2 * np.pi * 4.1 * time + 1)
            dy = 3.5 * np.sin(2 * np.pi * 2.3 * time + 0.5) + 1.5 * np.sin(2 * np.pi * 5.2 * time)
            turn = np.radians(0.35 * np.sin(2 * np.pi * 1.1 * time))
            middle = (WIDTH / 2 + MARGIN, HEIGHT / 2 + MARGIN)
            cos, sin = np.cos(turn), np.sin(turn)
            # From the picture to the world.
            matrix = np.float32([
                [cos, -sin, middle[0] + dx - cos * WIDTH / 2 + sin * HEIGHT / 2],
                [sin, cos, middle[1] + dy - sin * WIDTH / 2 - cos * HEIGHT / 2],
            ])
            view = cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
            shift = (-dx, -dy)
        sigma = 5.0 if name == "night" else 2.2
        noisy = view + random.standard_normal(view.shape, np.float32) * sigma
        writer.stdin.write(np.clip(noisy + 0.5, 0, 255).astype(np.uint8).tobytes())
        for walker, whole, seen in masks:
            inside = int(whole.sum())
            if inside < 60 or seen.sum() < 0.35 * inside:
                continue
            ys, xs = np.nonzero(whole)
            left, top, right, bottom = xs.min() + shift[0], ys.min() + shift[1], xs.max() + 1 + shift[0], ys.max() + 1 + shift[1]
            rows.append(f"{frame + 1},{walker.number},{left:.1f},{top:.1f},{right - left:.1f},{bottom - top:.1f},1,1,1")
    return rows


def main():
    options = arguments()
    for name in options.scenes:
        folder = options.folder / name
        (folder / "gt").mkdir(parents=True, exist_ok=True)
        command = [
            "ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(RATE),
            "-i", "-", "-c:v", "libx264", "-crf", "14", "-preset", "veryfast", "-pix_fmt", "yuv420p", str(folder / f"{name}.mkv"),
        ]
        writer = subprocess.Popen(command, stdin=subprocess.PIPE)
        rows = scene(name, options.seed, writer, folder / "plate.png" if options.plates else None)
        writer.stdin.close()
        if writer.wait() != 0:
            raise SystemExit(f"ffmpeg could not write {name}")
        (folder / "gt" / "gt.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
        info = f"[Sequence]\nname={name}\nimDir={name}.mkv\nframeRate={RATE}\nseqLength={SECONDS * RATE}\nimWidth={WIDTH}\nimHeight={HEIGHT}\n"
        (folder / "seqinfo.ini").write_text(info, encoding="utf-8")
        print(f"{name}: {len(rows)} boxes")


if __name__ == "__main__":
    main()
