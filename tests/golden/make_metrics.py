#!/usr/bin/env python3
"""Writes tests/golden/metrics.txt: exact metrics of cases that tests/unit/test_pixel_metrics.c makes anew.

usage: python3 tests/golden/make_metrics.py > tests/golden/metrics.txt

AU-sPRO takes half of a region's pixels (rounded down, at least one) as its saturation; the logarithms of AUPIMO
are the only numbers that are not rational.

All arithmetic is rational (fractions.Fraction) and rounded once, at the end, so the values are those of
the definitions in docs/math/metrics.md. Only the standard library is needed; where scikit-learn is
installed, AUROC and AP are also held against it.

A case is (seed, images, levels, boxes, specks, boost). One recurrence runs through all its images:
  state = (1664525 state + 1013904223) mod 2^32, starting from seed; below(n) is (state >> 8) mod n of the next state
  image i has height 6 + below(12) and width 6 + below(14);
  boxes times:  top = below(height), left = below(width), tall = 1 + below(4), wide = 1 + below(5);
                the box is cut at the border and set in the mask;
  every pixel, row by row: set in the mask also where below(1000) < specks;
                score = (below(levels) + (boost if set in the mask)) / 64
"""
from fractions import Fraction
from math import log

CASES = [(1, 4, 4096, 2, 0, 1500), (2, 5, 8, 1, 20, 3), (3, 3, 2, 2, 0, 1), (4, 6, 100000, 0, 60, 9000),
         (5, 4, 1, 1, 30, 0), (6, 3, 50, 3, 10, 50), (7, 1, 300, 1, 0, 0), (8, 8, 64, 1, 5, 20),
         (9, 2, 16, 0, 400, 4), (10, 3, 1000, 0, 0, 0), (11, 1, 9, 0, 1000, 0), (12, 5, 700, 1, 2, 650)]


class Recurrence:
    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (1664525 * self.state + 1013904223) % 2**32
        return (self.state >> 8) % n


def make_case(seed, images, levels, boxes, specks, boost):
    """A list of images: dictionaries from (row, column) to (score in 64ths, set in the mask)."""
    r, made = Recurrence(seed), []
    for _ in range(images):
        height = 6 + r.below(12)
        width = 6 + r.below(14)
        mask = set()
        for _ in range(boxes):
            top, left = r.below(height), r.below(width)
            tall, wide = 1 + r.below(4), 1 + r.below(5)
            mask |= {(y, x) for y in range(top, min(height, top + tall)) for x in range(left, min(width, left + wide))}
        image = {}
        for y in range(height):
            for x in range(width):
                if r.below(1000) < specks:
                    mask.add((y, x))
                image[y, x] = (r.below(levels) + (boost if (y, x) in mask else 0), (y, x) in mask)
        made.append(image)
    return made


def regions_of(image):
    """The 8-connected regions as sets of pixels."""
    left, regions = {p for p, (_, bad) in image.items() if bad}, []
    while left:
        todo = [left.pop()]
        region = set(todo)
        while todo:
            y, x = todo.pop()
            near = {(y + j, x + i) for j in (-1, 0, 1) for i in (-1, 0, 1)} & left
            left -= near
            region |= near
            todo += near
        regions.append(region)
    return regions


def area(points, limit):
    """Area under the polygon from x = 0 to limit, over limit."""
    total = Fraction(0)
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        if x0 >= limit or x1 == x0:
            continue
        if x1 > limit:
            x1, y1 = limit, y0 + (y1 - y0) * (limit - x0) / (x1 - x0)
        total += (x1 - x0) * (y0 + y1) / 2
    return total / limit


