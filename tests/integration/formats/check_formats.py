#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""check_formats.py DUMP FOLDER - data of others: files made here by h5py in each layout, read by locum (dump.c), compared here.

Every value that locum gives must be the very float32 (or double) that h5py wrote; every bad file must be refused with a
message that names what is wrong. Cut files must never end the reader by a signal.
"""
import json
import os
import subprocess
import sys

import h5py
import numpy as np

from claims import claim, finish

DUMP, FOLDER = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
RANDOM = np.random.default_rng(7)


def smooth(*shape):
    """Values that a grid resolves: a wave along each of the last axes, another phase for each leading index."""
    values = np.zeros(shape)
    for axis, n in enumerate(shape):
        x = np.arange(n) * (2 * np.pi / max(n, 8))
        values = values + np.sin(x + 0.3 * axis).reshape([-1 if i == axis else 1 for i in range(len(shape))]) * (axis + 1)
    return values.astype("f4")


def run(name, dataset, seed=1):
    study = os.path.join(FOLDER, name + ".yaml")
    with open(study, "w") as f:
        f.write(f"study: {name}\nseed: {seed}\ndataset: {dataset}\n")
    return subprocess.run([DUMP, study, os.path.join(FOLDER, name)], capture_output=True, text=True, timeout=60)


def read(name, dataset, seed=1):
    """What locum reads: (facts, {array: [samples, frames, ...]}); checks read_frames against read on the way."""
    result = run(name, dataset, seed)
    if result.returncode:
        claim(False, f"{name}: {result.stdout.strip()} {result.stderr.strip()}")
        return None, None
    facts = json.load(open(os.path.join(FOLDER, name + ".json")))
    raw = open(os.path.join(FOLDER, name + ".raw"), "rb")
    arrays = {}
    for array in facts["arrays"]:
        shape = array["grid"] + ([array["components"]] if array["components"] > 1 else [])
        samples = []
        for sample in facts["samples"]:
            n = len(sample["times"])
            frames = np.frombuffer(raw.read(4 * n * int(np.prod(shape))), "f4").reshape([n] + shape)
            last = np.frombuffer(raw.read(8 * int(np.prod(shape))), "f8").reshape(shape)
            claim(np.array_equal(last.astype("f4"), frames[-1]), f"{name}: read and read_frames give the same")
            samples.append(frames)
        arrays[array["name"]] = samples
    claim(raw.read() == b"", f"{name}: nothing is left over")
    return facts, arrays


def same(name, got, expected):
    """All samples by their number."""
    if got is None:
        return
    claim(np.array_equal(np.array(got), expected), f"{name}: every value is what h5py wrote")


def by_index(facts, arrays, name):
    """[samples, ...] in the order of the numbers of samples."""
    if facts is None:
        return None
    order = np.argsort([s["index"] for s in facts["samples"]])
    return [arrays[name][i] for i in order]


def refused(name, dataset, *words, status=None):
    result = run(name, dataset)
    text = result.stdout
    claim(result.returncode > 0, f"{name}: is refused")
    for word in words:
        claim(word in text, f"{name}: the message names `{word}`: {text.strip()}")
    if status:
        claim(text.startswith(status), f"{name}: {status}: {text.strip()}")


def path(name):
    return os.path.join(FOLDER, name)


# --- The Well ---------------------------------------------------------------------------------------------------------
BOOL = [False, True]


def flags(obj, sample, time, dims=None):
    obj.attrs["sample_varying"] = sample
    obj.attrs["time_varying"] = time
    if dims is not None:
        obj.attrs["dim_varying"] = np.array(dims)


def write_well(file, n, t, grid, scale=1.0, skip=(), dtype="f4", transform=None, constant=3.0, **options):
    """A file as The Well's own tools write them; skip: names that are left out."""
    names = "xyz"[: len(grid)]
    data = {}
    with h5py.File(file, "w") as f:
        f.attrs["dataset_name"] = "check"
        f.attrs["grid_type"] = "cartesian"
        f.attrs["n_spatial_dims"] = len(grid)
        f.attrs["n_trajectories"] = n
        f.attrs["simulation_parameters"] = ["Re", "fixed"]
        dims = f.create_group("dimensions")
        dims.attrs["spatial_dims"] = list(names)
        for axis, length in zip(names, grid):
            if axis not in skip:
                flags(dims.create_dataset(axis, data=np.linspace(0, 2, length, endpoint=False)), False, False)
        if "time" not in skip:
            flags(dims.create_dataset("time", data=0.5 * np.arange(t, dtype="f4")), False, True)
        boundary = f.create_group("boundary_conditions")
        for axis, length in zip(names, grid):
            b = boundary.create_group(axis + "_periodic")
            b.attrs["associated_dims"] = [axis]
            b.attrs["associated_fields"] = np.array([], dtype=h5py.string_dtype())
            b.attrs["bc_type"] = "PERIODIC"
            flags(b, False, False)
            mask = np.zeros(length, bool)
            mask[[0, -1]] = True
            b.create_dataset("mask", data=mask)
        scalars = f.create_group("scalars")
        scalars.attrs["field_names"] = ["Re", "fixed", "of_sample", "drive"]
        flags(scalars.create_dataset("Re", data=np.float32(constant)), False, False)
        flags(scalars.create_dataset("fixed", data=np.float32(9.0)), False, False)
        flags(scalars.create_dataset("of_sample", data=np.arange(n, dtype="f4") + constant), True, False)
        flags(scalars.create_dataset("drive", data=np.arange(n * t, dtype="f4").reshape(n, t)), True, True)
        data["drive"] = np.arange(n * t, dtype="f4").reshape(n, t)
        for order in range(3):
            group = f.create_group(f"t{order}_fields")
            group.attrs["field_names"] = np.array([], dtype=h5py.string_dtype())
        d = len(grid)
        for order, name in ((0, "density"), (1, "velocity"), (2, "stress")):
            values = (scale * smooth(n, t, *grid, *([d] * order))).astype("f4")
            data[name] = values.reshape([n, t, *grid] + ([d**order] if order else []))
            stored = transform(values) if transform and order == 0 else values
            field = f[f"t{order}_fields"].create_dataset(name, data=stored.astype(dtype), **options)
            flags(field, True, True, [True] * d)
        height = smooth(grid[0])
        field = f["t0_fields"].create_dataset("height", data=height)
        flags(field, False, False, [True] + [False] * (d - 1))
        data["height"] = np.broadcast_to(height.reshape([1, 1, -1] + [1] * (d - 1)), (n, t, *grid))
        fixed = smooth(n, *grid)
        flags(f["t0_fields"].create_dataset("forcing", data=fixed), True, False, [True] * d)
        data["forcing"] = np.broadcast_to(fixed[:, None], (n, t, *grid))
    return data


