"""Every rule of every core's table against a figure worked out by hand; a board's table out of measured loops."""

import dataclasses
import re
from fractions import Fraction
from unittest import mock

import pytest

from harness.boards import find_board, load_boards
from harness.cycles import tables
from harness.cycles.assembly import assemble_all
from harness.cycles.board_tables import board_table, boards, read_board, setup
from harness.cycles.calibrate import calibrate, placement_of
from harness.cycles.calibration import Figure, cores, figures, loops, parse
from harness.cycles.calibration_client import CalibrationClient
from harness.cycles.calibration_image import language
from harness.cycles.tables import core_table
from harness.cycles.walk import walk
from harness.errors import CycleModelError, CycleTableError, NoBytesError, OptionError, ProtocolError
from harness.units import Unit

SWITCHES = {"chain-indexed", "chain-same-base", "chain-fp", "load-store", "load-banks"}
"""Rules that are on or off: 1 or 0."""
BOARD = {
    "cortex-m0plus": "nucleo-g0b1",
    "cortex-m3": "nucleo-l4r5",
    "cortex-m4": "nucleo-l4r5",
    "cortex-m7": "nucleo-h7a3",
    "cortex-m33": "nucleo-u575",
    "cortex-m55": None,
}
"""Board whose memories a core's loops are in. No board with an M3 has a table; that of an M4 has two memories too."""
CANNOT = {
    "cortex-m0plus": {
        "rules.chain-indexed", "rules.chain-same-base", "rules.chain-fp", "rules.chain-unaligned",
        "rules.branch-wide-load", "rules.it-folded", "rules.fp-dependency",
    },
    "cortex-m3": {"rules.chain-fp", "rules.fp-dependency"},
    "cortex-m33": {"rules.load-banks", "results.early"},
    "cortex-m55": {"rules.load-banks", "results.early"},
}  # fmt: skip
"""Rows that no code of the core asks for: no such instruction, or no pair."""
CHAINS = ("load-store", "chain-other-memory", "chain-indexed", "chain-same-base", "chain-unaligned", "chain-fp")


def board_setup(name):
    if name is None:
        return None
    table = board_table(name)
    ours = {"code": "flash", "weights": "flash", "arena": "sram", "stack": "sram", "data": "sram"}
    return setup(table, placement_of(find_board(name)) if name in load_boards() else ours)


@pytest.fixture(scope="module", autouse=True)
def assembled_once():
    """Tables change below, texts do not: each is assembled once."""
    known: dict[tuple[str, str], bytes] = {}

    def assemble(texts, core):
        new = [text for text in dict.fromkeys(texts) if (text, core) not in known]
        known.update(zip(((text, core) for text in new), assemble_all(new, core) if new else (), strict=True))
        return [known[text, core] for text in texts]

    with mock.patch("harness.cycles.calibration.assemble_all", assemble):
        yield


@pytest.fixture(scope="module", params=sorted(BOARD))
def costed(request):
    core = request.param
    return core, figures(loops(core), core_table(core), board_setup(BOARD[core]))


def test_cores():
    assert set(cores()) == set(BOARD)


def test_every_loop_takes_what_it_takes_by_hand(costed):
    _, found = costed
    wrong = {f.loop.name: (float(f.by_hand), float(f.modelled)) for f in found if not f.agrees}
    assert not wrong


def test_every_row_of_the_table_has_a_loop(costed):
    core, found = costed
    table = core_table(core)
    rows = {f"classes.{kind.value}" for kind in table.classes} | {f"rules.{rule}" for rule in table.rules}
    rows |= {f"results.{name}" for name in table.results} | {f"conflicts.{'-'.join(c.units)}" for c in table.conflicts}
    covered = {row for figure in found for row in figure.loop.rows}
    assert rows - covered == CANNOT.get(core, set())
    for row in CANNOT.get(core, set()) & {f"rules.{rule}" for rule in table.rules}:
        assert table.rules[row.removeprefix("rules.")].cycles == 0
    assert covered - rows <= {"stalls.fetch", "stalls.sequential", "stalls.load", "stalls.load_sequential"}


def test_a_changed_row_is_noticed(costed):
    """For each row a loop tells when the row changes: else it would prove nothing."""
    core, found = costed
    rows = sorted({row for figure in found for row in figure.loop.rows})
    silent = []
    for row in rows:
        before = _where_it_counts(core_table(core), row)
        changed = _changed(before, row)
        if changed is not None:
            about = [figure for figure in found if row in figure.loop.rows]
            was = about
            if before != core_table(core):
                was = figures([figure.loop for figure in about], before, board_setup(BOARD[core]))
            now = figures([figure.loop for figure in about], changed, board_setup(BOARD[core]))
            if [f.modelled for f in now] == [f.modelled for f in was]:
                silent.append(row)
    assert not silent


