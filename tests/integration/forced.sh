#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# forced.sh PROGRAM SOURCE_DIR PYTHON: one solution to one file, from an initial state that somebody else made; against a second
# program (scripts/reference/navier_stokes_twin.py); stopped often and continued.
. "$(dirname "$0")/lib.sh"
begin forced "$1" "$2" "$3"
[ -n "$python" ] || { echo "skipped: no Python with h5py (set LOCUM_TEST_PYTHON)"; rm -rf "$work"; exit 77; }
twin=$source_dir/scripts/reference/navier_stokes_twin.py
export OMP_NUM_THREADS=1

cat >forced.yaml <<'YAML'
study: forced
solver: {name: navier_stokes, dimension: 2, resolution: 64, box: 1.0, viscosity: 1e-3, forcing: diagonal, step: 0.005}
initial: {name: file, file: initial.h5, dataset: vorticity}
record: {until: 10, every: 1, precision: float64}
YAML
claim "the initial state is made by h5py" "$python" "$twin" initial initial.h5

expect 0 "simulate --dry-run writes nothing" 'in order' -- "$locum" simulate forced.yaml --out forced.h5 --dry-run
claim "no file after a dry run" test ! -e forced.h5
expect 0 "simulate writes one file" -- "$locum" simulate forced.yaml --out forced.h5
claim "frames of the grid layout: (1, 11, 64, 64), finite, times 0 to 10" "$python" - <<'PY'
import h5py, numpy
with h5py.File("forced.h5") as f:
    w, t = f["t0_fields/vorticity"], f["dimensions/time"][()]
    assert w.shape == (1, 11, 64, 64) and w.dtype == "float64", (w.shape, w.dtype)
    assert numpy.isfinite(w[()]).all()
    assert numpy.allclose(numpy.ravel(t), numpy.arange(11), atol=1e-12), t
    with h5py.File("initial.h5") as i:
        assert numpy.abs(w[0, 0] - i["vorticity"][()]).max() < 1e-14  # round-off of one pair of transforms
PY
claim "frames at t = 1, 5, 10 within 1e-8 of a resolved solution" "$python" "$twin" compare forced.h5 1e-8
if command -v ncdump >/dev/null; then
    expect 0 "ncdump lists the file" 'vorticity' 'float64' -- bash -c 'ncdump -h forced.h5 | sed "s/double/float64/"'
else
    skip_claim "ncdump lists the file" "no ncdump (Debian: apt install netcdf-bin)"
fi

claim "the file, and one on a non-square grid, satisfy the format of The Well; their XDMF fits" bash -c '
    "$1" simulate forced.yaml --set solver.resolution="[48, 64]" --set record.until=1 --out tall.h5 --quiet &&
    "$2" "$3" --file forced.h5 tall.h5' - "$locum" "$python" "$source_dir/tests/integration/store/check_files.py"
claim "numbers that are the same for all samples are scalars of the file" "$python" - <<'PY'
import h5py
with h5py.File("forced.h5") as f:
    for name, value in (("viscosity", 1e-3), ("drag", 0), ("forcing.amplitude", 0.1), ("box_x", 1), ("box_y", 1)):
        assert f["scalars/" + name].shape == () and f["scalars/" + name][()] == value == f.attrs[name], name
PY
expect 2 "limits.memory is compared by --dry-run" 'limits.memory' -- "$locum" simulate forced.yaml --out none.h5 --dry-run --set "limits.memory=100 kB"
expect 0 "our own file is an initial state, its format found out" -- "$locum" simulate forced.yaml --out own.h5 \
    --set initial.file=forced.h5 --set record.until=0
expect 0 "... or given" -- "$locum" simulate forced.yaml --out own_2.h5 --set initial.file=forced.h5 --set record.until=0 --set initial.format=locum
expect 2 "a format that there is not is refused" 'gadget' 'hdf5 and locum' -- "$locum" simulate forced.yaml --out none.h5 --set initial.format=gadget
claim "the state it begins with is the last frame of that file" "$python" - <<'PY'
import h5py, numpy
with h5py.File("forced.h5") as a, h5py.File("own.h5") as b:
    assert numpy.abs(a["t0_fields/vorticity"][0, -1] - b["t0_fields/vorticity"][0, 0]).max() < 1e-12 # round-off of a pair of transforms
PY

expect 0 "simulate in float32, the default" -- "$locum" simulate forced.yaml --set record.precision=float32 --out single.h5
claim "float32 frames within 2e-7 of the float64 ones, stored as float32" "$python" - <<'PY'
import h5py, numpy
with h5py.File("forced.h5") as a, h5py.File("single.h5") as b:
    a, b = a["t0_fields/vorticity"][0], b["t0_fields/vorticity"][0]
    assert b.dtype == "float32", b.dtype
    for t in (1, 5, 10):
        error = numpy.linalg.norm(a[t] - b[t].astype(float)) / numpy.linalg.norm(a[t])
        assert error < 2e-7, (t, error)
PY

expect 0 "a second time: nothing to do" 'nothing to do' -- "$locum" simulate forced.yaml --out forced.h5
expect 2 "another viscosity does not overwrite it" 'forced.h5' '--force' -- "$locum" simulate forced.yaml --out forced.h5 --set solver.viscosity=2e-3

cp initial.h5 kept.h5
"$python" -c 'import h5py; f = h5py.File("initial.h5", "r+"); f["vorticity"][...] = 2 * f["vorticity"][...]'
expect 2 "another initial state under the same name does not pass for the same run" 'forced.h5' '--force' -- "$locum" simulate forced.yaml --out forced.h5
cp kept.h5 initial.h5

# stopped by the wall clock until it is done: each leg does a part, none repeats one
legs=0 code=75
while [ $code = 75 ] && [ $legs -lt 40 ]; do
    "$locum" simulate forced.yaml --out stopped.h5 --set limits.wall_time=$((legs + 1))e-1 >"$work/screen" 2>&1
    code=$?
    legs=$((legs + 1))
    [ $code = 75 ] && stopped_once=1
done
claim "a run that is stopped with code 75 ends with 0 at last ($legs legs)" test $code = 0 -a -n "${stopped_once-}"
same='
import h5py, sys
with h5py.File(sys.argv[1]) as a, h5py.File(sys.argv[2]) as b:
    names = []
    a.visititems(lambda n, o: names.append(n) if isinstance(o, h5py.Dataset) else None)
    assert len(names) > 5
    for n in names:
        if n.endswith("/facts"): # who made it, when, on how many ranks
            continue
        x, y = a[n][()], b[n][()]
        assert x.dtype == y.dtype and getattr(x, "tobytes", lambda: x)() == getattr(y, "tobytes", lambda: y)(), n
'
claim "restart = continuous, bit for bit" "$python" -c "$same" forced.h5 stopped.h5
claim "no restart file is left" bash -c '! ls stopped.h5.* 2>/dev/null | grep -q .'
expect 0 "two ranks" -- on_ranks 2 "$locum" simulate forced.yaml --out two.h5
claim "two ranks: the same bits" "$python" -c "$same" forced.h5 two.h5

# a failure on the way: nothing is lost, nothing poisoned is committed
sum=$(sha256sum forced.h5)
LOCUM_FAILPOINTS=ns_nan@300=nan expect 1 "a solution that is not finite stops at once, naming step, time and field" 'step 300' 't = 1.5' 'vorticity' \
    -- "$locum" simulate forced.yaml --out poisoned.h5
claim "what is not finite is not committed" test ! -e poisoned.h5
claim "the earlier file is what it was" test "$sum" = "$(sha256sum forced.h5)"
finish
