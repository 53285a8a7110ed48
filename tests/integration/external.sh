#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# external.sh PROGRAM SOURCE_DIR PYTHON: a program of somebody else as a solver: words and values, folders, logs, failures, timeouts,
# frames in time, several ranks, resume; its cost is counted.
. "$(dirname "$0")/lib.sh"
begin external "$1" "$2" "$3"

cp "$source_dir/tests/examples/external/"* .
expect 0 "describe external" 'run ' 'parameters:' 'fields:' -- "$locum" describe external
expect 0 "new external" 'name: external' 'parameters:' 'timeout: 3600' -- "$locum" new external
expect 0 "generate runs it once a sample" 'generate: done' -- "$locum" generate study.yaml
one=runs/oscillator_program/dataset/external/000003
for file in parameters.yaml parameters.json log.txt status.yaml out.csv finished; do claim "a sample keeps $file" test -s $one/$file; done
claim "its log" grep -q 'amplitude' $one/log.txt
value() { sed -n "s/^$1: //p" $one/parameters.yaml; }
exact=$(awk -v c="$(value damping)" -v w="$(value frequency)" 'BEGIN { printf "%.6g", 1 / sqrt((1 - w * w) ^ 2 + (c * w) ^ 2) }')
claim "what it wrote follows from its values ($exact)" grep -q "^$exact" $one/out.csv
claim "the JSON says the same" grep -q "\"damping\": $(value damping), \"frequency\": $(value frequency)" $one/parameters.json
expect 0 "a surrogate of it: run" 'nothing to do' 'validate: done' 'external on the same core' -- "$locum" run study.yaml
expect 0 "mpirun -n 2" 'on 2 ranks' -- on_ranks 2 "$locum" generate study.yaml --out two
if [ -n "$python" ]; then
    claim "two ranks: the same dataset" "$python" "$tools/same_dataset.py" runs/oscillator_program/dataset two/dataset
else
    skip_claim "two ranks: the same dataset" "no Python with h5py"
fi

echo '# another version' >>oscillator.sh
expect 2 "what another version of the program made is not reused" 'program_content' '--force' -- "$locum" generate study.yaml

# --- words ------------------------------------------------------------------------------------------------------------------------
cat >words.sh <<'SH'
#!/bin/sh
for word; do printf '<%s>\n' "$word"; done
env | grep '^OMPI_\|^PMIX_' | grep -vc ALLOW_RUN_AS_ROOT
pwd
echo "amplitude" >out.csv && echo 1 >>out.csv
SH
chmod +x words.sh
words() { "$locum" generate study.yaml --out words --force --set "solver.run=$1" && cat words/dataset/external/000000/log.txt; }
expect 0 "no shell ever sees a word" "<\$(touch evil) ; rm -rf x | y>" '<a b>' "<it's>" '<{x}>' '<seed-' '!Permission' -- words '"./words.sh '"'\$(touch evil) ; rm -rf x | y'"' a\\ b \"it'"'"'s\" {{x}} seed-{seed}"'
claim "nothing was touched" test ! -e evil -a ! -e words/dataset/external/000000/evil
expect 0 "a list is words already" '<two words>' '</' '/parameters.yaml>' -- words '[./words.sh, two words, "{parameters}"]'
claim "it does not take itself for a rank of ours" grep -qx 0 words/dataset/external/000000/log.txt
claim "it runs in its sample's folder" grep -q 'words/dataset/external/000000$' words/dataset/external/000000/log.txt
refused() { "$locum" generate study.yaml --out refused --set "$1"; }
expect 2 "an unknown value" 'nothing is called {dampin}' 'damping' -- refused 'solver.run=./oscillator.sh {dampin}'
expect 2 "a program that is not there" 'no program' 'nothing' -- refused 'solver.run=./nothing'
expect 2 "a name that means something else" 'solver.parameters.seed' 'taken' -- refused 'solver.parameters={seed: 1}'
expect 2 "vary names what is not there" 'campaign.vary' 'dampin' 'damping' -- refused 'campaign.vary={dampin: [1, 2]}'
expect 2 "a column that is not there ends the campaign" 'no column `phase`' -- refused 'solver.fields={phase: 1}'

# --- programs that fail: the sample is recorded, the campaign goes on -------------------------------------------------------------
cat >moody.sh <<'SH'
#!/bin/sh
# moody.sh KIND FREQUENCY: fails above 1
echo "trying $2"
if awk -v w="$2" 'BEGIN { exit !(w > 1) }'; then
    case $1 in
    exit) echo "the matrix is singular" >&2; exit 3 ;;
    hang) sleep 60 ;;
    nothing) exit 0 ;;
    nan) printf 'amplitude\nnan\n' >out.csv; exit 0 ;;
    esac
