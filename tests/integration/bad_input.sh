#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# bad_input.sh PROGRAM SOURCE_DIR PYTHON [RUN]: what users get wrong, each with its exit code, place and remedy, and nothing lost.
# RUN: a finished run directory, for claims about its model.
. "$(dirname "$0")/lib.sh"
begin bad_input "$1" "$2" "$3"
run=${4-}

# --- the study file: one line of a good one is replaced --------------------------------------------------------------------
cat >good.yaml <<'YAML'
study: good
seed: 1
solver:
  name: navier_stokes
  resolution: 16
  viscosity: 1e-2
  step: 0.01
initial: random
record:
  until: 0.1
YAML
bad() { # claim, line number, new text (may hold \n), words of the message...
    local text=$1 line=$2 new=$3
    shift 3
    awk -v line="$line" -v new="$new" 'NR == line {print new; next} {print}' good.yaml >bad.yaml
    expect 2 "$text" "$@" -- "$locum" simulate bad.yaml --out bad.h5 --dry-run
}
expect 0 "the good study is good" -- "$locum" simulate good.yaml --out bad.h5 --dry-run
bad "unknown key: place and nearest name" 6 '  viscositty: 1e-2' 'bad.yaml:6:3' 'viscositty' 'did you mean `viscosity`'
bad "unknown block: place and nearest name" 9 'recrod:' 'bad.yaml:9:1' 'did you mean `record`'
bad "unknown choice: place and nearest name" 8 'initial: randon' 'bad.yaml:8:10' 'did you mean `random`'
bad "unknown solver: place and the known ones" 4 '  name: navier_stoke' 'bad.yaml:4:9' 'navier_stokes'
bad "wrong type: a word for a number" 5 '  resolution: fine' 'bad.yaml:5:15' 'solver.resolution'
bad "wrong type: a fraction for a whole number" 5 '  resolution: 16.5' 'bad.yaml:5:15' 'solver.resolution'
bad "wrong type: a list for one value" 7 '  step: [0.1, 0.2]' 'bad.yaml:7:9' 'solver.step'
bad "wrong type: a list for a seed" 2 'seed: [1]' 'bad.yaml:2:7' 'seed'
bad "1e-3abc is no number" 6 '  viscosity: 1e-3abc' 'bad.yaml:6:14' 'solver.viscosity' '1e-3abc'
bad "0,001 is no number" 6 '  viscosity: 0,001' 'bad.yaml:6:14' 'the decimal sign is a point'
bad "nan is no number" 6 '  viscosity: nan' 'bad.yaml:6:14' 'solver.viscosity'
bad "010 may mean 10 or 8" 5 '  resolution: 010' 'bad.yaml:5:15' 'leading zero' '10'
bad "a key twice" 7 '  viscosity: 2e-2' 'bad.yaml:7:3' 'viscosity'
bad "a unit that does not belong there" 6 '  viscosity: 1e-2 Mpc/h' 'bad.yaml:6:14' 'Mpc'
bad "out of range: place and range" 6 '  viscosity: -1' 'bad.yaml:6:14' 'out of range'
bad "a resolution with a forbidden factor: its place and the nearest good ones" 5 '  resolution: 22' 'bad.yaml:5:15' '20' '24'
bad "a tab" 6 '\tviscosity: 1e-2' 'bad.yaml:6:1'
expect 2 "--set: place, path and nearest name" '--set' 'did you mean `viscosity`' -- "$locum" simulate good.yaml --out bad.h5 --dry-run --set solver.viscosty=1
expect 2 "no such study" 'nothing.yaml' -- "$locum" simulate nothing.yaml --out bad.h5
expect 2 "no such verb" 'simulat' -- "$locum" simulat good.yaml
expect 2 "no such option: the nearest" 'did you mean `--out`' -- "$locum" simulate good.yaml --ouut bad.h5
expect 2 "no --out" '--out' -- "$locum" simulate good.yaml
expect 2 "on two ranks: one message" 'did you mean `viscosity`' -- on_ranks 2 "$locum" simulate good.yaml --out bad.h5 --set solver.viscosty=1
claim "one message from two ranks" one_message
claim "none of them wrote anything" bash -c '! ls bad.h5* >/dev/null 2>&1'

