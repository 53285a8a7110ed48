#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""same_dataset.py A B: two dataset folders hold the same samples, bit for bit, however they are spread over files.

Every file is read with h5py alone. A sample is what stands in the row of its index in every dataset whose first axis counts samples
(or whose rows `first` assigns to it); both folders must have the same indices, each once."""
import glob
import hashlib
import os
import sys

import h5py
import numpy as np


def datasets_of(file):
    names = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names


def samples_of(path):
    found = {}
    for name in sorted(glob.glob(os.path.join(path, "**", "*.h5"), recursive=True)):
        with h5py.File(name) as file:
            prefix = "locum/" if "locum/samples/index" in file else ""
            index = file[prefix + "samples/index"][()]
            frames = file[prefix + "frames/first"][()]
            for s, i in enumerate(index):
                assert i not in found, f"sample {i} is there twice: {name}"
                digest, parts = hashlib.sha256(), 0
                for d in datasets_of(file):
                    item = file[d]
                    group = d.rsplit("/", 1)[0]
                    if d.rsplit("/", 1)[-1] in ("first", "axis") or not item.shape:
                        continue
                    if "samples/" in d:
                        value = item[s]
                    elif group + "/first" in file:
                        first = file[group + "/first"][()]
                        low, high = (frames[s], frames[s + 1]) if group.endswith("frames") else (first[frames[s]], first[frames[s + 1]])
                        value = item[int(low):int(high)]
                    elif item.shape[0] == len(index):
                        value = item[s]
                    else:
                        continue
                    digest.update(d.encode() + np.asarray(value).tobytes())
                    parts += 1
                assert parts > 3, f"{name}: sample {i} has only {parts} parts"
                found[int(i)] = digest.hexdigest()
    return found


if __name__ == "__main__":
    a, b = samples_of(sys.argv[1]), samples_of(sys.argv[2])
    assert a, f"no samples in {sys.argv[1]}"
    assert sorted(a) == list(range(len(a))), f"{sys.argv[1]}: samples are missing"
    assert sorted(a) == sorted(b), f"missing or extra: {sorted(set(a) ^ set(b))}"
    differ = [i for i in a if a[i] != b[i]]
    assert not differ, f"samples differ: {differ}"
    print(f"{len(a)} samples, the same")
