#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""well_dataset.py DATASET [SPLIT] - The Well's own reader (PyPI: the_well) on a grid dataset of ours: every example of a split must hold the
values that h5py reads from the files. Needs torch; run by scripts/test --peers."""
import glob
import sys

import h5py
import numpy as np
from the_well.data import WellDataset


def main():
    folder, split = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "train"
    files = sorted(glob.glob("%s/data/%s/*.h5" % (folder, split)))
    assert files, "no files in %s/data/%s" % (folder, split)
    data = WellDataset(path="%s/data/%s" % (folder, split), n_steps_input=2, n_steps_output=1, use_normalization=False)
    expected = []
    for path in files:
        with h5py.File(path) as f:
            w = f["t0_fields/vorticity"][:]
            expected += [w[b, t:t + 3] for b in range(w.shape[0]) for t in range(w.shape[1] - 2)]
    assert len(data) == len(expected), "%d examples, %d expected" % (len(data), len(expected))
    for i, truth in enumerate(expected):
        example = data[i]
        seen = np.concatenate([example["input_fields"][..., 0].numpy(), example["output_fields"][..., 0].numpy()])
        assert np.array_equal(seen, truth), "example %d differs" % i
    boundary = example["boundary_conditions"].numpy()
    assert (boundary == 2).all(), "the box is periodic, WellDataset says %s" % boundary
    print("WellDataset: %d examples of %d x %d points, equal to what the files hold; %d constant scalars" %
          (len(data), *truth.shape[1:], example.get("constant_scalars", np.zeros(0)).shape[-1]))


main()
