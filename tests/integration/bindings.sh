#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# bindings.sh BUILD_DIR SOURCE_DIR PYTHON RUN WRITE_STEP_MODEL [CC]: a C, a Fortran and a Python program that know only what is installed, in a folder
# outside: they predict with the model of RUN and agree to the last bit.
. "$(dirname "$0")/lib.sh"
begin bindings "" "$2" "$3"
build=$1 model=$4/model.safetensors
CC=${6:-cc}
expect 0 "cmake --install" -- cmake --install "$build" --prefix "$work/prefix"
libdir=$(dirname "$work/$(find prefix -name 'liblocum.so' | head -1)")
share=$work/prefix/share/locum
export PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir
"$5" step.safetensors || exit 1
mkdir outside && cd outside
cp "$source_dir/tests/examples/embed/predict.c" "$source_dir/tests/examples/fortran/predict.f90" "$source_dir/tests/examples/python/predict.py" .
expect 0 "C" -- bash -c "$CC -std=c11 predict.c \$(pkg-config --cflags --libs locum) -o c && ./c '$model' >c.txt"
cp "$source_dir/tests/examples/rollout/rollout.c" . && expect 0 "C: a roll-out, without a warning" 'time 1.25: rms ' '!warning' -- \
    bash -c "$CC -std=c11 -Wall -Wextra rollout.c \$(pkg-config --cflags --libs locum) -o rollout && ./rollout ../step.safetensors 5"

if command -v gfortran >/dev/null; then
    expect 0 "Fortran: the module is Fortran 2008, without a warning" '!Warning' -- gfortran -std=f2008 -Wall -Wextra -pedantic -c "$share/locum.f90"
    expect 0 "Fortran: the example builds" '!Warning' -- bash -c "gfortran -std=f2008 -Wall predict.f90 locum.o \$(pkg-config --libs locum) -o f"
    expect 0 "Fortran: it predicts" -- bash -c "./f '$model' | tee f.txt"
    # the same numbers as C prints, to its six digits
    claim "Fortran: the value of C" bash -c "test \"\$(sed -n 's/.* = \([^,]*\),.*/\1/p' c.txt | head -1)\" = \"\$(awk 'NR == 1 { printf \"%g\", \$2 }' f.txt)\""
    claim "Fortran: the second row is flagged" awk 'NR == 2 { exit !($5 > 0) }' f.txt
    cp "$source_dir/tests/integration/views.f90" . && expect 0 "Fortran: views of real32, sections and packed rows agree" 'views agree' -- \
        bash -c "gfortran -std=f2008 -Wall -fcheck=all views.f90 locum.o \$(pkg-config --libs locum) -o views && ./views '$model'"
    cp "$source_dir/tests/integration/roll.f90" . && expect 0 "Fortran: a roll-out" 'rolled as known' -- \
        bash -c "gfortran -std=f2008 -Wall -fcheck=all roll.f90 locum.o \$(pkg-config --libs locum) -o roll && ./roll ../step.safetensors"
else
    skip_claim "Fortran" "no gfortran"
fi

if [ -n "$python" ]; then
    expect 0 "Python: it predicts" 'outside of the training range' -- env PYTHONPATH="$share" "$python" predict.py "$model"
    grep -v outside "$work/screen" >p.txt
    if [ -s f.txt ]; then claim "Python and Fortran: the same digits" awk 'NR == FNR { a[FNR] = $2 + 0 " " $3 + 0 " " $4 + 0 " " $5; next } a[FNR] != $2 + 0 " " $3 + 0 " " $4 + 0 " " $5 { bad = 1 } END { exit bad }' f.txt p.txt; fi
    expect 0 "Python: views, shapes, errors" 'all good' -- env PYTHONPATH="$share" "$python" "$source_dir/tests/integration/check_python.py" "$model"
    expect 0 "Python: a roll-out" 'rolled as known' -- env PYTHONPATH="$share" "$python" "$source_dir/tests/integration/check_python_roll.py" ../step.safetensors
else
    skip_claim "Python" "no Python with NumPy"
fi
finish
