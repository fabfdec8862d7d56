"""Tables of the prototype learner for docs/benchmarks.md, from the lines of bench-ablation.py,
bench-contamination.py and bench-features.py. Imported by benchmarks.py.

A cell is the mean over the sets of each seed, then the mean over the seeds with the lowest and the highest of them in
brackets. Where a set has no figure for a row, the row says so and the base row follows for the same sets alone.
"""
import collections

FIGURES = [("image_auroc", "image AUROC"), ("pixel_auroc", "pixel AUROC"), ("pixel_ap", "pixel AP"),
           ("aupro_0.30", "AUPRO 0.30"), ("aupro_0.05", "AUPRO 0.05")]
# tables of the ablation: the titles of their first columns
TITLES = {
    "method": "method and K", "spatial": "position", "outliers": "outliers / clean", "power": "p of the cost d^p",
    "start": "start", "steps": "barycentre steps", "marginals": "mass of the prototypes", "entropy": "eps",
    "trim": "trim of the plans", "radius": "radius", "damping": "damping, the step of the moving average",
    "own": "settings",
}
OF_PEER = {"aupro_0.30": "aupro_0.3"}


def table(rows):
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows[1:]])


def mean(values):
    return sum(values) / len(values)


def in_order(lines, key):
    return list(collections.OrderedDict.fromkeys(line[key] for line in lines))


def by_seed(lines, value):
    """Mean over the sets for each seed that has all sets of the lines."""
    seeds = collections.OrderedDict()
    for line in lines:
        seeds.setdefault(line["seed"], []).append(value(line))
    most = max(map(len, seeds.values()), default=0)
    return [mean(values) for values in seeds.values() if len(values) == most]


def cell(lines, value, digits=3, sign=""):
    values = by_seed(lines, value)
    shown = "%%%s.%df" % (sign, digits)
    if len(values) == 1:
        return shown % values[0]
    return (shown + " (" + shown + ".." + shown + ")") % (mean(values), min(values), max(values))


def figures_of(lines, names=None):
    return [cell(lines, lambda line, key=key: line[(names or {}).get(key, key)]) for key, _ in FIGURES]


def counts_of(lines):
    return "%d x %d" % (len(in_order(lines, "set")), len(by_seed(lines, lambda line: 0)))


def newest(lines, keys):
    """Of lines about the same thing, those of the binary that the last line of each table was made by."""
    last = {tuple(line[key] for key in keys): line["binary"] for line in lines}
    return [line for line in lines if line["binary"] == last[tuple(line[key] for key in keys)]]


def ablation_rows(lines, first):
    """Rows of a table, `first` the title of its first column."""
    rows = [[first] + [title for _, title in FIGURES] + ["fit, s", "sets x seeds"]]
    base = [line for line in lines if line["row"] == lines[0]["row"]]
    sets = len(in_order(lines, "set"))

    def add(label, some):
        seconds = cell(some, lambda line: line["fit_s"], 1).split()[0]
        rows.append([label] + figures_of(some) + [seconds, counts_of(some)])
    for row in in_order(lines, "row"):
        whole = [line for line in lines if line["row"] == row and "failed" not in line]
        there = in_order(whole, "set")
        if not there:
            rows.append([row + ": no set can be fitted so"] + [""] * (len(FIGURES) + 2))
            continue
        add(row if len(there) == sets else "%s (%s)" % (row, ", ".join(there)), whole)
        if len(there) < sets:
            add("%s (the same sets)" % base[0]["row"], [line for line in base if line["set"] in there])
    return rows


def set_rows(lines, labels):
    rows = [["set"] + labels]
    for name in in_order(lines, "set"):
        cells = []
        for label in labels:
            some = [line for line in lines if line["set"] == name and line["row"] == label]
            cells.append(" / ".join(cell(some, lambda line, key=key: line[key]).split()[0]
                                    for key in ("image_auroc", "pixel_ap", "aupro_0.30")) if some else "–")
        rows.append([name] + cells)
    return rows


def ablation(lines):
    lines, text = newest(lines, ["table"]), []
    for name in [t for t in TITLES if t in in_order(lines, "table")]:
        some = [line for line in lines if line["table"] == name]
        text.append("Tool of commit %s.\n\n%s" % (", ".join(in_order(some, "commit")),
                                                 table(ablation_rows(some, TITLES[name]))))
        if name == "method":
            best = [row for row in ("burl 256", "coreset 1000", "kmeans 256") if row in in_order(some, "row")]
            text.append("By set: image AUROC / pixel AP / AUPRO 0.30, mean of the seeds.\n\n" +
                        table(set_rows([line for line in some if "failed" not in line], best)))
    return "\n\n".join(text)


def contamination(lines):
    """The change of each figure from the clean to the contaminated fit, on the same test images."""
    lines = newest(lines, ["row"])
    keys = [("image_auroc", "image AUROC"), ("pixel_ap", "pixel AP"), ("aupro_0.30", "AUPRO 0.30"),
            ("false_alarm_rate", "false alarms")]
    titles = ["%s, clean → change" % title for _, title in keys]
    rows = [["share asked for (mean share)", "method"] + titles + ["sets x seeds"]]
    for asked in sorted(in_order(lines, "asked")):
        for i, row in enumerate(in_order(lines, "row")):
            some = [line for line in lines if line["asked"] == asked and line["row"] == row]
            if not some:
                continue
            cells = []
            for key, _ in keys:
                clean = cell(some, lambda line, key=key: line["clean"][key]).split()[0]
                change = cell(some, lambda line, key=key: line["dirty"][key] - line["clean"][key], sign="+")
                cells.append("%s → %s" % (clean, change))
            share = "%g %% (%.1f %%)" % (asked, 100 * mean([line["share"] for line in some])) if i == 0 else ""
            rows.append([share, row] + cells + [counts_of(some)])
    return "Tool of commit %s.\n\n%s" % (", ".join(in_order(lines, "commit")), table(rows))


def features(lines):
    lines = newest(lines, ["name"])
    rows = [["bank"] + [title for _, title in FIGURES] + ["fit, s", "sets x seeds"]]
    for row in in_order(lines, "name"):
        some = [line for line in lines if line["name"] == row]
        rows.append([row] + figures_of(some, OF_PEER) +
                    [cell(some, lambda line: line["fit_s"], 1).split()[0], counts_of(some)])
    return table(rows)
