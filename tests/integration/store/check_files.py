#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""check_files.py - other people's eyes on our files: h5py as a reader of The Well, ncdump, and a walk through the XDMF.

    check_files.py FOLDER          files of write_files.c
    check_files.py --file F.h5...  only the format of grid files (and their XDMF), for files of `locum simulate`

The checks of The Well's format restate its documentation and its format checker (PolymathicAI/the_well).
"""
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import h5py
import numpy as np

BOOLEAN = (bool, np.bool_)


def expect(condition, text):
    if not condition:
        raise AssertionError(text)


def text_list(attributes, name, owner):
    expect(name in attributes, f"{owner} lacks the attribute {name}")
    values = attributes[name]
    expect(isinstance(values, (list, np.ndarray)), f"{owner}: {name} is no list")
    for value in values:
        expect(isinstance(value, str), f"{owner}: {name} holds {type(value)}, not text")
    return list(values)


def flags(item, *names):
    for name in names:
        expect(name in item.attrs, f"{item.name} lacks {name}")
        expect(isinstance(item.attrs[name], BOOLEAN), f"{item.name}: {name} is {type(item.attrs[name])}, not a boolean")
    return [bool(item.attrs[name]) for name in names]


def check_root(f):
    for name in ("dataset_name", "grid_type"):
        expect(isinstance(f.attrs[name], str), f"{name} is no text")
    for name in ("n_spatial_dims", "n_trajectories"):
        expect(isinstance(f.attrs[name], (int, np.integer)), f"{name} is no integer")
    expect(f.attrs["grid_type"] == "cartesian", "grid_type")
    for parameter in text_list(f.attrs, "simulation_parameters", "the root"):
        expect(parameter in f.attrs, f"the parameter {parameter} is no root attribute")
        expect(parameter in f["scalars"], f"the parameter {parameter} is not among the scalars")


def check_dimensions(f):
    dimensions = f["dimensions"]
    axes = text_list(dimensions.attrs, "spatial_dims", "dimensions")
    expect(len(axes) == f.attrs["n_spatial_dims"] > 0, "as many axes as n_spatial_dims")
    expect(flags(dimensions["time"], "sample_varying", "time_varying") == [False, True], "flags of time")
    for axis in axes:
        expect(flags(dimensions[axis], "sample_varying", "time_varying") == [False, False], f"flags of {axis}")
        expect(f[axis].is_scale and f[axis] == dimensions[axis], f"{axis} at the root is no dimension scale, or another one")
    return axes


def check_fields(f, order, axes):
    group = f[f"t{order}_fields"]
    names = text_list(group.attrs, "field_names", group.name)
    expect(sorted(names) == sorted(group.keys()), f"{group.name}: field_names are its datasets")
    for name in names:
        field = group[name]
        sample, time = flags(field, "sample_varying", "time_varying")
        varying = field.attrs["dim_varying"]
        expect(len(varying) == len(axes) and isinstance(varying[0], BOOLEAN), f"{name}: dim_varying")
        shape = [f.attrs["n_trajectories"]] * sample + [f["dimensions/time"].shape[-1]] * time
        shape += [f["dimensions"][axis].shape[-1] for axis, v in zip(axes, varying) if v] + [len(axes)] * order
        expect(list(field.shape) == shape, f"{name} has the shape {field.shape}, not {shape}")
        expect(field.dtype in (np.float32, np.float64), f"{name} holds {field.dtype}")
        expect(field.fletcher32 and field.chunks, f"{name} has no checksum")
        expect(int(np.prod(field.chunks)) * field.dtype.itemsize <= 8 << 20, f"{name}: chunks of {field.chunks}")
        expect([os.path.basename(d[0].name) for d in field.dims][: 2 + len(axes)] == ["sample", "time"] + axes, f"{name}: dimensions of netCDF")
    return len(names)


def check_scalars(f):
    group = f["scalars"]
    names = text_list(group.attrs, "field_names", group.name)
    expect(sorted(names) == sorted(group.keys()), "scalars: field_names are its datasets")
    for name in names:
        sample, time = flags(group[name], "sample_varying", "time_varying")
        shape = (f.attrs["n_trajectories"],) * sample + (f["dimensions/time"].shape[-1],) * time
        expect(group[name].shape == shape, f"scalar {name}: {group[name].shape}, not {shape}")


def check_boundaries(f, axes):
    seen = set()
    for name, condition in f["boundary_conditions"].items():
        expect(flags(condition, "sample_varying", "time_varying") == [False, False], f"flags of {name}")
        expect(condition.attrs["bc_type"] in ("PERIODIC", "WALL", "OPEN"), f"{name}: bc_type")
        expect("associated_fields" in condition.attrs, f"{name}: associated_fields")
        (axis,) = text_list(condition.attrs, "associated_dims", name)
        mask = condition["mask"]
        expect(axis in axes and mask.shape == f["dimensions"][axis].shape and mask.dtype == np.bool_, f"{name}: mask")
        marked = np.flatnonzero(mask[...])
        expect(len(marked) and set(marked) <= {0, mask.shape[0] - 1}, f"{name}: the mask is true inside")
        seen |= {(axis, int(i)) for i in marked}
    expect(len(seen) == 2 * len(axes), "each side of each axis has a boundary condition")


def check_well(path):
    with h5py.File(path, "r") as f:
        check_root(f)
        axes = check_dimensions(f)
        n = sum(check_fields(f, order, axes) for order in range(3))
        check_scalars(f)
        check_boundaries(f, axes)
        expect(n > 0, "a grid file has a field")


def check_netcdf(path):
    program = shutil.which("ncdump")
    if not program:
        print("ncdump is not there: skipped")
        return
    answer = subprocess.run([program, "-h", path], capture_output=True, text=True, timeout=60)
    expect(answer.returncode == 0, f"ncdump {path}: {answer.stderr}")
    with h5py.File(path, "r") as f:
        axes = ", ".join(f["dimensions"].attrs["spatial_dims"])
        for order in range(2):
            for name in f[f"t{order}_fields"]:
                expect(f" {name}(sample, time, {axes}" in answer.stdout, f"ncdump does not list {name}(sample, time, {axes}...)")
        expect(f"time = UNLIMITED ; // ({f['time'].shape[0]} currently)" in answer.stdout, "the time axis in ncdump")
    subprocess.run([program, path], check=True, stdout=subprocess.DEVNULL, timeout=60)


def read_item(item, folder):
    """Values of an HDF or HyperSlab DataItem of XDMF 2."""
    if item.get("ItemType") == "HyperSlab":
        selection, source = item.findall("DataItem")
        rank = int(selection.get("Dimensions").split()[1])
        start, stride, count = np.array(selection.text.split(), int).reshape(3, rank)
        data = read_item(source, folder)
        expect(data.ndim == rank, "the hyperslab has the axes of the dataset")
        slab = data[tuple(slice(b, b + s * n, s) for b, s, n in zip(start, stride, count))]
        return slab.reshape([int(n) for n in item.get("Dimensions").split()])
    name, path = item.text.split(":")
    expect(os.sep not in name, "the XDMF names its file relative to itself")
    with h5py.File(os.path.join(folder, name), "r") as f:
        data = f[path][...]
    expect(list(data.shape) == [int(n) for n in item.get("Dimensions").split()], f"Dimensions of {path}")
    expect(data.dtype.itemsize == int(item.get("Precision")), f"Precision of {path}")
    return data


def check_xdmf(path, spike=None):
    root = ElementTree.parse(path).getroot()
    folder = os.path.dirname(path)
    expect(root.tag == "Xdmf" and root.get("Version") == "2.0", "an XDMF 2 file")
    collections = root.findall("Domain/Grid")
    frames = 0
    for b, collection in enumerate(collections):
        expect(collection.get("CollectionType") == "Temporal", "a temporal collection")
        for t, grid in enumerate(collection.findall("Grid")):
            topology = grid.find("Topology")
            shape = [int(n) for n in topology.get("Dimensions").split()]
            expect(topology.get("TopologyType") == f"{len(shape)}DSMesh", "a structured mesh")
            points = read_item(grid.find("Geometry/DataItem"), folder)
            expect(list(points.shape) == shape + [len(shape)], "one point for each value")
            for attribute in grid.findall("Attribute"):
                values = read_item(attribute.find("DataItem"), folder)
                expect(list(values.shape[: len(shape)]) == shape, "one value for each point")
                if spike:
                    at = np.unravel_index(np.argmax(np.abs(values)), values.shape)
                    expect(np.allclose(points[at], spike, atol=1e-6), f"the spike is at {points[at]}, not {spike}")
                    expect(values[at] == 1 + t + 10 * b and np.count_nonzero(values) == 1, "the spike's height")
                    expect(float(grid.find("Time").get("Value")) == 0.5 * t, "the frame's time")
            frames += 1
    return frames


def formula(sample, frame, array, shape):
    i = np.arange(int(np.prod(shape)))
    return np.sin(1.0 + sample + 3.0 * frame + 7.0 * array + 0.1 * i).reshape(shape)


def check_values(folder):
    """What h5py reads is what was written: the slots of good samples in their order, failures apart."""
    with h5py.File(os.path.join(folder, "grid_2.h5"), "r") as f:
        expect(list(f["locum/samples/index"]) == [0, 2] and list(f["locum/failed/index"]) == [1], "samples")
        expect(f["locum/failed/reason"].asstr()[0] == "step 7: not finite", "the reason of the failure")
        expect(f["t1_fields/velocity"].shape == (2, 4, 6, 10, 2), "shape of velocity")
        expect(np.array_equal(f["t1_fields/velocity"][1, 3], formula(2, 3, 7, (6, 10, 2)).astype(np.float32)), "velocity")
        expect(np.allclose(f["scalars/energy"][1], [formula(2, t, 0, (1,))[0] for t in range(4)], atol=1e-15), "energy")
        expect(np.array_equal(f["scalars/viscosity"], [0.0, 0.5]), "viscosity of the samples")
        expect(f["scalars/box_x"].shape == () and f["scalars/box_x"][()] == 1.5, "a constant")
        expect(f["locum/k/spectrum"].shape == (2 * 4 * 5,) and list(f["locum/k/first"]) == list(range(0, 45, 5)), "spectra")
        expect(list(f["boundary_conditions/y_wall/mask"]) == [True] + [False] * 9, "the wall is at the lower side")
    with h5py.File(os.path.join(folder, "rows.h5"), "r") as f:
        expect(list(f["samples/index"]) == [0, 1, 2] and list(f["frames/first"]) == [0, 4, 4, 8], "samples of rows")
        expect(f["samples/status"][1] != 0 and f["samples/reason"].asstr()[1] == "step 7: not finite", "the failed one")
        expect(list(f["samples/noise"]) == [False] * 3 and f["samples/parameter/viscosity"].attrs["units"] == "m2 s-1", "units")
        first = f["particles/first"][...]
        counts = [(s * 5 + t * 3) % 11 for s in (0, 2) for t in range(4)]
        expect(list(np.diff(first)) == counts, "particles of each frame")
        for frame, (s, t) in enumerate((s, t) for s in (0, 2) for t in range(4)):
            rows = slice(first[frame], first[frame + 1])
            expect(np.array_equal(f["particles/id"][rows], 10 + 3 * np.arange(counts[frame])), "sorted by id")
            expect(np.allclose(f["particles/position"][rows], formula(s, t, 5, (counts[frame], 3)), atol=1e-15), "positions")


def main(arguments):
    if arguments and arguments[0] == "--file":
        for path in arguments[1:]:
            check_well(path)
            check_netcdf(path)
            print(f"{path}: The Well, netCDF, XDMF of {check_xdmf(os.path.splitext(path)[0] + '.xmf')} frames")
        return 0
    folder = arguments[0]
    for name in ("grid_2.h5", "grid_2_f64.h5", "grid_3.h5", "spike_2.h5", "spike_3.h5"):
        check_well(os.path.join(folder, name))
        check_netcdf(os.path.join(folder, name))
        check_xdmf(os.path.join(folder, name[:-3] + ".xmf"))
    expect(check_xdmf(os.path.join(folder, "spike_2.xmf"), (1.5, 6.0)) == 6, "six frames")
    expect(check_xdmf(os.path.join(folder, "spike_3.xmf"), (1.5, 1.0, 0.1)) == 6, "six frames")
    check_values(folder)
    print("all files read as they should")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
