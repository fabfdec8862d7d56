"""The peer of bench_vit: the same transformer in torch.

Reads requests "FILE THREADS" and answers "MILLISECONDS VALUE" (see timing.h). FILE holds weights and an image as
safetensors (float32). THREADS threads run an image each, torch itself on one. VALUE is the mean magnitude of the
patch tokens.
"""

import json
import struct
import sys
import threading
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(1)

loaded = {}


def load(path):
    if path not in loaded:
        with open(path, "rb") as file:
            data = bytearray(file.read())
        length = struct.unpack_from("<Q", data)[0]
        tensors = {}
        for name, entry in json.loads(data[8:8 + length]).items():
            first, last = entry["data_offsets"]
            flat = torch.frombuffer(data, dtype=torch.float32, count=(last - first) // 4, offset=8 + length + first)
            tensors[name] = flat.reshape(entry["shape"]).clone()
        tensors["placed"] = place(tensors)
        loaded[path] = tensors
    return loaded[path]


def place(w):
    """The position table for this image, worked out once, as on the other side."""
    patch, pixels = w["patch_embed.proj.weight"].shape[-1], w["image"].shape[-1]
    table, cells = w["pos_embed"], pixels // patch
    side, width = round((table.shape[1] - 1) ** 0.5), table.shape[2]
    grid = table[:, 1:].reshape(1, side, side, width).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=(cells, cells), mode="bicubic", antialias=True)
    return torch.cat([table[:, :1], grid.permute(0, 2, 3, 1).reshape(1, cells * cells, width)], dim=1)


def run(w):
    patch, width = w["patch_embed.proj.weight"].shape[-1], w["norm.weight"].shape[0]
    x = F.conv2d(w["image"][None], w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], stride=patch)
    x = torch.cat([w["cls_token"], x.flatten(2).transpose(1, 2)], dim=1) + w["placed"]
    n, block = x.shape[1], 0
    while f"blocks.{block}.norm1.weight" in w:
        def get(name):
            return w[f"blocks.{block}.{name}"]
        y = F.layer_norm(x, (width,), get("norm1.weight"), get("norm1.bias"), 1e-6)
        qkv = F.linear(y, get("attn.qkv.weight"), get("attn.qkv.bias"))
        q, k, v = qkv.reshape(1, n, 3, width // 64, 64).permute(2, 0, 3, 1, 4)
        y = (((q * 0.125) @ k.transpose(-2, -1)).softmax(dim=-1) @ v).transpose(1, 2).reshape(1, n, width)
        x = x + get("ls1.gamma") * F.linear(y, get("attn.proj.weight"), get("attn.proj.bias"))
        y = F.layer_norm(x, (width,), get("norm2.weight"), get("norm2.bias"), 1e-6)
        y = F.gelu(F.linear(y, get("mlp.fc1.weight"), get("mlp.fc1.bias")))
        x = x + get("ls2.gamma") * F.linear(y, get("mlp.fc2.weight"), get("mlp.fc2.bias"))
        block += 1
    return F.layer_norm(x, (width,), w["norm.weight"], w["norm.bias"], 1e-6)[:, 1:]


def answer(request):
    path, threads = request.split()
    w, found = load(path), []

    def work():
        with torch.inference_mode():
            found.append(run(w))

    crew = [threading.Thread(target=work) for _ in range(int(threads))]
    start = time.perf_counter()
    for member in crew:
        member.start()
    for member in crew:
        member.join()
    seconds = time.perf_counter() - start
    return f"{1e3 * seconds:.6g} {found[0].abs().double().mean().item():.17g}"


if __name__ == "__main__":
    if "--check" not in sys.argv:
        for line in sys.stdin:
            print(answer(line), flush=True)
