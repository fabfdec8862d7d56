#!/usr/bin/env python3
"""Writes tests/golden/boxes.txt: average precision of cases that tests/unit/test_box_evaluator.c makes anew.

usage: python3 tests/golden/make_boxes.py > tests/golden/boxes.txt

By COCO's definition, step by step and without any shortcut: limits and recalls as numpy.linspace gives them, matches of each
image best box first, all boxes sorted by score (stable), precision made to fall, looked up at 101 recalls.

A case is (seed, images, side). One recurrence runs through all its images:
  state = (1664525 state + 1013904223) mod 2^32, starting from seed; below(n) is (state >> 8) mod n of the next state
  image: truth = below(6) boxes, then found = below(150) boxes
  a true box: x = below(side), y = below(side), w = 1 + below(30), h = 1 + below(30)
  a box found: with truth and below(2) = 1 a true one, number below(truth), moved: x, y, w, h each + below(5) - 2 (w and h at
  least 1); else like a true box; score = below(64) / 64
"""
import bisect

CASES = [(1, 1, 100), (2, 6, 60), (3, 20, 200), (4, 3, 20), (5, 40, 100), (6, 2, 300), (7, 12, 40), (8, 100, 80)]
LIMITS = [0.5 + i * ((0.95 - 0.5) / 9) for i in range(9)] + [0.95]
RECALLS = [r * 0.01 for r in range(100)] + [1.0]


class Recurrence:
    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (1664525 * self.state + 1013904223) % 2**32
        return (self.state >> 8) % n


def draw_box(random, side):
    return [random.below(side), random.below(side), 1 + random.below(30), 1 + random.below(30)]


def draw_image(random, side):
    truth_count, found_count = random.below(6), random.below(150)
    truth = [draw_box(random, side) for _ in range(truth_count)]
    found = []
    for _ in range(found_count):
        if truth and random.below(2) == 1:
            box = list(truth[random.below(truth_count)])
            for i in range(4):
                box[i] += random.below(5) - 2
            box[2], box[3] = max(box[2], 1), max(box[3], 1)
        else:
            box = draw_box(random, side)
        found.append((random.below(64) / 64, box))
    return truth, found


def iou(a, b):
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / (a[2] * a[3] + b[2] * b[3] - w * h)


def match(truth, found, limit):
    taken, hits = set(), []
    for _, box in found:
        best, to = min(limit, 1 - 1e-10), None
        for k, other in enumerate(truth):
            if k not in taken and iou(box, other) >= best:
                best, to = iou(box, other), k
        if to is not None:
            taken.add(to)
        hits.append(to is not None)
    return hits


def measure(images, limit, most):
    rows, total = [], sum(len(truth) for truth, _ in images)
    for truth, found in images:
        best = sorted(found, key=lambda f: -f[0])[:most]
        rows += [(score, hit) for (score, _), hit in zip(best, match(truth, best, limit))]
    rows.sort(key=lambda r: -r[0])
    recall, precision, hits = [], [], 0
    for i, (_, hit) in enumerate(rows):
        hits += hit
        recall.append(hits / total)
        precision.append(hits / (i + 1))
    for i in range(len(precision) - 1, 0, -1):
        precision[i - 1] = max(precision[i - 1], precision[i])
    places = [bisect.bisect_left(recall, r) for r in RECALLS]
    ap = sum(precision[p] if p < len(precision) else 0.0 for p in places) / len(RECALLS)
    return ap, (recall[-1] if recall else 0.0)


def main():
    print("# seed images side | boxes ap50 ap recall_100 ap30_5 recall30_5")
    for seed, count, side in CASES:
        random = Recurrence(seed)
        images = [draw_image(random, side) for _ in range(count)]
        figures = [measure(images, limit, 100) for limit in LIMITS]
        few = measure(images, 0.3, 5)
        print(seed, count, side, "|", sum(len(t) for t, _ in images), repr(figures[0][0]),
              repr(sum(f[0] for f in figures) / 10), repr(sum(f[1] for f in figures) / 10), repr(few[0]), repr(few[1]))


if __name__ == "__main__":
    main()
