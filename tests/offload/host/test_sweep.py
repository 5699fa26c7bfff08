"""All accelerators and memories: what goes together, what is refused, and which points no other beats."""

from __future__ import annotations

import pytest

from harness.errors import OptionError
from harness.ethosu.accelerators import ACCELERATORS
from harness.ethosu.vela import VelaOptions
from harness.offload.compilation import ONLY_COMPILED, configuration_of
from harness.offload.running import NpuRequest
from harness.offload.subject import read_subject
from harness.offload.sweep import choices, sweep
from harness.validate.card import RandomVectors
from tests.support.paths import FIXTURES

SIMULATED = [one.name for one in ACCELERATORS]


def quiet(what, done, total):
    """No progress."""


@pytest.fixture(scope="module")
def found():
    request = NpuRequest(VelaOptions(memory_mode="Sram_Only"), RandomVectors(random=1))
    names = ("ethos-u55-64", "ethos-u55-256", "ethos-u85-128")
    return sweep(read_subject(FIXTURES / "residual.tflite"), request, names, False, quiet)


def test_every_choice_goes_together_and_only_these_are_there():
    known = configuration_of(VelaOptions())
    every = choices(VelaOptions(), (), True, known)
    assert len(set(every)) == len(every)
    assert {one.accelerator for one in every} == {*SIMULATED, *ONLY_COMPILED}
    for one in every:
        if one.accelerator in SIMULATED:
            known.chosen(one.accelerator, one.system_config, one.memory_mode)
    u55 = [one for one in every if one.accelerator == "ethos-u55-128"]
    assert len(u55) == 2 * 2 * 2, "systems, modes and goals"
    assert sum(one.accelerator == "ethos-u85-128" for one in every) == 1, "unless it is named"
    assert len(choices(VelaOptions(), ("ethos-u85-128",), False, known)) > 10


def test_what_is_named_is_kept():
    known = configuration_of(VelaOptions())
    kept = choices(VelaOptions(memory_mode="Shared_Sram", optimise="Size"), SIMULATED, False, known)
    assert {(one.memory_mode, one.optimise) for one in kept} == {("Shared_Sram", "Size")}
    assert {one.accelerator for one in kept} == set(SIMULATED)


def test_what_does_not_go_together_is_refused():
    request = NpuRequest(VelaOptions(memory_mode="Dedicated_Sram"), None)
    with pytest.raises(OptionError, match="no combination of ethos-u55-32, Dedicated_Sram"):
        sweep(read_subject(FIXTURES / "residual.tflite"), request, ("ethos-u55-32",), False, quiet)


def test_points_are_ordered_and_the_best_are_marked(found):
    times = [point.seconds for point in found.points if point.seconds is not None]
    assert times == sorted(times) and len(times) == 4
    assert found.points[0].best and found.points[0].options.accelerator == "ethos-u55-256"
    best = {point.options.accelerator for point in found.points if point.best}
    assert "ethos-u55-64" in best, "slower, and with fewer multipliers"
    assert not all(point.best for point in found.points), "the slow clock is worse in all"
    rest = [point for point in found.points if point.seconds is None]
    assert rest and {point.options.accelerator for point in rest} == {"ethos-u85-128"}
    assert all(point.run.check.compared and not point.run.check.differing for point in found.points[: len(times)])


def test_a_refusal_is_a_point_with_its_reason():
    request = NpuRequest(VelaOptions(optimise="Nothing"), None)
    (point,) = sweep(
        read_subject(FIXTURES / "residual.tflite"),
        NpuRequest(VelaOptions(system_config="Ethos_U55_Deep_Embedded", memory_mode="Sram_Only", optimise="No"), None),
        ("ethos-u55-32",),
        False,
        quiet,
    ).points
    assert point.run is None and "Vela does not compile it for ethos-u55-32" in point.refused
    with pytest.raises(OptionError, match="ethos-u1"):
        sweep(read_subject(FIXTURES / "residual.tflite"), request, ("ethos-u1",), False, quiet)