def check_well():
    for kind, options in (("contiguous", {}), ("chunked", {"chunks": True}),
                          ("packed", {"compression": "gzip", "shuffle": True, "fletcher32": True})):
        data = write_well(path(f"well_{kind}.h5"), 3, 4, (8, 6), **options)
        facts, arrays = read(f"well_{kind}", f"{{path: well_{kind}.h5, format: the_well}}")
        for name, values in data.items():
            same(f"The Well, {kind}, {name}", by_index(facts, arrays, name), values)
        claim(facts["parameters"] == ["of_sample"], f"The Well: a scalar of each sample is a parameter: {facts['parameters']}")
        claim(facts["arrays"][0]["periodic"] == 1, "The Well: periodic sides are read")
        claim(facts["samples"][0]["times"] == [0, 0.5, 1.0, 1.5], "The Well: times are read")
        claim(abs(facts["arrays"][0]["upper"][0] - 2) < 1e-6, "The Well: a periodic box ends one spacing behind its last point")
    data = write_well(path("well_big.h5"), 2, 3, (8, 6), dtype=">f4")
    facts, arrays = read("well_big", "{path: well_big.h5}")
    same("The Well, big-endian, found out", by_index(facts, arrays, "density"), data["density"])
    data = write_well(path("well_double.h5"), 2, 3, (5, 4, 6), dtype="f8")
    facts, arrays = read("well_double", "{path: well_double.h5, fields: [velocity]}")
    same("The Well, 3-D, double", by_index(facts, arrays, "velocity"), data["velocity"])
    claim(facts and list(arrays) == ["velocity"], "fields: only what was asked for")
    # folders of splits, a parameter that differs between files
    os.makedirs(path("well/data"))
    expected = {}
    for split, n, re in (("train", 9, 10.0), ("valid", 4, 20.0), ("test", 3, 30.0)):
        os.makedirs(path(f"well/data/{split}"))
        expected[split] = write_well(path(f"well/data/{split}/a.hdf5"), n, 2, (8, 6), scale=re, constant=re)
    facts, arrays = read("well_folder", "{path: well, split: {calibration: 3}}")
    if facts:
        counts = {}
        for s in facts["samples"]:
            counts[s["split"]] = counts.get(s["split"], 0) + 1
        claim(counts == {"train": 8, "validation": 2, "calibration": 3, "test": 3},
              f"folders are kept, calibration comes half from valid, then from train: {counts}")
        claim(facts["parameters"] == ["Re", "of_sample"], f"what differs between files is a parameter, what does not is none: {facts['parameters']}")
        for sample, values in zip(facts["samples"], arrays["density"]):
            if sample["split"] == "test":
                claim(sample["parameter"][0] == 30.0, "test samples come from the folder test")
            number = sample["index"] - {10.0: 3, 20.0: 12, 30.0: 0}[sample["parameter"][0]]
            folder = {10.0: "train", 20.0: "valid", 30.0: "test"}[sample["parameter"][0]]
            claim(np.array_equal(values, expected[folder]["density"][number]), "a sample has its own values")
    again, _ = read("well_folder_2", "{path: well, split: {calibration: 3}}")
    claim(again and again["samples"] == facts["samples"], "splits are a function of the seed")
    other, _ = read("well_folder_3", "{path: well, split: {calibration: 3}}", seed=2)
    claim(other and other["samples"] != facts["samples"], "another seed cuts other samples")
    some, _ = read("well_subset", "{path: well, subset: 8, split: {calibration: 0.25}}")
    claim(some and len(some["samples"]) == 8, "subset: as many as asked for")


