"""CMSIS packs that $TINYHIL_PACKS names: given to pyOCD, or refused by name before it is asked."""

import os
import zipfile

import pytest

from harness.boards.backends.pyocd.debugger import Debugger
from harness.boards.backends.pyocd.packs import pack_files
from harness.errors import ToolError
from harness.hardware.board import Probe


@pytest.fixture
def pack(tmp_path):
    path = tmp_path / "maker.family.1.0.0.pack"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("maker.family.pdsc", "<package/>")
    return path


def test_packs_are_named_as_folders_in_path(pack, tmp_path, monkeypatch):
    monkeypatch.delenv("TINYHIL_PACKS", raising=False)
    assert pack_files() == []
    other = tmp_path / "other.pack"
    other.write_bytes(pack.read_bytes())
    monkeypatch.setenv("TINYHIL_PACKS", os.pathsep.join([str(pack), "", str(other)]))
    assert pack_files() == [str(pack), str(other)]


def _damaged(path):
    path.write_bytes(path.read_bytes()[:-30])


def _no_description(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "")


@pytest.mark.parametrize(
    "spoil",
    [lambda p: p.unlink(), _damaged, _no_description, lambda p: p.write_bytes(b""), lambda p: (p.unlink(), p.mkdir())],
    ids=["missing", "cut", "without a description", "empty", "a folder"],
)
def test_what_is_no_pack_is_named_with_its_variable(pack, spoil, monkeypatch):
    spoil(pack)
    monkeypatch.setenv("TINYHIL_PACKS", str(pack))
    with pytest.raises(ToolError, match=r"maker\.family\.1\.0\.0\.pack, named by \$TINYHIL_PACKS, is no CMSIS pack"):
        pack_files()


def test_a_target_that_is_nowhere_is_told_with_both_ways_to_get_it():
    from pyocd.core.exceptions import TargetSupportError

    error = Debugger(Probe("p", "p"), "stm32g0b1retx").translate(TargetSupportError("no such target"), "connecting")
    assert isinstance(error, ToolError)
    assert "`pyocd pack install stm32g0b1retx`" in error.hint and "$TINYHIL_PACKS" in error.hint
