"""Ways to spoil a picture, each reproducible, and the making of spoilt pictures and clips for degrade.py."""

import json
import subprocess
import zlib

import cv2
import numpy as np

SEED = 20


def whole(values):
    """Back to bytes."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def gamma(exponent):
    table = whole(255 * (np.arange(256) / 255.0) ** exponent)
    return lambda picture, _: table[picture]


def contrast(share):
    table = whole(127.5 + (np.arange(256) - 127.5) * share)
    return lambda picture, _: table[picture]


def noise(sigma):
    return lambda picture, rng: whole(picture + sigma * rng.standard_normal(picture.shape, dtype=np.float32))


def shot(photons):
    """As a sensor that counts so many photons in a white pixel."""
    return lambda picture, rng: whole(rng.poisson(picture * (photons / 255.0)) * (255.0 / photons))


def salt(share):
    """Whole pixels turn black or white."""

    def spoil(picture, rng):
        dice = rng.random(picture.shape[:2], dtype=np.float32)
        out = picture.copy()
        out[dice < share / 2] = 0
        out[(dice >= share / 2) & (dice < share)] = 255
        return out

    return spoil


def jpeg(quality):
    def spoil(picture, _):
        return cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)

    return spoil


def blur(sigma):
    return lambda picture, _: cv2.GaussianBlur(picture, (0, 0), sigma)


def cast(blue, green, red):
    return lambda picture, _: whole(picture * np.array([blue, green, red], np.float32))


def halved(picture, _):
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def after(first, second):
    return lambda picture, rng: second(first(picture, rng), rng)


# Each takes a BGR picture and a random generator of its own.
WAYS = {
    "clean": lambda picture, _: picture,
    "gamma 2": gamma(2),
    "gamma 3": gamma(3),
    "gamma 0.5": gamma(0.5),
    "gamma 0.3": gamma(0.3),
    "contrast 40%": contrast(0.4),
    "contrast 30%": contrast(0.3),
    "contrast 20%": contrast(0.2),
    "noise 10": noise(10),
    "noise 20": noise(20),
    "noise 30": noise(30),
    "noise 40": noise(40),
    "shot 20": shot(20),
    "gamma 3, noise 10": after(gamma(3), noise(10)),
    "salt 1%": salt(0.01),
    "salt 3%": salt(0.03),
    "salt 5%": salt(0.05),
    "jpeg 20": jpeg(20),
    "blur 2": blur(2),
    "cast warm": cast(0.5, 0.8, 1.0),
    "cast cold": cast(1.0, 0.8, 0.5),
    "halved": halved,
}
# Those that a clip is spoilt by unless told otherwise: it takes minutes each.
CLIP_WAYS = ["clean", "gamma 3", "contrast 20%", "noise 20", "noise 40", "gamma 3, noise 10", "salt 3%", "jpeg 20"]


def generator(way, number):
    """The same for the same way and picture, in whatever order they are made; another for each frame."""
    return np.random.default_rng([SEED, zlib.crc32(way.encode()), number])


def slug(text):
    return "".join(letter if letter.isalnum() or letter in ".-" else "_" for letter in text)


def stills(way, pictures, cache):
    """A folder with the spoilt pictures as PNG; a file in it tells that it is complete."""
    folder = cache / "stills" / slug(way)
    done = folder.with_suffix(folder.suffix + ".done")
    # The number of pictures is part of it: a run with fewer must not pass for all.
    names = json.dumps([path.name for path in pictures])
    if done.exists() and done.read_text() == names:
        return folder
    done.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for number, path in enumerate(pictures):
        picture = WAYS[way](cv2.imread(str(path)), generator(way, number))
        cv2.imwrite(str(folder / (path.stem + ".png")), picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    done.write_text(names)
    return folder


def clip(way, source, rate, frames, cache):
    """The spoilt clip, lossless (ffv1, RGB)."""
    out = cache / "clips" / f"{source.stem}-{frames}-{slug(way)}.mkv"
    if out.exists():
        return out
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_suffix(".partial.mkv")
    reader = cv2.VideoCapture(str(source))
    writer, number = None, 0
    while number < frames:
        good, picture = reader.read()
        if not good:
            break
        if writer is None:
            writer = encoder(partial, picture.shape[1], picture.shape[0], rate)
        writer.stdin.write(WAYS[way](picture, generator(way, number)).tobytes())
        number += 1
    if writer is None:
        raise SystemExit(f"{source} has no pictures")
    writer.stdin.close()
    if writer.wait() or number < frames:
        raise SystemExit(f"{source}: {number} of {frames} frames")
    partial.rename(out)
    return out


def encoder(path, width, height, rate):
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{width}x{height}"]
    command += ["-r", str(rate), "-i", "-", "-c:v", "ffv1", "-level", "3", "-pix_fmt", "bgr0", str(path)]
    return subprocess.Popen(command, stdin=subprocess.PIPE)
