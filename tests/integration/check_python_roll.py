#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""check_python_roll.py MODEL - a roll-out whose answer is known: at step n all fields have moved n cells along x, times gain**n."""
import sys

import locum
import numpy as np

rows, steps, nx, ny = 2, 3, 6, 4
with locum.Surrogate(sys.argv[1]) as s:
    assert (s.interval, s.history, s.leads) == (0.25, 1, 5), (s.interval, s.history, s.leads)
    assert [(p.name, p.shape) for p in s.inputs] == [("gain", ()), ("tracer", (nx, ny)), ("velocity", (nx, ny, 2))]
    assert s.inputs[1].axis_names == ("x", "y") and np.allclose(s.inputs[1].axes[0], np.arange(nx) / nx)
    tracer = np.arange(rows * nx * ny).reshape(rows, nx, ny) / 64.0  # exact in float32
    velocity = np.arange(rows * nx * ny * 2, dtype=np.float32).reshape(rows, 2, nx, ny).transpose(0, 2, 3, 1) / 128
    start = {"gain": [1.0, 0.5], "tracer": tracer, "velocity": velocity}  # velocity: no single stride, so a copy
    gain = np.array([1.0, 0.5])[:, None, None]
    once = s.predict(start, coverage=0.9, lead=2)
    assert (once["tracer"] == np.roll(tracer, 1, 1) * gain).all()
    width = lambda p: (p.upper["tracer"] - p.lower["tracer"]).max()
    assert abs(width(once) / width(s.predict(start, coverage=0.9)) - 1.5) < 1e-6, "growth of the second step"
    r = s.roll(start, steps, coverage=0.9)
    assert r["tracer"].shape == (steps, rows, nx, ny) and r.flag.shape == (steps, rows)
    for n in range(1, steps + 1):
        assert (r["tracer"][n - 1] == np.roll(tracer, n, 1) * gain**n).all(), n
        assert (r["velocity"][n - 1] == np.roll(velocity, n, 1) * gain[..., None] ** n).all(), n
        assert (r.lower["tracer"][n - 1] <= r["tracer"][n - 1]).all()
    assert s.roll(start, 1).flag is None
    seen = []
    s.roll(start, 50, frame=lambda lead, time, values: seen.append((lead, time, values["tracer"].copy())) or lead == 2)
    assert [(lead, time) for lead, time, _ in seen] == [(1, 0.25), (2, 0.5)] and (seen[1][2] == r["tracer"][1]).all()
    try:
        s.roll(start, 3, frame=lambda *_: 1 / 0)
        raise AssertionError("an exception of the caller must come back")
    except ZeroDivisionError:
        pass
    try:
        s.roll(dict(start, gain=1e6), 3)
        raise AssertionError("a roll-out that blows up must be told")
    except locum.LocumError as error:
        assert error.status == "LOCUM_NUMERIC", error
print("rolled as known")