def _where_it_counts(table, row):
    """The table with other rules so that this one counts: loads that chain, exits that are predicted."""
    kind, _, name = row.partition(".")
    data = table.model_dump(mode="json", exclude_none=True)
    rules = data["rules"]
    if kind == "rules" and name in CHAINS:
        rules["load-chain"]["cycles"] = 1
        rules["chain-indexed"]["cycles"] = max(rules["chain-indexed"]["cycles"], name == "chain-same-base")
    if kind == "rules" and name in ("mispredict", "mispredict-early-flags", "flags-distance") and table.issue != 2:
        rules["flags-distance"]["cycles"] = 9 if name == "mispredict" else 0
        rules["mispredict"]["cycles"] = 0 if name == "mispredict" else 5
    return type(table).model_validate(data)


def _changed(table, row):
    """The table with a row's cycles one more, a rule that is on or off the other way, a conflict gone."""
    kind, _, name = row.partition(".")
    data = table.model_dump(mode="json", exclude_none=True)
    if kind == "classes":
        if data["classes"][name]["slot"] == "folded":
            data["classes"][name] |= {"slot": "any", "units": []}
        else:
            data["classes"][name]["cycles"] += 1
    elif kind == "rules":
        now = data["rules"][name]["cycles"]
        data["rules"][name]["cycles"] = 1 - now if name in SWITCHES else 9 if name == "flags-distance" else now + 1
    elif kind == "results":
        data["results"][name]["to"] = {stage: cycles + 1 for stage, cycles in data["results"][name]["to"].items()}
    elif kind == "conflicts":
        data["conflicts"] = []
    else:
        return None
    return type(table).model_validate(data)


@pytest.mark.parametrize(
    "text, message",
    [
        ("@ loop a\n@ cycles: 1\n@ why: x\n nop\n", "lacks rows"),
        ("@ loop a\n@ rows: classes.nop\n@ cycles: one\n@ why: x\n nop\n", "Invalid literal"),
        ("@ loop a\n@ rows: r\n@ cycles: 1\n@ why: x\n@ colour: green\n nop\n", "has colour"),
        ("@ loop a\n@ rows: r\n@ cycles: 1\n@ why: x\n@ misses: often flash\n nop\n", "no kind 'often'"),
    ],
)
def test_a_file_of_loops_that_is_wrong(text, message, tmp_path):
    with pytest.raises(CycleTableError, match=message):
        parse(text, tmp_path / "cortex-m4.s")


def test_no_loops():
    with pytest.raises(CycleTableError, match="no calibration loops for cortex-m23"):
        loops("cortex-m23")


def test_a_walk_that_does_not_end():
    with pytest.raises(CycleModelError, match="does not end"):
        walk(bytes.fromhex("fee7 00bf"), "cortex-m4")


# --- a board that answers --------------------------------------------------------------------------------------------


