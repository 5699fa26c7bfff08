#!/bin/sh
# Set up what a make target needs: setup.sh demo|test|lint|tflite-runtime|frameworks [VENV]
#   demo  the package in VENV, arm-none-eabi-gcc, QEMU
#   test  the same, the tests' packages, PyTorch, native compilers, CMake, Chromium with axe-core, Fashion-MNIST, Arm's builds
#         of TFLM, labgrid and tflite-runtime, these two in environments of their own
#   lint  the package and the tests' packages only
#   tflite-runtime  LiteRT's predecessor in an environment of its own, VENV/tflite-runtime, and nothing else
#   frameworks  PyTorch and Keras in an environment of their own, VENV/frameworks, and nothing else (for `make test-long`)
# Missing programs are installed through apt (as root or with sudo); elsewhere it tells what to install and stops.
set -eu

goal=${1:-demo}
venv=${2:-.venv}
cd "$(dirname "$0")/.."

say() { printf '==> %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 3; }
have() { command -v "$1" >/dev/null 2>&1; }

# How to become root: "" (already), "sudo", or "no".
root=no
if [ "$(id -u)" = 0 ]; then
    root=""
elif have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    root=sudo
fi

apt_install() {
    if ! have apt-get; then
        die "missing: $*
  Debian, Ubuntu: sudo apt-get install $*
  Fedora:         sudo dnf install python3 gcc gcc-c++ clang cmake make chromium compiler-rt arm-none-eabi-gcc-cs arm-none-eabi-newlib qemu-system-arm
  Arch:           sudo pacman -S python gcc clang cmake make chromium arm-none-eabi-gcc arm-none-eabi-newlib qemu-system-arm
  macOS:          brew install python qemu cmake && brew install --cask gcc-arm-embedded
Install them and run this again."
    fi
    if [ "$root" = no ]; then
        die "missing programs, and no right to install them (not root, and no sudo). Let somebody who may run
  sudo apt-get update && sudo apt-get install $*
and then give the same command again. Nothing was changed."
    fi
    say "Installing with apt: $*"
    $root apt-get update -qq || say "apt-get update failed; trying with the package lists that are there"
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null \
        || die "apt could not install them (its messages are above). Mend that, or install them by hand:
  sudo apt-get update && sudo apt-get install $*
and then give the same command again."
}

find_python() {
    for name in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        [ -n "$name" ] && have "$name" || continue
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$name"
            return 0
        fi
    done
    return 1
}

usable() { [ -x "$1/bin/python" ] && "$1/bin/python" -m pip --version >/dev/null 2>&1; }

# --- programs --------------------------------------------------------------------------------------------------------

# All that is missing is found out first: one call of apt, or one message.
packages=""
if [ "$goal" = demo ] || [ "$goal" = test ]; then
    # newlib gives the compiler its headers and libgcc's companions; a bare gcc-arm-none-eabi lacks them.
    if ! have arm-none-eabi-gcc \
        || ! echo '#include <string.h>' | arm-none-eabi-gcc -mcpu=cortex-m7 -x c -fsyntax-only - 2>/dev/null; then
        packages="$packages gcc-arm-none-eabi libnewlib-arm-none-eabi"
    fi
    have qemu-system-arm || packages="$packages qemu-system-arm"
    if [ "$goal" = test ]; then
        echo '#include <string.h>' | gcc -x c -fsyntax-only - 2>/dev/null || packages="$packages gcc libc6-dev"
        have clang || packages="$packages clang"
        # Generated packages are used from C++, make and CMake, as users do.
        have g++ || packages="$packages g++"
        have cmake || packages="$packages cmake"
        have make || packages="$packages make"
        # The HTML report is looked at in a browser; Ubuntu's package is only a pointer to a snap.
        have chromium || have google-chrome || grep -q '^ID=ubuntu' /etc/os-release 2>/dev/null \
            || packages="$packages chromium"
        # Pictures that an example is trained on; where there is no Debian package its tests are skipped.
        [ -d /usr/share/datasets/fashion-mnist ] || ! have apt-get || packages="$packages dataset-fashion-mnist"
    fi
fi
if ! usable "$venv"; then
    if ! python=$(find_python); then
        packages="$packages python3 python3-venv"
    elif ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
        # Debian's python3 comes without; the package's name carries the version.
        packages="$packages $("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    fi
fi
# shellcheck disable=SC2086
[ -z "$packages" ] || apt_install $packages

# --- python ----------------------------------------------------------------------------------------------------------

make_venv() { # PYTHON FOLDER
    say "Creating $2 with $("$1" --version)"
    rm -rf "$2"
    "$1" -m venv "$2"
}

# Installs anew only when what is asked for changed.
install() { # FOLDER STAMP SUM WHAT PIP-ARGUMENTS...
    folder=$1 stamp=$1/$2 sum=$3 what=$4
    shift 4
    [ "$(cat "$stamp" 2>/dev/null)" != "$sum" ] || return 0
    say "Installing $what into $folder (about a minute)"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@" \
        || die "pip could not install $what; its messages above say why"
    printf '%s\n' "$sum" > "$stamp"
}

if [ "$goal" != tflite-runtime ] && [ "$goal" != frameworks ]; then
    if ! usable "$venv"; then
        python=$(find_python) || die "no Python 3.11 or newer found; install one, or name it: make PYTHON=/path/to/python3 ..."
        make_venv "$python" "$venv"
    fi
    extra=""
    [ "$goal" = demo ] || extra="[test]"
    # The package itself is editable.
    install "$venv" ".tinyhil$extra" "$(cksum < pyproject.toml) $PWD" "tinyhil$extra and its requirements" --editable ".$extra"
fi

if [ "$goal" = test ]; then
    # One script of this package is taken, so without the packages that it needs.
    list=tests/axe.txt
    install "$venv" .axe "$(cksum < "$list")" "axe-core" --no-deps --requirement "$list"
    # What networks are trained and searched with; pip takes the build for the CPU where its index has one.
    list=tests/search.txt
    install "$venv" .search "$(cksum < "$list")" "PyTorch and Optuna (200 MB to load)" --requirement "$list"
    # labgrid's fork of pyserial would replace pyserial: in an environment of its own, where `tinyhil farm` looks for it.
    usable "$venv/labgrid" || make_venv "$venv/bin/python" "$venv/labgrid"
    list=harness/data/labgrid.txt
    install "$venv/labgrid" .tinyhil "$(cksum < "$list")" "labgrid" --requirement "$list"
fi

if [ "$goal" = test ]; then
    # Where the package index does not have it, tests of TFLM live are skipped.
    list=tests/tflm-live.txt
    (install "$venv" .tflm-live "$(cksum < "$list")" "TFLM for the Cortex-M55 (10 MB)" --no-deps --requirement "$list") \
        || say "Without mlia-ethos-u; tests of TFLM live will be skipped"
fi

if [ "$goal" = test ] || [ "$goal" = tflite-runtime ]; then
    # It ended with Python 3.11 and needs numpy 1: nothing to install beyond, and never beside the rest.
    python="$venv/bin/python"
    usable "$venv" || python=$(find_python)
    if "$python" -c 'import sys; sys.exit(sys.version_info >= (3, 12) or sys.platform != "linux")'; then
        second="$venv/tflite-runtime"
        usable "$second" || make_venv "$python" "$second"
        list=tests/tflite-runtime.txt
        install "$second" .tinyhil "$(cksum < "$list")" "tflite-runtime" --requirement "$list"
    fi
fi

if [ "$goal" = frameworks ]; then
    # 1.3 GB, with PyTorch's build for the CPU; PyPI's for Linux brings CUDA, 5 GB. pip's own PIP_EXTRA_INDEX_URL names
    # another index.
    python="$venv/bin/python"
    usable "$venv" || python=$(find_python) || die "no Python 3.11 or newer found"
    usable "$venv/frameworks" || make_venv "$python" "$venv/frameworks"
    list=tests/frameworks.txt
    install "$venv/frameworks" .tinyhil "$(cksum < "$list")" "PyTorch and Keras" --requirement "$list"
fi
