#!/usr/bin/env python3
"""How much defective images among the training images cost: fits with shares of them, beside clean fits.

usage: bench-contamination.py TOOL DATA_SET... [--out FILE] [--seeds 1,2] [--shares 5,10,20] [--rows WORD,...]
                              [--set NAME=VALUE,...]... [--threads N] [--commit TEXT] [--list]

Sets are folders in MVTec layout. For each share and seed, defective test images are put among the good training images,
spread over their order. They are chosen by source: an image is taken with its source (the column of that name in the
set's manifest.csv, beside the columns file and class; without a manifest every image is a source of its own), and all
images of its source leave the test set, so that no piece of cloth is on both sides. At most two thirds of the
defective images and of their sources are taken; where that is fewer than the share asks for, the line says what the
share really is.
Fits are made without heads (--no-auto), which would weigh what is compared.
The clean fit of the same seed is evaluated on the same reduced test set.

TOOL's figures are those of its metrics.json. One JSON line a row, set, seed and share is added to --out (default:
build/bench/contamination.jsonl); lines that are there for the same TOOL (copied beside --out) are not computed again.
Rows of one's own, in the place of those of --list: --set "power=8,trim=0". Python's standard library only.
"""
import argparse
import csv
import glob
import importlib.util
import json
import os
import random
import subprocess
import sys
import tempfile

# without positions, as these methods have them
ROWS = [("burl", "spatial=none"),
        ("burl, outliers 0, clean 0", "spatial=none,outliers=0,clean=0"),
        ("coreset 1000", "spatial=none,method=coreset,prototypes=1000,outliers=0,clean=0"),
        ("kmeans", "spatial=none,method=kmeans,outliers=0,clean=0"),
        ("coreset 1000, cleaned as burl", "spatial=none,method=coreset,prototypes=1000"),
        ("kmeans, cleaned as burl", "spatial=none,method=kmeans")]
IMAGES = (".png", ".jpg", ".jpeg")


