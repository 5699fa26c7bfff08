"""Kinds of load: what a layer's profile says, and the error that its figure gets from the tables."""

import pytest
import yaml

from harness.cycles.assembly import assemble_bytes
from harness.cycles.board_tables import board_table, error_of, read_board, setup
from harness.cycles.engine import estimate
from harness.cycles.kinds import KindError, LoadKind
from harness.cycles.profile import Misses
from harness.cycles.tables import core_table, folder
from harness.cycles.targets import cached_memory
from harness.cycles.walk import ORIGIN, walk
from harness.errors import CycleTableError
from harness.hardware.target import Cached

INTEGER = "1: ldr r3, [r0]\n smlad r2, r3, r4, r2\n subs r5, #1\n bne 1b\n bx lr"
FLOAT = "1: vldr s0, [r0]\n vfma.f32 s1, s0, s2\n subs r5, #1\n bne 1b\n bx lr"
NONE = Misses({}, {}, {}, {})


def of(text, board, misses=NONE, core="cortex-m7"):
    walked = walk(assemble_bytes(text, core), core, trips=100)
    return estimate(walked, board, misses=[misses])


def h7a3(**more):
    return setup(board_table("nucleo-h7a3"), {"data": "dtcm"}, **more)


@pytest.mark.parametrize(
    ("text", "misses", "kind", "error"),
    [
        (INTEGER, NONE, LoadKind.INTEGER, 0.042),
        (INTEGER, Misses({}, {}, {(ORIGIN, "flash"): 50}, {}), LoadKind.STREAMED, 0.031),
        (FLOAT, Misses({}, {}, {(ORIGIN, "flash"): 50}, {}), LoadKind.FLOAT, 0.3),
    ],
)
def test_a_layer_has_the_error_of_its_kind(text, misses, kind, error):
    found = of(text, h7a3(), misses)
    (layer,) = found.layers
    assert (layer.kind, layer.error.error) == (kind, error) and found.kinds == {kind: (layer.cycles, layer.error)}
    assert found.validated and found.error == error and found.label == f"estimated, ±{100 * error:.0f} %"
    # What is measured m: modelled / m - 1 is within the error.
    assert found.cycles.value / found.low.value - 1 == pytest.approx(error, abs=0.01)
    assert 1 - found.cycles.value / found.high.value == pytest.approx(error, abs=0.01)


def test_waiting_for_stores_or_code_streams_nothing():
    misses = Misses({(ORIGIN, "flash"): 500}, {}, {}, {(ORIGIN, "axi"): 500})
    assert of(INTEGER, h7a3(), misses).layers[0].kind is LoadKind.INTEGER


def test_a_kind_without_results_is_not_validated():
    f746 = setup(board_table("nucleo-f746"), {})
    assert of(INTEGER, f746).validated and not of(FLOAT, f746).validated
    assert "not validated" in of(FLOAT, f746).label
    assert not of(INTEGER, h7a3(clock_hz=264_000_000)).validated


def test_the_error_is_the_boards_for_the_kind_else_the_larger():
    m7, m4 = core_table("cortex-m7"), core_table("cortex-m4")
    assert error_of(LoadKind.FLOAT, m7, None) == KindError(0.3, 3, True)
    assert error_of(LoadKind.INTEGER, m7, None) == KindError(m7.error, None, True)
    assert error_of(LoadKind.STREAMED, m7, board_table("nucleo-h7a3")) == KindError(0.031, 4, True)
    assert error_of(LoadKind.INTEGER, m4, board_table("nucleo-l476")) == KindError(0.12, None, False)
    assert error_of(LoadKind.FLOAT, m4, board_table("nucleo-l476")).error == 0.16
    assert error_of(LoadKind.FLOAT, core_table("cortex-m33"), board_table("nucleo-u575")) == KindError(0.3, 0, False)


def test_lines_in_sequence_cost_less():
    u575 = setup(board_table("nucleo-u575"), {})
    text = INTEGER.replace("smlad", "mla")
    apart = of(text, u575, Misses({}, {}, {(ORIGIN, "flash"): 100}, {}), "cortex-m33")
    half = of(text, u575, Misses({}, {}, {(ORIGIN, "flash"): 100}, {}, {(ORIGIN, "flash"): 50}), "cortex-m33")
    assert apart.cycles.value - half.cycles.value == round(50 * (6.8 - 3.7))
    h7 = of(INTEGER, h7a3(), Misses({}, {}, {(ORIGIN, "flash"): 100}, {}, {(ORIGIN, "flash"): 50}))
    assert h7.cycles == of(INTEGER, h7a3(), Misses({}, {}, {(ORIGIN, "flash"): 100}, {})).cycles


def test_loads_from_a_memory_without_a_cache_may_wait():
    """0.8 cycles each on the nRF5340; they are no missed lines, and make no layer a streamed one."""
    board = setup(board_table("nrf5340dk"), {"data": "sram"})
    text = INTEGER.replace("smlad", "mla")
    bare = estimate(walk(assemble_bytes(text, "cortex-m33"), "cortex-m33", trips=100), None)
    found = of(text, board, core="cortex-m33")
    assert found.cycles.value - bare.cycles.value == 80 and found.layers[0].kind is LoadKind.INTEGER
    assert cached_memory(board, board.system.memory_of("data")) == Cached(1, 1, 4, 0.8)
    assert cached_memory(board, board.system.memory_of("data"), fetched=True) is None
    slow = setup(board_table("nrf5340dk"), {"data": "sram"}, clock_hz=64_000_000)
    assert slow.stalls["sram"].load == 0.8, "it is not the flash's"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda t: t["errors"]["float"].update(error=1.5), "errors.float.error"),
        (lambda t: t["errors"]["float"].pop("results"), "errors.float.results"),
        (lambda t: t["errors"]["float"].update(source=["hearsay"]), "errors.float: no source is named 'hearsay'"),
        (lambda t: t["errors"].update(tuesdays=t["errors"]["float"]), "errors.tuesdays"),
        (lambda t: t["memories"]["dtcm"].update(stalls={"load_sequential": 1}), "memories.dtcm: load_sequential"),
    ],
)
def test_a_table_of_kinds_that_is_wrong_is_refused_by_place(change, place, tmp_path):
    data = yaml.safe_load((folder("boards") / "nucleo-h7a3.yaml").read_text())
    change(data)
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(CycleTableError) as error:
        read_board(path)
    assert place in error.value.message + error.value.details
