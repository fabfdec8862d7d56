#!/usr/bin/env python3
"""What matched heads are worth on data sets of your own, one JSON line a set, seed and encoder.

usage: bench-heads.py TOOL DATA_SET... [--seeds 1,2,3] [--weights FILE] [--threads N] [--out FILE]

TOOL fits every set with heads and with --no-auto, evaluates both, and notes what kind images.csv names for the images of each
class that are found. With --weights, a ResNet-18, texture and network together are measured as well. Lines are added to FILE
(build/bench/heads.jsonl); what is there already is not measured again. At the end a table of the means is printed.
"""
import argparse
import collections
import csv
import json
import os
import subprocess
import tempfile
import time

KEYS = ["pixel_ap", "aupro_0.30", "image_auroc", "false_alarm_rate"]


def judge(args, data, seed, encoder, extra):
    with tempfile.TemporaryDirectory() as out:
        model = os.path.join(out, "model")
        threads = ["--threads", str(args.threads)]
        start = time.perf_counter()
        subprocess.run([args.tool, "fit", data, "-o", model, "-q", "--seed", str(seed)] + threads + encoder + extra, check=True)
        seconds = time.perf_counter() - start
        subprocess.run([args.tool, "eval", model, data, "-o", out, "-q"] + threads, check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(out, "metrics.json")) as f:
            metrics = json.load(f)
        kinds = collections.defaultdict(collections.Counter)
        with open(os.path.join(out, "images.csv"), newline="") as f:
            for row in csv.DictReader(f):
                if row["defective"] == "1":
                    kinds[row["label"]][row["kind"] or ("missed" if row["verdict"] == "good" else "-")] += 1
    return {**{k: metrics[k] for k in KEYS}, "fit_s": seconds, "kinds": {k: dict(v) for k, v in kinds.items()}}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("tool")
    parser.add_argument("data", nargs="+")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--weights")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", default="build/bench/heads.jsonl")
    args = parser.parse_args()
    encoders = [("texture", [])]
    if args.weights:
        encoders.append(("fused", ["--encoder", "texture,resnet18:" + args.weights]))
    lines = []
    if os.path.exists(args.out):
        with open(args.out) as f:
            lines = [json.loads(line) for line in f if line.strip()]
    done = {(line["set"], line["seed"], line["encoder"]) for line in lines}
    os.makedirs(os.path.dirname(args.out) or ".", exist_ok=True)
    for name, encoder in encoders:
        for seed in map(int, args.seeds.split(",")):
            for data in args.data:
                key = (os.path.basename(os.path.normpath(data)), seed, name)
                if key in done:
                    continue
                line = dict(zip(("set", "seed", "encoder"), key))
                line["equal"] = judge(args, data, seed, encoder, ["--no-auto"])
                line["auto"] = judge(args, data, seed, encoder, [])
                lines.append(line)
                with open(args.out, "a") as f:
                    f.write(json.dumps(line) + "\n")
    print("| encoder | set | seeds | equal: AP / AUPRO / image AUROC | heads |")
    print("|---|---|---|---|---|")
    for name, _ in encoders:
        sets = collections.OrderedDict()
        for line in lines:
            if line["encoder"] == name:
                sets.setdefault(line["set"], []).append(line)
        all_means = []
        for data, some in sets.items():
            means = [[sum(line[side][k] for line in some) / len(some) for k in KEYS[:3]] for side in ("equal", "auto")]
            all_means.append(means)
            print("| %s | %s | %d | %s | %s |" % (name, data, len(some), *[" / ".join("%.3f" % v for v in m) for m in means]))
        if all_means:
            mean = [[sum(m[s][i] for m in all_means) / len(all_means) for i in range(3)] for s in (0, 1)]
            print("| %s | **mean** | | %s | %s |" % (name, *[" / ".join("%.3f" % v for v in m) for m in mean]))


if __name__ == "__main__":
    main()
