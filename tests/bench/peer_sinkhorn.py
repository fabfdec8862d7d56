"""The peers of bench_sinkhorn: Python Optimal Transport (POT) on NumPy, and plain torch.

Reads requests "METHOD FILE N M EPS SWEEPS TOLERANCE" and answers "MILLISECONDS VALUE" (see timing.h).
METHOD is "knopp" (ot.bregman.sinkhorn_knopp, float, the fastest that POT has here), "log"
(ot.bregman.sinkhorn_log, double) or "torch" (a loop of two float matrix-vector products, kernel and its
transpose both stored; "nan nan" where there is no torch); FILE holds the cost as float32; both marginals
are uniform; VALUE is <P,C>. The time is that of a whole solve, kernel and plan included; every 10 sweeps the
Euclidean error of the columns is looked at.
"""

import sys
import time
import warnings

import numpy
import ot

try:
    import torch
    torch.set_num_threads(1)
except ImportError:
    torch = None


def by_pot(call):
    def solve(cost, eps, sweeps, tolerance):
        n, m = cost.shape
        a, b = numpy.full(n, 1 / n, cost.dtype), numpy.full(m, 1 / m, cost.dtype)
        return call(a, b, cost, eps, numItermax=sweeps, stopThr=tolerance, warn=False)
    return solve


def by_torch(cost, eps, sweeps, tolerance):
    n, m = cost.shape
    kernel = torch.exp(torch.from_numpy(cost) / -eps)
    transposed = kernel.t().contiguous()
    u = torch.full((n,), 1 / n)
    for sweep in range(sweeps):
        v = (1 / m) / torch.mv(transposed, u)
        u = (1 / n) / torch.mv(kernel, v)
        if sweep % 10 == 0:
            off = v * torch.mv(transposed, u) - 1 / m
            if float(torch.linalg.vector_norm(off)) < tolerance:
                break
    return (u[:, None] * kernel * v[None, :]).numpy()


METHODS = {
    "knopp": (by_pot(ot.bregman.sinkhorn_knopp), numpy.float32),
    "log": (by_pot(ot.bregman.sinkhorn_log), numpy.float64),
    "torch": (by_torch, numpy.float32),
}


def answer(request):
    method, path, n, m, eps, sweeps, tolerance = request.split()
    solve, kind = METHODS[method]
    if method == "torch" and torch is None:
        return "nan nan"
    cost = numpy.fromfile(path, dtype=numpy.float32).reshape(int(n), int(m)).astype(kind)
    start = time.perf_counter()
    plan = solve(cost, float(eps), int(sweeps), float(tolerance))
    seconds = time.perf_counter() - start
    value = float((plan.astype(numpy.float64) * cost).sum())
    return f"{1e3 * seconds:.6g} {value:.17g}"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    numpy.seterr(all="ignore")
    if "--check" not in sys.argv:
        for line in sys.stdin:
            print(answer(line), flush=True)