# --- initial states of others -------------------------------------------------------------------------------------------------
sed 's/^initial: .*/initial: {name: file, file: initial.h5, dataset: vorticity}/; /resolution/d' good.yaml >file.yaml
expect 2 "a missing HDF5 file" 'initial.h5' -- "$locum" simulate file.yaml --out bad.h5
echo "not HDF5 at all" >initial.h5
expect 2 "a file that is not HDF5" 'initial.h5' -- "$locum" simulate file.yaml --out bad.h5
if [ -n "$python" ]; then
    field() { "$python" -c "
import h5py, numpy
n = 16
x = numpy.arange(n) / n * 2 * numpy.pi
w = numpy.sin(x)[:, None] * numpy.cos(2 * x)[None, :]
with h5py.File('initial.h5', 'w') as f:
    $1"; }
    field "f['vorticity'] = w"
    expect 0 "a sound initial state; the resolution is the file's" -- "$locum" simulate file.yaml --out sound.h5
    field "f['pressure'] = w"
    expect 2 "a dataset that is not there" 'initial.h5' 'vorticity' -- "$locum" simulate file.yaml --out bad.h5
    field "f['vorticity'] = w[0]"
    expect 2 "a wrong number of dimensions" 'initial.h5' 'vorticity' -- "$locum" simulate file.yaml --out bad.h5
    field "f['vorticity'] = w[:, :11]"
    expect 2 "a shape that no grid can have" '11' -- "$locum" simulate file.yaml --out bad.h5
    field "f['vorticity'] = numpy.zeros((n, n), 'S3')"
    expect 2 "text instead of numbers" 'initial.h5' 'vorticity' -- "$locum" simulate file.yaml --out bad.h5
    field "w[3, 5] = numpy.nan; f['vorticity'] = w"
    expect 2 "NaN inside: its index" 'initial.h5' '3' '5' -- "$locum" simulate file.yaml --out bad.h5
    field "f['vorticity'] = w + 1"
    expect 2 "a mean that does not vanish" 'mean' -- "$locum" simulate file.yaml --out bad.h5
    field "f['vorticity'] = h5py.ExternalLink('sound.h5', '/t0_fields/vorticity')"
    expect 2 "a link to another file is not followed" 'initial.h5' -- "$locum" simulate file.yaml --out bad.h5
    claim "none of them wrote anything" bash -c '! ls bad.h5* >/dev/null 2>&1'
else
    skip_claim "initial states of others" "no Python with h5py"
fi

# --- results that exist, a full disk, two at once, one rank alone -----------------------------------------------------------------
study=$tools/tiny.yaml
sums() { find "$1" -type f ! -name log.txt ! -name '*.lock' -print0 | sort -z | xargs -0 sha256sum; }
expect 0 "a dataset" -- "$locum" generate "$study" --out run
before=$(sums run)
expect 0 "the same again: nothing to do" 'nothing to do' -- "$locum" generate "$study" --out run
expect 2 "other options do not touch it; the key is named" 'campaign.split.train' '20' '24' '--force' -- "$locum" generate "$study" --out run --set campaign.split.train=24
expect 2 "a dataset that does not fit the study is not learnt from" 'other options' -- "$locum" train "$study" --out run --set solver.forcing.amplitude=2
expect 2 "nothing to validate yet: the verb that makes it" 'locum train' -- "$locum" validate "$study" --out run
sums run >after
claim "all files are what they were" diff after - <<<"$before"
mkdir -p foreign/stages
cp -r run/dataset foreign/
sed 's/"hash": "[0-9a-f]*"/"hash": "0123456789abcdef"/' run/stages/generate.json >foreign/stages/generate.json
expect 2 "the files of another study in this one's place" -- "$locum" train "$study" --out foreign

# files may grow to 8 KiB only; without Open MPI's own files in shared memory, which would meet the limit first
small_disk() { (ulimit -f 8; OMPI_MCA_btl=self PMIX_MCA_gds=hash exec "$@"); }
expect 1 "a full disk while a dataset is made: what could not be written" 'full/dataset' -- small_disk "$locum" generate "$study" --out full
claim "no half file is left" bash -c '! find full -name "*.part" | grep -q .'
expect 0 "with more room it is completed" -- "$locum" generate "$study" --out full
expect 1 "a full disk under simulate" 'full.h5' -- small_disk "$locum" simulate good.yaml --out full.h5
claim "nothing of it is left" test ! -e full.h5

LOCUM_FAILPOINTS=campaign_sample=sleep:0.1 "$locum" generate "$study" --out busy --quiet &
first=$!
claim "the first of two begins" wait_for 20 test -s busy/stages/generate.lock
expect 1 "a second process on the same stage: who holds it" 'in use by process' -- "$locum" generate "$study" --out busy
wait $first
claim "the first is not disturbed" test $? = 0

alone() { # claim, failpoint, command...
    local text=$1 point=$2 start
    shift 2
    start=$(date +%s.%N)
    LOCUM_FAILPOINTS=$point expect 1 "$text" 'failpoint' 'rank 1' -- timeout 30 "${MPIEXEC:-mpirun}" --oversubscribe -n 2 "$@"
    claim "$text: one message" one_message
    claim "$text: all ranks stop within 5 s ($(seconds_since "$start") s with start-up)" awk "BEGIN {exit !($(seconds_since "$start") < 8)}"
}
alone "one rank fails alone in a dataset" 'campaign_sample@3%1=error' "$locum" generate "$study" --out alone
alone "one rank fails alone in a shared file" 'store_frame@3%1=error' "$locum" simulate good.yaml --out alone.h5 --set record.every=0.02
claim "nothing of it is left" test ! -e alone.h5
alone "one rank has no memory left" 'alloc@60%1=memory' "$locum" generate "$study" --out memory
expect 0 "what was done is kept; the rest follows" -- on_ranks 2 "$locum" generate "$study" --out alone
alone "one rank fails alone in training" 'train_step@5%1=error' "$locum" train "$study" --out alone

# --- models ---------------------------------------------------------------------------------------------------------------------------
if [ -n "$run" ] && [ -e "$run/model.safetensors" ]; then
    cp "$run/model.safetensors" sound.safetensors
    inputs=(--set viscosity=0.05 --set drag=0.2)
    expect 0 "a sound model predicts" -- "$locum" predict sound.safetensors "${inputs[@]}"
    size=$(stat -c %s sound.safetensors)
    for keep in 0 7 100 $((size / 2)) $((size - 1)); do
        head -c $keep sound.safetensors >bent.safetensors
        expect 3 "a model cut to $keep bytes" 'bent.safetensors' -- "$locum" predict bent.safetensors "${inputs[@]}"
    done
    for at in 3 20 $((size / 3)) $((size - 5)); do
        cp sound.safetensors bent.safetensors
        byte=$(od -An -t u1 -j $at -N 1 sound.safetensors)
        printf "\\x$(printf %x $((byte ^ 16)))" | dd of=bent.safetensors bs=1 seek=$at conv=notrunc status=none
        expect 3 "a model with one bit flipped at byte $at" 'bent.safetensors' -- "$locum" predict bent.safetensors "${inputs[@]}"
    done
    { cat sound.safetensors; echo; } >bent.safetensors
    expect 3 "a model with a byte too many" -- "$locum" predict bent.safetensors "${inputs[@]}"
    expect 3 "no model at all" 'tiny.yaml' -- "$locum" predict "$study" "${inputs[@]}"
    expect 2 "a model that is not there" 'nothing.safetensors' -- "$locum" predict nothing.safetensors "${inputs[@]}"
    expect 2 "an input that it does not have: the nearest" 'did you mean `viscosity`' -- "$locum" predict sound.safetensors --set viscosty=1 --set drag=0.2
    expect 2 "an input is missing" 'drag' -- "$locum" predict sound.safetensors --set viscosity=0.05
    expect 2 "an input that is no number" '1e-3abc' -- "$locum" predict sound.safetensors --set viscosity=1e-3abc --set drag=0.2
    printf 'viscosity,drag\n0.05,0.2\n0.05\n' >short.csv
    expect 2 "a CSV line with too few columns: its place" 'short.csv:3' -- "$locum" predict sound.safetensors --input short.csv
    printf 'viscosity,drag\n0.05,x\n' >word.csv
    expect 2 "a CSV value that is no number: its place" 'word.csv:2' -- "$locum" predict sound.safetensors --input word.csv
    printf 'viscosity\n0.05\n' >missing.csv
    expect 2 "a CSV file without a column" 'drag' -- "$locum" predict sound.safetensors --input missing.csv
else
    skip_claim "damaged models" "no run directory was given"
fi
finish
