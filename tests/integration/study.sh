#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# study.sh PROGRAM SOURCE_DIR PYTHON: the study that the project ships, whole, on two ranks (minutes: label long); what its report must say.
. "$(dirname "$0")/lib.sh"
begin study "$1" "$2" "$3"

expect 0 "studies/kolmogorov.yaml runs from end to end" 'generate: done' 'train: done' 'validate: done' -- \
    on_ranks 2 "$locum" run "$source_dir/studies/kolmogorov.yaml" --out run
if ! command -v python3 >/dev/null; then
    skip_claim "what the report says" "no python3"
    finish
fi
claim "report.json holds every key, and they agree with each other" python3 "$tools/check_report.py" run/report
says() { # claim, expression over the report r
    claim "$1" python3 -c '
import json, sys
r = json.load(open("run/report/report.json"))
trivial = {t["name"]: t["error"] for t in r["trivial"]}
error, coverage = r["surrogate"]["error"], r["coverage"]
sys.exit(not eval(sys.argv[1]))' "$2"
}
says "the surrogate is better than the quadratic fit" 'error < trivial["quadratic"]'
says "the surrogate is five times better than the mean" '5 * error < trivial["mean"]'
says "the surrogate is better than its nearest training sample" 'error < trivial["nearest"]'
says "it is not praised below the labels' own noise" 'error > r["label_noise"] > 0'
says "the solver needs more than 1,000 times its time at equal error" 'r["speedup_at_equal_error"]["value"] > 1000'
says "coverage is what the law allows" 'coverage["law_low"] <= coverage["covered"] <= coverage["law_high"]'
says "the negative control fails visibly" 'coverage["negative_control"]["fails_visibly"]'
says "more data help" '[c["error"] for c in r["learning_curve"]] == sorted((c["error"] for c in r["learning_curve"]), reverse=True)'
finish
