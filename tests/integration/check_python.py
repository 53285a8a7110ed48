#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""check_python.py MODEL - what locum.py promises about arrays, shapes and errors, with the model of a finished run."""
import sys

import locum
import numpy as np

path = sys.argv[1]
with locum.Surrogate(path) as s:
    rows = 7
    grid = {p.name: p.lower + (p.upper - p.lower) * (np.arange(rows) + 0.5) / rows for p in s.inputs}
    grid = {name: x.astype(np.float32).astype(np.float64) for name, x in grid.items()}  # values that float32 holds too
    p = s.predict(grid)
    assert set(p) == {o.name for o in s.outputs} and p.lower is None and p.flag is None
    for o in s.outputs:
        assert p[o.name].shape == (rows,) + o.shape and np.isfinite(p[o.name]).all()
    same = lambda q: all((p[o.name] == q[o.name]).all() for o in s.outputs)
    assert same(s.predict([grid[port.name] for port in s.inputs])), "a list in the order of the ports"
    assert same(s.predict({n: x.astype(np.float32) for n, x in grid.items()})), "float32"
    wide = {n: np.repeat(x, 3)[::3] for n, x in grid.items()}
    assert same(s.predict(wide)), "a section of an array"
    assert same(s.predict({n: x[::-1][::-1] for n, x in grid.items()}))
    backwards = s.predict({n: x[::-1] for n, x in grid.items()})
    assert all((p[o.name][::-1] == backwards[o.name]).all() for o in s.outputs), "a negative stride"
    assert same(s.predict({n: x.astype(">f8") for n, x in grid.items()})), "another byte order"
    one = {n: x[0] for n, x in grid.items()}
    assert all((s.predict(one)[o.name][0] == p[o.name][0]).all() for o in s.outputs), "a single value is a row"
    first = s.inputs[0].name
    q = s.predict(dict(one, **{first: grid[first]}))
    assert all(q[o.name].shape[0] == rows for o in s.outputs), "one row stands for all"
    t = s.predict(grid, coverage=0.5)
    assert same(t) and t.flag.shape == (rows,) and (t.p_value > 0).all() == bool(s.n_calibration)
    if s.n_calibration:
        assert all((t.lower[o.name] <= t[o.name]).all() and (t.upper[o.name] >= t[o.name]).all() for o in s.outputs)
    assert s.predict(dict(one, **{first: np.nan}), coverage=0.5).flag[0] & locum.NOT_FINITE

    def fails(kind, words, call, *args, **more):
        try:
            call(*args, **more)
        except kind as error:
            assert words in str(error), str(error)
        else:
            raise AssertionError("%s was expected" % words)

    fails(ValueError, "unknown: nobody", s.predict, dict(grid, nobody=1))
    fails(ValueError, "missing: " + first, s.predict, {n: x for n, x in grid.items() if n != first})
    fails(ValueError, "the shape is", s.predict, dict(grid, **{first: np.zeros((rows, 3))}))
    fails(ValueError, "rows", s.predict, dict(grid, **{first: np.zeros(rows + 1)}))
    fails(locum.LocumError, "LOCUM_ARG", s.predict, grid, coverage=2)
    fails(locum.LocumError, "map", s.roll, grid, steps=3)
fails(locum.LocumError, "nothing.safetensors", locum.Surrogate, "nothing.safetensors")
print("all good")
