#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# headers.sh - every public header compiles alone: include/locum/*.h as C11 and as C++17, include/locum/dev/*.h as C11.
# With every compiler found of gcc, clang, g++, clang++; twice in one file, so that guards are tested too.
#
#     headers.sh [ROOT]        exit code 1 if a header fails. MPI_FLAGS: where mpi.h is (default: mpicc --showme:compile)
set -u
root=${1:-$(dirname "$0")/../..}
warnings="-Wall -Wextra -Wpedantic -Werror"
mpi_flags=${MPI_FLAGS-$(mpicc --showme:compile 2>/dev/null || true)}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
failed=0
compiled=0

printf '#include <stddef.h>\n' >"$scratch/probe.c"
works() { "$@" -fsyntax-only "$scratch/probe.c" 2>/dev/null; }

printf '#include <mpi.h>\n' >"$scratch/mpi.c"
has_mpi=1
cc $mpi_flags -fsyntax-only "$scratch/mpi.c" 2>/dev/null || has_mpi=0

compile() { # header as included, compiler and flags
    header=$1
    shift
    printf '#include "%s"\n#include "%s"\ntypedef int this_file_declares_something;\n' "$header" "$header" >"$scratch/alone.c"
    compiled=$((compiled + 1))
    # mpi.h itself is not ours to keep free of warnings: -isystem
    if ! "$@" $warnings -fsyntax-only -I"$root/include" $(echo "$mpi_flags" | sed 's/-I */-isystem /g') "$scratch/alone.c"; then
        echo "headers: $header fails with: $*"
        failed=1
    fi
}

for compiler in gcc clang; do
    works "$compiler" -std=c11 || { echo "headers: no $compiler"; continue; }
    for header in "$root"/include/locum/*.h "$root"/include/locum/dev/*.h; do
        if [ $has_mpi = 0 ] && grep -q 'include <mpi.h>' "$header"; then
            echo "headers: no MPI here, skipped ${header##*/}"
            continue
        fi
        compile "${header#"$root"/include/}" "$compiler" -std=c11 -D_GNU_SOURCE
    done
done
for compiler in g++ clang++; do
    works "$compiler" -x c++ -std=c++17 || { echo "headers: no $compiler"; continue; }
    for header in "$root"/include/locum/*.h; do
        compile "${header#"$root"/include/}" "$compiler" -x c++ -std=c++17
    done
done
echo "headers: $compiled compilations"
[ $compiled -gt 0 ] && [ $failed -eq 0 ]
