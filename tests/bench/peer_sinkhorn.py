"""The peer of bench_sinkhorn: Python Optimal Transport (POT) on NumPy.

Reads requests "FORM FILE N M EPS SWEEPS" and answers "MILLISECONDS VALUE" (see timing.h). FORM is "log"
(ot.bregman.sinkhorn_log, double) or "scaling" (ot.bregman.sinkhorn_knopp, float); FILE holds the cost as
float32; both marginals are uniform; VALUE is <P,C>. As burl does in the benchmark, POT runs all sweeps
(columns first, then rows), and gives the plan.
"""

import sys
import time
import warnings

import numpy
import ot

CALLS = {
    "log": (ot.bregman.sinkhorn_log, numpy.float64),
    "scaling": (ot.bregman.sinkhorn_knopp, numpy.float32),
}


def answer(request):
    form, path, n, m, eps, sweeps = request.split()
    call, kind = CALLS[form]
    n, m = int(n), int(m)
    cost = numpy.fromfile(path, dtype=numpy.float32).reshape(n, m).astype(kind)
    a = numpy.full(n, 1.0 / n, dtype=kind)
    b = numpy.full(m, 1.0 / m, dtype=kind)
    start = time.perf_counter()
    plan = call(a, b, cost, float(eps), numItermax=int(sweeps), stopThr=0.0, warn=False)
    seconds = time.perf_counter() - start
    value = float((plan.astype(numpy.float64) * cost).sum())
    return f"{1e3 * seconds:.6g} {value:.17g}"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if "--check" not in sys.argv:
        for line in sys.stdin:
            print(answer(line), flush=True)
