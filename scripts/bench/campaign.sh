#!/usr/bin/env bash
# scripts/bench/campaign.sh BUILD - a campaign on two ranks over two independent one-rank runs of the same campaign, started together:
# the two make it twice, so half their time is what the two ranks may take. Prints machine, times and the ratio, repeated.
set -euo pipefail
build=$(cd "${1:?usage: campaign.sh BUILD [repeats]}" && pwd) repeats=${2:-3}
. "$(dirname "$0")/../packages.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/study.yaml" <<'YAML'
study: bench
solver: {name: navier_stokes, resolution: 64, forcing: {name: kolmogorov, wavenumber: 4, amplitude: 1}}
record: {from: 5, until: 20, average: true, observe: [energy, dissipation, spectrum]}
campaign:
  split: {train: 40, validation: 8, calibration: 8, test: 8}
  vary: {viscosity: {range: [4e-3, 1e-1], scale: log}, drag: {range: [0.05, 0.3], scale: log}}
YAML
now() { date +%s.%N; }
grep -m1 'model name' /proc/cpuinfo | sed 's/.*: /machine /'
mpirun --version | head -1
for r in $(seq "$repeats"); do
    a=$(now)
    mpirun -n 1 --bind-to none taskset -c 0 "$build/bin/locum" generate "$work/study.yaml" --quiet --out "$work/one-$r" &
    mpirun -n 1 --bind-to none taskset -c 1 "$build/bin/locum" generate "$work/study.yaml" --quiet --out "$work/two-$r" &
    wait
    b=$(now)
    mpirun -n 2 "$build/bin/locum" generate "$work/study.yaml" --quiet --out "$work/both-$r"
    c=$(now)
    echo "$a $b $c" | awk -v r="$r" '{printf "repeat %d: two independent runs %.2f s, one campaign on 2 ranks %.2f s, ratio %.3f\n", r, $2 - $1, $3 - $2, ($2 - $1) / 2 / ($3 - $2)}'
done
