#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# symbols.sh - reads the symbol tables of what was built:
#   - an object file of a library exports only names that begin with locum_ (cli/ is a program, its names are free)
#   - no writable global or static variable, but in status.c, log.c, failpoint.c (testing builds) and cli/signal.c
#   - no ifunc (the choice of kernels is ours, at run time)
#   - liblocum.so, if it was built: exports the same way, and needs libc and libm alone
#
#     symbols.sh BUILD_FOLDER        exit code 1 if there is a violation, 77 (skipped) for a sanitizer build
#     symbols.sh --self-test         compiles planted violations and must find each
set -u

# one line a fault: "file: symbol: what is wrong"; const tables with addresses (.data.rel.ro) are not writable once loaded
faults_of_object() { # object, shown name
    case "$2" in
    *status.c* | *log.c* | *failpoint.c* | *cli*signal.c*) may_write=1 ;;
    *) may_write=0 ;;
    esac
    case "$2" in
    cli/* | */cli/*) free_names=1 ;;
    *) free_names=0 ;;
    esac
    LC_ALL=C objdump -t "$1" | awk -v file="$2" -v may_write=$may_write -v free_names=$free_names '
        /^[0-9a-f]+ / {
            flags = substr($0, index($0, " ") + 1, 7)
            rest = substr($0, index($0, " ") + 9)
            split(rest, field, /[ \t]+/)
            section = field[1]; name = field[3]
            if (field[3] == ".hidden" || field[3] == ".protected" || field[3] == ".internal") name = field[4]
            scope = substr(flags, 1, 1); weak = substr(flags, 2, 1); kind = substr(flags, 5, 1); own = substr(flags, 6, 1)
            if (section == "*UND*" || section == "*ABS*" || own != " ") next # absent here; file names; section names
            if ((scope ~ /[gu!]/ || weak == "w" || section == "*COM*") && name !~ /^locum_/ && !free_names)
                print file ": " name ": an exported name must begin with locum_"
            if (kind == "i") print file ": " name ": ifunc"
            if ((section ~ /^\.(data|bss|tbss|tdata|ldata|lbss)/ && section !~ /^\.data\.rel\.ro/ || section == "*COM*") && !may_write)
                print file ": " name ": a writable variable (" section ")"
        }'
}

faults_of_shared() { # shared library
    nm -D --defined-only "$1" | awk -v file="$1" '$2 ~ /[A-Z]/ && $3 !~ /^locum_/ { print file ": " $3 ": an exported name must begin with locum_" }'
    LC_ALL=C readelf -d "$1" | awk -v file="$1" '/NEEDED/ && !/\[libc\.so|\[libm\.so/ { print file ": needs " $NF ", only libc and libm are allowed" }'
}

check_build() {
    if grep -q '^LOCUM_SANITIZE:BOOL=\(ON\|1\|TRUE\)' "$1/CMakeCache.txt" 2>/dev/null; then
        echo "symbols: skipped, a sanitizer build has symbols of its own"
        return 77
    fi
    list=$(mktemp) && out=$(mktemp) || return 1
    for room in core surrogate solvers datasets cli; do
        [ -d "$1/$room" ] && find "$1/$room" -name '*.c.o' -type f
    done | sort >"$list"
    while read -r object; do
        # build/core/CMakeFiles/locum_core.dir/status.c.o -> core/status.c
        shown=$(echo "${object#"$1"/}" | sed 's|CMakeFiles/[^/]*\.dir/||; s|\.o$||')
        faults_of_object "$object" "$shown"
    done <"$list" >"$out"
    find "$1" -name 'liblocum.so' -exec readlink -f {} \; | while read -r library; do faults_of_shared "$library"; done >>"$out"
    cat "$out"
    objects=$(wc -l <"$list")
    faults=$(wc -l <"$out")
    rm -f "$list" "$out"
    echo "symbols: $objects object files, $faults faults"
    [ "$objects" -gt 0 ] && [ "$faults" -eq 0 ]
}

expect() { # file name, source, text that must be found ("" = no fault), compiler flags
    file=$1
    source=$2
    text=$3
    shift 3
    printf '%s\n' "$source" >"$scratch/$file"
    ${CC:-cc} -std=gnu11 "$@" -c "$scratch/$file" -o "$scratch/$file.o" || exit 1
    found=$(faults_of_object "$scratch/$file.o" "core/$file")
    if [ -z "$text" ] && [ -z "$found" ]; then return; fi
    if [ -n "$text" ] && echo "$found" | grep -q -- "$text"; then return; fi
    echo "self-test: $file: expected '$text', found '$found'"
    failed=1
}

self_test() {
    scratch=$(mktemp -d) && failed=0
    for flags in "-O0" "-O2 -fPIC" "-O2 -fPIC -fvisibility=hidden" "-O0 -fcommon"; do
        expect clean.c 'static const int table[3] = {1, 2, 3}; static const char *const names[] = {"a", "b"};
            const char *locum_name(int i); const char *locum_name(int i) { static const char *const more[] = {"c"}; return i ? names[table[i]] : more[0]; }' "" $flags
        expect name.c 'int helper(void); int helper(void) { return 1; }' "helper: an exported name" $flags
        expect data.c 'int locum_counter = 3;' "locum_counter: a writable variable" $flags
        expect zero.c 'int locum_zero;' "locum_zero: a writable variable" $flags
        expect static.c 'int locum_next(void); int locum_next(void) { static int calls; return ++calls; }' "calls.*: a writable variable" $flags
        expect local.c 'static int state = 5; int locum_step(void); int locum_step(void) { return ++state; }' "state: a writable variable" $flags
        expect thread.c 'static _Thread_local int mine; int locum_mine(void); int locum_mine(void) { return ++mine; }' "mine: a writable variable" $flags
        expect pointer.c 'static const char *name = "a"; void locum_set(const char *n); void locum_set(const char *n) { name = n; }
            const char *locum_get(void); const char *locum_get(void) { return name; }' "name: a writable variable" $flags
        expect status.c 'static _Thread_local int mine; int locum_mine(void); int locum_mine(void) { return ++mine; }' "" $flags
        expect weak.c '__attribute__((weak)) int other(void); int other(void) { return 1; }' "other: an exported name" $flags
        expect table.c 'const int other_table[2] = {1, 2};' "other_table: an exported name" $flags
    done
    if [ "$(uname -m)" = x86_64 ]; then
        expect ifunc.c 'static int a(void) { return 1; } static int (*pick(void))(void) { return a; }
            int locum_f(void) __attribute__((ifunc("pick")));' "ifunc" -O2 -fPIC
    fi
    printf 'double sin(double); double locum_s(double x); double locum_s(double x) { return sin(x); } int stray(void); int stray(void) { return 0; }\n' >"$scratch/so.c"
    printf 'int main(void) { return 0; }\n' >"$scratch/other.c"
    ${CC:-cc} -shared -fPIC "$scratch/other.c" -o "$scratch/libother.so" &&
        ${CC:-cc} -shared -fPIC "$scratch/so.c" -o "$scratch/liblocum.so" -Wl,--no-as-needed -L"$scratch" -lother -lm || exit 1
    found=$(faults_of_shared "$scratch/liblocum.so")
    for text in "stray: an exported name" "needs \[libother.so\]"; do
        echo "$found" | grep -q -- "$text" || { echo "self-test: shared library: '$text' not found in '$found'"; failed=1; }
    done
    [ "$(echo "$found" | wc -l)" -eq 2 ] || { echo "self-test: shared library: $found"; failed=1; }
    rm -rf "$scratch"
    [ $failed -eq 0 ] && echo "symbols self-test: passed"
}

case "${1:-}" in
--self-test) self_test ;;
"" | -*) echo "usage: symbols.sh BUILD_FOLDER | --self-test" >&2; exit 2 ;;
*) check_build "${1%/}" ;;
esac
