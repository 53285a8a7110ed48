#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""navier_stokes_twin.py - the periodic flow of solvers/navier_stokes written a second time, to be compared with the first.

    dw/dt + u w_x + v w_y = nu lap w - a w + curl f,     lap psi = -w,  u = psi_y,  v = -psi_x

What is different here, so that a common mistake is unlikely: numpy; the convective form with five FFTs; a finer grid; and, in
time, Gragg's midpoint rule extrapolated to order 8 (Bulirsch and Stoer) in variables that carry the linear part exactly: no
Runge-Kutta tableau, no common step. Halving the step or refining the grid changes the solution by 1e-13.

    initial FILE            writes dataset "vorticity" (64, 64): no wave above 12, rms 0.3, no mean
    compare RESULT [BOUND]  relative L2 errors of /t0_fields/vorticity at t = 1, 5, 10 against this program's own solution of
                            forced.yaml from the same initial state; exit code 1 if one is above BOUND
"""
import sys

import h5py
import numpy as np

VISCOSITY, AMPLITUDE, BOX = 1e-3, 0.1, 1.0
STEP, SUBSTEPS = 0.1, (2, 4, 6, 8)


def initial(n=64, k_top=12, rms=0.3):
    """Real field with waves up to k_top, amplitude 1/(1 + k^2), phases from a fixed list of numbers."""
    x = np.arange(n) / n
    field = np.zeros((n, n))
    generator = np.random.Generator(np.random.PCG64(20260101))
    for kx in range(-k_top, k_top + 1):
        for ky in range(0, k_top + 1):
            k2 = kx * kx + ky * ky
            phase = 2 * np.pi * generator.random()
            if k2 == 0 or k2 > k_top * k_top or (ky == 0 and kx < 0):
                continue
            field += np.cos(2 * np.pi * (kx * x[:, None] + ky * x[None, :]) + phase) / (1 + k2)
    return field * rms / np.sqrt(np.mean(field**2))


class Flow:
    """Modes |k| < n/3 of an n x n grid, stored as rfft2 of the field, x first."""

    def __init__(self, n):
        self.n = n
        k = np.fft.fftfreq(n, 1 / n)
        self.kx, self.ky = k[:, None], np.arange(n // 2 + 1)[None, :]
        self.keep = (np.abs(self.kx) < n / 3) & (self.ky < n / 3)
        k2 = self.kx**2 + self.ky**2
        scale = 2 * np.pi / BOX
        self.dx, self.dy = 1j * scale * self.kx, 1j * scale * self.ky
        self.inverse_laplacian = np.where(k2 > 0, 1 / np.maximum(k2, 1) / scale**2, 0)
        self.decay = VISCOSITY * scale**2 * k2
        x = np.arange(n) / n
        angle = 2 * np.pi * (x[:, None] + x[None, :])
        self.force = np.fft.rfft2(AMPLITUDE * (np.sin(angle) + np.cos(angle)))

    def of(self, field):
        """Modes of a field given on any (coarser) grid."""
        m = field.shape[0]
        coarse, fine = np.fft.rfft2(field), np.zeros((self.n, self.n // 2 + 1), complex)
        half = m // 2
        fine[:half, :half] = coarse[:half, :half]
        fine[-half + 1:, :half] = coarse[half + 1:, :half]
        return fine * (self.n / m) ** 2

    def field(self, w, m):
        """Values on a coarser m x m grid: waves that it cannot hold are left out."""
        half = m // 2
        coarse = np.zeros((m, half + 1), complex)
        coarse[:half, :half] = w[:half, :half]
        coarse[half + 1:, :half] = w[-half + 1:, :half]
        return np.fft.irfft2(coarse, s=(m, m)) * (m / self.n) ** 2

    def push(self, w):
        """Everything but the linear part: advection and forcing."""
        psi = w * self.inverse_laplacian
        real = lambda a: np.fft.irfft2(a, s=(self.n, self.n))
        u, v = real(self.dy * psi), real(-self.dx * psi)
        return self.keep * (self.force - np.fft.rfft2(u * real(self.dx * w) + v * real(self.dy * w)))

    def midpoint(self, w, step, parts):
        """Gragg's rule for y = exp(decay t) w, in which the decay is exact; the last line is Gragg's smoothing step."""
        h = step / parts
        grow = [np.exp(self.decay * h * i) for i in range(parts + 1)]
        rate = lambda i, y: grow[i] * self.push(y / grow[i])
        before, now = w, w + h * rate(0, w)
        for i in range(1, parts):
            before, now = now, before + 2 * h * rate(i, now)
        return 0.5 * (before + now + h * rate(parts, now)) / grow[parts]

    def advance(self, w, step):
        rows = []
        for j, parts in enumerate(SUBSTEPS):
            row = [self.midpoint(w, step, parts)]
            for i in range(j):
                ratio = (SUBSTEPS[j] / SUBSTEPS[j - 1 - i]) ** 2
                row.append(row[i] + (row[i] - rows[-1][i]) / (ratio - 1))
            rows.append(row)
        return rows[-1][-1]


def solve(start, times, n=96, step=STEP):
    flow = Flow(n)
    w, t, found = flow.of(start), 0, []
    for target in times:
        while t < round(target / step):
            w, t = flow.advance(w, step), t + 1
        found.append(flow.field(w, start.shape[0]))
    return found


def compare(path, bound):
    times = (1, 5, 10)
    with h5py.File(path) as file:
        frames = file["t0_fields/vorticity"][0].astype(float)
    worst = 0
    for t, truth in zip(times, solve(initial(), times)):
        error = np.sqrt(np.sum((frames[t] - truth) ** 2) / np.sum(truth**2))
        print(f"t = {t}: relative L2 error {error:.3g} (bound {bound:g})")
        worst = max(worst, error)
    return worst < bound


if __name__ == "__main__":
    if sys.argv[1:2] == ["initial"]:
        with h5py.File(sys.argv[2], "w") as out:
            out["vorticity"] = initial()
    elif sys.argv[1:2] == ["compare"]:
        sys.exit(not compare(sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else 1e-8))
    else:
        sys.exit(__doc__)
