#!/usr/bin/env python3
"""Opens a report in a real browser: check.py BURL DIR. Leaves screenshots and the report in DIR."""
import os
import re
import shutil
import signal
import subprocess
import sys

from browser import Browser

SET = "set(what, to) { const e = document.querySelector(what); e.value = to; " \
      "e.dispatchEvent(new Event('input')); }"
failures = []


def expect(what, found, wanted):
    if found != wanted:
        failures.append(f"{what}: {found!r}, not {wanted!r}")


def make_report(burl, folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    cloth, model, report = (os.path.join(folder, name)
                            for name in ("cloth", "model.burl", "report"))
    for words in (["synth", "-q", "-o", cloth, "--size", "96", "--train", "8", "--per-defect", "2"],
                  ["fit", cloth, "-o", model, "-q", "--prototypes", "16"],
                  ["eval", model, cloth, "-o", report, "-q"]):
        subprocess.run([burl, *words], check=True, stdout=subprocess.DEVNULL)
    return os.path.join(report, "report.html")


def check_threshold(browser):
    number = "Number(document.querySelector('#live-{}').textContent.split(' ')[0])"
    counts = lambda: [browser.value(number.format(name))
                      for name in ("found", "missed", "alarms", "passed")]
    at_model = counts()
    good, bad = at_model[2] + at_model[3], at_model[0] + at_model[1]
    expect("the slider is shown", browser.value("document.querySelector('#live').hidden"), False)
    browser.value(f"(function {SET})('#threshold', 0)")
    expect("all is called at 0", counts(), [bad, 0, good, 0])
    expect("calls of pictures", browser.value(
        "[...document.querySelectorAll('.call')].every((e) => /found|false/.test(e.textContent))"),
        True)
    browser.value("document.querySelector('#threshold-reset').click()")
    expect("the way back", counts(), at_model)


def check_gallery(browser):
    shown = "[...document.querySelectorAll('.shot')].filter((e) => e.offsetParent).length"
    total = browser.value(shown)
    browser.value(f"(function {SET})('#filter', 'class good')")
    some = browser.value(shown)
    expect("the filter leaves some", 0 < some < total, True)
    expect("its count", browser.value("document.querySelector('#filter-count').textContent"),
           f"{some} of {total} pictures")
    browser.value(f"(function {SET})('#filter', '<no such name>')")
    expect("the filter leaves none", browser.value(shown), 0)
    browser.value(f"(function {SET})('#filter', '')")
    expect("the filter lets go", browser.value(shown), total)
    browser.value(f"(function {SET})('#view', 30)")
    opacity = "getComputedStyle(document.querySelector('.views').children[3]).opacity"
    expect("truth on top", browser.value(opacity), "1")
    browser.value(f"(function {SET})('#view', 0)")
    expect("image on top", browser.value(opacity), "0")
    browser.value("document.querySelector('#view-reset').click()")
    expect("side by side", browser.value("document.body.className"), "")


def check_curves(browser):
    browser.value("document.querySelector('.charts svg').scrollIntoView({block: 'center'})")
    box = browser.value("(() => { const b = document.querySelector('.charts svg')"
                        ".getBoundingClientRect(); return [b.x + b.width / 2, b.y + 60]; })()")
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0], y=box[1])
    text = browser.value("document.querySelector('.charts .hover').textContent")
    expect("values under the pointer",
           bool(re.fullmatch(r"images: \d\.\d{3} at \d\.\d{3}; pixels: .*", text)), True)


def check_markup(page):
    tidy = subprocess.run(["tidy", "-q", "-e", "-utf8", "--drop-empty-elements", "no", page],
                          capture_output=True, text=True)
    # tidy does not know that images may be lazy yet.
    faults = [line for line in tidy.stderr.splitlines()
              if ("Warning" in line or "Error" in line) and "\"loading\"" not in line]
    expect("faults in the markup", faults, [])


def main():
    burl, folder = sys.argv[1:]
    signal.alarm(300)  # a browser that hangs is a failure, not a wait
    page = make_report(burl, folder)
    check_markup(page)
    browser = Browser()
    try:
        for colours in ("light", "dark"):
            browser.look(colours)
            browser.open(page)
            browser.screenshot(os.path.join(folder, colours + ".png"))
            check_threshold(browser)
            check_gallery(browser)
            check_curves(browser)
        browser.look(media="print")
        browser.screenshot(os.path.join(folder, "print.png"))
        browser.look(scripts=False)
        browser.open(page, width=420)
        browser.screenshot(os.path.join(folder, "plain.png"))
        expect("complaints of the browser", browser.problems, [])
    finally:
        browser.close()
    for failure in failures:
        print("check-browser:", failure)
    if not failures:
        print("check-browser: the report works; look at", os.path.join(folder, "*.png"))
    return 1 if failures else 0


sys.exit(main())
