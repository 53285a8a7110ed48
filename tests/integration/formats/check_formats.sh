#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# check_formats.sh PYTHON DUMP SOURCE_DIR: exit 77 (skipped) where there is no Python with h5py.
python=$1 dump=$2 source=$3
if [ -z "$python" ] || ! "$python" -c 'import h5py, numpy' 2>/dev/null; then
    echo "skipped: no Python with h5py (set LOCUM_TEST_PYTHON)"
    exit 77
fi
rm -rf formats_of_others && mkdir formats_of_others || exit 1
exec "$python" "$source/check_formats.py" "$dump" formats_of_others
