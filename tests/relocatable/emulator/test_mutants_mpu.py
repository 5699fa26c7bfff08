"""Damaged relocatable models on an emulated Cortex-M4 whose MPU opens only the file, the arena and the instance."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

import pytest

from tests.support.cross import CORES, LINK, START
from tests.support.paths import FIRMWARE, REPOSITORY
from tests.support.relocatable_mutants import mutant, sound_files
from tests.support.scale import scaled

RELOCATABLE = FIRMWARE / "relocatable"
SUPPORT = REPOSITORY / "tests" / "support"
SOUND = sound_files()
BATCHES, BATCH = scaled(1, 4), scaled(500, 5000)
FAULT = 99


def built(folder: Path, *defines: str) -> Path:
    """The program as an image."""
    out = folder / "mutants.elf"
    sources = [SUPPORT / "relocatable_mpu.c", RELOCATABLE / "tinyhil_relocatable.c", RELOCATABLE / "tinyhil_hash.c"]
    flags = [*CORES["cortex-m4"], "-std=c11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", *defines]
    command = ["arm-none-eabi-gcc", *flags, f"-I{RELOCATABLE}", f"-I{SUPPORT}", START, *sources, *LINK, "-o", out]
    subprocess.run(command, check=True, timeout=120)
    return out


def ran(image: Path, files: list[tuple[bytes, bytes | None]]) -> tuple[int, str]:
    """The exit code and what it prints, given (file, weights) of each."""
    packed = [struct.pack("<I", len(files))]
    for file, weights in files:
        held = weights or b""
        packed.append(struct.pack("<III", len(file), len(held), weights is not None))
        packed += [file, bytes(-len(file) % 4), held, bytes(-len(held) % 4)]
    data = image.parent / "files.bin"
    data.write_bytes(b"".join(packed))
    assert data.stat().st_size <= 1 << 24
    command = ["qemu-system-arm", "-machine", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "none"]
    command += ["-chardev", "stdio,id=said", "-semihosting-config", "enable=on,target=native,chardev=said"]
    command += ["-kernel", str(image), "-device", f"loader,file={data},addr=0x21000000,force-raw=on"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Path:
    return built(tmp_path_factory.mktemp("mutants"))


def test_sound_files_are_taken(image):
    code, told = ran(image, [(one.file, one.weights) for one in SOUND] * 3)
    assert code == 0 and "12 tried, 11 described, 11 installed" in told, f"one lies at 4 and needs 16: {told}"


@pytest.mark.parametrize("batch", range(BATCHES))
def test_damaged_files_touch_nothing_else(image, batch):
    mutants = [mutant(SOUND, batch * BATCH + index) for index in range(BATCH)]
    code, told = ran(image, [(one.file, one.weights) for one in mutants])
    assert code == 0, f"a fault after {told}"
    found = re.search(r"(\d+) tried, (\d+) described, (\d+) installed", told)
    assert found
    tried, described, installed = map(int, found.groups())
    assert tried == BATCH and described > installed > BATCH // 20, told


@pytest.mark.parametrize("way", [1, 2, 3])
def test_the_guard_stops_what_leaves_its_place(tmp_path, way):
    code, told = ran(built(tmp_path, f"-DSABOTAGE={way}"), [(SOUND[0].file, None)])
    assert code == FAULT, told
