#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# fields.sh PROGRAM SOURCE_DIR WRITE_FIELDS RUN: `locum predict` with models of fields whose answer is known, and what becomes of
# flagged predictions of the model of values of RUN.
. "$(dirname "$0")/lib.sh"
begin fields "$1" "$2" ""
claim "models and data are written" "$3" .

expect 0 "a step is rolled out, a line for each frame; the gain is that of the sample" 'row,lead,time,flag,tracer.mean_square' '0,5,2.25,ok' \
    'begins from sample 0' -- "$locum" predict step-1.safetensors --initial data.h5 --coverage 0.5
expect 0 "as many steps as asked for; intervals end with the calibrated leads" '0,8,3,' 'inf' 'beyond they are infinite' '!0,9,' -- \
    "$locum" predict step-1.safetensors --initial data.h5 --sample 0 --steps 8 --out roll.h5
expect 0 "the frames are a data file: values, intervals, flags" 'frames of a sample     9, time 1 to 3' 'tracer_lower' 'velocity_upper' 'flag' 'grid      8 x 6' -- \
    "$locum" inspect roll.h5
expect 0 "a roll-out goes on from a roll-out" '0,8,5,' -- "$locum" predict step-1.safetensors --initial roll.h5 --frame -1 --steps 8 --out more.h5
# gain 1 on 8 points: 8 steps are a whole round, so the last frames of both are the same
expect 0 "a model that sees three frames begins at the third" '0,1,1.75,' -- "$locum" predict step-3.safetensors --initial data.h5 --sample 1 --steps 2
expect 2 "it does not begin at the second" 'sees 3 frames' 'only 1 before frame 1' -- "$locum" predict step-3.safetensors --initial data.h5 --sample 1 --frame 1
expect 0 "a model without calibration has no flags" 'row,lead,time,tracer.mean_square' 'no intervals' -- \
    "$locum" predict plain.safetensors --initial data.h5 --sample 0 --steps 2
expect 0 "--set has the last word" '"lead":2' -- "$locum" predict plain.safetensors --initial data.h5 --sample 1 --set gain=0.5 --steps 2 --json
expect 0 "a map of fields" '0,1,0,ok,' -- "$locum" predict map.safetensors --initial data.h5 --sample 1 --coverage 0.5 --out map.h5
expect 0 "its file has one frame" 'later_velocity_lower' -- "$locum" inspect map.h5
expect 0 "a map of values gives fields, a sample for each row" -- bash -c 'printf "gain\n0.5\n1\n1.5\n" >rows.csv && "$0" predict values.safetensors --input rows.csv --out values.h5' "$locum"
expect 0 "three samples with their parameter" '3 samples' 'gain' 'later_tracer' -- "$locum" inspect values.h5
expect 1 "a roll-out that blows up stops, and names the step" 'blows up at step' 'row 0' -- \
    "$locum" predict plain.safetensors --initial data.h5 --sample 0 --set gain=10 --steps 20 --out wild.h5
expect 0 "what came before is kept" 'frames of a sample' -- "$locum" inspect wild.h5
expect 1 "a flagged step is refused where that was asked for" 'step 1' 'range' 'refused' -- \
    "$locum" predict step-1.safetensors --initial data.h5 --sample 0 --set gain=1.75 --when-flagged refuse --coverage 0.5
expect 0 "else it is said" 'range' 'frames are flagged' -- \
    "$locum" predict step-1.safetensors --initial data.h5 --sample 0 --set gain=1.75 --steps 2 --coverage 0.5

# what it does not know
expect 2 "no beginning" 'begins from fields' '`tracer` (8 x 6)' '--initial' -- "$locum" predict plain.safetensors --set gain=1
expect 2 "another grid" 'knows `tracer` on a grid of 9 x 6' 'it has 8 x 6' -- "$locum" predict other.safetensors --initial data.h5 --sample 0
expect 2 "a file without the field" 'needs the field `tracer`' 'later_tracer' -- "$locum" predict plain.safetensors --initial map.h5
expect 2 "no such sample" 'holds no sample 7' -- "$locum" predict plain.safetensors --initial data.h5 --sample 7
expect 2 "no such frame" 'has frames 0 to 4' -- "$locum" predict plain.safetensors --initial data.h5 --sample 0 --frame 9
expect 2 "no such file" 'nothing.h5' -- "$locum" predict plain.safetensors --initial nothing.h5
expect 2 "no such input" 'did you mean `gain`' -- "$locum" predict plain.safetensors --initial data.h5 --set gian=1
expect 2 "steps of a map" 'it has no next step' -- "$locum" predict map.safetensors --initial data.h5 --steps 3
expect 2 "an unknown policy" 'warn, refuse or solve' -- "$locum" predict step-1.safetensors --initial data.h5 --when-flagged panic

# flagged predictions of values
cp -r "$4" run
printf 'viscosity,drag\n0.5,0.1\n0.02,0.9\n' >rows.csv
expect 1 "refused where that was asked for, and nothing is written" 'row 0 is flagged (range' -- \
    "$locum" predict run --input rows.csv --when-flagged refuse --out refused.csv
claim "no file" test ! -e refused.csv
expect 0 "the solver makes what the model cannot" ',solved,' -- "$locum" predict run --input rows.csv --when-flagged solve
expect 0 "and again" ',solved,' -- "$locum" predict run --set viscosity=0.6 --set drag=0.1 --when-flagged solve
claim "flagged.csv of the run has a header and the three rows" bash -c '[ "$(wc -l <run/flagged.csv)" = 4 ] && head -1 run/flagged.csv | grep -q ^drag,viscosity,energy'
expect 2 "a model file knows no solver" 'needs a run directory' -- "$locum" predict run/model.safetensors --input rows.csv --when-flagged solve
expect 2 "a model without calibration flags nothing" 'flags nothing' -- "$locum" predict plain.safetensors --initial data.h5 --when-flagged refuse
finish
