#!/usr/bin/env python3
"""Writes tests/golden/vit_*.safetensors: small random vision transformers with what they give.

usage: python3 tests/golden/make_vit.py [FOLDER]      (default: beside this script)

Needs PyTorch and nothing else. The transformer below is written out from the papers named in docs/math/vit.md and
runs in double on the weights as they are stored (rounded to their type); the position table is widened by
torch.nn.functional.interpolate, bicubic with antialias.

Beside the weights, under the names they are published with, a file holds
  case.N.input (3,H,W)   what goes in
  case.N.layer.L (rows,cols,width)   the patch tokens after block L, normalised where the file has a last norm
"""
import json
import os
import struct
import sys

import torch
import torch.nn.functional as F

DTYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}

# Each: seed, type, width, depth, mlp width, patch, side of the table, images (rows, columns of patches), and what differs
CASES = {
    "plain": dict(seed=1, dtype=torch.float32, width=64, depth=2, hidden=96, patch=4, side=4,
                  grids=[(4, 4), (6, 4), (3, 5), (1, 1)]),
    "registers": dict(seed=2, dtype=torch.bfloat16, width=64, depth=3, hidden=64, patch=8, side=5,
                      grids=[(3, 6), (7, 5)], scale=True, registers=("register_tokens", 4)),
    "timm": dict(seed=3, dtype=torch.float16, width=128, depth=1, hidden=64, patch=4, side=7,
                 grids=[(4, 5), (9, 8)], scale=True, registers=("reg_token", 2), table_prefix=False),
    "hf": dict(seed=4, dtype=torch.float16, width=64, depth=2, hidden=96, patch=14, side=3,
               grids=[(2, 3)], scale=True, names="hf"),
    "distilled": dict(seed=5, dtype=torch.float16, width=64, depth=1, hidden=64, patch=4, side=3,
                      grids=[(2, 2), (16, 13)], distilled=True),
    "bare": dict(seed=6, dtype=torch.float16, width=64, depth=1, hidden=64, patch=8, side=3,
                 grids=[(3, 4)], cls=False, norm=False, bias=False, table_prefix=False),
}


def make_weights(case):
    """A dictionary by timm's names, values rounded to the type of the file but held in double."""
    generator = torch.Generator().manual_seed(case["seed"])
    width, hidden, patch, w = case["width"], case["hidden"], case["patch"], {}

    def draw(name, shape, spread, about=0.0):
        values = about + spread * torch.randn(*shape, generator=generator, dtype=torch.float64)
        w[name] = values.to(case["dtype"]).double()

    def draw_linear(name, rows, columns, bias=True):
        draw(name + ".weight", (rows, columns), 1.4 / columns**0.5)
        if bias:
            draw(name + ".bias", (rows,), 0.3)

    def draw_norm(name):
        draw(name + ".weight", (width,), 0.3, 1.0)
        draw(name + ".bias", (width,), 0.2)

    draw("patch_embed.proj.weight", (width, 3, patch, patch), 1.0 / (patch * 3**0.5))
    draw("patch_embed.proj.bias", (width,), 0.3)
    prefix = 0
    if case.get("cls", True):
        draw("cls_token", (1, 1, width), 1.0)
        prefix += 1
    if case.get("distilled"):
        draw("dist_token", (1, 1, width), 1.0)
        prefix += 1
    if case.get("registers"):
        draw(case["registers"][0], (1, case["registers"][1], width), 1.0)
    draw("pos_embed", (1, case["side"] ** 2 + (prefix if case.get("table_prefix", True) else 0), width), 1.0)
    for b in range(case["depth"]):
        draw_norm(f"blocks.{b}.norm1")
        draw_linear(f"blocks.{b}.attn.qkv", 3 * width, width, case.get("bias", True))
        draw_linear(f"blocks.{b}.attn.proj", width, width)
        draw_norm(f"blocks.{b}.norm2")
        draw_linear(f"blocks.{b}.mlp.fc1", hidden, width)
        draw_linear(f"blocks.{b}.mlp.fc2", width, hidden)
        if case.get("scale"):
            draw(f"blocks.{b}.ls1.gamma", (width,), 0.3, 0.5)
            draw(f"blocks.{b}.ls2.gamma", (width,), 0.3, 0.5)
    if case.get("norm", True):
        draw_norm("norm")
    return w


def get_positions(table, side, rows, columns):
    """(rows*columns, width) from (side*side, width)."""
    if (rows, columns) == (side, side):
        return table
    planes = table.reshape(1, side, side, -1).permute(0, 3, 1, 2)
    wide = F.interpolate(planes, size=(rows, columns), mode="bicubic", align_corners=False, antialias=True)
    return wide[0].permute(1, 2, 0).reshape(rows * columns, -1)


