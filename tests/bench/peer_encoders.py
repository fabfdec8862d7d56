"""The peer of bench_encoders: the same networks in torch, random weights, batch norms folded, gradients off.

Reads requests "NAME SIDE THREADS" and answers "MILLISECONDS VALUE" (see timing.h): one forward pass of THREADS images of
SIDE x SIDE as one batch; VALUE is the mean of what comes out.
"""

import sys
import time

import torch
import torch.nn.functional as F

SHAPES = {"resnet18": (False, (2, 2, 2), 64), "wide_resnet50_2": (True, (3, 4, 6), 128)}
networks = {}


class Conv:
    def __init__(self, inputs, outputs, side, stride=1):
        self.weight, self.bias = torch.randn(outputs, inputs, side, side) * 0.03, torch.randn(outputs) * 0.03
        self.stride, self.padding = stride, (side - 1) // 2

    def __call__(self, x):
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding)


class ResNet:
    """To the third stage."""

    def __init__(self, bottleneck, blocks, width):
        channels, self.stem, self.blocks = 64, Conv(3, 64, 7, 2), []
        for stage, count in enumerate(blocks):
            inner = width << stage
            out = 256 << stage if bottleneck else inner
            for b in range(count):
                stride = 2 if stage and not b else 1
                convs = ([Conv(channels, inner, 1), Conv(inner, inner, 3, stride), Conv(inner, out, 1)] if bottleneck else
                         [Conv(channels, inner, 3, stride), Conv(inner, out, 3)])
                self.blocks.append((convs, Conv(channels, out, 1, stride) if channels != out else None))
                channels = out

    def __call__(self, x):
        x = F.max_pool2d(F.relu_(self.stem(x)), 3, 2, 1)
        for convs, shortcut in self.blocks:
            y = x
            for conv in convs[:-1]:
                y = F.relu_(conv(y))
            x = F.relu_(convs[-1](y).add_(shortcut(x) if shortcut else x))
        return x


def answer(request):
    name, side, threads = request.split()
    if name not in networks:
        networks[name] = ResNet(*SHAPES[name])
    torch.set_num_threads(int(threads))
    images = torch.rand(int(threads), 3, int(side), int(side)) * 2 - 1
    with torch.no_grad():
        start = time.perf_counter()
        out = networks[name](images)
        seconds = time.perf_counter() - start
    return f"{1e3 * seconds:.6g} {float(out.mean()):.6g}"


if __name__ == "__main__":
    if "--check" not in sys.argv:
        torch.manual_seed(1)
        for line in sys.stdin:
            print(answer(line), flush=True)
