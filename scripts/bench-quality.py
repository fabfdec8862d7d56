#!/usr/bin/env python3
"""Detection quality on data sets, beside a peer, one JSON line a set and seed.

usage: bench-quality.py TOOL MACHINE DATA_SET... [--peer SCRIPT] [--seeds 1,2,3] [--threads N]

TOOL fits (`--seed`) and evaluates every set; MACHINE prints this machine's matrix-product figure. SCRIPT is a
program that takes `DATA_SET --seed N --threads N` and prints one JSON line with image_auroc, pixel_auroc,
pixel_ap, aupro_0.3, aupro_0.05, fit_s and its time a test image (feature_ms, score_ms). Ours and the
peer's runs alternate. ours_ms and peer_ms are for fitting alone, from image files (the peer's: decoding not
counted).
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time


def run(command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def ours(tool, data, seed, threads):
    with tempfile.TemporaryDirectory() as out:
        model = os.path.join(out, "model")
        start = time.perf_counter()
        run([tool, "fit", data, "-o", model, "-q", "--seed", str(seed), "--threads", str(threads)])
        fit = 1e3 * (time.perf_counter() - start)
        run([tool, "eval", model, data, "-o", out, "-q", "--threads", str(threads)])
        with open(os.path.join(out, "metrics.json")) as f:
            return fit, json.load(f)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("machine")
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--peer")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    keys = ["pixel_auroc", "pixel_ap", "aupro_0.30", "aupro_0.05", "image_auroc", "false_alarm_rate"]
    for data in args.sets:
        for seed in [int(s) for s in args.seeds.split(",")]:
            gflops = json.loads(run([args.machine]))["sgemm_gflops"]
            fit, metrics = ours(args.tool, data, seed, args.threads)
            line = {"name": "%s seed %d" % (os.path.basename(data.rstrip("/")), seed), "ours_ms": fit,
                    "peer": None, "peer_ms": None, "ratio": None, "threads": args.threads,
                    "sgemm_gflops": gflops, "ours": {k: metrics[k] for k in keys}}
            if args.peer:
                peer = json.loads(run([os.environ.get("PYTHON", "/usr/bin/python3"), args.peer, data, "--seed",
                                       str(seed), "--threads", str(args.threads)]).splitlines()[-1])
                peer_keys = [k.replace("aupro_0.30", "aupro_0.3") for k in keys[:-1]]
                line["peer"] = os.path.splitext(os.path.basename(args.peer))[0]
                line["peer_ms"] = 1e3 * peer["fit_s"]
                line["ratio"] = line["peer_ms"] / fit
                line["theirs"] = {k: peer[p] for k, p in zip(keys, peer_keys)}
                line["theirs_ms_per_image"] = peer["feature_ms"] + peer["score_ms"]
                line["theirs_peak_mib"] = peer["peak_rss_mb"]
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
