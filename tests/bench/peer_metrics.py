#!/usr/bin/env python3
"""The peer of tests/bench/bench_metrics.c: scikit-learn's AUROC and AP, and an exact AUPRO in numpy and scipy.

usage: peer_metrics.py --check     exit status 0 if numpy, scipy and sklearn are there
       peer_metrics.py             answers requests on standard input, one a line, with "MILLISECONDS VALUE"

  ranking COUNT SIDE   roc_auc_score and average_precision_score; value: their sum
  aupro COUNT SIDE     AUPRO to 0.3, region labelling included; value: AUPRO
  memory               value: peak resident memory of this process, MiB

Data: COUNT maps of SIDE x SIDE, made of the pixel's number in the whole set by make() as in bench_metrics.c.
"""
import resource
import sys
import time

try:
    import numpy as np
    from scipy import ndimage
    from sklearn.metrics import average_precision_score, roc_auc_score
except ImportError:
    sys.exit(1)


def make(count, side):
    """Maps (float32) and masks (bool), both (count, side, side)."""
    masks = np.zeros((count, side, side), bool)
    for i in range(count):
        if i % 4:
            y, x = 37 * i % (side - 40), 53 * i % (side - 40)
            masks[i, y:y + 20, x:x + 30] = True
            masks[i, y + 24:y + 32, x + 10:x + 10 + i % 9] = True
    bits = np.arange(count * side * side, dtype=np.uint32) * np.uint32(0x9E3779B1)
    bits ^= bits >> np.uint32(15)
    bits *= np.uint32(0x85EBCA77)
    bits ^= bits >> np.uint32(13)
    maps = (bits >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)
    maps = maps.reshape(masks.shape)
    maps[masks] += np.float32(0.5)
    return maps, masks


def ranking(maps, masks):
    scores, labels = maps.ravel(), masks.ravel()
    return roc_auc_score(labels, scores) + average_precision_score(labels, scores)


def aupro(maps, masks, limit=0.3):
    share, regions = np.zeros(masks.shape), 0
    for image, mask in enumerate(masks):
        label, n = ndimage.label(mask, structure=np.ones((3, 3)))
        if n:
            share[image] = np.append(0.0, 1.0 / np.bincount(label.ravel())[1:])[label]
        regions += n
    falling = np.argsort(-maps.ravel(), kind="stable")
    scores = maps.ravel()[falling]
    ends = np.flatnonzero(np.append(np.diff(scores) != 0, True))
    overlap = np.append(0.0, np.cumsum(share.ravel()[falling])[ends] / regions)
    good = ~masks.ravel()[falling]
    fpr = np.append(0.0, np.cumsum(good)[ends] / good.sum())
    inside = fpr <= limit
    x = np.append(fpr[inside], limit)
    y = np.append(overlap[inside], np.interp(limit, fpr, overlap))
    return np.sum(np.diff(x) * (y[1:] + y[:-1])) / 2 / limit


def main():
    if "--check" in sys.argv:
        return
    made = None
    for line in sys.stdin:
        what, *sizes = line.split()
        if what == "memory":
            print(0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
            continue
        if made is None or made[0] != sizes:
            made = None
            made = (sizes, *make(*map(int, sizes)))
        work = {"ranking": ranking, "aupro": aupro}[what]
        start = time.perf_counter()
        value = work(*made[1:])
        print("%.6f %.17g" % (1e3 * (time.perf_counter() - start), value), flush=True)


if __name__ == "__main__":
    main()
