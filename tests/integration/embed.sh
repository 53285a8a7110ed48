#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# embed.sh BUILD_DIR SOURCE_DIR RUN [CC]: a host code that knows only the installed library: by pkg-config in an empty folder, and by its
# own CMake project. Both predict with the model of RUN.
. "$(dirname "$0")/lib.sh"
begin embed "" "$2" ""
build=$1 run=$3
CC=${4:-cc}
export CC
expect 0 "cmake --install" -- cmake --install "$build" --prefix "$work/prefix"
library=$(find prefix -name 'liblocum.so' | head -1)
claim "liblocum.so is installed" test -n "$library"
headers=$(cd prefix/include/locum && ls | tr '\n' ' ')
claim "only the stable headers are installed, those of plug-ins apart ($headers)" test "$headers" = "dev model.h status.h type.h "
claim "the program is installed and runs" prefix/bin/locum --version
readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort >needed
claim "liblocum.so needs libc and libm alone ($(tr '\n' ' ' <needed))" bash -c '! grep -qvE "^lib(c|m)\.so\.6$" needed'
libdir=$(dirname "$work/$library")
export PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir

mkdir outside && cp "$source_dir/tests/examples/embed/predict.c" outside/
in_outside() { (cd outside && bash -c "$1"); }
expect 0 "built in an empty folder by pkg-config, without a warning" '!warning' -- in_outside '$CC -std=c11 -Wall -Wextra predict.c $(pkg-config --cflags --libs locum) -o predict'
expect 0 "it predicts, and is warned of what lies far outside" 'energy = ' '90 % interval' 'out of its depth' -- outside/predict "$run/model.safetensors"
cp screen by_pkg_config
expect 1 "a missing model is an error with its name" 'nothing.safetensors' -- outside/predict nothing.safetensors
if in_outside 'pkg-config --static --libs locum' >/dev/null 2>&1; then
    expect 0 "built with the static library" -- in_outside "\$CC -std=c11 predict.c \$(pkg-config --cflags locum) $libdir/liblocum.a -lm -o predict_static"
    expect 0 "it predicts" 'energy = ' -- outside/predict_static "$run/model.safetensors"
    claim "static and shared: the same answer" cmp screen by_pkg_config
fi

cp -r "$source_dir/tests/examples/embed" project
expect 0 "its own CMake project finds the library" -- cmake -S project -B project/build -DCMAKE_PREFIX_PATH="$work/prefix"
expect 0 "and builds" '!warning' -- cmake --build project/build
expect 0 "it predicts" 'energy = ' -- project/build/predict "$run/model.safetensors"
claim "pkg-config and CMake: the same answer" cmp screen by_pkg_config
finish
