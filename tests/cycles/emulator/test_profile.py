"""The profiler on emulated boards: exact counts, nothing but layers, no effect on what runs."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from harness.boards import open_session
from harness.build import build_image
from harness.cycles.memory import CacheGeometry, Memory, MemorySystem
from harness.cycles.record import observable, record
from harness.cycles.replay import simulate
from harness.errors import ProfileError
from harness.units import Quantity, Unit
from harness.validate.measurement import measure
from harness.validate.workbench import Workbench
from tests.support.generated import random_inputs
from tests.support.paths import FIXTURES
from tests.support.profiled import build_profiled, run_profiled

ROUNDS = 1001


@pytest.fixture(scope="module", params=[False, True], ids=["quiet", "interrupted"])
def profiled(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("profiled")
    layout, counted, interrupts = run_profiled(build_profiled(folder, ROUNDS, request.param), folder)
    assert (interrupts > 50) == request.param, "interrupts come when they are to, and then many"
    return layout, counted


def test_a_loop_of_known_rounds_is_counted_exactly(profiled):
    layout, counted = profiled
    loop = counted[0]
    start = layout.layers[0]
    assert loop.counts == {
        start: 1, start + 4: ROUNDS, start + 6: ROUNDS, start + 8: ROUNDS, start + 10: ROUNDS, start + 12: 1
    }  # fmt: skip
    assert {pair: times for pair, times in loop.transfers.items() if pair[0] == start + 10} == {
        (start + 10, start + 4): ROUNDS - 1
    }
    assert [times for (source, _), times in loop.transfers.items() if source == start + 12] == [1], "the return"
    assert loop.accesses == {}


def test_loads_and_stores_are_told_apart_and_counted_by_part(profiled):
    layout, counted = profiled
    memory = counted[1]
    by_part = {}
    for (_, part), (loads, stores) in memory.accesses.items():
        had = by_part.get(part, (0, 0))
        by_part[part] = (had[0] + loads, had[1] + stores)
    odd = (ROUNDS + 1) // 2
    assert by_part == {
        "data": (3 * ROUNDS + odd, 0),
        "arena": (0, 3 * ROUNDS + odd),
        "other": (ROUNDS + 1, ROUNDS + 1),  # the stack, which this image has no section for
        "code": (2, 0),
    }
    assert all(min(pair) == 0 for pair in memory.accesses.values()), "no instruction here does both"
    assert sum(memory.counts.values()) == 4 + 14 * ROUNDS + 1, "what a condition keeps from happening counts as well"


def test_functions_that_a_handler_calls_too_count_for_the_layer_alone(profiled):
    layout, counted = profiled
    calls = counted[2]
    assert sum(calls.counts.values()) == 2 + ROUNDS * (1 + 4 + 2 * 2 + 2) + 1
    assert sorted(times for times in calls.transfers.values()) == [1, ROUNDS - 1, *[ROUNDS] * 6]


def profile_of(name, board, folder):
    """A recording of a fixture on a board, and its image and package."""
    resolved = observable(board)
    bench = Workbench()
    graph = bench.graph(FIXTURES / f"{name}.tflite")
    package = bench.package(graph, resolved.runs_on.core, "model")
    image = build_image([package], resolved.runs_on)
    inputs = random_inputs(graph, np.random.default_rng(0), 1)[0]
    return resolved, image, package, inputs, record(resolved, image, package, inputs, cache_dir=folder)


@pytest.mark.parametrize("board", ["mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547"])
def test_profiling_changes_neither_outputs_nor_instructions(board, tmp_path):
    folder = tmp_path / "a, b"  # QEMU's options are parted by commas
    resolved, image, package, inputs, recording = profile_of("digits", board, folder)
    assert recording.fresh
    with open_session(resolved, image) as session:
        plain = measure(session, image, package, [inputs], layers=False)
    assert recording.outputs == tuple(array.tobytes() for array in plain.outputs[0])
    total = recording.profile.total
    assert total == Quantity(sum(x.instructions.value for x in recording.profile.layers), Unit.INSTRUCTIONS)
    # what invoke itself executes around the layers is all that is not theirs
    around = plain.total - total.value
    assert 0 < around <= 40 + 20 * len(package.plan.layers)
    for layer, ticks in zip(recording.profile.layers, plain.layer_ticks, strict=True):
        assert 0 <= ticks - layer.instructions.value <= 16
    again = record(resolved, image, package, inputs, cache_dir=folder)
    assert not again.fresh and again.profile.layers == recording.profile.layers and again.outputs == recording.outputs


@pytest.mark.skipif(sys.platform == "win32", reason="Unicorn is installed on POSIX systems only")
@pytest.mark.parametrize(
    ("board", "fixture"),
    [("mps2-an385", "digits"), ("mps2-an386", "residual"), ("mps2-an500", "residual"), ("mps2-an505", "stream")],
)
def test_qemu_and_unicorn_agree_on_the_same_image(board, fixture, tmp_path):
    resolved, image, package, inputs, one = profile_of(fixture, board, tmp_path)
    runs_on = replace(resolved.runs_on, backend="virtual")
    other = record(replace(resolved, runs_on=runs_on, stand_in=True), image, package, inputs, cache_dir=tmp_path)
    assert other.fresh and other.outputs == one.outputs
    assert other.profile.layers == one.profile.layers, "the same counts, edges and accesses to the last one"
    flash = Memory("flash", "flash", CacheGeometry("i", 32, 4, 8), CacheGeometry("d", 8, 4, 8))
    system = MemorySystem("small caches", {"flash": flash}, dict.fromkeys(("code", "weights", "text"), "flash"))
    assert simulate(other.profile, system) == simulate(one.profile, system)


def test_boards_that_cannot_be_observed_are_refused():
    with pytest.raises(ProfileError, match="host cannot be profiled"):
        observable("host")
    assert observable("corstone-300").runs_on.name == "mps3-an547"


def test_a_qemu_without_plugins_is_told_as_such(tmp_path, monkeypatch):
    program = tmp_path / "qemu-system-arm"
    program.write_text(
        "#!/bin/sh\n"
        'case "$*" in *--version*) echo "QEMU emulator version 9.9.9";;\n'
        '*-plugin*) echo "$0: -plugin: invalid option" >&2; exit 1;; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("TINYHIL_QEMU", str(program))
    with pytest.raises(ProfileError, match="does not load the profiler's plugin") as caught:
        profile_of("digits", "mps2-an386", tmp_path)
    assert "invalid option" in caught.value.details
