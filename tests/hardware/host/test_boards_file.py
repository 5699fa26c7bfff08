"""The boards file: mistakes are named with file, entry and key; what stands in for an absent board."""

from dataclasses import replace

import pytest

from harness.boards import find_board, load_boards, resolve
from harness.boards.backends.pyocd import probes
from harness.boards.backends.virtual import backend as virtual
from harness.build.port import load_port
from harness.errors import BoardConfigError, BoardError
from harness.hardware.boards_file import EXTRA_VARIABLE
from harness.resources import firmware

BOARD = """
my-board:
  title: Mine
  core: cortex-m4
  port: mps2-an386
  backend: qemu
  machine: mps2-an386
  clock_hz: 25_000_000
  tick: {source: COUNTER, hz: 25_000_000}
  memory: [{name: ram, origin: 0x2000_0000, size: 0x1000, kind: ram}]
  stack_size: 4096
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.delenv(EXTRA_VARIABLE, raising=False)

    def _write(text):
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return path

    return _write


def test_the_boards_that_ship_have_their_ports():
    boards = load_boards()
    assert {"host", "mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547", "nucleo-h743"} <= set(boards)
    for board in boards.values():
        if board.backend != "pyocd":
            port = load_port(firmware(), board.port)
            assert port.core == board.core
            assert board.stack_size >= port.stack_size


def test_a_board_of_the_user_is_added(write):
    board = load_boards(write(BOARD))["my-board"]
    assert board.memory[0].contains(0x2000_0000, 0x1000)
    assert not board.memory[0].contains(0x2000_0001, 0x1000)
    assert board.memory_total("ram") == 0x1000


def test_a_board_of_the_user_replaces_one_of_its_name(write, monkeypatch):
    path = write(BOARD.replace("my-board", "mps2-an500"))
    monkeypatch.setenv(EXTRA_VARIABLE, str(path))
    assert load_boards()["mps2-an500"].title == "Mine"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("stack_size: 4096", "stack_size: lots", "my-board.stack_size"),
        ("stack_size: 4096", "stack_size: 100", "my-board.stack_size"),
        ("core: cortex-m4", "core: cortex-x9", "my-board.core"),
        ("  machine: mps2-an386\n", "", "machine"),
        ("size: 0x1000", "size: -1", "my-board.memory.0.size"),
        ("kind: ram", "kind: flash", "ram"),
        ("  title: Mine\n", "", "my-board.title"),
        ("  title: Mine\n", "  title: Mine\n  colour: red\n", "my-board.colour"),
        ("  title: Mine\n", "  title: Mine\n  title: Yours\n", "'title' is given twice"),
        ("  stack_size: 4096\n", "  stack_size: 4096\n  stand_ins: [nothing]\n", "my-board.stand_ins: nothing"),
        ("my-board:", "my-board: [", "mine.yaml:"),
        ("my-board:", "5:", "mapping"),
        ("my-board:", "my-board: &a [*a]\nx:", "line 2: an alias (*a)"),
        ("my-board:", "my-board: {? [a, b] : c}\nx:", "mine.yaml"),
        (BOARD, "- 1\n", "mapping"),
        (BOARD, "\x00", "mine.yaml"),
    ],
)
def test_a_mistake_is_named_with_file_entry_and_key(write, old, new, said):
    text = BOARD.replace(old, new)
    assert text != BOARD
    with pytest.raises(BoardConfigError) as caught:
        load_boards(write(text))
    assert "mine.yaml" in caught.value.message
    assert said in caught.value.message + caught.value.details
    assert caught.value.hint


@pytest.mark.parametrize("name", ['a"b', "a b", "../up", "a/b", '"*/"', "'x\\'", "é", "-x", "x" * 65])
def test_a_name_that_is_no_word_is_refused(write, name):
    """It stands in C, in names of files, and in results."""
    with pytest.raises(BoardConfigError, match="a board's name is letters"):
        load_boards(write(BOARD.replace("my-board", name)))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BoardConfigError, match="nowhere.yaml"):
        load_boards(tmp_path / "nowhere.yaml")


def test_an_empty_file_adds_nothing(write):
    assert load_boards(write("# nothing yet\n")) == load_boards()


def test_an_unknown_board_brings_the_closest_names():
    with pytest.raises(BoardConfigError, match="mps2-an5OO") as caught:
        find_board("mps2-an5OO")
    assert "mps2-an500" in caught.value.hint
    with pytest.raises(BoardConfigError) as caught:
        find_board("zzz")
    assert "mps3-an547" in caught.value.hint


def test_an_unknown_port_brings_the_known_ones():
    with pytest.raises(BoardConfigError, match="no-such") as caught:
        load_port(firmware(), "no-such")
    assert "mps2-an500" in caught.value.hint


def test_an_emulated_board_runs_as_itself():
    resolved = resolve("mps2-an386")
    assert (resolved.asked, resolved.stand_in, resolved.reason) == (resolved.runs_on, False, "")


def test_a_board_without_a_probe_runs_as_a_virtual_board_and_says_so(monkeypatch):
    monkeypatch.setattr(probes, "attached_probes", lambda: ())
    monkeypatch.setattr(virtual, "is_installed", lambda: True)
    resolved = resolve("nucleo-h743")
    assert (resolved.asked.name, resolved.runs_on.name, resolved.stand_in) == ("nucleo-h743", "nucleo-h743", True)
    assert (resolved.runs_on.backend, resolved.ran_on) == ("virtual", "virtual-nucleo-h743")
    assert "virtual" in resolved.reason and "nucleo-h743" in resolved.reason


def test_without_the_extra_another_emulated_board_stands_in(monkeypatch):
    monkeypatch.setattr(probes, "attached_probes", lambda: ())
    monkeypatch.setattr(virtual, "is_installed", lambda: False)
    resolved = resolve("nucleo-h743")
    assert (resolved.asked.name, resolved.runs_on.name, resolved.stand_in) == ("nucleo-h743", "mps2-an500", True)
    assert resolved.ran_on == "mps2-an500"
    assert "mps2-an500" in resolved.reason and "tinyhil[virtual]" in resolved.reason


def test_a_chip_that_is_not_modelled_has_no_virtual_board(monkeypatch):
    monkeypatch.setattr(probes, "attached_probes", lambda: ())
    monkeypatch.setattr(virtual, "is_installed", lambda: True)
    boards = dict(load_boards())
    boards["nucleo-h743"] = replace(boards["nucleo-h743"], chip="stm32u585")
    resolved = resolve("nucleo-h743", boards)
    assert resolved.runs_on.name == "mps2-an500" and "no virtual stm32u585" in resolved.reason


def test_a_board_without_probe_and_stand_in_is_an_error(monkeypatch):
    monkeypatch.setattr(probes, "attached_probes", lambda: ())
    boards = dict(load_boards())
    boards["nucleo-h743"] = replace(boards["nucleo-h743"], stand_ins=())
    with pytest.raises(BoardError, match="not attached"):
        resolve("nucleo-h743", boards)


def test_no_usb_means_no_probes(monkeypatch):
    monkeypatch.setattr(probes, "usb_has_devices", lambda: True)
    import pyocd.core.helpers as helpers

    def broken(**_):
        raise OSError("No libusb")

    monkeypatch.setattr(helpers.ConnectHelper, "get_all_connected_probes", broken)
    assert probes.attached_probes() == ()


NPU = """
  npu: {accelerators: [ethos-u55-128], base: 0x4810_2000, memory: [ram]}
