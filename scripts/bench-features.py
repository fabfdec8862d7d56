#!/usr/bin/env python3
"""Prototype learners on the features of a network: banks of this library in the place of a peer's own.

usage: bench-features.py PEER BANK DATA_SET... [--cache DIR] [--out FILE] [--seeds 1,2,3] [--rows WORD,...]
                         [--set "NAME=VALUE ..."]... [--list] [--table]

PEER is a program whose functions load images, compute patch embeddings and finish maps (ResNet18, load_image,
images_in, test_items, patches, finish_map; metrics from peer_common beside it); its network is read from ../encoders
beside its folder, or --weights. BANK is build/release/bench/bank_npy. Embeddings of layers 2 and 3 are computed once
and kept in --cache (default: $TMPDIR/burl-features). Each row fits a bank to at most 48,000 random training patches
with settings of its own, measures the distances of all test patches, and finishes and judges the maps as the peer does,
so rows differ by what learned the prototypes alone. One JSON line a row, set and seed is added to --out (default:
build/bench/features.jsonl); lines that are there for the same BANK are not computed again.

A row alone:    bench-features.py PEER BANK SET... --set "method=burl prototypes=256 power=2"
Rows by name:   --rows burl,coreset   takes those whose name contains a word;  --list shows all
--table         computes nothing and prints the means over sets and seeds of what --out holds

Needs what the peer needs: Debian's python3-numpy, python3-scipy, python3-torch and python3-pil, so run it with
/usr/bin/python3, or by `make bench-features PEER=SCRIPT DATA="SET..."`.
"""
import argparse
import hashlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
import zlib

METRICS = ["image_auroc", "pixel_ap", "aupro_0.3", "pixel_auroc", "aupro_0.05"]

ROWS = [("coreset 1000", "method=coreset prototypes=1000"),
        ("burl 256", "prototypes=256"),
        ("coreset 256", "method=coreset prototypes=256"),
        ("kmeans 256", "method=kmeans prototypes=256")]
ROWS += [("burl 256, " + settings.replace("=", " "), "prototypes=256 " + settings) for settings in (
    "power=1", "power=2", "power=4", "power=16", "start=random", "start_trim=0.002", "start_trim=0.03",
    "marginals=equal", "marginals=relaxed", "steps=0", "steps=4", "steps=16", "damping=0.1", "damping=0.5", "damping=1",
    "trim=0.03", "trim=0.1", "entropy=0.1", "entropy=1", "radius=0.5", "radius=1")]
ROWS += [("burl 64", "prototypes=64"),
         ("burl 512", "prototypes=512"),
         ("burl 1000", "prototypes=1000"),
         ("kmeans 1000", "method=kmeans prototypes=1000")]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer")
    parser.add_argument("bank")
    parser.add_argument("sets", nargs="*")
    parser.add_argument("--weights")
    parser.add_argument("--cache", default=os.path.join(tempfile.gettempdir(), "burl-features"))
    parser.add_argument("--out", default="build/bench/features.jsonl")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--rows", default="")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--sigma", type=float, default=4.0)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--table", action="store_true")
    return parser.parse_args()


