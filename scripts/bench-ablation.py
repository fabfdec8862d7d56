#!/usr/bin/env python3
"""What each setting of the prototype learner is worth: fits and evaluations with one setting changed at a time.

usage: bench-ablation.py TOOL DATA_SET... [--out FILE] [--seeds 1,2,3] [--tables WORD,...] [--rows WORD,...]
                         [--set NAME=VALUE,...]... [--threads N] [--commit TEXT] [--same-as CHECKSUM,...] [--list]

TOOL fits a model for every row of every table, set and seed, and evaluates it; figures are those of its metrics.json.
One JSON line a row, set and seed is added to --out (default: build/bench/ablation.jsonl), with all settings that the
model says it was fitted with, the checksum of TOOL and the commit it was built from. Lines that are there for the same
TOOL are not computed again, so a stopped run goes on where it was; rows of different tables that mean the same settings
are computed once. --same-as names older tools that fit the same from the same settings, differing in what has no part
in it (defaults, other commands); their lines are taken over. TOOL is copied beside --out first, so that it may be built
anew meanwhile. Where a set cannot be fitted with a setting (a repeat that its cloth does not have), the line holds the
reason instead of figures.

Rows of one's own, in the place of the tables: --set "power=8,trim=0" (again for more; "" for the defaults).

Fits are made without heads (--no-auto), which would weigh what is compared.

The most important tables come first, row by row with all seeds; the others then seed by seed, so that a run may be
stopped.
Tables that are made on test images are reports. To choose settings, make them on held-out sets of scripts/heldout.py.
Python's standard library only.
"""
import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

METRICS = ["image_auroc", "pixel_auroc", "pixel_ap", "aupro_0.30", "aupro_0.05", "false_alarm_rate"]

# Positions and the search for outliers have tables of their own. Positions take no part in the others, unless a row says
# so; tables of single settings are made without the search, which fits three times.
BASE = "spatial=none"
REST_BASE = "spatial=none,outliers=0,clean=0"

# table: rows of (label, settings); settings that are not named have their default
FIRST = {
    "method": [("burl 256", ""),
               ("coreset 1000", "method=coreset,prototypes=1000"),
               ("kmeans 256", "method=kmeans"),
               ("coreset 256", "method=coreset"),
               ("gaussian", "method=gaussian"),
               ("burl 64", "prototypes=64"),
               ("burl 128", "prototypes=128"),
               ("burl 512", "prototypes=512"),
               ("burl 1000", "prototypes=1000")],
}
SECOND = {
    "spatial": [("none", ""),
                ("auto (default)", "spatial=auto"),
                ("grid, w 0.3", "spatial=grid,spatial_weight=0.3"),
                ("periodic, w 0.3", "spatial=periodic,spatial_weight=0.3")],
    "outliers": [("0 / 0", "outliers=0,clean=0"),
                 ("0.02 / 0", "outliers=0.02,clean=0"),
                 ("0.02 / 2.5", "outliers=0.02,clean=2.5"),
                 ("coreset 1000, 0 / 0", "method=coreset,prototypes=1000,outliers=0,clean=0"),
                 ("coreset 1000, 0.02 / 2.5", "method=coreset,prototypes=1000,outliers=0.02,clean=2.5")],
}
REST = {
    "power": [("%d" % p, "power=%d" % p) for p in (1, 2, 4, 8, 16)],
    "start": [("coverage, trim 0", "start=coverage,start_trim=0"),
              ("coverage, trim 0.002", "start=coverage,start_trim=0.002"),
              ("coverage, trim 0.03", "start=coverage,start_trim=0.03"),
              ("random", "start=random")],
    "steps": [("%d" % n, "steps=%d" % n) for n in (0, 4, 8, 16)],
    "marginals": [(m, "marginals=" + m) for m in ("nearest", "equal", "relaxed")],
    "entropy": [(e, "entropy=" + e) for e in ("0.05", "0.1", "0.3", "1")],
    "trim": [(t, "trim=" + t) for t in ("0", "0.03", "0.1")],
    "radius": [(r, "radius=" + r) for r in ("0", "0.5", "1")],
    "damping": [(s, "damping=" + s) for s in ("0.1", "0.25", "0.5", "1")],
}
# settings that other methods do not read
OF_BURL = ["start", "start_trim", "power", "trim", "marginals", "entropy", "sweeps", "steps", "batch", "damping"]
TABLES = {**FIRST, **SECOND, **REST}


def read_lines(path):
    if not os.path.exists(path):
        return []
    with open(path) as f:
        return [json.loads(line) for line in f if line.strip()]


def same_value(a, b):
    try:
        return float(a) == float(b)
    except (TypeError, ValueError):
        return str(a) == str(b)


def reason_of(failed):
    """The first sentence that the tool said on standard error."""
    return failed.stderr.strip().splitlines()[0].removeprefix("burl: ") if failed.stderr.strip() else "no reason given"


