"""The peer of bench_detect: torchvision.ops.nms.

Reads requests "FILE IOU" and answers "MILLISECONDS VALUE" (see timing.h). FILE holds boxes and scores as float32,
(n, 5): x0, y0, x1, y1, score. VALUE is the CRC-32 of the indices kept, in falling order of score, as little-endian
int64: equal sets give equal values.
"""

import sys
import time
import zlib

import numpy
import torch
import torchvision

torch.set_num_threads(1)


def answer(request):
    path, iou = request.split()
    rows = torch.from_numpy(numpy.fromfile(path, dtype=numpy.float32).reshape(-1, 5))
    boxes, scores = rows[:, :4].contiguous(), rows[:, 4].contiguous()
    start = time.perf_counter()
    kept = torchvision.ops.nms(boxes, scores, float(iou))
    seconds = time.perf_counter() - start
    return f"{1e3 * seconds:.6g} {zlib.crc32(kept.numpy().astype('<i8').tobytes())}"


if __name__ == "__main__":
    if "--check" not in sys.argv:
        for line in sys.stdin:
            print(answer(line), flush=True)
