#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# studies.sh PROGRAM SOURCE_DIR PYTHON STUDY: a shipped study in its small size (scripts/study --ci), from one command to a report; pictures of
# its data; a prediction. Figures of this size mean nothing; that they are there, and agree with each other, does.
. "$(dirname "$0")/lib.sh"
study=$4
begin "study_$study" "$1" "$2" "$3"
build=$(dirname "$(dirname "$locum")")

expect 0 "$study runs from one command" 'generate: done' 'train: done' 'validate: done' 'as fast' -- \
    "$source_dir/scripts/study" --ci --build "$build" --out . "$study"
run=$study-ci
expect 0 "asked again, nothing is done again" 'generate: nothing to do' 'train: nothing to do' 'validate: nothing to do' -- \
    "$source_dir/scripts/study" --ci --build "$build" --out . "$study"
expect 0 "measure knows its data" -- "$locum" measure "$run"
expect 0 "a sheet is drawn" 'sheet.png' -- "$locum" show "$run/dataset" --frames 4 --out sheet.png
case $study in
    kolmogorov_step)
        expect 0 "a movie is drawn" 'movie.gif' -- "$locum" show "$run/dataset" --frames 3 --out movie.gif
        expect 2 "predict asks which of two surrogates" 'choose one by --model (fno, unet)' -- "$locum" predict "$run" --initial "$run/dataset"
        expect 2 "predict knows no other" 'no such model' 'fno, unet' -- "$locum" predict "$run" --model fnoo --initial "$run/dataset"
        expect 0 "one of them is rolled out" 'lead' -- "$locum" predict "$run/models/unet.safetensors" --initial "$run/dataset" --steps 3
        ;;
    mean_field)
        expect 0 "a field from parameters" -- "$locum" predict "$run" --set viscosity=0.02 --set drag=0.1 --out field.h5
        if [ -n "$python" ]; then
            # fixed steps: the frames of all steps are the samples of the trapezoidal mean
            steps=(--set solver.step=0.02 --set solver.viscosity=0.02 --set record.from=1 --set record.until=2)
            expect 0 "a mean and its variance" -- "$locum" simulate "$source_dir/studies/mean_field.yaml" --set solver.resolution=24 "${steps[@]}" \
                --set record.precision=float64 --out mean.h5
            expect 0 "every frame" -- "$locum" simulate "$source_dir/studies/mean_field.yaml" --set solver.resolution=24 "${steps[@]}" \
                --set record.precision=float64 --set record.average=false --set record.every=0.02 --set 'record.observe=[vorticity]' --out frames.h5
            claim "variances are those of the frames" "$python" -c '
import h5py, numpy as np
mean, frames = h5py.File("mean.h5"), h5py.File("frames.h5")
w = frames["t0_fields/vorticity"][0].astype(float)
weight = np.ones(len(w)); weight[0] = weight[-1] = 0.5; weight /= weight.sum()
m = np.tensordot(weight, w, 1); v = np.tensordot(weight, w * w, 1) - m * m
assert len(w) == 51 and v.max() > 1e-4
assert abs(mean["t0_fields/vorticity"][0, 0] - m).max() < 1e-11 * abs(m).max()            # float64, 51 terms
assert abs(mean["t0_fields/vorticity_variance"][0, 0] - v).max() < 1e-11 * (m * m).max()'
        else
            skip_claim "variances are those of the frames" "no Python with h5py"
        fi
        ;;
esac
if command -v python3 >/dev/null; then
    claim "the report says what it must" python3 -c '
import json, sys
r = json.load(open(sys.argv[1] + "/report/report.json"))
for key in ("surrogate", "speedup_at_equal_error", "coverage", "trivial", "provenance"): assert key in r, key
assert r["surrogate"]["error"] > 0
assert 0 <= r["coverage"]["covered"] <= r["coverage"]["samples"]' "$run"
else
    skip_claim "the report says what it must" "no python3"
fi
finish
