#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# stops.sh PROGRAM SOURCE_DIR PYTHON: stopped (code 75) by the wall clock, a file, a signal; killed (-9) as a whole group, and by the
# death of mpirun alone; in generation and in training. Continued, it ends with the bits of a run that nothing disturbed.
. "$(dirname "$0")/lib.sh"
begin stops "$1" "$2" "$3"
set -m # each background job is a process group of its own
study=$tools/tiny.yaml
slow_data=campaign_sample=sleep:0.08 slow_training=train_step=sleep:0.01

model_bits() { tail -c +$(($(od -An -t u8 -N 8 "$1") + 9)) "$1" | sha256sum; }

launch() { # ranks, failpoints, command...: in the background; $job is its process group
    local n=$1 points=$2
    shift 2
    touch marker
    sleep 0.02
    LOCUM_FAILPOINTS=$points "${MPIEXEC:-mpirun}" --oversubscribe -n "$n" "$@" >"$work/screen" 2>&1 &
    job=$!
}
# the stage has been taken by the latest launch: its lock was written after the marker
begun_stage() { wait_for 20 test "$1" -nt marker && sleep "$2"; }
ended() { # claim, code
    local code
    wait $job 2>/dev/null
    code=$?
    if [ $code = "$2" ]; then passed; else failed "$1" "exit code $code, expected $2" "$work/screen"; fi
}
all_gone() { claim "$1: no rank is left" wait_for 5 nobody_left; }

expect 0 "what nothing disturbs: the dataset" -- "$locum" generate "$study" --out whole
expect 0 "what nothing disturbs: the model" -- "$locum" train "$study" --out whole --set train.checkpoint_every=20

# --- generation -----------------------------------------------------------------------------------------------------------------
LOCUM_FAILPOINTS=$slow_data expect 75 "the wall clock stops a dataset" 'wall' -- "$locum" generate "$study" --out "$work/run" --set limits.wall_time=0.5
touch run/stop
LOCUM_FAILPOINTS=$slow_data expect 75 "a stop file stops it" 'stop' -- "$locum" generate "$study" --out "$work/run"
rm -f run/stop
expect 2 "the next stage refuses, and says what to do" 'locum generate' -- "$locum" train "$study" --out "$work/run"
claim "the refusal leaves no trace" test ! -e run/stages/train.json

launch 2 $slow_data "$locum" generate "$study" --out "$work/run"
begun_stage run/stages/generate.lock 0.5
kill -USR1 $job
ended "SIGUSR1 to mpirun stops all ranks with code 75" 75

launch 2 $slow_data "$locum" generate "$study" --out "$work/run"
begun_stage run/stages/generate.lock 0.4
kill -KILL -- -$job
ended "kill -9 of the process group, in a dataset" 137
all_gone "kill -9 of the process group, in a dataset"

launch 2 $slow_data "$locum" generate "$study" --out "$work/run"
begun_stage run/stages/generate.lock 0.3
kill -KILL $job
ended "kill -9 of mpirun alone, in a dataset" 137
all_gone "kill -9 of mpirun alone, in a dataset"

expect 0 "generate goes on where it was" 'continuing' -- on_ranks 2 "$locum" generate "$study" --out "$work/run"
claim "no half file is left" bash -c '! find run -name "*.part" | grep -q .'
if [ -n "$python" ]; then
    claim "no sample is missing, double or different" "$python" "$tools/same_dataset.py" whole/dataset run/dataset
else
    skip_claim "no sample is missing, double or different" "no Python with h5py; the model below says it for most of them"
fi

# --- a job array, in which one sample fails -------------------------------------------------------------------------------------
array=(--out "$work/array")
LOCUM_FAILPOINTS=ns_nan@200=nan expect 0 "the second of two slices; one sample of it fails" '1 of 54 samples failed' -- "$locum" generate "$study" "${array[@]}" --shard 1/2
expect 2 "a half dataset is not learnt from" 'locum generate' -- "$locum" train "$study" "${array[@]}"
expect 0 "the first of two slices completes the dataset, failed sample and all" 'generate: done' -- "$locum" generate "$study" "${array[@]}" --shard 0/2
expect 0 "nothing is left to do" 'nothing to do' -- "$locum" generate "$study" "${array[@]}"
claim "the stage cost what both slices cost" awk '
    match($0, /"core_seconds":[0-9.]+/) {cost[FILENAME] = substr($0, RSTART + 15, RLENGTH - 15)}
    END {
        a = cost["array/stages/generate.json"]; b = cost["array/stages/generate.shard-0-of-2.json"]; c = cost["array/stages/generate.shard-1-of-2.json"]
        exit !(b > 0 && c > 0 && a - b - c < 0.01 && b + c - a < 0.01)
    }' array/stages/generate.json array/stages/generate.shard-0-of-2.json array/stages/generate.shard-1-of-2.json
expect 0 "it is learnt from" -- "$locum" train "$study" "${array[@]}" --set train.epochs=5

# --- training ---------------------------------------------------------------------------------------------------------------------
train=("$locum" train "$study" --out "$work/run" --set train.checkpoint_every=20)
LOCUM_FAILPOINTS=$slow_training expect 75 "the wall clock stops a training" 'wall' -- "${train[@]}" --set limits.wall_time=0.5
touch run/stop
LOCUM_FAILPOINTS=$slow_training expect 75 "a stop file stops it" 'stop' -- "${train[@]}"
rm -f run/stop

launch 2 $slow_training "${train[@]}"
begun_stage run/stages/train.lock 0.5
kill -USR1 $job
ended "SIGUSR1 to mpirun stops a training with code 75" 75

launch 2 $slow_training "${train[@]}"
begun_stage run/stages/train.lock 0.6
kill -KILL -- -$job
ended "kill -9 of the process group, in training" 137
all_gone "kill -9 of the process group, in training"

launch 2 $slow_training "${train[@]}"
begun_stage run/stages/train.lock 0.3
kill -KILL $job
ended "kill -9 of mpirun alone, in training" 137
all_gone "kill -9 of mpirun alone, in training"
claim "there is no model yet" test ! -e run/model.safetensors
claim "checkpoints are there" bash -c 'ls run/training/checkpoint-*.safetensors | grep -q .'

# the newest checkpoint is damaged: the one before is taken
newest=$(ls -v run/training/checkpoint-*.safetensors | tail -1)
truncate -s -1 "$newest"
expect 0 "train goes on; a damaged checkpoint is named, the one before it taken" 'continuing' 'is damaged' -- "${train[@]}"
claim "what the stopped processes cost is not forgotten" awk '
    match($0, /^ "seconds": [0-9.]+/) {whole = substr($0, RSTART + 12, RLENGTH - 12)}
    match($0, /"core_seconds":[0-9.]+/) {cost = substr($0, RSTART + 15, RLENGTH - 15)}
    END {exit !(whole > 1 && cost > 0.9 * whole)}' run/stages/train.json
claim "the model is the one that nothing disturbed, bit for bit" test "$(model_bits whole/model.safetensors)" = "$(model_bits run/model.safetensors)"
finish
