"""The peer of bench_assignment: scipy.optimize.linear_sum_assignment.

Reads requests "FILE N M" and answers "MILLISECONDS VALUE" (see timing.h). FILE holds the cost as float64; VALUE
is the total of the assignment. The sum over the pairs is not timed.
"""

import sys
import time

import numpy
from scipy.optimize import linear_sum_assignment


def answer(request):
    path, n, m = request.split()
    cost = numpy.fromfile(path, dtype=numpy.float64).reshape(int(n), int(m))
    start = time.perf_counter()
    rows, columns = linear_sum_assignment(cost)
    seconds = time.perf_counter() - start
    return f"{1e3 * seconds:.6g} {cost[rows, columns].sum():.17g}"


if __name__ == "__main__":
    if "--check" not in sys.argv:
        for line in sys.stdin:
            print(answer(line), flush=True)
