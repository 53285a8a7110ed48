# packages.sh - sourced by scripts/quickstart and scripts/test: what a fresh Debian 12 machine must have, and how it gets it.
PACKAGES_STUDY="gcc libc6-dev cmake make pkg-config libopenmpi-dev openmpi-bin libhdf5-openmpi-dev libfftw3-dev libyaml-dev
    libopenblas-dev librandom123-dev libxxhash-dev gnuplot-nox"
PACKAGES_TEST="libpetsc-real-dev libdnnl-dev gfortran shellcheck g++ clang clang-format libclang-rt-14-dev libcunit1-dev netcdf-bin python3 python3-venv binutils procps"

# packages_missing NAME...: those that dpkg does not know as installed
packages_missing() {
    for p in "$@"; do
        dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$p"
    done
}

# packages_install NAME...: installs what is missing; as root, or through sudo
packages_install() {
    missing=$(packages_missing "$@")
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "not a Debian machine; please install what corresponds to: $missing" >&2
        return 1
    fi
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    echo "installing: $missing"
    $sudo apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# Open MPI refuses to run as root, as in containers, unless told twice
if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
