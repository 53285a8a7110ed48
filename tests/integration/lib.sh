#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# lib.sh - sourced by every integration test: begin, expect, claim, finish. A test is a user at a terminal: it types commands,
# looks at exit codes, at words on the screen and at files.
#
#     begin NAME PROGRAM SOURCE_DIR PYTHON        an empty folder to work in; $locum, $source_dir, $python
#     expect CODE CLAIM [WORD...] -- COMMAND...   the command ends with CODE, its output holds every WORD (and none of '!WORD')
#     claim CLAIM COMMAND...                      the command succeeds
#     skip_claim CLAIM REASON                     said, and counted
#     finish                                      summary line, exit code
# The output of the latest command is $work/screen. A folder of a failed test is kept.

# the variables of Open MPI that containers need; ranks may outnumber cores
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
export LC_ALL=C

claims=0 failures=0 skipped=0

begin() {
    test_name=$1 locum=$2 source_dir=$3 python=${4-}
    begun=$(date +%s.%N)
    work=$(mktemp -d "${TMPDIR:-/tmp}/locum-$test_name.XXXXXX") || exit 1
    tools=$source_dir/tests/integration
    cd "$work" || exit 1
    if [ -n "$python" ] && ! "$python" -c 'import numpy, h5py' 2>/dev/null; then python=; fi
}

on_ranks() { # number of ranks, command...
    local n=$1
    shift
    "${MPIEXEC:-mpirun}" --oversubscribe -n "$n" "$@"
}

passed() { claims=$((claims + 1)); }

failed() { # claim, what happened, file with what was said
    claims=$((claims + 1))
    failures=$((failures + 1))
    printf 'FAILED  %s\n        %s\n' "$1" "$2"
    [ ! -s "$3" ] || sed 's/^/        | /' "$3" | tail -12
}

expect() {
    local code=$1 text=$2 words=() word got
    shift 2
    while [ "$1" != -- ]; do
        words+=("$1")
        shift
    done
    shift
    "$@" >"$work/screen" 2>&1
    got=$?
    if [ "$got" != "$code" ]; then
        failed "$text" "exit code $got, expected $code: $*" "$work/screen"
        return 1
    fi
    for word in "${words[@]}"; do
        if [ "${word#!}" != "$word" ]; then
            ! grep -qF -e "${word#!}" "$work/screen" || { failed "$text" "the output holds '${word#!}'" "$work/screen"; return 1; }
        else
            grep -qF -e "$word" "$work/screen" || { failed "$text" "the output lacks '$word'" "$work/screen"; return 1; }
        fi
    done
    passed
}

claim() {
    local text=$1
    shift
    if "$@" >"$work/said" 2>&1; then passed; else failed "$text" "$(printf '%s' "$*" | head -c 300)" "$work/said"; fi
}

skip_claim() {
    skipped=$((skipped + 1))
    printf 'skipped %s: %s\n' "$1" "$2"
}

# one 'locum: error' line, however many ranks there were
one_message() { [ "$(grep -c '^locum: error' "$work/screen")" = 1 ]; }

wait_for() { # seconds, command...: polls until it succeeds
    local left=$(($1 * 20))
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ $left -gt 0 ] || return 1
        sleep 0.05
    done
}

# no process is left that runs this test's program on this test's files
nobody_left() { ! pgrep -f "$locum .*$work" >/dev/null; }

seconds_since() { date +"%s.%N $1" | awk '{printf "%.1f", $1 - $2}'; }

finish() {
    cd /
    printf '%s: %d claims, %d failed, %d skipped, %s s\n' "$test_name" $claims $failures $skipped "$(seconds_since "$begun")"
    if [ $failures = 0 ]; then
        rm -rf "$work"
        exit 0
    fi
    echo "files are kept in $work"
    exit 1
}
