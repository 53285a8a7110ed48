#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# slurm.sh PROGRAM SOURCE_DIR: the batch scripts against a Slurm made of three small scripts: sbatch runs a job at once, srun runs a program
# alone, scontrol notes what is to queue again.
. "$(dirname "$0")/lib.sh"
begin slurm "$1" "$2" ""
scripts=$source_dir/scripts/slurm
if command -v shellcheck >/dev/null; then
    expect 0 "shellcheck finds nothing" -- shellcheck "$scripts/run.sbatch" "$scripts/array.sbatch" "$scripts/chain.sbatch"
else
    skip_claim "shellcheck finds nothing" "no shellcheck"
fi
cp "$source_dir/tests/examples/external/"* .

mkdir bin slurm
cat >bin/sbatch <<'SH'
#!/usr/bin/env bash
# options, script, words: runs it until it does not queue again; prints the number of the job
cd "$PWD" && echo "sbatch $*" >>"$SLURM_FAKE/calls"
n=$(($(cat "$SLURM_FAKE/number" 2>/dev/null || echo 100) + 1)) && echo $n >"$SLURM_FAKE/number"
parsable= first=0 last=-1
while [ "${1#-}" != "$1" ]; do
    case $1 in
    --parsable) parsable=1 ;;
    --array=*) range=${1#--array=} && first=${range%-*} && last=${range#*-} ;;
    --dependency=afterok:*) [ "$(cat "$SLURM_FAKE/code.${1##*:}")" = 0 ] || { echo 1 >"$SLURM_FAKE/code.$n"; echo $n; exit 0; } ;;
    esac
    shift
done
run() { # name of the job, environment and command: again while it asks for that
    local tries=0
    while :; do
        rm -f "$SLURM_FAKE/again.$1"
        "${@:2}" >>"$SLURM_FAKE/log.$1" 2>&1
        code=$?
        tries=$((tries + 1))
        [ -e "$SLURM_FAKE/again.$1" ] && [ $tries -lt 5 ] || break
    done
    return $code
}
worst=0
if [ "$last" -ge 0 ]; then
    for i in $(seq "$first" "$last"); do
        run "${n}_$i" env SLURM_JOB_ID=$((n * 1000 + i)) SLURM_ARRAY_JOB_ID=$n SLURM_ARRAY_TASK_ID="$i" SLURM_ARRAY_TASK_MIN="$first" \
            SLURM_ARRAY_TASK_MAX="$last" SLURM_ARRAY_TASK_COUNT=$((last - first + 1)) bash "$@" || worst=$?
    done
else
    run $n env SLURM_JOB_ID=$n bash "$@" || worst=$?
fi
echo $worst >"$SLURM_FAKE/code.$n"
if [ $parsable ]; then echo "$n;cluster"; else echo "Submitted batch job $n"; fi
SH
cat >bin/srun <<'SH'
#!/usr/bin/env bash
echo "srun $*" >>"$SLURM_FAKE/calls"
# the time of a job is over once, where the test says so
if [ -e "$SLURM_FAKE/out_of_time" ]; then rm "$SLURM_FAKE/out_of_time"; echo "out of time"; exit 75; fi
exec "$@"
SH
cat >bin/scontrol <<'SH'
#!/usr/bin/env bash
echo "scontrol $*" >>"$SLURM_FAKE/calls"
[ "$1" = requeue ] && touch "$SLURM_FAKE/again.$2"
SH
chmod +x bin/*
export PATH=$work/bin:$PATH SLURM_FAKE=$work/slurm LOCUM=$locum
called() { grep -c -e "$1" slurm/calls; }

touch slurm/out_of_time
expect 0 "chain.sbatch submits three jobs" 'generate 101, train 102, validate 103' -- env TASKS=3 TRAIN_NODES=2 TRAIN_TASKS=8 SBATCH_FLAGS='--account=abc --partition=x' bash "$scripts/chain.sbatch" study.yaml
claim "all went well" test "$(cat slurm/code.101 slurm/code.102 slurm/code.103 | tr '\n' ' ')" = "0 0 0 "
claim "three shards, each a task" test "$(called 'srun.*generate study.yaml --shard [012]/3')" = 4
claim "the task that ran out of time queued again under its own name" test "$(called 'scontrol requeue 101_0')" = 1
claim "each job waits for the one before" test "$(called 'sbatch.*--account=abc.*--dependency=afterok:10[12] ')" = 2
claim "training has its nodes" test "$(called '--nodes=2 --ntasks=8 .*run.sbatch study.yaml train')" = 1
claim "the report is there" test -s runs/oscillator_program/report/index.html
touch slurm/out_of_time
expect 0 "run.sbatch: the whole study" 'Submitted batch job 104' -- sbatch "$scripts/run.sbatch" study.yaml
claim "it queued again, and found all done" grep -q 'validate: nothing to do' slurm/log.104
claim "under its own number" test "$(called 'scontrol requeue 104')" = 1
expect 0 "options are handed on" -- sbatch "$scripts/run.sbatch" study.yaml generate --out 'two words'
claim "as they were" test -s 'two words/dataset/manifest.json'
cp study.yaml wrong.yaml && echo 'trian: {}' >>wrong.yaml
expect 0 "a study that is wrong stops the chain" -- env TASKS=2 bash "$scripts/chain.sbatch" wrong.yaml
claim "with its code, and nothing queues again" test "$(cat slurm/code.106)$(called 'scontrol requeue 106')" = 20
claim "what follows does not run" test "$(called 'wrong.yaml train')" = 1 -a ! -e slurm/log.107
expect 2 "an array with gaps would leave samples out" 'left out' -- env SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_MIN=2 SLURM_ARRAY_TASK_MAX=4 SLURM_ARRAY_TASK_COUNT=3 bash "$scripts/array.sbatch" study.yaml
expect 2 "no study" 'usage' -- bash "$scripts/chain.sbatch"
finish
