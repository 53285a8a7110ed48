#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# check_files.sh PYTHON RANKS WRITER SOURCE_DIR: writes the files on RANKS ranks and lets Python look at them; exit 77 (skipped)
# where there is no Python with h5py.
python=$1 ranks=$2 writer=$3 source=$4
if [ -z "$python" ] || ! "$python" -c 'import h5py, numpy' 2>/dev/null; then
    echo "skipped: no Python with h5py (set LOCUM_TEST_PYTHON)"
    exit 77
fi
folder=store_files_python_np$ranks
rm -rf "$folder" && mkdir "$folder" || exit 1
if [ "$ranks" = 1 ]; then "$writer" "$folder"; else ${MPIEXEC:-mpirun} --oversubscribe -n "$ranks" "$writer" "$folder"; fi || exit 1
exec "$python" "$source/check_files.py" "$folder"