def attend(x, w, name):
    n, width = x.shape
    heads = width // 64
    qkv = F.linear(x, w[name + ".qkv.weight"], w.get(name + ".qkv.bias"))
    q, k, v = (part.reshape(n, heads, 64).transpose(0, 1) for part in qkv.split(width, dim=1))
    weights = torch.softmax(q @ k.transpose(1, 2) / 8.0, dim=2)
    return F.linear((weights @ v).transpose(0, 1).reshape(n, width), w[name + ".proj.weight"], w[name + ".proj.bias"])


def run(w, case, image):
    """The patch tokens after each block."""
    patch, width, side = case["patch"], case["width"], case["side"]
    rows, columns = image.shape[1] // patch, image.shape[2] // patch
    x = F.conv2d(image[None], w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], stride=patch)
    x = x[0].reshape(width, rows * columns).T
    table = w["pos_embed"][0]
    held = table.shape[0] - side**2
    x = x + get_positions(table[held:], side, rows, columns)
    first = [w[name][0] for name in ("cls_token", "dist_token") if name in w]
    if first and held:
        first = [torch.cat(first) + table[:held]]
    if case.get("registers"):
        first.append(w[case["registers"][0]][0])
    prefix = sum(len(part) for part in first)
    x = torch.cat(first + [x])

    def norm(x, name):
        return F.layer_norm(x, (width,), w[name + ".weight"], w[name + ".bias"], 1e-6)

    found = []
    for b in range(case["depth"]):
        name = f"blocks.{b}"
        y = attend(norm(x, name + ".norm1"), w, name + ".attn")
        x = x + w.get(name + ".ls1.gamma", 1.0) * y
        y = F.gelu(F.linear(norm(x, name + ".norm2"), w[name + ".mlp.fc1.weight"], w[name + ".mlp.fc1.bias"]))
        y = F.linear(y, w[name + ".mlp.fc2.weight"], w[name + ".mlp.fc2.bias"])
        x = x + w.get(name + ".ls2.gamma", 1.0) * y
        out = norm(x, "norm") if "norm.weight" in w else x
        found.append(out[prefix:].reshape(rows, columns, width))
    return found


HF_TOP = {"cls_token": "embeddings.cls_token", "pos_embed": "embeddings.position_embeddings",
          "patch_embed.proj": "embeddings.patch_embeddings.projection", "norm": "layernorm"}
HF_BLOCK = {"attn.proj": "attention.output.dense", "ls1.gamma": "layer_scale1.lambda1",
            "ls2.gamma": "layer_scale2.lambda1"}


def rename_hf(w):
    """The names that the transformers library gives to DINOv2."""
    renamed = {}
    for name, values in w.items():
        if ".attn.qkv." in name:
            block, kind = name.split(".")[1], name.rsplit(".", 1)[1]
            for part, third in zip(("query", "key", "value"), values.chunk(3)):
                renamed[f"encoder.layer.{block}.attention.attention.{part}.{kind}"] = third
            continue
        if name.startswith("blocks."):
            block, rest = name.split(".")[1], name.split(".", 2)[2]
            for ours, theirs in HF_BLOCK.items():
                rest = rest.replace(ours, theirs)
            renamed[f"encoder.layer.{block}.{rest}"] = values
            continue
        for ours, theirs in HF_TOP.items():
            if name == ours or name.startswith(ours + "."):
                renamed[theirs + name[len(ours):]] = values
    return renamed


def to_bytes(values):
    return bytes(values.contiguous().reshape(-1).view(torch.uint8).tolist())


def write(path, tensors):
    """safetensors: 4-byte types first, so that everything lies aligned."""
    header, parts, place = {}, [], 0
    for name, values in sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0])):
        data = to_bytes(values)
        header[name] = {"dtype": DTYPES[values.dtype], "shape": list(values.shape),
                        "data_offsets": [place, place + len(data)]}
        parts.append(data)
        place += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for key, case in CASES.items():
        w = make_weights(case)
        named = rename_hf(w) if case.get("names") == "hf" else w
        tensors = {name: values.to(case["dtype"]) for name, values in named.items()}
        generator = torch.Generator().manual_seed(100 + case["seed"])
        for n, (rows, columns) in enumerate(case["grids"]):
            shape = 3, rows * case["patch"], columns * case["patch"]
            image = torch.randn(*shape, generator=generator, dtype=torch.float32)
            tensors[f"case.{n}.input"] = image
            for layer, out in enumerate(run(w, case, image.double()), 1):
                tensors[f"case.{n}.layer.{layer}"] = out.float()
        write(os.path.join(folder, f"vit_{key}.safetensors"), tensors)


if __name__ == "__main__":
    main()