def load_neighbour(name):
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    spec = importlib.util.spec_from_file_location(name.replace("-", "_").removesuffix(".py"), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def images_in(folder):
    return sorted(p for p in glob.glob(os.path.join(folder, "*")) if p.lower().endswith(IMAGES))


def class_of(path):
    return os.path.basename(os.path.dirname(path))


def sources_of(data, paths):
    """The source of each image; itself where no manifest tells."""
    manifest, known = os.path.join(data, "manifest.csv"), {}
    if os.path.exists(manifest):
        with open(manifest, newline="") as f:
            for row in csv.DictReader(f):
                known[row["class"], os.path.basename(row["file"])] = row["source"]
    return {path: known.get((class_of(path), os.path.basename(path)), path) for path in paths}


def choose(data, share, seed):
    """Good training images, defective images to put among them, and test images that keep clear of their sources."""
    good = images_in(os.path.join(data, "train", "good"))
    defective = [p for c in sorted(os.listdir(os.path.join(data, "test"))) if c != "good"
                 for p in images_in(os.path.join(data, "test", c))]
    source = sources_of(data, defective)
    wanted = min(round(share * len(good) / (1 - share)), len(defective) * 2 // 3)
    most = len(set(source.values())) * 2 // 3
    order = defective[:]
    random.Random("%s %d" % (os.path.basename(os.path.normpath(data)), seed)).shuffle(order)
    taken, used = [], set()
    for path in order:
        if len(taken) < wanted and (source[path] in used or len(used) < most):
            taken.append(path)
            used.add(source[path])
    rest = [p for p in defective if source[p] not in used]
    return good, taken, images_in(os.path.join(data, "test", "good")) + rest


def link(path, *parts):
    target = os.path.join(*parts)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    os.symlink(os.path.abspath(path), target)


def lay_out_train(folder, good, taken, seed):
    """Names put each defective image behind a good one chosen at random, as training images are taken in order."""
    pick = random.Random(seed)
    for path in good:
        link(path, folder, "train", "good", os.path.basename(path))
    for i, path in enumerate(taken):
        before = os.path.splitext(os.path.basename(pick.choice(good)))[0]
        link(path, folder, "train", "good", "%s_x%03d_%s" % (before, i, os.path.basename(path)))


def lay_out_test(folder, data, test):
    for path in test:
        kind, name = class_of(path), os.path.basename(path)
        link(path, folder, "test", kind, name)
        mask = os.path.join(data, "ground_truth", kind, os.path.splitext(name)[0] + "_mask.png")
        if kind != "good" and os.path.exists(mask):
            link(mask, folder, "ground_truth", kind, os.path.basename(mask))


class Bench:
    """The tool, and its clean models, which serve all shares."""

    def __init__(self, tool, threads, metrics):
        self.tool, self.threads, self.metrics = tool, str(threads), metrics

    def fit(self, model, data, settings, seed):
        command = [self.tool, "fit", data, "-o", model, "-q", "--no-auto", "--seed", str(seed), "--threads", self.threads]
        done = subprocess.run(command + ["--set", settings], capture_output=True, text=True)
        if not os.path.exists(model):
            sys.exit("bench-contamination: %s on %s: %s" % (settings, data, done.stderr.strip()))

    def evaluate(self, model, data, out):
        subprocess.run([self.tool, "eval", model, data, "-o", out, "-q", "--threads", self.threads], check=True,
                       capture_output=True)
        with open(os.path.join(out, "metrics.json")) as f:
            found = json.load(f)
        return {key: found[key] for key in self.metrics}

    def compare(self, work, clean, data, settings, seed, share):
        """Figures of a clean and of a contaminated fit on the same test images."""
        good, taken, test = choose(data, share, seed)
        folder = tempfile.mkdtemp(dir=work)
        lay_out_train(folder, good, taken, seed)
        lay_out_test(folder, data, test)
        if not os.path.exists(clean):
            self.fit(clean, data, settings, seed)
        model = os.path.join(folder, "model")
        self.fit(model, folder, settings, seed)
        return {"share": len(taken) / (len(taken) + len(good)), "defective_train": len(taken),
                "defective_test": sum(class_of(p) != "good" for p in test),
                "clean": self.evaluate(clean, folder, os.path.join(folder, "clean")),
                "dirty": self.evaluate(model, folder, os.path.join(folder, "dirty"))}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool")
    parser.add_argument("sets", nargs="*")
    parser.add_argument("--out", default="build/bench/contamination.jsonl")
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--shares", default="5,10,20", help="in percent")
    parser.add_argument("--rows", default="", help="only rows whose label contains a word of these")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--commit", help="that TOOL was built from, where it is not that of this folder")
    parser.add_argument("--list", action="store_true")
    return parser.parse_args()


def main():
    args = arguments()
    ablation = load_neighbour("bench-ablation.py")
    rows = [row for row in ROWS if any(word in row[0] for word in args.rows.split(","))]
    if args.settings:
        rows = [(settings, settings) for settings in args.settings]
    if args.list:
        print("\n".join("%-32s %s" % row for row in rows))
        return
    kept, binary = ablation.keep_tool(args.tool, args.out)
    bench = Bench(kept, args.threads, ablation.METRICS)
    about = {"binary": binary, "commit": args.commit or ablation.describe_commit()}
    keys = ["row", "set", "seed", "asked", "set_settings", "binary"]
    done = {tuple(line[key] for key in keys) for line in ablation.read_lines(args.out)}
    for seed in [int(s) for s in args.seeds.split(",")]:
        for label, settings in rows:
            for data in args.sets:
                name = os.path.basename(os.path.normpath(data))
                with tempfile.TemporaryDirectory() as work:
                    for percent in [float(s) for s in args.shares.split(",")]:
                        line = {"row": label, "set": name, "seed": seed, "asked": percent, "set_settings": settings}
                        line.update(about)
                        if tuple(line[key] for key in keys) in done:
                            continue
                        clean = os.path.join(work, "clean.model")
                        line.update(bench.compare(work, clean, data, settings, seed, percent / 100))
                        with open(args.out, "a") as f:
                            f.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    sys.exit(main())
