#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# chain.sh PROGRAM SOURCE_DIR PYTHON KEEP: from one study file to a validated model, on one rank and on two; what is reused and what is
# redone; predictions; every verb that only looks. The finished run is copied to KEEP, for other tests.
. "$(dirname "$0")/lib.sh"
begin chain "$1" "$2" "$3"
keep=${4-}
study=$tools/tiny.yaml

# the numbers of a model file: all behind its header, and what they were trained from; not who made it and when
model_bits() {
    local header
    header=$(od -An -t u8 -N 8 "$1" | tr -d ' ')
    tail -c +$((header + 9)) "$1" | sha256sum
    head -c $((header + 8)) "$1" | grep -ao '"train_hash":"[0-9a-f]*"'
}

# --- run, run again, run a part again -------------------------------------------------------------------------------------------
expect 0 "run --dry-run: samples, memory, time" 'in order' 'samples' 'memory' 'time' -- "$locum" run "$study" --dry-run --out one
claim "a dry run makes nothing" test ! -e one
expect 0 "run: a study file becomes a report" 'generate: done' 'train: done' 'validate: done' -- "$locum" run "$study" --out one
for file in study.resolved.yaml dataset/manifest.json training/metrics.jsonl model.safetensors report/index.html report/report.json log.txt; do
    claim "$file is there" test -s "one/$file"
done
if command -v python3 >/dev/null; then
    claim "report.json holds every key, and they agree with each other" python3 "$tools/check_report.py" one/report
else
    skip_claim "report.json holds every key" "no python3"
fi
stamp() { stat -c '%Y.%Z %n' "$@" | sha256sum; }
before=$(stamp one/dataset/data/*/*.h5 one/model.safetensors one/report/*)
expect 0 "a second run reuses all, one line a stage" 'generate: nothing to do' 'train: nothing to do' 'validate: nothing to do' -- "$locum" run "$study" --out one
claim "a second run says no more than that" test "$(grep -c . "$work/screen")" -le 4
claim "a second run writes nothing of them" test "$before" = "$(stamp one/dataset/data/*/*.h5 one/model.safetensors one/report/*)"
expect 0 "a run directory is a study" 'generate: nothing to do' 'train: nothing to do' -- "$locum" run one
expect 2 "another option of train without --force: the key is named" 'train.epochs' '200' '100' '--force' -- "$locum" run "$study" --out one --set train.epochs=100
claim "it touched nothing" test "$before" = "$(stamp one/dataset/data/*/*.h5 one/model.safetensors one/report/*)"
data=$(stamp one/dataset/data/*/*.h5) first=$(model_bits one/model.safetensors)
expect 0 "run --force=train redoes train and what follows" 'generate: nothing to do' 'train: done' 'validate: done' -- "$locum" run "$study" --out one --force=train
claim "the dataset stays" test "$data" = "$(stamp one/dataset/data/*/*.h5)"
claim "the same training gives the same model" test "$first" = "$(model_bits one/model.safetensors)"
expect 2 "no such stage to force" 'generate, train, validate' -- "$locum" run "$study" --out one --force=training

# --- two ranks ----------------------------------------------------------------------------------------------------------------------
expect 0 "mpirun -n 2 locum run" 'generate: done' 'on 2 ranks' 'validate: done' -- on_ranks 2 "$locum" run "$study" --out two
claim "two ranks: the same bits of the model as one" test "$first" = "$(model_bits two/model.safetensors)"
if [ -n "$python" ]; then
    claim "two ranks: the same dataset as one" "$python" "$tools/same_dataset.py" one/dataset two/dataset
else
    skip_claim "two ranks: the same dataset as one" "no Python with h5py"
fi