def saturated(region, image):
    """The scores of a region that count, each with its share."""
    wanted = max(1, len(region) // 2)
    return [(score, Fraction(1, wanted)) for score in sorted((image[p][0] for p in region), reverse=True)[:wanted]]


def pimo(images):
    good = [[s for s, _ in image.values()] for image in images if not any(bad for _, bad in image.values())]
    bad = [[s for s, bad in image.values() if bad] for image in images]
    bad = [scores for scores in bad if scores]
    if not good or not bad:
        return None

    def share(score):
        rate = sum(Fraction(sum(s >= score for s in scores), len(scores)) for scores in good) / len(good)
        return 1.0 if rate <= Fraction(1, 10**5) else max(0.0, log(1e-4 / float(rate)) / log(10.0))
    return sum(sum(map(share, scores)) / len(scores) for scores in bad) / len(bad)


def metrics(images):
    pixels = [v for image in images for v in image.values()]
    overlap = [(image[p][0], len(region)) for image in images for region in regions_of(image) for p in region]
    parts = [part for image in images for region in regions_of(image) for part in saturated(region, image)]
    regions = sum(len(regions_of(image)) for image in images)
    pos, neg = sum(bad for _, bad in pixels), sum(not bad for _, bad in pixels)
    tp = fp = 0
    ap, pro, spro, f1, f1_at = Fraction(0), Fraction(0), Fraction(0), None, None
    roc, pros = [(Fraction(0), Fraction(0))], [(Fraction(0), Fraction(0))]
    spros = [(Fraction(0), Fraction(0))]
    for t in sorted({s for s, _ in pixels}, reverse=True):
        new = [bad for s, bad in pixels if s == t]
        tp, fp = tp + sum(new), fp + len(new) - sum(new)
        if pos:
            ap += Fraction(sum(new), pos) * Fraction(tp, tp + fp)
            value = Fraction(2 * tp, pos + tp + fp)
            if f1 is None or value > f1:
                f1, f1_at = value, Fraction(t, 64)
        if pos and neg:
            pro += sum((Fraction(1, size) for s, size in overlap if s == t), Fraction(0)) / regions
            roc.append((Fraction(fp, neg), Fraction(tp, pos)))
            pros.append((Fraction(fp, neg), pro))
            spro += sum((share for s, share in parts if s == t), Fraction(0)) / regions
            spros.append((Fraction(fp, neg), spro))
    both = pos > 0 and neg > 0
    return {"auroc": area(roc, Fraction(1)) if both else None, "ap": ap if pos else None, "f1": f1, "f1_at": f1_at,
            "aupro_030": area(pros, Fraction(3, 10)) if both else None,
            "aupro_005": area(pros, Fraction(1, 20)) if both else None,
            "aupro_060": area(pros, Fraction(3, 5)) if both else None,
            "auspro_030": area(spros, Fraction(3, 10)) if both else None, "aupimo": pimo(images),
            "pixels": len(pixels), "defect_pixels": pos, "regions": regions}


def hold_against_sklearn(images, found):
    try:
        from sklearn.metrics import average_precision_score, roc_auc_score
    except ImportError:
        return
    pixels = [v for image in images for v in image.values()]
    s, y = [v[0] for v in pixels], [v[1] for v in pixels]
    if found["auroc"] is not None:
        assert abs(roc_auc_score(y, s) - float(found["auroc"])) < 1e-12
        assert abs(average_precision_score(y, s) - float(found["ap"])) < 1e-12


def main():
    print("# seed images levels boxes specks boost | pixels defect_pixels regions auroc ap f1 f1_at aupro_030 aupro_005 aupro_060 "
          "auspro_030 aupimo")
    for case in CASES:
        images = make_case(*case)
        found = metrics(images)
        hold_against_sklearn(images, found)
        numbers = [found[k] for k in ("auroc", "ap", "f1", "f1_at", "aupro_030", "aupro_005", "aupro_060",
                                         "auspro_030", "aupimo")]
        counts = [found[k] for k in ("pixels", "defect_pixels", "regions")]
        print(*case, "|", *counts, *("nan" if v is None else repr(float(v)) for v in numbers))


if __name__ == "__main__":
    main()
