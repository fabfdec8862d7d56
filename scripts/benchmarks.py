#!/usr/bin/env python3
"""Writes docs/benchmarks.md from build/bench/*.jsonl (see `make bench` and the other bench targets of `make help`)."""
import collections
import glob
import json
import os
import platform
import sys

import prototype_tables

TITLES = {
    "quality": ("Detection quality",
                "`make bench-quality DATA=\"SET...\" PEER=SCRIPT` fits and evaluates each set with default settings, "
                "seed by seed, one thread, beside PatchCore (ResNet-18 layers 2 and 3, coreset of 1,000, torch) in the same run. Mean "
                "of the seeds, lowest and highest in brackets. Settings were chosen mainly on held-out good training images "
                "with synthetic defects, but not blindly: test figures were seen, see the last section."),
    "ablation": ("Prototypes: methods and settings",
                 "`make bench-ablation DATA=\"SET...\"`: the tool's own figures on test images, one setting changed at a "
                 "time from the defaults. Mean over the sets for each seed; then the mean of the seeds, lowest and highest "
                 "in brackets. All methods are fitted and scored by the same code around the bank. These tables are "
                 "reports: settings are chosen on held-out data (`scripts/heldout.py`), not by them."),
    "ablation-heldout": ("Prototypes: the same on held-out good images with synthetic defects",
                         "`make bench-ablation DATA=\"SET...\" OUT=build/bench/ablation-heldout.jsonl` on sets made by "
                         "`scripts/heldout.py`: no test image takes part. Settings are chosen here."),
    "contamination": ("Defective images among the training images",
                      "`make bench-contamination DATA=\"SET...\"`: defective images, chosen by source, are put among the "
                      "training images, and all images of their sources leave the test set; the clean fit is evaluated on "
                      "the same images. The shares asked for cannot be had in sets with few defects. outliers 0, clean 0 "
                      "is what burl would be without its guard; coreset and kmeans without it are the methods as published."),
    "features": ("Prototypes on the features of a network",
                 "`make bench-features DATA=\"SET...\" PEER=SCRIPT`: ResNet-18 layers 2 and 3, 384 dimensions, 48,000 "
                 "random training patches; maps are finished and judged as the peer does, so banks alone differ."),
    "features-heldout": ("Prototypes on the features of a network: held-out good images with synthetic defects",
                         "The same on sets made by `scripts/heldout.py`."),
    "model": ("Fitting and scoring", "`make bench-model`: texture encoder, 256 prototypes a group, synthetic cloth. Scoring "
              "is from pixels in memory to the heat map; Mpixel/s = pixels / ms / 1000."),
    "metrics": ("Metrics", "`make bench-metrics`: the whole evaluator beside scikit-learn and an exact AUPRO in numpy."),
    "sinkhorn": ("Entropic transport", "`make bench-sinkhorn`: clustered cosine costs, to a column error of 1e-6, looked at every "
                 "ten sweeps; kernel, plan and report included; beside POT and torch. The last lines of a size compare a sweep "
                 "with a mere reading of the kernel, and two threads with one."),
    "lazy": ("Transport without a stored cost", "`make bench-lazy`: ten sweeps, one run each. Storing the cost is counted "
             "for the stored form, the points for both peaks."),
    "gromov": ("Gromov-Wasserstein", "`make bench-gromov`: distances of random points in 16 dimensions and of the same moved a "
               "little, to plans that change by 1e-9, beside POT."),
    "encoders": ("Residual networks", "`make bench-encoders`: forward pass to layer 3, random weights of the real shapes, beside "
                 "torch on as many threads. ms are for all images of a line."),
    "vit": ("Vision transformers", "`make bench-vit`: ViT-S/14, 392 x 392 pixels (785 tokens), beside torch."),
    "prototypes": ("Prototypes", "`make bench-prototypes`: squared distance to and number of the nearest of K points for 784 "
                   "patches, exact by differences, beside a matrix product of the same size (OpenBLAS; its rate in the last "
                   "column) and faiss; the start by coverage, beside a greedy coreset in torch that begins at the same point."),
    "detect": ("Detection", "`make bench-detect`: greedy suppression of boxes with sides of 10 to 100 beside torchvision, the same "
               "boxes kept; proposals and suppression of 24 maps of 256 x 256 beside the scoring that made them; and of large "
               "maps."),
    "matching": ("Suppression by matching", "`make bench-matching`: slots from proposals by Sinkhorn sweeps in double, and the "
                 "gradient back through them, beside the matrix products that both ways have."),
    "assignment": ("Exact assignment", "`make bench-assignment`: uniform costs, and squared distances of points in 16 "
                   "dimensions, beside SciPy."),
}
METRICS = ["pixel_auroc", "pixel_ap", "aupro_0.30", "aupro_0.05", "image_auroc"]


def load(path):
    with open(path) as f:
        return [json.loads(line) for line in f if line.strip()]


