#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""sample_report.py FOLDER - writes FOLDER/report.json with every key that validate writes (surrogate/validate/REPORT.md), made of smooth formulas:
what the report's test and its look are checked with. The numbers mean nothing."""
import json
import math
import os
import random
import sys

random.seed(7)
K = list(range(1, 33))
Y = [2 * math.pi * j / 64 for j in range(64)]
INPUTS = [dict(name="viscosity", unit="1", text="kinematic viscosity", lower=4e-3, upper=1e-1, log=True),
          dict(name="drag", unit="1", text="linear drag <rate> & \"more\"", lower=0.05, upper=0.3, log=True)]


def digits(x):
    return float("%.6g" % x)


def solve(nu, drag):
    energy = 0.35 / (drag + 4 * nu) ** 0.8 + 0.02
    dissipation = 2.1 * nu ** 0.35 * energy ** 0.6
    injection = dissipation + 2 * drag * energy
    spectrum = [energy * k ** -1.2 * math.exp(-k * nu ** 0.5 * 1.6) / (1 + (k / 4.0) ** 3) for k in K]
    profile = [0.8 * energy ** 0.5 * math.sin(4 * y) for y in Y]
    return [energy, dissipation, injection, spectrum, profile]


def spread(row, factor):
    move = lambda v: digits(v * factor if not isinstance(v, list) else 0)
    return [[digits(v * factor) for v in o] if isinstance(o, list) else move(o) for o in row]


def shifted(row, sign, part):
    def of(o):
        if not isinstance(o, list):
            return digits(o + sign * part * abs(o))
        top = max(abs(v) for v in o)
        return [digits(v + sign * (part * abs(v) * 1.6 if min(o) > 0 else part * top)) for v in o]
    return [of(o) for o in row]


def sample(i):
    nu, drag = 4e-3 * 25 ** random.random(), 0.05 * 6 ** random.random()
    truth = spread(solve(nu, drag), 1)
    off = random.gauss(0, 0.035) * (1 + 0.3 * abs(math.log(nu / 0.02)))
    value = spread(truth, 1 + off)
    errors = [digits(abs(off) * (0.6 + 0.8 * random.random()) + 0.01) for _ in range(5)]
    return dict(index=i, parameters=[digits(nu), digits(drag)], error=digits(sum(errors[:2] + errors[3:]) / 4), error_of=errors, covered=random.random() < 0.9,
                flag=1 if i == 5 else 0, p_value=digits(random.random()), truth=truth, value=value, lower=shifted(value, -1, 0.12), upper=shifted(value, 1, 0.12))


def response(i):
    lower, upper = INPUTS[i]["lower"], INPUTS[i]["upper"]
    x = [digits(lower * (upper / lower) ** (j / 48)) for j in range(49)]
    at = [0.02, 0.122]
    rows = [solve(*(at[:i] + [v] + at[i + 1:])) for v in x]
    outputs = []
    for o, name in enumerate(["energy", "dissipation", "injection"]):
        v = [digits(r[o]) for r in rows]
        outputs.append(dict(name=name, value=v, lower=[digits(a * 0.88) for a in v], upper=[digits(a * 1.12) for a in v]))
    return dict(input=INPUTS[i]["name"], at="%s = %.3g" % (INPUTS[1 - i]["name"], at[1 - i]), x=x, outputs=outputs)


def snapshot(k):
    n = 64
    values = [digits(math.sin(4 * Y[j] + math.sin(k * Y[i])) * 5 + 3 * math.cos(k * Y[i] - 2 * Y[j]) + 4 * math.exp(-((i - 20) ** 2 + (j - 40) ** 2) / 40)) for i in range(n) for j in range(n)]
    return dict(text="vorticity at time 40, viscosity %.3g, drag %.3g" % (0.1 / k ** 2, 0.12), nx=n, ny=n, lower=[0, 0], upper=[2 * math.pi] * 2, values=values)


def baselines():
    found = []
    for points, cost in ((16, 0.002), (24, 0.006), (32, 0.02), (48, 0.08), (64, 0.25)):
        for window in range(7):
            length = 4 * 2 ** (window / 2)
            error = math.hypot(0.35 / length ** 0.5, 1.1 * (8 / points) ** 3) + 0.01
            found.append(dict(settings=dict(resolution="%d x %d" % (points, points), **{"from": 20, "until": 20 + length},
                                            text="resolution %d x %d, cfl x 1, mean over [20, %.4g]" % (points, points, 20 + length)),
                              error=digits(error), error_low=digits(error * 0.86), error_high=digits(error * 1.15), seconds_per_sample=digits(cost * (20 + length)),
                              samples=32, best=False))
    found.sort(key=lambda b: b["seconds_per_sample"])
    least = math.inf
    for b in found:
        b["best"] = b["error"] < least
        least = min(least, b["error"])
    return found


