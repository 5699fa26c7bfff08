"""Two slots on emulated flash: whatever cuts an update, the old file or the new one is there, whole."""

from __future__ import annotations

import hashlib
import zlib

import numpy as np
import pytest

from tests.support import slots
from tests.support.scale import scaled
from tests.support.slots import EmulatedFlash, Geometry, Slots

GEOMETRIES = (
    Geometry(128, 1, 4),
    Geometry(64, 2, 6),
    Geometry(256, 4, 3, corrects=True),
    Geometry(256, 8, 3, corrects=True),
    Geometry(512, 16, 1, corrects=True),
    Geometry(1024, 32, 2, corrects=True),
    Geometry(1024, 4, 1),
    Geometry(32, 4, 20),
)
POINTS = 200


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return slots.library(tmp_path_factory.mktemp("slots"))


def a_file(geometry, rng):
    """Of any size that fits, up to the last byte; often with a tail as erased flash is."""
    size = int(rng.choice((1, geometry.word, geometry.room - 1, geometry.room, rng.integers(1, geometry.room + 1))))
    data = bytearray(rng.bytes(size))
    if rng.integers(4) == 0:
        data[size // 2 :] = b"\xff" * (size - size // 2)
    return bytes(data)


def power_on(library, flash):
    """The program begins anew: nothing but the flash is kept."""
    flash.cut_after(-1)
    return Slots(library, flash)


def operations(library, geometry, seed, data):
    """How often an update of a flash that holds two files already programs and erases."""
    flash = EmulatedFlash(geometry, np.random.default_rng(seed))
    device = power_on(library, flash)
    assert device.install(data) == slots.OK and device.install(data) == slots.OK
    flash.cut_after(-1)
    assert device.install(data) == slots.OK
    return flash.done


def check_cut(library, geometry, seed, at, new):
    """One update that is cut, another that is cut while the first is made up for, and one that is not."""
    rng = np.random.default_rng(seed)
    flash = EmulatedFlash(geometry, rng)
    old = a_file(geometry, rng)
    device = power_on(library, flash)
    for data in (a_file(geometry, rng), old)[int(rng.integers(2)) :]:
        assert device.install(data) == slots.OK
    whole = [old]
    for cut, data in ((at, new), (int(rng.integers(at + 1)), a_file(geometry, rng))):
        flash.cut_after(cut)
        told = device.install(data)
        device = power_on(library, flash)
        status, found = device.active()
        assert status == slots.OK and found in (whole[-1], data), (geometry, seed, at)
        assert told != slots.OK or found == data, "what was told to be there is there"
        whole.append(found)
    last = a_file(geometry, rng)
    assert device.install(last) == slots.OK
    assert power_on(library, flash).active() == (slots.OK, last)
    assert not flash.wrong, flash.wrong


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_a_cut_at_any_point_leaves_the_old_file_or_the_new_one(library, geometry):
    for point in range(scaled(POINTS, 20 * POINTS) // len(GEOMETRIES)):
        rng = np.random.default_rng((16, point))
        new = a_file(geometry, rng)
        count = operations(library, geometry, point, new)
        check_cut(library, geometry, point, int(rng.integers(count)), new)


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_a_cut_at_every_operation_of_a_short_update(library, geometry):
    rng = np.random.default_rng(3)
    new = rng.bytes(min(3 * geometry.word + 1, geometry.room))
    for at in range(operations(library, geometry, 3, new)):
        for seed in range(scaled(1, 40)):
            check_cut(library, geometry, seed, at, new)


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_a_revert_that_is_cut_leaves_one_of_the_two(library, geometry):
    for seed in range(scaled(5, 400)):
        rng = np.random.default_rng(seed)
        flash = EmulatedFlash(geometry, rng)
        device = power_on(library, flash)
        first, second = a_file(geometry, rng), a_file(geometry, rng)
        if first == second:
            continue  # of one byte: they could not be told apart
        assert device.install(first) == slots.OK and device.revert() == slots.NONE
        assert device.install(second) == slots.OK
        flash.cut_after(0)
        assert device.revert() == slots.FLASH
        device = power_on(library, flash)
        status, found = device.active()
        assert status == slots.OK and found in (first, second)
        if found == second:
            assert device.revert() == slots.OK
        assert device.active() == (slots.OK, first) and device.revert() == slots.NONE
        assert device.install(second) == slots.OK and device.active() == (slots.OK, second)


def test_files_follow_each_other_for_long(library):
    geometry = GEOMETRIES[7]
    flash = EmulatedFlash(geometry, np.random.default_rng(0))
    device = power_on(library, flash)
    assert device.active()[0] == slots.NONE
    for number in range(20):
        data = bytes([number]) * (number + 1)
        assert device.install(data, chunk=1 + number) == slots.OK
        assert device.active() == (slots.OK, data)
    assert not flash.wrong


def test_what_cannot_be_is_refused(library):
    geometry = GEOMETRIES[3]
    flash = EmulatedFlash(geometry, np.random.default_rng(0))
    device = power_on(library, flash)
    assert device.install(b"old") == slots.OK
    assert device.begin(geometry.room + 1) == device.begin(0) == slots.SIZE
    assert device.write(b"x") == device.finish() == slots.ORDER
    assert device.begin(5) == slots.OK
    assert device.write(b"123") == slots.OK and device.write(b"456") == slots.SIZE and device.finish() == slots.ORDER
    assert device.begin(5) == slots.OK and device.write(b"1234") == slots.OK and device.finish() == slots.SIZE
    assert device.begin(5) == slots.OK and device.write(b"12345") == slots.OK
    assert device.finish(accept=False) == slots.REFUSED
    assert device.active() == (slots.OK, b"old")
    assert device.begin(5) == slots.OK and device.write(b"12345") == slots.OK
    assert device.finish(accept=True) == slots.OK and device.active() == (slots.OK, b"12345")


def test_a_file_that_decayed_is_not_run(library):
    geometry = GEOMETRIES[0]
    flash = EmulatedFlash(geometry, np.random.default_rng(0))
    device = power_on(library, flash)
    assert device.install(b"first") == device.install(b"second") == slots.OK
    flash.bytes[geometry.addresses[1]] ^= 4
    assert device.active() == (slots.OK, b"first")
    flash.bytes[geometry.addresses[0]] ^= 4
    assert device.active()[0] == slots.NONE


def test_a_word_that_was_not_programmed_as_told_is_found(library):
    geometry = GEOMETRIES[2]
    flash = EmulatedFlash(geometry, np.random.default_rng(0))
    device = power_on(library, flash)
    assert device.install(b"old") == slots.OK
    assert device.begin(8) == slots.OK and device.write(b"12345678") == slots.OK
    flash.bytes[geometry.addresses[1]] ^= 1
    assert device.finish() == slots.FLASH and device.active() == (slots.OK, b"old")


@pytest.mark.parametrize("change", [
    {"word_bytes": 0}, {"word_bytes": 3}, {"word_bytes": 64}, {"page_bytes": 16}, {"page_bytes": 260},
])  # fmt: skip
def test_a_flash_that_cannot_be_is_refused(library, change):
    flash = EmulatedFlash(GEOMETRIES[3], np.random.default_rng(0))
    device = power_on(library, flash)
    for name, value in change.items():
        setattr(device.slots.flash[0], name, value)
    assert device.active()[0] == device.begin(1) == device.revert() == slots.GEOMETRY
    assert not flash.done


@pytest.mark.parametrize(
    ("addresses", "size"),
    [((0, 0), 768), ((0, 512), 768), ((512, 0), 768), ((0, 769), 768), ((0, 1024), 0), ((0, 1024), 700),
     ((0, 0xFFFFFF00), 768)],
)  # fmt: skip
def test_slots_that_overlap_or_leave_the_flash_are_refused(library, addresses, size):
    device = power_on(library, EmulatedFlash(GEOMETRIES[3], np.random.default_rng(0)))
    device.slots.address[:], device.slots.bytes = addresses, size
    assert device.active()[0] == slots.GEOMETRY


def test_the_hashes_are_those_of_the_standards(library):
    rng = np.random.default_rng(0)
    for size in (*range(130), 1000, 4096, 5003):
        data = rng.bytes(size)
        assert library.tinyhil_crc32(0, data, size) & 0xFFFFFFFF == zlib.crc32(data)
        half = library.tinyhil_crc32(0, data, size // 2)
        assert library.tinyhil_crc32(half, data[size // 2 :], size - size // 2) & 0xFFFFFFFF == zlib.crc32(data)
        words = (slots.ctypes.c_uint32 * 8)()
        library.tinyhil_sha256(data, size, words)
        assert bytes(words) == hashlib.sha256(data).digest(), size
