#!/bin/sh
# Set up what a make target needs: setup.sh demo|test|lint [VENV]
#   demo  the package in VENV, arm-none-eabi-gcc, QEMU
#   test  the same, the tests' packages, native compilers for the host board
#   lint  the package and the tests' packages only
# Missing programs are installed through apt (as root or with sudo); elsewhere it tells what to install and stops.
set -eu

goal=${1:-demo}
venv=${2:-.venv}
cd "$(dirname "$0")/.."

say() { printf '==> %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 3; }
have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        sudo "$@"
    else
        return 126
    fi
}

apt_updated=no
apt_install() {
    if ! have apt-get; then
        die "missing: $*
  Debian, Ubuntu: sudo apt-get install $*
  Fedora:         sudo dnf install python3 gcc clang arm-none-eabi-gcc-cs arm-none-eabi-newlib qemu-system-arm
  Arch:           sudo pacman -S python gcc clang arm-none-eabi-gcc arm-none-eabi-newlib qemu-system-arm
  macOS:          brew install python qemu && brew install --cask gcc-arm-embedded
Install them and run this again."
    fi
    say "Installing with apt: $*"
    if [ $apt_updated = no ]; then
        as_root apt-get update -qq || say "apt-get update failed; trying with the package lists that are there"
        apt_updated=yes
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null \
        || die "could not install: $*
  Not root, and no sudo without a password here, or apt failed (see above). Run:
      sudo apt-get update && sudo apt-get install $*
  and then the same command again."
}

# --- programs --------------------------------------------------------------------------------------------------------

if [ "$goal" != lint ]; then
    packages=""
    # newlib gives the compiler its headers and libgcc's companions; a bare gcc-arm-none-eabi lacks them.
    if ! have arm-none-eabi-gcc \
        || ! echo '#include <string.h>' | arm-none-eabi-gcc -mcpu=cortex-m7 -x c -fsyntax-only - 2>/dev/null; then
        packages="$packages gcc-arm-none-eabi libnewlib-arm-none-eabi"
    fi
    have qemu-system-arm || packages="$packages qemu-system-arm"
    if [ "$goal" = test ]; then
        have gcc || packages="$packages gcc libc6-dev"
        have clang || packages="$packages clang"
    fi
    # shellcheck disable=SC2086
    [ -z "$packages" ] || apt_install $packages
fi

# --- python ----------------------------------------------------------------------------------------------------------

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

if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    python=$(find_python) || { apt_install python3 python3-venv; python=$(find_python); } \
        || die "no Python 3.11 or newer found; install one, or name it: make PYTHON=/path/to/python3 ..."
    if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
        apt_install "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    fi
    say "Creating $venv with $("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

extra=""
[ "$goal" = demo ] || extra="[test]"
# Installed anew only when the requirements changed; the package itself is editable.
stamp="$venv/.tinyhil$extra"
sum=$(cksum < pyproject.toml)
if [ "$(cat "$stamp" 2>/dev/null)" != "$sum $PWD" ]; then
    say "Installing tinyhil$extra and its requirements into $venv (about a minute)"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable ".$extra" \
        || die "pip could not install tinyhil$extra; its messages above say why"
    printf '%s\n' "$sum $PWD" > "$stamp"
fi
