#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# own_data.sh PROGRAM SOURCE_DIR PYTHON [CC]: the README's example: a table that somebody has becomes a model. Then measure and export,
# checked against numpy where there is a Python with h5py.
. "$(dirname "$0")/../lib.sh"
begin own_data "$1" "$2" "$3"
example=$source_dir/tests/examples/own_data
claim "the example's data are made" ${4:-cc} -O2 -o make "$example/make.c" -lm
./make >sinking.csv
cp "$example/study.yaml" .
expect 0 "a dry run checks the study and its data" -- "$locum" run study.yaml --dry-run --out run
expect 0 "one command: train, calibrate, validate" "No speed-up is claimed" -- "$locum" run study.yaml --out run
error=$(sed -n 's/.*(error \([0-9.e-]*\)).*/\1/p' screen)
claim "the test error is below 3 % (measured 0.8 %): $error" awk -v e="${error:-1}" 'BEGIN {exit !(e < 0.03)}'
expect 0 "the second time there is nothing to do" "nothing to do" -- "$locum" run study.yaml --out run
expect 0 "a prediction inside of the data is trusted" ",ok," -- "$locum" predict run --set diameter=1e-3 --set density=2.65
expect 0 "a prediction outside of the data is flagged" "range" -- "$locum" predict run --set diameter=1e-2 --set density=2.65
sed -i 's/^0.00161705703,/0.00161705704,/' sinking.csv
expect 2 "a model of data that have changed is not taken for theirs" "other data" "locum train" -- "$locum" validate study.yaml --out run
expect 2 "nor trained on; the data are blamed, not the options" "other data" "--force" -- "$locum" train study.yaml --out run

expect 0 "measure: a study's data" "velocity" -- "$locum" measure study.yaml
expect 0 "measure: a table" "velocity" -- "$locum" measure sinking.csv --set 'dataset.inputs=[diameter]' --set 'dataset.outputs=[velocity]'
expect 2 "measure: an array that is not there" "velocity" -- "$locum" measure study.yaml --array vorticity
expect 2 "export: a format that is not there" "the_well" "csv" -- "$locum" export study.yaml --format zarr --out x
expect 2 "export: no --out" "--out" -- "$locum" export study.yaml --format csv
expect 0 "export: a table" "rows.csv" -- "$locum" export study.yaml --format csv --out rows.csv
claim "as many lines as samples" test "$(wc -l <rows.csv)" = 321
if [ -n "$python" ]; then
    # a wave that travels along one axis, at a speed of its own in each sample
    "$python" -c '
import h5py, numpy as np
x, t, c = np.arange(32) * 2 * np.pi / 32, np.arange(8) * 0.1, np.linspace(1, 2, 40)
with h5py.File("wave.h5", "w") as f: f["u"] = np.sin(x - c[:, None, None] * t[:, None]).astype("f4")'
    cat >wave.yaml <<'X'
study: wave
dataset: {path: wave.h5, format: hdf5, outputs: [u], time_axis: 1, periodic: true, box: 6.2832, time_step: 0.1,
          split: {train: 20, validation: 4, calibration: 10, test: 6}}
surrogate: {task: step, model: fno, modes: 4, width: 8, layers: 2}
train: {epochs: 5, batch: 8}
X
    expect 2 "a typo is refused" 'there is no array v' -- "$locum" run wave.yaml --set 'dataset.outputs=[v]' --out wave
    expect 0 "and blocks nothing: fields on one axis are learnt" "No speed-up is claimed" -- "$locum" run wave.yaml --out wave
    expect 0 "all of it again" "train: 5 epochs" -- "$locum" run wave.yaml --out wave --force
    expect 0 "measure and export against numpy" "verbs:" -- "$python" "$tools/formats/check_verbs.py" "$locum" "$work"
else
    skip_claim "measure and export against numpy" "no Python with h5py"
fi
finish
