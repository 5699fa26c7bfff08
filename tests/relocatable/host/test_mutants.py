"""Damaged relocatable models under the sanitizers: the runtime refuses them, or uses nothing beyond file and arena."""

from __future__ import annotations

import struct
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from harness.build import find
from tests.support.paths import FIRMWARE, REPOSITORY
from tests.support.relocatable_mutants import Mutant, mutant, sound_files
from tests.support.scale import scaled
from tests.support.slots import CHECKS

RELOCATABLE = FIRMWARE / "relocatable"
SUPPORT = REPOSITORY / "tests" / "support"
SOUND = sound_files()
BATCHES, BATCH = 4, scaled(500, 5000)
OK, BAD_ARENA = 0, 76


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("mutants") / "try"
    sources = [SUPPORT / "relocatable_host.c", RELOCATABLE / "tinyhil_relocatable.c", RELOCATABLE / "tinyhil_hash.c"]
    checks = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    command = [find("host").cc, *CHECKS, *checks, f"-I{RELOCATABLE}", f"-I{SUPPORT}"]
    subprocess.run([*command, *sources, "-o", out], check=True, timeout=120)
    return out


def said(program: Path, files: list[Mutant]) -> list[tuple[int, ...]]:
    """(describe, check of bounds, CRC and SHA-256, install) of each."""
    records = b"".join(
        struct.pack("<III", len(one.file), len(one.weights or b""), one.weights is not None)
        + one.file
        + (one.weights or b"")
        for one in files
    )
    done = subprocess.run([program], input=records, capture_output=True, timeout=300)
    lines = done.stdout.decode().splitlines()
    damaged = files[len(lines)].how if len(lines) < len(files) else "all"
    assert done.returncode == 0, f"{len(lines)}: {damaged}\n{done.stderr.decode()}"
    return [tuple(map(int, line.split())) for line in lines]


def unchanged(one: Mutant) -> bool:
    """Whether what was done to the file changed nothing of what it says."""
    return any(
        one.file.startswith(sound.file) and (one.weights or b"").startswith(sound.weights or b"") for sound in SOUND
    )


def test_sound_files_are_taken(program):
    whole = [Mutant(one.file, one.weights, "", True) for one in SOUND]
    assert said(program, whole) == [(OK,) * 5] * len(SOUND)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_damaged_files_are_refused_or_harmless(program, batch):
    mutants = [mutant(SOUND, batch * BATCH + index) for index in range(BATCH)]
    found = said(program, mutants)
    counts = Counter(row[-1] for row in found)
    for one, (described, bounds, crc, sha, installed) in zip(mutants, found, strict=True):
        assert described == OK or bounds == crc == sha == installed != OK, one.how
        assert bounds == OK or bounds == crc == sha, "what is refused with less to check is refused with more"
        assert crc in (OK, sha), one.how
        assert installed == sha or (sha == OK and installed == BAD_ARENA), one.how
        assert one.hashed or sha != OK or unchanged(one), f"a hash should have told: {one.how}"
    assert counts[OK] > BATCH // 100, "some are right all the same, so that all is reached"
    assert len(counts) > 8, "most reasons to refuse occur"
