"""The peer of bench_gromov: Python Optimal Transport (POT) on NumPy.

Reads requests "FILE N EPS" and answers "MILLISECONDS VALUE" (see timing.h). FILE holds D1 and D2, each (N,N)
float64; masses are uniform; the loss is the square, and POT stops where it does by default: plans that change by
1e-9, Sinkhorn to 1e-9 or 1,000 sweeps in between. VALUE is the energy of the plan.
"""

import sys
import time
import warnings

import numpy
import ot


def answer(request):
    path, n, eps = request.split()
    n = int(n)
    first, second = numpy.fromfile(path, dtype=numpy.float64).reshape(2, n, n)
    mass = numpy.full(n, 1.0 / n)
    start = time.perf_counter()
    plan = ot.gromov.entropic_gromov_wasserstein(first, second, mass, mass, "square_loss", float(eps))
    seconds = time.perf_counter() - start
    rows, columns = plan.sum(axis=1), plan.sum(axis=0)
    half = (first**2 @ rows)[:, None] + (second**2 @ columns)[None, :] - 2 * first @ plan @ second
    return f"{1e3 * seconds:.6g} {(half * plan).sum():.17g}"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if "--check" not in sys.argv:
        for line in sys.stdin:
            print(answer(line), flush=True)