fi
printf 'amplitude\n1\n' >out.csv
SH
chmod +x moody.sh
moody() { rm -rf moody; "$locum" generate study.yaml --out moody --set "solver.run=./moody.sh $1 {frequency}" --set solver.timeout=0.5 --set campaign.split="{train: 6}"; }
expect 0 "a program that fails: exit code and last words" 'failed with exit code 3: trying' 'the matrix is singular' 'generate: done' 'samples failed' -- moody exit
claim "the samples that worked are there" test -s moody/dataset/manifest.json
claim "status.yaml has the exit code" grep -qs 'exit_status: 3' moody/dataset/external/*/status.yaml
expect 0 "a program that hangs is ended" 'took longer than timeout: 0.5 s' 'generate: done' -- moody hang
claim "nothing of it is left" bash -c "! pgrep -f 'moody[.]sh hang'"
expect 0 "a program that writes nothing" 'left no file out.csv' 'generate: done' -- moody nothing
expect 0 "a value that is not finite" 'amplitude is not finite' 'generate: done' -- moody nan

# --- frames in time ---------------------------------------------------------------------------------------------------------------
cat >decay.sh <<'SH'
#!/bin/sh
# decay.sh RATE INTERVAL FRAMES LEFT_OUT: x = exp(-rate t), one file a frame
for i in $(seq 0 $(($3 - 1 - $4))); do
    awk -v r="$1" -v t="$2" -v i="$i" 'BEGIN { x = exp(-r * t * i); printf "x,pair[0],pair[1]\n%.12g,%.12g,%.12g\n", x, x * x, i }' >out_"$i".csv
done
SH
chmod +x decay.sh
cat >decay.yaml <<'YAML'
study: decay
solver:
  name: external
  run: ./decay.sh {rate} {interval} {frames} 0
  frames: out_*.csv
  format: csv
  interval: 0.1
  until: 1.2
  parameters: {rate: 2}
  fields: {x: 1, pair: 2}
record: {from: 0, until: 1.2, every: 0.2, precision: float64}
campaign: {split: {train: 3}, vary: {rate: {range: [1, 3]}}}
YAML
expect 0 "frames in time" 'generate: done' -- "$locum" generate decay.yaml
if [ -n "$python" ]; then
    claim "every second frame, in the order of their numbers" "$python" - <<'PY'
import glob, h5py, numpy
(path,) = glob.glob("runs/decay/dataset/data/train/*.h5")
with h5py.File(path) as f:
    rate, time, x = f["samples/parameter/rate"][:], f["frames/time"][:], f["frames/x"][:].ravel()
    first = f["frames/sample"][:] if "sample" in f["frames"] else numpy.repeat(numpy.arange(3), 7)
    assert len(x) == 21 and numpy.allclose(time, numpy.tile(0.2 * numpy.arange(7), 3)), time
    assert numpy.allclose(x, numpy.exp(-rate[numpy.repeat(numpy.arange(3), 7)] * time), rtol=1e-10)
PY
else
    skip_claim "every second frame, in the order of their numbers" "no Python with h5py"
fi
fewer() { rm -rf fewer; "$locum" generate decay.yaml --out fewer --set 'solver.run=./decay.sh {rate} {interval} {frames} 5'; }
expect 0 "fewer frames than asked: the sample is recorded" 'wrote 8 frames' 'not 13' '3 of 3 samples failed' -- fewer
expect 2 "a time between frames" 'lies between frames' -- "$locum" generate decay.yaml --out between --set record.every=0.15
expect 2 "a time behind the last frame" 'solver.until = 1.2' -- "$locum" generate decay.yaml --out behind --set record.until=2
expect 0 "simulate" -- "$locum" simulate decay.yaml --out one.h5
claim "its folder lies beside the file" test -s one.h5.external/000000/out_12.csv

# --- grids in HDF5, several ranks a sample ----------------------------------------------------------------------------------------
if [ -n "$python" ]; then
    cat >grid.py <<'PY'
"""grid.py KIND RATE FOLDER_OF_ONE_FILE: a decaying wave and its velocity; one file a frame, or one for all; big-endian and integers too"""
import sys
import h5py
import numpy as np
kind, rate = sys.argv[1], float(sys.argv[2])
x, y, t = np.arange(16)[:, None] / 16, np.arange(12)[None] / 12, 0.5 * np.arange(4)
wave = np.exp(-rate * t)[:, None, None] * np.sin(2 * np.pi * (x + y))
data = {"wave": wave.astype(">f4"), "velocity": np.stack([wave, -wave], -1), "count": np.arange(4, dtype="i2")}
if kind == "shape":
    data["wave"] = wave.transpose(0, 2, 1)
if kind == "missing":
    del data["velocity"]
if kind in ("one", "short"):
    with h5py.File("all.h5", "w") as f:
        for name, values in data.items():
            f[name] = values[: 3 if kind == "short" else 4]
else:
    for i in range(4):
        with h5py.File("out_%d.h5" % i, "w") as f:
            for name, values in data.items():
                f[name] = values[i]
    if kind == "cut":
        with open("out_3.h5", "r+b") as f:
            f.truncate(1000)
PY
    cat >grid.yaml <<YAML
study: grid
solver:
  name: external
  run: [$python, "{study}/grid.py", many, "{rate}"]
  frames: out_*.h5
  interval: 0.5
  until: 1.5
  box: [1, 2]
  parameters: {rate: 2}
  fields: {wave: [16, 12], velocity: [16, 12, 2], count: 1}
record: {until: 1.5, every: 0.5, precision: float64}
campaign: {split: {train: 2}, vary: {rate: {range: [1, 3]}}}
YAML
    grid() { "$locum" generate grid.yaml --out "$1" --set "solver.run=[$python, '{study}/grid.py', $1, '{rate}']" "${@:2}"; }
    expect 0 "grids: one file a frame" 'generate: done' '!samples failed' -- "$locum" generate grid.yaml --out many
    expect 0 "grids: one file for all" 'generate: done' '!samples failed' -- grid one --set solver.frames=all.h5
    expect 0 "grids: two ranks share a sample" 'generate: done' '!samples failed' -- on_ranks 2 "$locum" generate grid.yaml --out shared --set campaign.ranks_per_sample=2
    claim "all three are the same dataset, the right one" "$python" - <<'PY'
import glob, h5py, numpy as np
def read(run):
    (path,) = glob.glob(run + "/dataset/data/train/*.h5")
    with h5py.File(path) as f:
        found = []
        f.visititems(lambda name, o: found.append((name.split("/")[-1], o[()])) if isinstance(o, h5py.Dataset) and name.split("/")[-1] in ("wave", "velocity", "count", "rate") else None)
        return dict(found)
a = read("many")
for other in (read("one"), read("shared")):
    assert all((a[k] == other[k]).all() for k in a), list(a)
x, y, t = np.arange(16)[:, None] / 16, np.arange(12)[None] / 12, 0.5 * np.arange(4)
wave = a["wave"].reshape(2, 4, 16, 12)
rate = a["rate"].ravel()
for s in range(2):
    exact = np.exp(-rate[s] * t)[:, None, None] * np.sin(2 * np.pi * (x + y))
    assert np.abs(wave[s] - exact).max() < 1e-6, "float32 on the way"
    assert np.abs(a["velocity"].reshape(2, 4, 16, 12, 2)[s, ..., 1] + exact).max() < 1e-14
PY
    expect 0 "a file that was cut off: the sample is recorded" 'cannot be read' '2 of 2 samples failed' -- grid cut
    expect 0 "one file with fewer frames: the sample is recorded" 'has 3 frames, not 4' '2 of 2 samples failed' -- grid short --set solver.frames=all.h5
    expect 2 "axes in the wrong order: both shapes are named" '[12, 16]' '[16, 12]' -- grid shape
    expect 2 "a field that is not there" 'no dataset /velocity' -- grid missing
    expect 0 "keep: log leaves no frames" -- grid many --out kept --set solver.keep=log
    claim "but the log" bash -c 'test -e kept/dataset/external/000000/log.txt -a ! -e kept/dataset/external/000000/out_0.h5'
else
    skip_claim "grids in HDF5" "no Python with h5py"
fi

# --- a campaign that is killed ----------------------------------------------------------------------------------------------------
cat >slow.sh <<'SH'
#!/bin/sh
echo run >>"$1/started"
sleep 0.2
printf 'amplitude\n1\n' >out.csv
SH
chmod +x slow.sh
slow() { "$locum" generate study.yaml --out slow --set 'solver.run=./slow.sh {study}' --set campaign.split="{train: 8}" --set campaign.shard_seconds=1e9; }
slow >said 2>&1 &
started=$!
wait_for 20 test -s slow/dataset/external/000002/finished
kill -9 $started
wait $started 2>/dev/null
expect 0 "it goes on" 'generate: done' -- slow
claim "what had been done was not done again" test "$(wc -l <started)" -le 9

# --- a word to stop ----------------------------------------------------------------------------------------------------------------
"$locum" generate study.yaml --out stopped --set 'solver.run=/bin/sleep 30' >said 2>&1 &
started=$!
wait_for 20 test -e stopped/dataset/external/000000/log.txt
sleep 0.3
begun_stop=$(date +%s)
kill -USR1 $started
wait $started
code=$?
claim "SIGUSR1 ends program and campaign with code 75" test $code = 75 -a $(($(date +%s) - begun_stop)) -lt 10
finish
