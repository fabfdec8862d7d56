#!/usr/bin/env python3
"""A held-out set from the good training images of a set alone, for choosing settings without its test images.

usage: heldout.py DATA_SET OUT [--seed N] [--share 0.75] [--count 24]

DATA_SET is in MVTec layout; nothing but its train/good is read. OUT (made, in the same layout) gets
  train/good     links to the first `share` of the images in sorted order
  test/good      links to the others: neighbours in order are often cut from one piece of cloth, so a run is held out
  test/KIND      `count` images of each kind of defect, put on images of test/good, in turn
  ground_truth   their masks
Kinds: speck, streak (thin, along the yarns), stain (wide, faint), paste (a piece of other cloth, most often turned),
shift (a few yarns moved by some pixels). Sizes and strengths are drawn around the cloth's own deviation, from faint to
plain. Masks mark where a defect is at least 0.4 of its strength. The same seed, the same files.

`make bench-ablation DATA=OUT` then says which settings find them best. Needs Debian's python3-numpy and python3-pil.
"""
import argparse
import glob
import os
import sys
import zlib

import numpy as np
from PIL import Image

IMAGES = (".png", ".jpg", ".jpeg")
MARKED = 0.4  # share of its full strength from which on a pixel is defective


class Cloth:
    """An image as floats (H,W,C), its size, and what a strength of 1 means on it."""

    def __init__(self, path):
        self.mode = Image.open(path).mode
        kept = np.asarray(Image.open(path).convert("RGB" if self.mode not in ("L", "RGB") else self.mode), float)
        self.pixels = kept if kept.ndim == 3 else kept[..., None]
        self.height, self.width = kept.shape[:2]
        self.deviation = self.pixels.mean(axis=2).std()
        self.y, self.x = np.mgrid[:self.height, :self.width]

    def add(self, shape, strength):
        """Light or shade of a shape (H,W) in 0..1 on all channels; the defect and its mask."""
        return self.pixels + (strength * self.deviation * shape)[..., None], shape > MARKED


def sign(rng, dark):
    return -1.0 if rng.random() < dark else 1.0


def between(rng, low, high):
    """A whole number in low..high; low where the image leaves no room."""
    return int(rng.integers(low, high + 1)) if high > low else low


def place(rng, cloth, margin):
    return between(rng, margin, cloth.height - 1 - margin), between(rng, margin, cloth.width - 1 - margin)


def speck(rng, cloth, others):
    y, x = place(rng, cloth, 8)
    radius, stretch = rng.uniform(0.8, 3.0), rng.uniform(0.5, 2.0)
    squares = (cloth.y - y) ** 2 + (cloth.x - x) ** 2 * stretch
    return cloth.add(np.exp(-squares / (2 * radius ** 2)), sign(rng, 0.7) * rng.uniform(1.2, 3.0))


def streak(rng, cloth, others):
    y, x = place(rng, cloth, 5)
    width, length = rng.uniform(0.8, 2.0), between(rng, 30, 200)
    across, along, start = (cloth.y - y, cloth.x, x) if rng.random() < 0.5 else (cloth.x - x, cloth.y, y)
    start -= length // 2
    shape = np.exp(-across ** 2 / (2 * width ** 2)) * ((along >= start) & (along < start + length))
    return cloth.add(shape, sign(rng, 0.5) * rng.uniform(0.5, 1.5))


def stain(rng, cloth, others):
    y, x = place(rng, cloth, 15)
    radius, stretch = rng.uniform(8, 35), rng.uniform(0.5, 2.0)
    squares = ((cloth.y - y) ** 2 * stretch + (cloth.x - x) ** 2 / stretch) / (2 * radius ** 2)
    return cloth.add(np.exp(-squares ** 2), -rng.uniform(0.4, 1.2))


def paste(rng, cloth, others):
    """A piece of another good image, turned by a quarter six times of ten."""
    other = Cloth(others[between(rng, 0, len(others) - 1)])
    high, wide = between(rng, 12, 60), between(rng, 12, 60)
    turned = rng.random() < 0.6
    y0, x0 = between(rng, 0, other.height - high), between(rng, 0, other.width - wide)
    piece = other.pixels[y0:y0 + high, x0:x0 + wide]
    return cover(rng, cloth, np.rot90(piece) if turned else piece)


def shift(rng, cloth, others):
    """A narrow band along the yarns, moved by 1 to 3 pixels both ways."""
    high, wide, step = between(rng, 15, 80), between(rng, 15, 80), between(rng, 1, 3)
    if rng.random() < 0.5:
        high = between(rng, 3, 7)
    else:
        wide = between(rng, 3, 7)
    y, x = between(rng, 4, cloth.height - high - 4), between(rng, 4, cloth.width - wide - 4)
    moved = np.roll(cloth.pixels, (step, step), (0, 1))
    return cover(rng, cloth, moved[y:y + high, x:x + wide], (y, x))


def cover(rng, cloth, piece, at=None):
    high, wide = min(piece.shape[0], cloth.height), min(piece.shape[1], cloth.width)
    y, x = at or (between(rng, 0, cloth.height - high), between(rng, 0, cloth.width - wide))
    pixels, mask = cloth.pixels.copy(), np.zeros((cloth.height, cloth.width), bool)
    pixels[y:y + high, x:x + wide] = piece[:high, :wide, :cloth.pixels.shape[2]]
    mask[y:y + high, x:x + wide] = True
    return pixels, mask


KINDS = {"speck": speck, "streak": streak, "stain": stain, "paste": paste, "shift": shift}


def save(pixels, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8)).save(path)


def link(paths, folder):
    os.makedirs(folder, exist_ok=True)
    for path in paths:
        os.symlink(os.path.abspath(path), os.path.join(folder, os.path.basename(path)))


def put_on(held, out, kind, count, seed, name_of_set):
    """Each image has random numbers of its own, so more of them leave the first ones as they were."""
    number = zlib.crc32(name_of_set.encode())
    for i in range(count):
        path = held[i % len(held)]
        rng = np.random.default_rng([seed, number, list(KINDS).index(kind), i])
        pixels, mask = KINDS[kind](rng, Cloth(path), held)
        name = "%s_%02d" % (os.path.splitext(os.path.basename(path))[0], i)
        save(pixels[..., 0] if pixels.shape[2] == 1 else pixels, os.path.join(out, "test", kind, name + ".png"))
        save(255.0 * mask, os.path.join(out, "ground_truth", kind, name + "_mask.png"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=0.75, help="of the images that are fitted on")
    parser.add_argument("--count", type=int, default=24, help="of defective images of each kind")
    args = parser.parse_args()
    good = sorted(p for p in glob.glob(os.path.join(args.data, "train", "good", "*")) if p.lower().endswith(IMAGES))
    cut = int(len(good) * args.share)
    if cut < 2 or cut == len(good):
        sys.exit("heldout: %s has %d images in train/good; %d would be fitted on" % (args.data, len(good), cut))
    if os.path.exists(args.out):
        sys.exit("heldout: %s is there already" % args.out)
    link(good[:cut], os.path.join(args.out, "train", "good"))
    link(good[cut:], os.path.join(args.out, "test", "good"))
    for kind in KINDS:
        put_on(good[cut:], args.out, kind, args.count, args.seed, os.path.basename(os.path.normpath(args.data)))


if __name__ == "__main__":
    sys.exit(main())
