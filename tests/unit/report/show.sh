#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# show.sh LOCUM - pictures of a small simulation: kind, size and content of the files, and the words where one cannot be drawn.
set -eu
locum=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
fail() { echo "show: $*" >&2; exit 1; }

cat >flow.yaml <<X
study: flow
solver: {name: navier_stokes, dimension: 2, resolution: 16, box: [6.283185307, 3.141592653], viscosity: 0.05, forcing: {name: kolmogorov, wavenumber: 2, amplitude: 1}}
initial: {name: random}
record: {until: 1, every: 0.5}
X
"$locum" simulate flow.yaml --out flow.h5 --quiet

# told with its code, whether there is gnuplot or not
refuse() { # code, word, arguments
    local code=$1 word=$2 got=0
    shift 2
    "$locum" show "$@" >out.txt 2>&1 || got=$?
    [ "$got" = "$code" ] || fail "$* ended with $got, not $code: $(cat out.txt)"
    grep -q -- "$word" out.txt || fail "$*: no \"$word\" in: $(cat out.txt)"
}
refuse 2 'has no array `nothing`; it has vorticity' flow.h5 --array nothing
refuse 2 'there are 3 frames' flow.h5 --frame 3
refuse 2 'must end in .svg, .png, .gif' flow.h5 --out flow.jpg
refuse 2 'no sample of that number' flow.h5 --sample 7
refuse 2 'there is no file or folder' absent.h5
( PATH=/nonexistent "$locum" show flow.h5 >out.txt 2>&1 ) && fail "drew without gnuplot"
grep -q 'gnuplot is not installed' out.txt || fail "no word about gnuplot: $(cat out.txt)"
[ ! -e flow.svg ] || fail "left a file without gnuplot"

refuse 2 'made of fields' flow.h5 --array energy --out energy.gif
refuse 2 'must end in' flow.h5 --out ''
command -v gnuplot >/dev/null || { echo "show: no gnuplot, pictures are not looked at"; exit 0; }
[ "$("$locum" show flow.h5)" = flow.svg ] || fail "did not print flow.svg"
head -c 200 flow.svg | grep -q '<svg' || fail "flow.svg is no SVG"
grep -q 'vorticity at time 1<' flow.svg || fail "the default is not the last vorticity"
"$locum" show flow.h5 --frame 0 --out first.svg --quiet
grep -q 'vorticity at time 0<' first.svg || fail "--frame 0 is not the first"
"$locum" show flow.h5 --array energy --out energy.svg --quiet
grep -q '>time<' energy.svg || fail "energy is not drawn against time"
"$locum" show flow.h5 --array spectrum --out spectrum.svg --quiet
grep -q '>k<' spectrum.svg || fail "the spectrum is not drawn against k"
"$locum" show flow.h5 --out flow.png --quiet
[ "$(head -c 8 flow.png | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ] || fail "flow.png is no PNG"
[ "$(stat -c %s flow.png)" -gt 2000 ] || fail "flow.png is empty"
"$locum" show flow.h5 --frames 3 --out sheet.svg --quiet
for time in 0 0.5 1; do grep -q "vorticity at time $time<" sheet.svg || fail "the sheet lacks time $time"; done
"$locum" show flow.h5 --out flow.gif --quiet
[ "$(head -c 6 flow.gif)" = GIF89a ] || fail "flow.gif is no GIF"
frames=$(od -An -v -tx1 -w1 flow.gif | tr -d ' \n' | grep -o 21f904 | wc -l) # a graphic control before each picture
[ "$frames" = 3 ] || fail "the movie has $frames pictures, not 3"
"$locum" show flow.h5 --out numbered/ --quiet
[ "$(ls numbered | tr '\n' ' ')" = "0000.png 0001.png 0002.png " ] || fail "numbered pictures: $(ls numbered)"
echo "show: all pictures are there"
