#!/usr/bin/env python3
"""Detection quality on data sets, beside a peer, one JSON line a set and seed.

usage: bench-quality.py TOOL MACHINE DATA_SET... [--peer SCRIPT] [--weights FILE] [--seeds 1,2,3] [--threads N]

TOOL fits (`--seed`) and evaluates every set; MACHINE prints this machine's matrix-product figure. SCRIPT is a
program that takes `DATA_SET --seed N --threads N` and prints one JSON line with image_auroc, pixel_auroc,
pixel_ap, aupro_0.3, aupro_0.05, fit_s, its time a test image (feature_ms, score_ms) and its peak memory. Ours and the
peer's runs alternate. ours_ms and peer_ms are for fitting alone, from image files (the peer's: decoding not counted).

With --weights, a ResNet-18, two more models are fitted: `fused`, texture and network together with default settings, and
`same`, the peer's method (network alone, coreset of 1,000, nothing searched for outliers), of which scoring is timed too,
from image file to heat map file.
"""
import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile
import time

KEYS = ["pixel_auroc", "pixel_ap", "aupro_0.30", "aupro_0.05", "image_auroc", "false_alarm_rate"]


def run(command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def measured(command):
    """Milliseconds and peak MiB of a command."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    if status:
        sys.exit("bench-quality: failed: " + " ".join(command))
    return 1e3 * (time.perf_counter() - start), usage.ru_maxrss / 1024


def options_of(side, weights):
    return {"ours": [], "fused": ["--encoder", "texture,resnet18:%s" % weights],
            "same": ["--encoder", "resnet18:%s" % weights, "--method", "coreset", "--prototypes", "1000", "--spatial", "none", "--no-auto",
                     "--set", "outliers=0,clean=0"]}[side]


def judge(side, args, data, seed):
    """Figures of one of our models."""
    with tempfile.TemporaryDirectory() as out:
        model, maps = os.path.join(out, "model"), os.path.join(out, "maps")
        threads = ["--threads", str(args.threads)]
        fit, fit_mib = measured([args.tool, "fit", data, "-o", model, "-q", "--seed", str(seed)] + threads +
                                options_of(side, args.weights))
        run([args.tool, "eval", model, data, "-o", out, "-q"] + threads)
        with open(os.path.join(out, "metrics.json")) as f:
            metrics = json.load(f)
        line = {side: {k: metrics[k] for k in KEYS}, side + "_ms": fit, side + "_fit_mib": fit_mib}
        if side == "same":
            images = glob.glob(os.path.join(data, "test", "*", "*"))
            ms, mib = measured([args.tool, "score", model, *images, "-o", maps, "-q", "--no-pictures"] + threads)
            line.update(same_ms_per_image=ms / len(images), same_score_mib=mib)
        return line


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("machine")
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--peer")
    parser.add_argument("--weights")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    for data in args.sets:
        for seed in [int(s) for s in args.seeds.split(",")]:
            gflops = json.loads(run([args.machine]))["sgemm_gflops"]
            line = {"name": "%s seed %d" % (os.path.basename(data.rstrip("/")), seed), "peer": None, "peer_ms": None,
                    "ratio": None, "threads": args.threads, "sgemm_gflops": gflops}
            for side in ["ours"] + (["fused", "same"] if args.weights else []):
                line.update(judge(side, args, data, seed))
            if args.peer:
                peer = json.loads(run([os.environ.get("PYTHON", "/usr/bin/python3"), args.peer, data, "--seed",
                                       str(seed), "--threads", str(args.threads)]).splitlines()[-1])
                peer_keys = [k.replace("aupro_0.30", "aupro_0.3") for k in KEYS[:-1]]
                line["peer"] = os.path.splitext(os.path.basename(args.peer))[0]
                line["peer_ms"] = 1e3 * peer["fit_s"]
                line["ratio"] = line["peer_ms"] / line["ours_ms"]
                line["theirs"] = {k: peer[p] for k, p in zip(KEYS, peer_keys)}
                line["theirs_ms_per_image"] = peer["feature_ms"] + peer["score_ms"]
                line["theirs_peak_mib"] = peer["peak_rss_mb"]
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
