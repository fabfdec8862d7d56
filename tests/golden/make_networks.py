#!/usr/bin/env python3
"""Small random residual networks and what torch makes of them: tests/golden/resnet_*.safetensors.

usage: make_networks.py OUT_DIR

A file holds the weights as tensors net.NAME under the names of torchvision, with batch norms, an input (3,H,W) and the outputs
of the layers (C,h,w) in double precision rounded to float32. Widths are far below those of real networks; names, blocks,
strides and kernel sides are theirs. Needs Debian's python3-torch; the tests do not.
"""
import json
import os
import struct
import sys

import torch
import torch.nn.functional as F

TYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}


def save(path, tensors):
    header, blob = {}, b""
    for name in sorted(tensors):
        t = tensors[name].contiguous()
        raw = bytes(t.view(torch.uint8 if t.dtype == torch.uint8 else torch.int16 if t.element_size() == 2 else torch.int32)
                    .flatten().numpy().tobytes())
        header[name] = {"dtype": TYPES[t.dtype], "shape": list(t.shape), "data_offsets": [len(blob), len(blob) + len(raw)]}
        blob += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + blob)


class Random:
    """Weights as they are asked for, kept under their names in the type of the file."""

    def __init__(self, seed, dtype):
        self.generator, self.dtype, self.tensors = torch.Generator().manual_seed(seed), dtype, {}

    def take(self, name, *shape, scale=1.0, shift=0.0):
        value = (torch.randn(*shape, generator=self.generator) * scale + shift).to(self.dtype)
        self.tensors[name] = value
        return value.double()

    def convolve(self, x, conv, norm, out, side, stride):
        weight = self.take(conv + ".weight", out, x.shape[1], side, side, scale=(2.0 / (x.shape[1] * side * side)) ** 0.5)
        gain = self.take(norm + ".weight", out, scale=0.1, shift=1.0)
        bias = self.take(norm + ".bias", out, scale=0.1)
        mean = self.take(norm + ".running_mean", out, scale=0.1)
        variance = self.take(norm + ".running_var", out, scale=0.1, shift=1.0).abs()
        self.tensors[norm + ".running_var"] = variance.to(self.dtype)
        x = F.conv2d(x, weight, None, stride, (side - 1) // 2)
        return F.batch_norm(x, mean, variance, gain, bias, False, 0.0, 1e-5)


def run(net, x, blocks, widths, bottleneck):
    outputs = {}
    x = F.relu(net.convolve(x, "conv1", "bn1", widths[0], 7, 2))
    x = F.max_pool2d(x, 3, 2, 1)
    for s, (count, width) in enumerate(zip(blocks, widths)):
        for b in range(count):
            stride, name = 2 if s > 0 and b == 0 else 1, "layer%d.%d." % (s + 1, b)
            sides = (1, 3, 1) if bottleneck else (3, 3)
            strides = (1, stride, 1) if bottleneck else (stride, 1)
            outs = (width, width, 4 * width) if bottleneck else (width, width)
            y = x
            for c in range(len(sides)):
                y = net.convolve(y, name + "conv%d" % (c + 1), name + "bn%d" % (c + 1), outs[c], sides[c], strides[c])
                if c + 1 < len(sides):
                    y = F.relu(y)
            if stride > 1 or x.shape[1] != outs[-1]:
                x = net.convolve(x, name + "downsample.0", name + "downsample.1", outs[-1], 1, stride)
            x = F.relu(x + y)
        outputs["layer%d" % (s + 1)] = x
    return outputs


def make(path, seed, dtype, size, blocks, widths, bottleneck):
    net = Random(seed, dtype)
    x = torch.randn(1, 3, *size, generator=net.generator)
    outputs = run(net, x.double(), blocks, widths, bottleneck)
    tensors = {"net." + name: value for name, value in net.tensors.items()}
    tensors["input"] = x[0]
    tensors.update({name: value[0].float() for name, value in outputs.items()})
    save(path, tensors)
    print(path, os.path.getsize(path))


def main():
    out = sys.argv[1]
    make(os.path.join(out, "resnet_basic.safetensors"), 1, torch.float32, (45, 70), (2, 2, 2, 2), (5, 6, 9, 12), False)
    make(os.path.join(out, "resnet_bottleneck.safetensors"), 2, torch.float16, (33, 64), (3, 4, 6), (4, 6, 8), True)
    make(os.path.join(out, "resnet_wide.safetensors"), 3, torch.bfloat16, (64, 39), (3, 4, 6), (8, 6, 5), True)


if __name__ == "__main__":
    sys.exit(main())
