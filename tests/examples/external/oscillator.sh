#!/bin/sh
# oscillator.sh DAMPING FREQUENCY: amplitude of x'' + damping x' + x = cos(frequency t), into out.csv
awk -v c="$1" -v w="$2" 'BEGIN { printf "amplitude\n%.6g\n", 1 / sqrt((1 - w * w) ^ 2 + (c * w) ^ 2) }' >out.csv
echo "amplitude: $(tail -1 out.csv)"
