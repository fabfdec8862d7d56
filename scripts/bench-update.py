#!/usr/bin/env python3
"""What an update keeps and what it gains, one JSON line a case and seed.

usage: bench-update.py TOOL DATA_SET... [--lots OLD NEW]... [--seeds 1] [--threads N]

Each set: a fit of the first half of its good training images, that model updated with the second half, and a
fit of all, evaluated on the set's test images. Each pair of --lots: a fit of OLD, updated with the first third
of the good training images of NEW, evaluated on both sets before and after.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

KEYS = ["pixel_auroc", "pixel_ap", "aupro_0.30", "image_auroc", "false_alarm_rate"]
IMAGES = (".png", ".jpg", ".jpeg")


def run(*command):
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("%s\n%s" % (" ".join(command), done.stderr))
    return 1e3 * (time.perf_counter() - start)


class Bench:
    def __init__(self, tool, threads, seed, folder):
        self.tool, self.seed, self.folder = tool, str(seed), folder
        self.threads = ["-q", "--threads", str(threads)]

    def path(self, name):
        return os.path.join(self.folder, name)

    def fit(self, data, name):
        return run(self.tool, "fit", data, "-o", self.path(name), "--seed", self.seed, *self.threads)

    def update(self, old, data, name, *more):
        return run(self.tool, "update", self.path(old), data, "-o", self.path(name), *more, *self.threads)

    def figures(self, name, data):
        out = self.path("report")
        run(self.tool, "eval", self.path(name), data, "-o", out, *self.threads)
        with open(os.path.join(out, "metrics.json")) as f:
            metrics = json.load(f)
        return {k: metrics[k] for k in KEYS}

    def part(self, data, name, first, last):
        """A folder of links to a share of the good training images."""
        good = os.path.join(data, "train", "good")
        names = sorted(n for n in os.listdir(good) if n.lower().endswith(IMAGES))
        os.mkdir(self.path(name))
        for n in names[int(first * len(names)):int(last * len(names))]:
            os.symlink(os.path.abspath(os.path.join(good, n)), os.path.join(self.path(name), n))
        return self.path(name)


def halves(bench, data):
    first, second = bench.part(data, "first", 0, 0.5), bench.part(data, "second", 0.5, 1)
    times = [bench.fit(first, "half"), bench.update("half", second, "updated"), bench.fit(data, "full")]
    line = {"case": "halves", "set": os.path.basename(data.rstrip("/"))}
    for name in ("half", "updated", "full"):
        line[name] = bench.figures(name, data)
    line["fit_ms"], line["update_ms"], line["full_ms"] = times
    return line


def lots(bench, old, new):
    third = bench.part(new, "third", 0, 1 / 3)
    fit = bench.fit(old, "old")
    update = bench.update("old", third, "updated", "--force")  # mostly another cloth
    line = {"case": "lots", "set": "%s, %s" % tuple(os.path.basename(d.rstrip("/")) for d in (old, new))}
    for name in ("old", "updated"):
        line[name] = {"old": bench.figures(name, old), "new": bench.figures(name, new)}
    line["fit_ms"], line["update_ms"] = fit, update
    return line


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("sets", nargs="*")
    parser.add_argument("--lots", nargs=2, action="append", default=[])
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    cases = [(halves, [data]) for data in args.sets] + [(lots, pair) for pair in args.lots]
    for case, data in cases:
        for seed in args.seeds.split(","):
            with tempfile.TemporaryDirectory() as folder:
                line = case(Bench(args.tool, args.threads, seed, folder), *data)
            print(json.dumps(dict(line, seed=int(seed))), flush=True)


main()