class Silicon:
    """A transport with a board behind it whose loops take what `cycles` says."""

    def __init__(self, build_id, cycles, copies):
        self.build_id, self.cycles, self.copies, self.out = build_id, cycles, copies, b""

    def write(self, data):
        for line in data.decode().split("\n")[:-1]:
            self.out += self.answer(line)

    def answer(self, line):
        if line == "?":
            return f"calibrate {self.build_id} {2 * len(self.cycles)} 1000\n".encode()
        words = line.split()
        if len(words) != 2:
            return b"! not understood\n"
        number, iterations = map(int, words)
        bodies = self.copies[number // 2] * (1 + number % 2)
        return f"= {round(100 + iterations * (3 + bodies * self.cycles[number // 2]))}\n".encode()

    def read(self, timeout_s):
        data, self.out = self.out, b""
        return data


@dataclasses.dataclass
class Board:
    """What calibrate() needs of a session."""

    board: object
    transport: object
    unit: Unit
    image: object
    stand_in: bool = False

    @property
    def ran_on(self):
        return self.board

    def stream(self):
        return self.transport

    def tick_scale(self):
        return self.unit, Fraction(1)


@dataclasses.dataclass
class Image:
    build_id: str = "0123456789abcdef"


def session(cycles, unit=Unit.CYCLES, name="nucleo-l4r5"):
    board = find_board(name)
    copies = [loop.copies for loop in loops(board.core)]
    return Board(board, Silicon(Image().build_id, cycles, copies), unit, Image())


@pytest.fixture(scope="module")
def known() -> list[Figure]:
    return figures(loops("cortex-m4"), core_table("cortex-m4"), board_setup("nucleo-l4r5"))


def test_a_board_gets_its_table_back(known, tmp_path, monkeypatch):
    """Silicon that differs from the model by a slower flash and a quicker division gives a table that says so."""
    stalls = {"flash-fetch": 512 * (6.1 - 5), "flash-fetch-far": 64 * (5.7 - 5), "flash-load": 6.2 - 5}
    cycles = [float(f.modelled) + stalls.get(f.loop.name, 0.0) for f in known]
    names = [f.loop.name for f in known]
    cycles[names.index("divide")] = 3  # within what the table allows
    cycles[names.index("load-chain")] = 6.6  # ten per cent more than modelled
    found = calibrate(session(cycles))
    assert found.unit is Unit.CYCLES and found.as_expected and not found.left_out
    off = {r.figure.loop.name: round(r.deviation, 3) for r in found.readings if abs(r.deviation) > 0.001}
    assert off == {
        "load-chain": round(-0.6 / 6.6, 3),
        "flash-fetch": pytest.approx(-0.14, abs=0.1),
        "flash-fetch-far": pytest.approx(-0.1, abs=0.1),
        "flash-load": pytest.approx(-0.12, abs=0.1),
    }
    (tmp_path / "nucleo-l4r5.yaml").write_text(found.table("2030-01-02", "probe 7"))
    table = read_board(tmp_path / "nucleo-l4r5.yaml")
    stall = table.flash["dual-bank"].memory.stalls
    assert (stall.sequential, stall.fetch, stall.load) == pytest.approx((6.1, 5.7, 6.2), abs=0.02)
    assert table.error == pytest.approx(0.091, abs=0.001) and not table.errors
    assert table.validated and "load-chain 9.1%" in table.validation and "Whole programs were not" in table.validation
    assert "2030-01-02, probe 7" in table.fitted_on
    assert table.flash["single-bank"].memory.stalls.load == 5
    monkeypatch.setenv("TINYHIL_CYCLE_TABLES", str(tmp_path))
    assert board_table("nucleo-l4r5") == table
    assert set(boards()) == set(tables.names("boards"))


def test_an_emulator_gives_no_table(known):
    found = calibrate(session([float(f.instructions) for f in known], Unit.INSTRUCTIONS))
    assert found.as_expected and found.readings[0].deviation is None
    with pytest.raises(OptionError, match="no cycle counter"):
        found.table("2030-01-02", "probe 7")


def test_a_loop_that_executes_something_else_is_noticed(known):
    found = calibrate(session([float(f.instructions) + (f.loop.name == "nop") for f in known], Unit.INSTRUCTIONS))
    assert [r.figure.loop.name for r in found.readings if not r.as_expected] == ["nop"]


def test_answers_that_are_none():
    board = session([1.0])
    with pytest.raises(ProtocolError, match="is not build ffff"):
        CalibrationClient(board.transport).check("ffff", 2)
    board.transport.answer = lambda line: b"! fault 3 at 134221772\n"
    with pytest.raises(ProtocolError, match="fault 3"):
        CalibrationClient(board.transport).ticks(0, 10)
    board.transport.answer = lambda line: b""
    with pytest.raises(NoBytesError):
        CalibrationClient(board.transport, timeout_s=0.05).ticks(0, 10)
    with pytest.raises(OptionError, match="no ticks"):
        calibrate(session([1.0], Unit.HOST_NS))


def test_answers_without_end():
    board = session([1.0])
    board.transport.answer = lambda line: b"! what?\n" * 100_000
    with pytest.raises(ProtocolError, match="'! what[?]' is not build"):
        CalibrationClient(board.transport).check("ffff", 2)
    board.transport.answer = lambda line: b"= " + b"9" * 5000 + b"\n"
    with pytest.raises(ProtocolError, match="for loop function 0"):
        CalibrationClient(board.transport).ticks(0, 10)


@pytest.mark.parametrize("core", sorted(BOARD))
def test_the_image_has_two_functions_a_loop(core):
    spoken, models = language(core)
    text = spoken.files["calibrate_loops.S"]
    assert len(re.findall(r"^calibrate_\d+:", text, re.MULTILINE)) == 2 * len(loops(core))
    assert "hil_models" not in models
    assert assemble_all([text], core), "the core has all of its instructions"


def test_stalls_of_the_loops_are_the_boards(known):
    (fetch,) = (f for f in known if f.loop.name == "flash-fetch")
    assert fetch.misses == 512 and fetch.by_hand == 1024 + 5 * 512