# --- predict ------------------------------------------------------------------------------------------------------------------------
model=one/model.safetensors
expect 0 "predict from --set, to CSV" 'drag,viscosity,energy,energy.lower,energy.upper,' ',flag,p_value' -- "$locum" predict $model --set viscosity=0.05 --set drag=0.2
cp screen set.csv
claim "CSV: a line of names and one of values" test "$(grep -c . set.csv)" = 2
expect 0 "predict from --set of a run directory" -- "$locum" predict one --set viscosity=0.05 --set drag=0.2 --out again.csv
claim "a run directory means its model" cmp set.csv again.csv
printf 'drag,viscosity\n0.2,0.05\n0.15,0.1\n0.2,1e-4\n' >in.csv
expect 0 "predict from CSV, columns in any order, to CSV; far outside is warned of" 'flagged' -- "$locum" predict $model --input in.csv --out csv.csv
claim "a row does not depend on the others" bash -c 'diff <(sed -n 2p set.csv) <(sed -n 2p csv.csv)'
claim "what is in the range is ok, what is not is flagged" bash -c 'sed -n 4p csv.csv | grep -q range && ! sed -n 2p csv.csv | grep -q range'
expect 0 "predict to JSON" '"predictions"' '"lower"' '"flag"' '"coverage":0.8' -- "$locum" predict $model --input in.csv --json --coverage 0.8 --quiet
command -v python3 >/dev/null && claim "it is JSON, three rows, lower <= value <= upper" python3 - screen <<'PY'
import json, sys
rows = json.load(open(sys.argv[1]))["predictions"]
assert len(rows) == 3
for row in rows:
    e = row["outputs"]["energy"]
    assert e["lower"] is None or e["lower"] <= e["value"] <= e["upper"], e
    assert len(row["outputs"]["spectrum"]["value"]) > 3
PY
if [ -n "$python" ]; then
    "$python" -c "
import h5py
with h5py.File('in.h5', 'w') as f: f['viscosity'] = [0.05, 0.1, 1e-4]; f['drag'] = [0.2, 0.15, 0.2]"
    expect 0 "predict from HDF5" -- "$locum" predict $model --input in.h5 --out hdf5.csv
    claim "HDF5 and CSV: the same answers" cmp csv.csv hdf5.csv
else
    skip_claim "predict from HDF5" "no Python with h5py"
fi

# --- verbs that look --------------------------------------------------------------------------------------------------------------------
is_json() { python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$work/screen.json"; }
as_json() { # claim, command...
    command -v python3 >/dev/null || { skip_claim "$1" "no python3"; return; }
    "${@:2}" >"$work/screen.json" 2>/dev/null
    claim "$1" is_json
}
expect 0 "inspect a model: ports, ranges" 'viscosity' 'spectrum' '10 calibration samples' -- "$locum" inspect $model
as_json "inspect a model as JSON" "$locum" inspect $model --json
expect 0 "inspect --plan: steps, times" 'product' -- "$locum" inspect $model --plan
expect 0 "inspect a dataset" 'train' '20' 'energy' -- "$locum" inspect one/dataset
as_json "inspect a dataset as JSON" "$locum" inspect one/dataset --json
expect 0 "inspect a run" 'validate' 'done' -- "$locum" inspect one
as_json "inspect a run as JSON" "$locum" inspect one --json
expect 0 "describe: all there is" 'navier_stokes' 'mlp' 'validate' -- "$locum" describe
as_json "describe as JSON" "$locum" describe --json
expect 0 "describe a solver: options, ranges, initial states" 'viscosity' 'taylor_green' -- "$locum" describe navier_stokes
as_json "describe a solver as JSON" "$locum" describe navier_stokes --json
expect 2 "describe what is not there" 'navier_stokes' -- "$locum" describe navier
expect 0 "doctor" 'self-test' 'navier_stokes' -- "$locum" doctor
for verb in simulate generate train validate predict run resume show describe new inspect doctor; do
    expect 0 "$verb --help" "locum $verb" -- "$locum" $verb --help
done
expect 0 "show draws a run" -- "$locum" show one --out run.svg
claim "an SVG" grep -q '<svg' run.svg
expect 0 "show draws a file as PNG" -- "$locum" show "$(ls one/dataset/data/train/*.h5 | head -1)" --out file.png
claim "a PNG" bash -c 'head -c 8 file.png | od -An -c | grep -q "P   N   G"'
expect 0 "new: an annotated study" -- "$locum" new navier_stokes --out new.yaml
expect 0 "what new writes is a study" 'in order' -- "$locum" run new.yaml --dry-run

if [ -n "$keep" ] && [ $failures = 0 ]; then
    rm -rf "$keep" && cp -r one "$keep"
fi
finish