def output(j):
    name = ["energy", "dissipation", "injection", "spectrum", "symmetric_profile"][j]
    text = ["kinetic energy per mass, mean", "viscous dissipation, mean", "power of the forcing, mean", "energy per shell of wavenumbers", "mean velocity, averaged over the forcing's symmetries"][j]
    axis = None if j < 3 else K if j == 3 else [digits(y) for y in Y]
    error = dict(surrogate=0.031 + 0.011 * j, mean=0.412 + 0.02 * j, linear=0.271 + 0.013 * j, quadratic=0.187 + 0.012 * j, nearest=0.153 + 0.017 * j,
                 label_noise=None if j == 2 else 0.0211 + 0.003 * j, reference_cheaper=0.0412 + 0.009 * j)
    return dict(name=name, unit="m2 s-2" if j == 0 else "1", text=text, extent=len(axis) if axis else 1, axis_name=None if j < 3 else "k" if j == 3 else "y", axis=axis,
                in_metric=j != 2, transform="log" if j < 3 else "log_share" if j == 3 else "linear", error=error)


def report():
    samples = [sample(i) for i in range(32)]
    order = sorted(range(32), key=lambda i: samples[i]["error"])
    words = "At equal error (0.0561, label noise 0.0317) the surrogate needs 4.12 us, the solver 1.83 s on the same core (resolution 32 x 32, cfl x 1, mean over [20, 52]): 444000 times as fast."
    return {
        "study": "kolmogorov", "solver": "navier_stokes", "task": "map",
        "metric": "relative L2 error per output and sample (single values |p - t| / |t|), mean over energy, dissipation, spectrum, symmetric_profile, then over test samples",
        "headline": words, "reference_settings": "resolution 64 x 64, cfl x 1, mean over [40, 200]", "test_samples": 32, "test_read": "2026-11-24T22:41:07Z", "duplicates": 0,
        "label_noise": 0.0317, "label_noise_samples": 16,
        "surrogate": dict(error=0.0561, error_low=0.0487, error_high=0.0642, error_on_searched_samples=0.0561, seconds_per_sample=4.12e-6, seconds_per_sample_best_batch=3.3e-7, best_batch=256,
                          parameters=52404, members=4),
        "trivial": [dict(name=n, error=e) for n, e in (("mean", 0.452), ("linear", 0.296), ("quadratic", 0.211), ("nearest", 0.187))],
        "trivial_text": "mean, linear and quadratic are least squares in the network's own transformed inputs and outputs, which makes them strong",
        "baselines": baselines(), "reference": dict(seconds_per_sample=52.3, error=0.0317),
        "speedup_at_equal_error": dict(value=444175.1, bound="=", reason="the error lies between two measured settings of the front"), "break_even_predictions": 1041.7,
        "coverage": dict(target=0.9, measured=0.875, covered=28, samples=32, calibration_samples=32, law_low=21, law_high=32, median_width=[0.241, 0.262, 0.239, 0.381, 0.452],
                         negative_control=dict(samples=24, failed=1, covered=4, measured=4 / 23, law_limit=15, fails_visibly=True, flagged=23, error=0.4312,
                                               parameters="viscosity 0.001 to 0.002, drag 0.05 to 0.3",
                                               text="Samples at a quarter to a half of the lowest viscosity, same grid and window: their spectra are under-resolved."),
                         groups=[dict(name="viscosity lower half, 0.004 to 0.02", covered=13, samples=16), dict(name="viscosity upper half, 0.02 to 0.1", covered=15, samples=16),
                                 dict(name="drag lower half, 0.05 to 0.122", covered=14, samples=16), dict(name="drag upper half, 0.122 to 0.3", covered=14, samples=16)],
                         text="a sample counts as covered if every value of every output lies inside"),
        "inputs": INPUTS, "outputs": [output(j) for j in range(5)], "samples": samples, "response": [response(0), response(1)],
        "examples": [order[3], order[16], order[28]], "learning_curve": [dict(samples=n, error=e) for n, e in ((11, 0.231), (22, 0.132), (44, 0.0823), (88, 0.0561))],
        "sensitivity": [dict(input="viscosity", outputs=[-0.412, 0.231, 0.112, -0.733, -0.2071]), dict(input="drag", outputs=[-0.681, -0.3204, 0.153, -0.624, -0.311])],
        "distance": [dict(distance=digits(0.05 + 0.5 * random.random()), error=s["error"]) for s in samples],
        "rejection": [dict(fraction=f / 32, error=0.0561 * (1 - 0.4 * f / 32)) for f in (0, 3, 6, 10, 13, 16)],
        "budget": dict(text="|injection - dissipation - 2 drag energy| / injection, mean over test samples", surrogate=0.0213, labels=0.0044),
        "snapshots": [snapshot(k) for k in (1, 2, 4)],
        "costs": dict(generate_core_seconds=331.0, train_core_seconds=57.2, validate_seconds=48.1),
        "searched": "35 settings: 5 resolutions from 16 x 16 to 64 x 64, each with 7 windows of one run with another seed, on 32 test samples. The search stopped because the surrogate's error was bracketed.",
        "provenance": dict(program="locum 0.1.0", commit="0123456789ab", compiler="GNU 12.2.0", flags="-O3 -g1", host="example", processor="Example CPU at 2.50 GHz", instruction_set="avx512",
                           time="2026-11-24T22:43:12Z", ranks=2, threads=1, cores_allowed=2)}


os.makedirs(sys.argv[1], exist_ok=True)
with open(os.path.join(sys.argv[1], "report.json"), "w", encoding="utf-8") as f:
    json.dump(report(), f, ensure_ascii=False)
