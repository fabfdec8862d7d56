#!/usr/bin/env python3
"""Positions on printed cloth: detection quality and fitting time, one JSON line a print, choice and seed.

usage: bench-prints.py TOOL [--seeds 1,2,3] [--prints dots,...] [--spatial none,...] [--repeat N] [--train N]
                       [--threads N] [--set NAME=VALUE,...]

TOOL draws printed cloth with defects of arrangement (`burl synth --print`, another repeat for each seed unless
--repeat says which), fits with every choice of --spatial and evaluates. Fits are made without heads (--no-auto), of which there
are none where places count.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

KEYS = ["pixel_auroc", "pixel_ap", "aupro_0.30", "image_auroc", "false_alarm_rate"]
REPEATS = [96, 60, 140]


def run(command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def measure(args, data, spatial, seed, out):
    model = os.path.join(out, "model")
    command = [args.tool, "fit", data, "-o", model, "-q", "--no-auto", "--seed", str(seed), "--spatial", spatial,
               "--threads", str(args.threads)]
    start = time.perf_counter()
    fit = subprocess.run(command + (["--set", args.set] if args.set else []), capture_output=True, text=True)
    if fit.returncode != 0:  # periodic, and the print was not found
        return {"failed": fit.stderr.strip()}
    seconds = time.perf_counter() - start
    run([args.tool, "eval", model, data, "-o", os.path.join(out, "eval"), "-q", "--threads", str(args.threads)])
    with open(os.path.join(out, "eval", "metrics.json")) as f:
        metrics = json.load(f)
    chosen = json.loads(run([args.tool, "info", model, "--json"]))
    return {"fit_s": seconds, "chosen": chosen["options"]["spatial"], **{k: metrics[k] for k in KEYS}}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--prints", default="dots,stripes,checks,figures")
    parser.add_argument("--spatial", default="none,grid,periodic,auto")
    parser.add_argument("--repeat", type=int)
    parser.add_argument("--train", type=int, default=30)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", default="")
    args = parser.parse_args()
    for kind in args.prints.split(","):
        for i, seed in enumerate(int(s) for s in args.seeds.split(",")):
            repeat = args.repeat or REPEATS[i % len(REPEATS)]
            with tempfile.TemporaryDirectory() as out:
                data = os.path.join(out, "data")
                run([args.tool, "synth", "-o", data, "-q", "--print", kind, "--repeat", str(repeat), "--train",
                     str(args.train), "--test-good", "12", "--per-defect", "8", "--seed", str(seed)])
                for spatial in args.spatial.split(","):
                    line = {"name": "%s repeat %d seed %d" % (kind, repeat, seed), "spatial": spatial,
                            "train": args.train, "set": args.set}
                    print(json.dumps({**line, **measure(args, data, spatial, seed, out)}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
