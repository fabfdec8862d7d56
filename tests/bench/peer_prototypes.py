"""The peers of bench_prototypes: faiss IndexFlatL2, and a greedy coreset (farthest points) in torch.

Reads requests and answers "MILLISECONDS VALUE" (see timing.h). All arrays are float32, on one thread.
"nearest FILE N K D": FILE holds N patches and K points; VALUE is the sum of the squared distances to the nearest
points. Adding the points to the index is not timed ("nan nan" where there is no faiss).
"coreset FILE N D K FIRST": FILE holds N points; K are chosen, beginning with number FIRST; VALUE is the largest distance
of a point to those chosen.
"""

import os
import sys
import time

# faiss and torch bring OpenMP runtimes of their own
os.environ.setdefault("KMP_DUPLICATE_LIB_OK", "TRUE")

import numpy  # noqa: E402
import torch  # noqa: E402

try:
    import faiss
    faiss.omp_set_num_threads(1)
except ImportError:
    faiss = None

torch.set_num_threads(1)
torch.set_grad_enabled(False)

indexed = {}


def nearest(path, n, k, d):
    if faiss is None:
        return float("nan"), float("nan")
    if indexed.get("size") != (n, k, d):
        both = numpy.fromfile(path, dtype=numpy.float32).reshape(n + k, d)
        indexed.update(size=(n, k, d), index=faiss.IndexFlatL2(d), patches=both[:n].copy())
        indexed["index"].add(both[n:].copy())
    start = time.perf_counter()
    squared, _ = indexed["index"].search(indexed["patches"], 1)
    return time.perf_counter() - start, float(squared.sum(dtype=numpy.float64))


def coreset(path, n, d, k, first):
    points = torch.from_numpy(numpy.fromfile(path, dtype=numpy.float32).reshape(n, d))
    start = time.perf_counter()
    lengths = (points * points).sum(1)
    least = torch.full((n,), float("inf"))
    chosen = first
    for _ in range(k - 1):
        squares = torch.mv(points, points[chosen]).mul_(-2).add_(lengths).add_(lengths[chosen])
        torch.minimum(least, squares, out=least)
        chosen = int(least.argmax())
    seconds = time.perf_counter() - start
    torch.minimum(least, ((points - points[chosen]) ** 2).sum(1), out=least)
    return seconds, float(least.max()) ** 0.5


def answer(request):
    kind, path, *sizes = request.split()
    seconds, value = {"nearest": nearest, "coreset": coreset}[kind](path, *map(int, sizes))
    return f"{1e3 * seconds:.6g} {value:.9g}"


if __name__ == "__main__":
    if "--check" not in sys.argv:
        for line in sys.stdin:
            print(answer(line), flush=True)
