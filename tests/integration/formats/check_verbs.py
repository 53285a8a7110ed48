#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""check_verbs.py PROGRAM FOLDER - `locum measure` and `locum export` on a file made here, against numpy."""
import csv
import os
import subprocess
import sys

import h5py
import numpy as np

from claims import claim, finish

LOCUM, FOLDER = sys.argv[1], sys.argv[2]


def run(*words):
    result = subprocess.run([LOCUM, *words], capture_output=True, text=True, timeout=60, cwd=FOLDER)
    claim(result.returncode == 0, f"{' '.join(words)}: {result.stderr}")


random = np.random.default_rng(3)
N, T, NX, NY = 3, 4, 24, 20
LX, LY = 2.0, 1.0
x, y = np.arange(NX) * LX / NX, np.arange(NY) * LY / NY
velocity = np.zeros((N, T, NX, NY, 2))
for i in range(N):
    for t in range(T):
        for _ in range(6):
            k, l = random.integers(-3, 4, 2)
            a, b, p = random.standard_normal(3)
            wave = np.cos(2 * np.pi * (k * x[:, None] / LX + l * y[None, :] / LY) + p)
            velocity[i, t] += np.stack([a * wave, b * wave], -1)
velocity = velocity.astype("f4")
with h5py.File(os.path.join(FOLDER, "field.h5"), "w") as f:
    f["u"] = velocity
    f["mass"] = np.arange(N * T, dtype="f8").reshape(N, T)
SET = ["--set", "dataset.outputs=[u, mass]", "--set", "dataset.time_axis=1", "--set", "dataset.time_step=0.5",
       "--set", "dataset.periodic=true", "--set", f"dataset.box=[{LX}, {LY}]"]

run("measure", "field.h5", *SET, "--out", "table.csv")
rows = {}
for row in csv.DictReader(open(os.path.join(FOLDER, "table.csv"))):
    rows[row["array"], row["quantity"], int(row["frame"]), row["k"]] = (float(row["time"]), float(row["value"]))
v = velocity.astype("f8")


def close(key, expected, tolerance=1e-9):
    got = rows[key][1]
    claim(abs(got - expected) <= tolerance * max(1.0, abs(expected)), f"{key}: {got}, numpy {expected}")


def slope(u, axis, length):
    n = u.shape[axis]
    return (np.roll(u, -1, axis) - np.roll(u, 1, axis)) / (2 * length / n)


for t in range(T):
    u = v[:, t]
    close(("u", "min", t, ""), u.min())
    close(("u", "max", t, ""), u.max())
    close(("u", "mean", t, ""), u.mean())
    close(("u", "mean_square", t, ""), (u**2).mean())
    close(("u", "energy", t, ""), (u**2).sum(-1).mean() / 2)
    dx, dy = slope(u, 1, LX), slope(u, 2, LY)
    close(("u", "gradient_square", t, ""), (dx**2 + dy**2).sum(-1).mean())
    close(("u", "divergence_square", t, ""), ((dx[..., 0] + dy[..., 1]) ** 2).mean())
    close(("u", "enstrophy", t, ""), ((dx[..., 1] - dy[..., 0]) ** 2).mean() / 2)
    close(("mass", "mean", t, ""), np.arange(N * T).reshape(N, T)[:, t].mean())
    claim(rows["u", "mean", t, ""][0] == 0.5 * t, "times")
energy = (v**2).sum(-1).mean((0, 2, 3)) / 2
close(("u", "energy_rate", 2, ""), (energy[2] - energy[1]) / 0.5)

# shells of unit width in waves across the longest side; the last one takes the corners
hat = np.fft.fft2(v[:, -1], axes=(1, 2)) / (NX * NY)
kx, ky = np.meshgrid(np.fft.fftfreq(NX, 1 / NX), np.fft.fftfreq(NY, 1 / NY) * LX / LY, indexing="ij")
n_shells = int(max(NX // 2, NY // 2 * LX / LY))
shell = np.minimum(np.floor(np.hypot(kx, ky) + 0.5), n_shells).astype(int)
power = 0.5 * (np.abs(hat) ** 2).sum(-1).mean(0)
for k in range(1, n_shells + 1):
    close(("u", "spectrum", T - 1, str(k)), power[(shell == k) & ((kx != 0) | (ky != 0))].sum())
claim(("u", "spectrum", T - 1, str(n_shells + 1)) not in rows, "no shell too many")

run("export", "field.h5", *SET, "--format", "hdf5", "--out", "plain.h5")
with h5py.File(os.path.join(FOLDER, "plain.h5")) as f:
    claim(np.array_equal(f["u"][:], velocity), "export hdf5: every value")
    claim(np.array_equal(f["mass"][:], np.arange(N * T, dtype="f4").reshape(N, T)), "export hdf5: values of frames")
    claim(np.array_equal(f["time"][0], 0.5 * np.arange(T)), "export hdf5: times")
    claim(np.allclose(f["axes/x"][:], x), "export hdf5: axes")
run("export", "field.h5", *SET, "--format", "the_well", "--out", "well.h5")
with h5py.File(os.path.join(FOLDER, "well.h5")) as f:
    claim(np.array_equal(f["t1_fields/u"][:], velocity), "export the_well: every value")
    claim(f["dimensions"].attrs["spatial_dims"].tolist() == ["x", "y"], "export the_well: axes")
run("measure", "well.h5", "--out", "again.csv")
first = open(os.path.join(FOLDER, "table.csv")).read().split("mass")[0]
claim(open(os.path.join(FOLDER, "again.csv")).read().startswith(first), "what is exported measures the same")
run("measure", "well.h5", "--set", "dataset.format=the_well", "--array", "u", "--out", "third.csv")
third = [line.rsplit(",", 1) for line in open(os.path.join(FOLDER, "third.csv")).read().splitlines()[1:]]
expected = [line.rsplit(",", 1) for line in first.splitlines()[1:]]
# coordinates are float32 in The Well's files: 6e-8 of a spacing
claim([t[0] for t in third] == [e[0] for e in expected] and
      all(abs(float(t[1]) - float(e[1])) <= 1e-6 * max(1, abs(float(e[1]))) for t, e in zip(third, expected)), "and by the reader of The Well too")
finish("verbs")
