#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""check_report.py FOLDER: report.json has every key of surrogate/validate/REPORT.md, its numbers agree with each other, and index.html
needs nothing but itself."""
import json
import os
import re
import sys

KEYS = {
    "": "study solver task metric headline reference_settings test_samples label_noise label_noise_samples surrogate trivial baselines "
        "reference speedup_at_equal_error break_even_predictions coverage inputs outputs samples response examples learning_curve "
        "sensitivity distance rejection budget snapshots costs searched provenance",
    "surrogate": "error error_low error_high seconds_per_sample seconds_per_sample_best_batch best_batch parameters members",
    "trivial[]": "name error",
    "baselines[]": "settings error error_low error_high seconds_per_sample samples best",
    "baselines[].settings": "resolution from until text",
    "reference": "seconds_per_sample error",
    "speedup_at_equal_error": "value bound reason",
    "coverage": "target measured covered samples calibration_samples law_low law_high median_width negative_control groups",
    "coverage.negative_control": "samples failed covered measured law_limit fails_visibly flagged error parameters text",
    "inputs[]": "name unit text lower upper log",
    "outputs[]": "name unit text extent axis_name axis in_metric transform error",
    "outputs[].error": "surrogate mean linear quadratic nearest label_noise reference_cheaper",
    "samples[]": "index parameters error error_of covered flag p_value truth value lower upper",
    "response[]": "input at x outputs",
    "costs": "generate_core_seconds train_core_seconds validate_seconds",
    "provenance": "program commit compiler host processor ranks time",
}


def parts(root, path):
    """All values at a path; [] goes through a list."""
    values = [root]
    for name in path.split(".") if path else []:
        values = [v[name.removesuffix("[]")] for v in values]
        if name.endswith("[]"):
            assert all(isinstance(v, list) and v for v in values), f"{path} is no list, or an empty one"
            values = [item for v in values for item in v]
    return values


def close(a, b, tolerance=1e-6):
    return abs(a - b) <= tolerance * max(abs(a), abs(b), 1e-300)


def check_numbers(r):
    s = r["surrogate"]
    assert 0 < s["error_low"] <= s["error"] <= s["error_high"], "the error lies within its bootstrap interval"
    assert 0 < s["seconds_per_sample_best_batch"] <= 1.5 * s["seconds_per_sample"] < 1
    mean = sum(x["error"] for x in r["samples"]) / len(r["samples"])
    assert close(mean, s["error"], 1e-4), f"mean of the samples {mean}, error {s['error']}"
    assert len(r["samples"]) == r["test_samples"] == r["coverage"]["samples"]
    c = r["coverage"]
    assert c["covered"] == sum(bool(x["covered"]) for x in r["samples"])
    assert close(c["measured"], c["covered"] / c["samples"]) or c["covered"] == 0
    assert {t["name"] for t in r["trivial"]} == {"mean", "linear", "quadratic", "nearest"}
    assert r["speedup_at_equal_error"]["bound"] in ("=", "<=", ">=") and r["speedup_at_equal_error"]["reason"]
    times = [b["seconds_per_sample"] for b in r["baselines"]]
    assert times == sorted(times) and times[0] > 0, "baselines are sorted by time"
    for x in r["samples"]:
        for low, value, high in zip(x["lower"], x["value"], x["upper"]):
            for a, b, c in zip(*([v] if not isinstance(v, list) else v for v in (low, value, high))):
                assert a is None or a <= b <= c, "a value lies within its interval"
    assert isinstance(r["provenance"]["commit"], str) and r["provenance"]["ranks"] >= 1


def check_page(text):
    assert "<html" in text and "</html>" in text
    assert not re.search(r"<script|javascript:|\son[a-z]+=", text, re.I), "no scripts"
    assert not re.search(r"""(?:src|href|xlink:href)\s*=\s*["'](?!#|data:)""", text), "nothing is loaded from elsewhere"
    assert not re.search(r"@import|url\(\s*['\"]?(?!#|data:)", text), "no style from elsewhere"
    assert not re.search(r"\bNaN\b|\b-?inf\b", re.sub(r"<[^>]*>", " ", text)), "no number that is none"


if __name__ == "__main__":
    with open(os.path.join(sys.argv[1], "report.json")) as file:
        report = json.load(file, parse_constant=lambda word: sys.exit(f"report.json holds {word}"))
    for place, names in KEYS.items():
        for value in parts(report, place):
            missing = set(names.split()) - set(value)
            assert not missing, f"report.json: {place or 'top level'} lacks {sorted(missing)}"
    check_numbers(report)
    with open(os.path.join(sys.argv[1], "index.html")) as file:
        check_page(file.read())
    print("report.json and index.html are in order")