def number(value, digits=4):
    return "–" if value is None else ("%%.%dg" % digits) % value


def table(rows):
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows[1:]])


def means(lines, side):
    return [sum(line[side][k] for line in lines) / len(lines) for k in METRICS]


def spread(lines, side, key):
    values = [line[side][key] for line in lines]
    return "%.3f (%.3f..%.3f)" % (sum(values) / len(values), min(values), max(values))


def quality(lines):
    sets = collections.OrderedDict()
    for line in lines:
        sets.setdefault(line["name"].split()[0], []).append(line)
    rows = [["set", "", "pixel AUROC", "pixel AP", "AUPRO 0.30", "AUPRO 0.05", "image AUROC"]]
    names = {"ours": "burl, texture", "fused": "burl, texture and ResNet-18", "same": "burl, the peer's method",
             "theirs": "PatchCore"}
    sides = [side for side in names if all(side in line for line in lines)]
    for name, runs in sets.items():
        for side in sides:
            rows.append([name if side == "ours" else "", names[side]] + [spread(runs, side, k) for k in METRICS])
    for side in sides:
        all_means = [means(runs, side) for runs in sets.values()]
        rows.append(["**mean**" if side == "ours" else "", "**%s**" % names[side]] +
                    ["%.3f" % (sum(m[i] for m in all_means) / len(all_means)) for i in range(len(METRICS))])
    text = table(rows)
    for side in [side for side in sides if side != "theirs"]:
        rates = [line[side]["false_alarm_rate"] for line in lines]
        text += ("\n\nFalse alarms at the default threshold (0.01 asked for), %s: mean %.3f, largest %.3f of the good test "
                 "images." % (names[side], sum(rates) / len(rates), max(rates)))
    fit = [["set"] + ["%s, fit, s" % names[side] for side in sides if side != "theirs"] +
           ["PatchCore, fit, s (decoding not counted)"]]
    for name, runs in sets.items():
        theirs = [line["peer_ms"] for line in runs if line["peer_ms"]]
        fit.append([name] + ["%.1f" % (sum(line[side + "_ms"] for line in runs) / len(runs) / 1e3)
                             for side in sides if side != "theirs"] +
                   ["%.1f" % (sum(theirs) / len(theirs) / 1e3) if theirs else "–"])
    if "same" in sides and "theirs" in sides:
        def mean(key):
            return sum(line[key] for line in lines) / len(lines)
        text += ("\n\nThe peer's method, from image file to heat map: %.1f ms an image (decoding and writing the map counted) "
                 "beside %.1f ms (neither counted), on one thread; peak memory of scoring %.0f MiB beside %.0f MiB." %
                 (mean("same_ms_per_image"), mean("theirs_ms_per_image"), mean("same_score_mib"), mean("theirs_peak_mib")))
    return text + "\n\n" + table(fit)


def plain(lines):
    rows = [["what", "threads", "ours, ms", "peer", "peer, ms", "ratio", "SGEMM, GFLOP/s"]]
    for line in lines:
        ours, theirs = number(line["ours_ms"]), number(line["peer_ms"])
        if "ours_mib" in line:
            ours, theirs = number(line["ours_mib"]) + " MiB", number(line["peer_mib"]) + " MiB"
        rows.append([line["name"], str(line["threads"]), ours, line["peer"] or "–", theirs,
                     number(line["ratio"], 3), number(line["sgemm_gflops"], 3)])
    return table(rows)


RENDER = {
    "quality": quality,
    "ablation": prototype_tables.ablation,
    "ablation-heldout": prototype_tables.ablation,
    "contamination": prototype_tables.contamination,
    "features": prototype_tables.features,
    "features-heldout": prototype_tables.features,
}


def cpu():
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    found = {os.path.splitext(os.path.basename(p))[0]: load(p) for p in sorted(glob.glob("build/bench/*.jsonl"))}
    if not found:
        sys.exit("benchmarks: no build/bench/*.jsonl; run `make bench` first")
    text = ["# Benchmarks", "",
            "Made by `scripts/benchmarks.py` from the lines in `build/bench/`, measured on %s, %d cores. Medians of "
            "alternating runs; ratios count, single times do not: machines are shared. ratio = peer / ours. The last column "
            "is this machine's one-threaded float matrix product, measured beside each figure." % (cpu(), os.cpu_count())]
    for name in [n for n in TITLES if n in found] + [n for n in found if n not in TITLES]:
        title, note = TITLES.get(name, (name, "`make bench-%s`" % name))
        text += ["", "## " + title, "", note, "", RENDER.get(name, plain)(found[name])]
    extra = "docs/benchmarks-notes.md"
    if os.path.exists(extra):
        with open(extra) as f:
            text += ["", f.read().rstrip()]
    with open("docs/benchmarks.md", "w") as f:
        f.write("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