def measure(tool, data, settings, seed, threads):
    """All settings of the model and its figures, or the reason why there are none."""
    with tempfile.TemporaryDirectory() as out:
        model = os.path.join(out, "model")
        fit = [tool, "fit", data, "-o", model, "-q", "--no-auto", "--seed", str(seed), "--threads", str(threads)]
        begun = time.perf_counter()
        done = subprocess.run(fit + ["--set", settings], capture_output=True, text=True)
        if done.returncode == 2:
            sys.exit("bench-ablation: %s is refused: %s" % (settings, done.stderr.strip()))
        if done.returncode != 0 and not os.path.exists(model):
            return None, {"failed": reason_of(done)}
        seconds = time.perf_counter() - begun
        told = json.loads(subprocess.run([tool, "info", model, "--json"], check=True, capture_output=True,
                                         text=True).stdout)
        subprocess.run([tool, "eval", model, data, "-o", out, "-q", "--threads", str(threads)], check=True,
                       capture_output=True)
        with open(os.path.join(out, "metrics.json")) as f:
            metrics = json.load(f)
        return told["options"], dict({key: metrics[key] for key in METRICS}, fit_s=round(seconds, 2),
                                     model_bytes=os.path.getsize(model))


class Results:
    """Lines that are there already, and the settings that rows mean."""

    def __init__(self, path, binary, others):
        self.path, lines = path, read_lines(path)
        self.lines = [line for line in lines if line["binary"] == binary]
        self.others = [line for line in lines if line["binary"] in others]
        self.defaults = next((line["options"] for line in self.lines if line["set_settings"] == BASE and
                              line.get("options")), None)

    def find(self, **wanted):
        return next((line for line in self.lines if all(line[key] == value for key, value in wanted.items())), None)

    def find_same(self, settings, label, seed):
        """A line of another row with the very settings that this one would have."""
        if self.defaults is None:
            return None
        wanted = dict(self.defaults, **dict(pair.split("=") for pair in settings.split(",") if pair))
        wanted["seed"] = seed
        read = [key for key in wanted if wanted["method"] == "burl" or key not in OF_BURL]
        for line in self.lines + self.others:
            told = line.get("options")
            if line["set"] == label and told and all(same_value(told.get(key, wanted[key]), wanted[key])
                                                     for key in read):
                return line
        return None

    def add(self, line):
        if line["set_settings"] == BASE and line.get("options"):
            self.defaults = line["options"]
        self.lines.append(line)
        with open(self.path, "a") as f:
            f.write(json.dumps(line) + "\n")


def whole(settings, base=BASE):
    """Settings with those of the base that they leave open."""
    return settings if "spatial=" in settings else ",".join(filter(None, [base, settings]))


def order_of(tables, seeds):
    """(table, row label, settings, seed) in the order of importance."""
    for table, rows in {**FIRST, **SECOND}.items():
        for label, settings in rows if table in tables else ():
            yield from ((table, label, whole(settings), seed) for seed in seeds)
    for seed in seeds:
        for table in [t for t in REST if t in tables]:
            yield from ((table, label, whole(settings, REST_BASE), seed) for label, settings in REST[table])


def describe_commit():
    """What git says of the folder of this script; with a mark where files differ from it."""
    done = subprocess.run(["git", "-C", os.path.dirname(os.path.abspath(__file__)), "describe", "--always", "--dirty"],
                          capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def keep_tool(tool, out):
    with open(tool, "rb") as f:
        binary = hashlib.sha256(f.read()).hexdigest()[:12]
    folder = os.path.dirname(os.path.abspath(out))
    os.makedirs(folder, exist_ok=True)
    kept = os.path.join(folder, "burl-" + binary)
    if not os.path.exists(kept):
        shutil.copy2(tool, kept + ".part")
        os.replace(kept + ".part", kept)
    return kept, binary


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool")
    parser.add_argument("sets", nargs="*")
    parser.add_argument("--out", default="build/bench/ablation.jsonl")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--rows", default="", help="only rows whose label contains a word of these")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--commit", help="that TOOL was built from, where it is not that of this folder")
    parser.add_argument("--same-as", default="", help="checksums of older tools that fit the same")
    parser.add_argument("--list", action="store_true")
    return parser.parse_args()


def main():
    args = arguments()
    seeds = [int(s) for s in args.seeds.split(",")]
    work = [item for item in order_of(args.tables.split(","), seeds)
            if any(word in item[1] for word in args.rows.split(","))]
    if args.settings:
        work = [("own", settings or "defaults", whole(settings), seed) for seed in seeds for settings in args.settings]
    if args.list:
        print("\n".join("%-10s %-26s seed %d  %s" % (table, label, seed, settings)
                        for table, label, settings, seed in work))
        return
    kept, binary = keep_tool(args.tool, args.out)
    commit = args.commit or describe_commit()
    results = Results(args.out, binary, args.same_as.split(","))
    for table, label, settings, seed in work:
        for data in args.sets:
            name = os.path.basename(os.path.normpath(data))
            if results.find(table=table, row=label, set=name, seed=seed, set_settings=settings):
                continue
            line = {"table": table, "row": label, "set": name, "seed": seed, "set_settings": settings,
                    "binary": binary, "commit": commit}
            same = results.find_same(settings, name, seed)
            if same:
                line.update({key: value for key, value in same.items() if key not in line})
                line.update(measured_by=same.get("measured_by", same["binary"]))
            else:
                options, figures = measure(kept, data, settings, seed, args.threads)
                line.update({"options": options}, **figures)
            results.add(line)


if __name__ == "__main__":
    sys.exit(main())