def import_peer(path):
    """The peer and its metrics, one thread each. torch takes long to load, so only where it is needed."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    peer = importlib.import_module(os.path.splitext(os.path.basename(path))[0])
    peer.torch.set_grad_enabled(False)
    peer.pc.limit_threads(1)
    return peer


def network(peer, args):
    folder = os.path.dirname(os.path.abspath(args.peer))
    return peer.ResNet18(args.weights or os.path.join(folder, os.pardir, "encoders", "resnet18_layer3.safetensors"))


def embed(peer, net, paths, name):
    """Embeddings of all patches of all images, one after the other, to a file; the grid of each image."""
    import numpy as np
    parts, grids = [], []
    for path in paths:
        x, size = peer.load_image(path)
        rows, grid = peer.patches(net, x, [2, 3])
        parts.append(rows.numpy())
        grids.append({"grid": grid, "padded": tuple(x.shape[-2:]), "size": size})
    np.save(name + ".part.npy", np.concatenate(parts).astype(np.float32))
    os.replace(name + ".part.npy", name)
    return grids


def embeddings(peer, args, data):
    """Files of training and test embeddings of a set, and what is needed to make maps of distances."""
    folder = os.path.abspath(data)
    base = os.path.join(args.cache, "%s-%08x" % (os.path.basename(folder), zlib.crc32(folder.encode())))
    train, test, about = base + ".train.npy", base + ".test.npy", base + ".json"
    if not os.path.exists(about):
        os.makedirs(args.cache, exist_ok=True)
        net = network(peer, args)
        embed(peer, net, peer.images_in(os.path.join(data, "train", "good")), train)
        items = peer.test_items(data)
        grids = embed(peer, net, [item[1] for item in items], test)
        with open(about + ".part", "w") as f:
            json.dump([dict(grid, label=item[0], mask=item[2]) for grid, item in zip(grids, items)], f)
        os.replace(about + ".part", about)
    with open(about) as f:
        return train, test, json.load(f)


def judge(peer, distances, images, sigma):
    """The peer's metrics of one set, from the distances of its test patches."""
    import numpy as np
    maps, masks, at = [], [], 0
    for image in images:
        cells = image["grid"][0] * image["grid"][1]
        part = peer.torch.from_numpy(distances[at:at + cells].copy())
        at += cells
        maps.append(peer.finish_map(part, image["grid"], tuple(image["padded"]), image["size"],
                                    sigma).astype(np.float32))
        masks.append(np.zeros(image["size"], bool) if image["mask"] is None else
                     np.asarray(peer.Image.open(image["mask"]).convert("L")) >= 128)
    labels = np.array([image["label"] != "good" for image in images])
    scores = np.array([float(m.max()) for m in maps])
    pixel = peer.pc.pixel_metrics(maps, masks)
    return {"image_auroc": peer.pc.ranking_metrics(scores, labels)["auroc"], "pixel_ap": pixel["ap"],
            "aupro_0.3": pixel["aupro_0.3"], "pixel_auroc": pixel["auroc"], "aupro_0.05": pixel["aupro_0.05"]}


def read_lines(path):
    if not os.path.exists(path):
        return []
    with open(path) as f:
        return [json.loads(line) for line in f if line.strip()]


def run_row(peer, args, data, settings, seed):
    import numpy as np
    train, test, images = embeddings(peer, args, data)
    out = os.path.join(args.cache, "distances.%d.npy" % os.getpid())
    told = subprocess.run([args.bank, train, test, out] + settings.split() + ["seed=%d" % seed], check=True,
                          capture_output=True, text=True, env=dict(os.environ, OPENBLAS_NUM_THREADS="1"))
    distances = np.load(out)
    os.remove(out)
    return dict(judge(peer, distances, images, args.sigma), **json.loads(told.stdout))


def print_table(lines):
    rows = {}
    for line in lines:
        rows.setdefault(line["name"], []).append(line)
    print("%-34s %s   fit s  sets x seeds" % ("", "  ".join("%-21s" % key for key in METRICS)))
    for name, runs in rows.items():
        cells = []
        for key in METRICS:
            seeds = {}
            for run in runs:
                seeds.setdefault(run["seed"], []).append(run[key])
            whole = [sum(v) / len(v) for v in seeds.values() if len(v) == max(map(len, seeds.values()))]
            cells.append("%.3f (%.3f..%.3f)  " % (sum(whole) / len(whole), min(whole), max(whole)))
        print("%-34s %s  %5.1f  %d x %d" % (name, "  ".join(cells), sum(r["fit_s"] for r in runs) / len(runs),
                                          len({r["set"] for r in runs}), len({r["seed"] for r in runs})), flush=True)


def main():
    args = arguments()
    rows = [row for row in ROWS if any(word in row[0] for word in args.rows.split(","))]
    if args.settings:
        known = {settings: name for name, settings in ROWS}
        rows = [(known.get(settings, settings), settings) for settings in args.settings]
    if args.list:
        print("\n".join("%-34s %s" % row for row in rows))
        return
    if args.table:
        print_table(read_lines(args.out))
        return
    with open(args.bank, "rb") as f:
        binary = hashlib.sha256(f.read()).hexdigest()[:12]
    done = {(line["binary"], line["settings"], line["set"], line["seed"]) for line in read_lines(args.out)}
    peer = import_peer(args.peer)
    os.makedirs(os.path.dirname(os.path.abspath(args.out)), exist_ok=True)
    for seed in [int(s) for s in args.seeds.split(",")]:
        for name, settings in rows:
            for data in args.sets:
                label = os.path.basename(os.path.normpath(data))
                if (binary, settings, label, seed) in done:
                    continue
                figures = run_row(peer, args, data, settings, seed)
                line = {"name": name, "settings": settings, "set": label, "seed": seed, "binary": binary}
                line.update(figures)
                with open(args.out, "a") as f:
                    f.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    sys.exit(main())