def check_bad_well():
    write_well(path("no_x.h5"), 2, 3, (8, 6), skip=("x",))
    refused("no_x", "{path: no_x.h5}", "no_x.h5", "/dimensions/x", "missing")
    write_well(path("no_time.h5"), 2, 3, (8, 6), skip=("time",))
    refused("no_time", "{path: no_time.h5}", "/dimensions/time", "missing")
    write_well(path("no_dimensions.h5"), 2, 3, (8, 6))
    with h5py.File(path("no_dimensions.h5"), "a") as f:
        del f["dimensions"]
    refused("no_dimensions", "{path: no_dimensions.h5}", "/dimensions is missing")
    write_well(path("swapped.h5"), 2, 3, (8, 6), transform=lambda v: np.ascontiguousarray(np.swapaxes(v, 2, 3)))
    refused("swapped", "{path: swapped.h5}", "density", "[2, 3, 6, 8]", "x = 8, y = 6", "wrong order")
    write_well(path("time_first.h5"), 2, 3, (8, 6), transform=lambda v: np.ascontiguousarray(np.swapaxes(v, 0, 1)))
    refused("time_first", "{path: time_first.h5}", "density", "[3, 2, 8, 6]", "wrong order")
    write_well(path("time_last.h5"), 2, 3, (8, 6), transform=lambda v: np.ascontiguousarray(np.moveaxis(v, 1, -1)))
    refused("time_last", "{path: time_last.h5}", "density", "[2, 8, 6, 3]", "wrong order")
    write_well(path("finer.h5"), 2, 3, (8, 6), transform=lambda v: np.repeat(v, 2, axis=2))
    refused("finer", "{path: finer.h5}", "density", "[2, 3, 16, 6]", "resolution")
    write_well(path("integers.h5"), 2, 3, (8, 6), dtype="i2")
    refused("integers", "{path: integers.h5}", "density", "integers of 2 bytes", "float32")
    os.makedirs(path("mixed"))
    write_well(path("mixed/a.h5"), 2, 3, (8, 6))
    write_well(path("mixed/b.h5"), 2, 3, (16, 6))
    refused("mixed", "{path: mixed}", "mixed/b.h5", "[16, 6]", "mixed/a.h5", "[8, 6]", "one resolution")
    write_well(path("nan.h5"), 2, 3, (8, 6))
    with h5py.File(path("nan.h5"), "a") as f:
        f["t1_fields/velocity"][1, 2, 3, 4, 1] = np.nan
    refused("nan", "{path: nan.h5}", "sample 1, frame 2", "[3, 4, 1]", "velocity", "finite", status="LOCUM_DAMAGED")
    refused("missing_field", "{path: nan.h5, fields: [vorticity]}", "vorticity", "t0_fields/density", "t1_fields/velocity")
    with h5py.File(path("gzip.h5"), "w") as f:
        f.create_dataset("u", data=smooth(3, 32, 32), compression="gzip", chunks=(1, 32, 32))
        at, size = f["u"].id.get_chunk_info(1).byte_offset, f["u"].id.get_chunk_info(1).size
    with open(path("gzip.h5"), "r+b") as f:
        f.seek(at + size // 2)
        f.write(b"\x55" * 40)
    refused("gzip", "{path: gzip.h5, format: hdf5, outputs: [u]}", "gzip.h5: u is", "unpacked", status="LOCUM_DAMAGED")


def check_links():
    with h5py.File(path("target.h5"), "w") as f:
        f.create_dataset("u", data=smooth(3, 8, 6))
    with h5py.File(path("link.h5"), "w") as f:
        f["u"] = h5py.ExternalLink("target.h5", "/u")
    refused("link", "{path: link.h5, format: hdf5, outputs: [u]}", "link to another file", "refused")
    smooth(3, 8, 6).tofile(path("outside.raw"))
    with h5py.File(path("external.h5"), "w") as f:
        f.create_dataset("u", (3, 8, 6), "f4", external=[(path("outside.raw"), 0, h5py.h5f.UNLIMITED)])
    refused("external", "{path: external.h5, format: hdf5, outputs: [u]}", "another file", "refused")
    layout = h5py.VirtualLayout((3, 8, 6), "f4")
    layout[:] = h5py.VirtualSource(path("target.h5"), "u", (3, 8, 6))
    with h5py.File(path("virtual.h5"), "w") as f:
        f.create_virtual_dataset("u", layout)
    refused("virtual", "{path: virtual.h5, format: hdf5, outputs: [u]}", "virtual", "refused")
    with h5py.File(path("lzf.h5"), "w") as f:
        f.create_dataset("u", data=smooth(3, 8, 6), compression="lzf")
    refused("lzf", "{path: lzf.h5, format: hdf5, outputs: [u]}", "filter", "h5repack")


# --- any HDF5 ---------------------------------------------------------------------------------------------------------
def check_hdf5():
    a, u, nu = smooth(12, 16, 16), smooth(12, 5, 16, 16, 2), RANDOM.random((12, 2))
    with h5py.File(path("any.h5"), "w") as f:
        f["coefficient"] = a
        f["group/u"] = u
        f["last"] = np.ascontiguousarray(np.moveaxis(np.moveaxis(u, 0, -1), 0, 2))  # [x, y, T, c, B]
        f["first"] = np.ascontiguousarray(np.moveaxis(u, -1, 1))  # [B, c, T, x, y]
        f["nu"] = nu
        f["k"] = np.arange(12)
        f["energy"] = np.arange(60, dtype="f8").reshape(12, 5)
        f["norm"] = np.arange(12, dtype="f4")
        f["line"] = smooth(12, 40)
        f["cube"] = smooth(12, 8, 8, 8)
        f["odd"] = smooth(12, 20, 16, 16)
        f["noise"] = (RANDOM.standard_normal((12, 1, 64)) + 0.01 * smooth(12, 64, 64)).astype("f4")
    facts, arrays = read("any", "{path: any.h5, format: hdf5, inputs: [nu, k, coefficient], outputs: [u, norm], time_axis: 1, time_step: 0.25, "
                         "periodic: true, box: 2}")
    same("hdf5: a field in time, found by its name", by_index(facts, arrays, "u"), u)
    same("hdf5: a field without time repeats", by_index(facts, arrays, "coefficient"), np.broadcast_to(a[:, None], (12, 5, 16, 16)))
    same("hdf5: one value a sample", by_index(facts, arrays, "norm"), np.broadcast_to(np.arange(12, dtype="f4")[:, None], (12, 5)))
    if facts:
        claim(facts["parameters"] == ["nu_0", "nu_1", "k"], f"hdf5: inputs that are values are parameters, integers too: {facts['parameters']}")
        for s in facts["samples"]:
            claim(s["parameter"] == [nu[s["index"], 0], nu[s["index"], 1], s["index"]], "hdf5: parameters of the right sample")
        claim(facts["samples"][0]["times"] == [0, 0.25, 0.5, 0.75, 1.0], "hdf5: time_step")
        claim(facts["arrays"][0]["upper"] == [2, 2] and facts["arrays"][0]["periodic"] == 1, "hdf5: box and periodic")
        counts = [sum(s["split"] == name for s in facts["samples"]) for name in ("train", "validation", "calibration", "test")]
        claim(counts == [9, 1, 1, 1], f"hdf5: the usual split {counts}")
    facts, arrays = read("any_last", "{path: any.h5, format: hdf5, outputs: [last], samples_axis: 4, time_axis: 2}")
    same("hdf5: samples last, time in the middle", by_index(facts, arrays, "last"), u)
    facts, arrays = read("any_first", "{path: any.h5, format: hdf5, outputs: [first], time_axis: 2, components_axis: 1}")
    same("hdf5: components first", by_index(facts, arrays, "first"), u)
    facts, arrays = read("any_map", "{path: any.h5, format: hdf5, inputs: [coefficient], outputs: [norm], split: {train: 6, validation: 2, calibration: 2, test: 2}}")
    claim(facts and facts["timeless"] == 1 and len(facts["samples"]) == 12, "hdf5: no time axis is timeless; a split in numbers")
    facts, arrays = read("any_line", "{path: any.h5, format: hdf5, outputs: [line]}")
    same("hdf5: a 1-D field", by_index(facts, arrays, "line"), smooth(12, 40)[:, None])
    facts, arrays = read("any_cube", "{path: any.h5, format: hdf5, outputs: [cube]}")
    same("hdf5: a 3-D field", by_index(facts, arrays, "cube"), smooth(12, 8, 8, 8)[:, None])
    facts, arrays = read("any_value", "{path: any.h5, format: hdf5, inputs: [k], outputs: [u, energy], time_axis: 1}")
    same("hdf5: one value a frame", by_index(facts, arrays, "energy"), np.arange(60, dtype="f4").reshape(12, 5))
    refused("any_odd", "{path: any.h5, format: hdf5, outputs: [odd]}", "odd [12, 20, 16, 16]", "time_axis", "axes")
    facts, arrays = read("any_odd_time", "{path: any.h5, format: hdf5, outputs: [odd], time_axis: 1}")
    same("hdf5: the same with time_axis", by_index(facts, arrays, "odd"), smooth(12, 20, 16, 16))
    refused("any_mixed", "{path: any.h5, format: hdf5, inputs: [cube], outputs: [coefficient]}", "coefficient", "[12, 16, 16]", "[8, 8, 8]", "resolution")
    refused("any_noise", "{path: any.h5, format: hdf5, outputs: [noise]}", "noise [12, 64, 64]", "spectrum is flat", "order of axes")
    refused("any_none", "{path: any.h5, format: hdf5, outputs: [pressure]}", "pressure", "coefficient", "group/u")
    refused("any_samples", "{path: any.h5, format: hdf5, inputs: [coefficient], outputs: [last], time_axis: 2}", "samples")
    refused("any_axis", "{path: any.h5, format: hdf5, outputs: [coefficient], samples_axis: 5}", "no axis 5")
    refused("any_ambiguous", "{path: well_chunked.h5, outputs: [density]}", "The Well", "format:")
    refused("any_unknown", "{path: any.h5}", "layout", "inputs", "coefficient")
    with h5py.File(path("never.h5"), "w") as f:
        f.create_dataset("u", (3, 8, 8), "f4", chunks=(1, 8, 8))
        f["u"][0] = 1
    refused("never", "{path: never.h5, format: hdf5, outputs: [u]}", "never written whole")
    with h5py.File(path("text.h5"), "w") as f:
        f["u"] = np.array([b"a", b"b"])
    refused("text", "{path: text.h5, format: hdf5, outputs: [u]}", "does not hold floats")


# --- tables -----------------------------------------------------------------------------------------------------------
def check_csv():
    x, y, z = RANDOM.random(30), RANDOM.random(30), RANDOM.random(30)
    with open(path("table.csv"), "w") as f:
        f.write("x,y,name,z\n" + "".join(f"{float(a)!r},{float(b)!r},n{i},{float(c)!r}\n" for i, (a, b, c) in enumerate(zip(x, y, z))))
    facts, arrays = read("table", "{path: table.csv, inputs: [x, y], outputs: [z], split: {train: 0.5, validation: 0.1, calibration: 0.2, test: 0.2}}")
    if facts:
        claim(facts["parameters"] == ["x", "y"], "csv: inputs are parameters")
        for s, values in zip(facts["samples"], arrays["z"]):
            claim(s["parameter"] == [x[s["index"]], y[s["index"]]] and values[0] == np.float32(z[s["index"]]), "csv: a row is a sample")
        counts = [sum(s["split"] == name for s in facts["samples"]) for name in ("train", "validation", "calibration", "test")]
        claim(counts == [15, 3, 6, 6], f"csv: fractions {counts}")
    refused("table_column", "{path: table.csv, inputs: [x], outputs: [w]}", "`w`", "x, y, name, z")
    refused("table_names", "{path: table.csv}", "inputs", "outputs")
    refused("table_split", "{path: table.csv, inputs: [x], outputs: [z], split: {train: 25, test: 10}}", "30 samples", "35")


# --- PDEBench ---------------------------------------------------------------------------------------------------------
def coordinates(f, n, grid, t):
    for axis, length in zip("xyz", grid):
        f[f"{axis}-coordinate"] = (np.arange(length) + 0.5) / length
    f["t-coordinate"] = 0.1 * np.arange(t + 1)


def check_pdebench():
    data = {name: smooth(4, 3, 8, 6) + np.float32(i) for i, name in enumerate(("density", "pressure", "Vx", "Vy"))}
    with h5py.File(path("cfd.hdf5"), "w") as f:
        for name, values in data.items():
            f[name] = values
        coordinates(f, 4, (8, 6), 3)
    facts, arrays = read("cfd", "{path: cfd.hdf5, periodic: true}")
    for name, values in data.items():
        same(f"PDEBench flow, {name}", by_index(facts, arrays, name), values)
    claim(facts and np.allclose(facts["samples"][0]["times"], [0, 0.1, 0.2]), "PDEBench: one time more than frames")
    with h5py.File(path("line.hdf5"), "w") as f:
        f["tensor"] = smooth(4, 3, 40)
        coordinates(f, 4, (40,), 3)
    facts, arrays = read("bench_line", "{path: line.hdf5, format: pdebench}")
    same("PDEBench tensor, 1-D", by_index(facts, arrays, "tensor"), smooth(4, 3, 40))
    with h5py.File(path("darcy.hdf5"), "w") as f:
        f["tensor"] = smooth(4, 1, 8, 6)
        f["nu"] = smooth(4, 8, 6)
        for axis, length in zip("xy", (8, 6)):
            f[f"{axis}-coordinate"] = np.arange(length) / length
    facts, arrays = read("bench_darcy", "{path: darcy.hdf5}")
    same("PDEBench Darcy, nu", by_index(facts, arrays, "nu"), smooth(4, 8, 6)[:, None])
    same("PDEBench Darcy, tensor", by_index(facts, arrays, "tensor"), smooth(4, 1, 8, 6))
    claim(facts and facts["timeless"] == 1, "PDEBench Darcy is timeless")
    groups = smooth(3, 5, 8, 6, 2)
    with h5py.File(path("groups.h5"), "w") as f:
        for b in range(3):
            f[f"{b:04d}/data"] = groups[b]
            for axis, n in (("x", 8), ("y", 6), ("t", 5)):
                f[f"{b:04d}/grid/{axis}"] = np.arange(n) / n
    facts, arrays = read("bench_groups", "{path: groups.h5}")
    same("PDEBench, a group a sample", by_index(facts, arrays, "data"), groups)
    velocity, particles, force = smooth(2, 3, 8, 8, 2), smooth(2, 3, 8, 8, 1), smooth(2, 8, 8, 2)
    with h5py.File(path("incompressible.h5"), "w") as f:
        f["velocity"], f["particles"], f["force"] = velocity, particles, force
        f["t"] = np.array([[0, 1, 2], [0, 2, 4]], "f4")
    facts, arrays = read("bench_incompressible", "{path: incompressible.h5}")
    same("PDEBench incompressible, velocity", by_index(facts, arrays, "velocity"), velocity)
    same("PDEBench incompressible, particles", by_index(facts, arrays, "particles"), particles[..., 0])
    same("PDEBench incompressible, force", by_index(facts, arrays, "force"), np.broadcast_to(force[:, None], (2, 3, 8, 8, 2)))
    claim(facts and [s["times"] for s in sorted(facts["samples"], key=lambda s: s["index"])] == [[0, 1, 2], [0, 2, 4]],
          "PDEBench incompressible: times of each sample")
    with h5py.File(path("swapped_bench.hdf5"), "w") as f:
        f["tensor"] = smooth(4, 8, 6, 3)
        coordinates(f, 4, (8, 6), 3)
    refused("swapped_bench", "{path: swapped_bench.hdf5}", "tensor", "[4, 8, 6, 3]", "order")
    with h5py.File(path("bare_bench.hdf5"), "w") as f:
        f["tensor"] = smooth(4, 3, 8, 6)
    refused("bare_bench", "{path: bare_bench.hdf5}", "x-coordinate")


# --- the block --------------------------------------------------------------------------------------------------------
def check_block():
    refused("block_key", "{path: any.h5, formt: hdf5}", "block_key.yaml:3", "formt", "format", status="LOCUM_STUDY")
    refused("block_format", "{path: any.h5, format: zarr}", "block_format.yaml:3", "zarr", status="LOCUM_STUDY")
    refused("block_path", "{format: hdf5}", "path", status="LOCUM_STUDY")
    refused("block_outputs", "{path: any.h5, format: hdf5}", "block_outputs.yaml:3", "outputs", status="LOCUM_STUDY")
    refused("block_inputs", "{path: any.h5, format: the_well, inputs: [u]}", "fields", status="LOCUM_STUDY")
    refused("block_split", "{path: any.h5, format: the_well, split: {train: 0.9, test: 0.3}}", "1.2", status="LOCUM_STUDY")
    refused("block_parts", "{path: any.h5, format: the_well, split: {train: 10.5, test: 3}}", "whole", status="LOCUM_STUDY")
    refused("block_axes", "{path: any.h5, format: hdf5, outputs: [u], time_axis: 0}", "one axis", status="LOCUM_STUDY")
    refused("block_campaign", "{path: any.h5}\ncampaign: {split: {train: 3}}", "takes its place", status="LOCUM_STUDY")
    refused("block_missing", "{path: nothing.h5}", "nothing.h5", "no such file", status="LOCUM_INPUT")
    os.makedirs(path("empty"))
    refused("block_empty", "{path: empty}", "no data file", status="LOCUM_INPUT")


def check_cut():
    """Files cut anywhere, and files with a page of noise, are refused or read, never a crash."""
    whole = open(path("well_packed.h5"), "rb").read()
    for i in range(24):
        with open(path("cut.h5"), "wb") as f:
            f.write(whole[: len(whole) * i // 24])
        result = run("cut", "{path: cut.h5, format: the_well}")
        claim(result.returncode > 0, f"a file cut at {i}/24 is refused ({result.returncode}) {result.stdout.strip()}")
    for name, dataset in (("well_chunked.h5", "{path: cut.h5, format: the_well}"), ("cfd.hdf5", "{path: cut.h5, format: pdebench}"),
                          ("any.h5", "{path: cut.h5, format: hdf5, inputs: [nu], outputs: [u], time_axis: 1}")):
        whole = open(path(name), "rb").read()
        for i in range(16):
            at = int(RANDOM.integers(0, min(len(whole), 12000)))
            with open(path("cut.h5"), "wb") as f:
                f.write(whole[:at] + RANDOM.bytes(32) + whole[at + 32:])
            result = run("cut", dataset)
            claim(0 <= result.returncode < 64, f"{name} with noise at {at} ends by itself ({result.returncode})")


for check in (check_well, check_bad_well, check_links, check_hdf5, check_csv, check_pdebench, check_block, check_cut):
    check()
finish("formats")