"""


def test_a_board_may_have_an_npu(write):
    board = load_boards(write(BOARD.rstrip() + NPU))["my-board"]
    assert (board.npu.accelerators, board.npu.base, board.npu.memory) == (("ethos-u55-128",), 0x4810_2000, ("ram",))
    assert load_boards(write(BOARD))["my-board"].npu is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (NPU.replace("u55-128", "u55-129"), r"my-board.npu.accelerators.*'ethos-u55-129' is no accelerator"),
        (NPU.replace("[ethos-u55-128]", "[]"), "my-board.npu.accelerators"),
        (NPU.replace("2000", "2010"), "my-board.npu.base"),
        (NPU.replace("0x4810_2000", "-4096"), "my-board.npu.base"),
        (NPU.replace("[ram]", "[dram]"), "my-board.npu.memory: no memory region 'dram'; there are: ram"),
        (NPU.replace("memory: [ram]", "memory: []"), "my-board.npu.memory"),
        (NPU.replace("base", "place"), "my-board.npu"),
        ("\n  npu: ethos-u55-128\n", "my-board.npu"),
    ],
)
def test_mistakes_in_the_npu_of_a_board_are_named(write, text, told):
    with pytest.raises(BoardConfigError, match=told):
        load_boards(write(BOARD.rstrip() + text))


def test_the_npu_of_the_boards_that_ship():
    boards = {name: board for name, board in load_boards().items() if board.npu}
    assert set(boards) == {"mps3-an547", "corstone-300"}
    for board in boards.values():
        assert board.region("vectors").name not in board.npu.memory, "no NPU reaches the ITCM"
    arguments = boards["corstone-300"].arguments
    assert "ethosu.num_macs=128" in arguments and boards["corstone-300"].npu.accelerators == ("ethos-u55-128",)
