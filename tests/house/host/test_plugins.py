"""Tables of built-ins and entry points."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import Category, OptionError, PluginError
from harness.plugins import Table
from tests.support import installed

Install = Callable[[str, str], None]

TABLE: Table[object] = Table("colour", "tinyhil.test_colours", {"red": "string:digits", "blue": "string:hexdigits"})


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a package of a name with entry points of TABLE's group."""
    monkeypatch.syspath_prepend(tmp_path)
    return lambda package, points: installed.install(tmp_path, package, TABLE.group, points, "GREEN = 'a plugin'\n")


def test_built_ins_come_by_name_and_in_order() -> None:
    assert TABLE.names() == ("red", "blue")
    assert TABLE.get("red") == "0123456789"
    assert "blue" in TABLE and "green" not in TABLE


def test_an_entry_point_adds_to_the_table(install: Install) -> None:
    install("paint", "green = paint_code:GREEN")
    assert TABLE.names() == ("red", "blue", "green")
    assert TABLE.get("green") == "a plugin"
    assert "green" in TABLE


def test_an_entry_point_does_not_replace_a_built_in(install: Install) -> None:
    install("paint", "red = paint_code:GREEN")
    assert TABLE.names() == ("red", "blue")
    assert TABLE.get("red") == "0123456789"


def test_an_unknown_name_is_told_with_those_known(install: Install) -> None:
    install("paint", "green = paint_code:GREEN")
    with pytest.raises(OptionError) as caught:
        TABLE.get("grey")
    assert (caught.value.message, caught.value.hint) == ("no colour is named 'grey'", "one of: red, blue, green")
    assert TABLE.unknown("grey") == "no colour is named 'grey'; there are red, blue, green"


@pytest.mark.parametrize(
    ("point", "why"),
    [("nowhere_at_all:GREEN", "ModuleNotFoundError"), ("paint_code:MISSING", "AttributeError"), ("a b", "Error")],
)
def test_a_broken_entry_point_names_its_distribution(install: Install, point: str, why: str) -> None:
    install("paint", f"green = {point}")
    with pytest.raises(PluginError, match=r"colour 'green' of paint cannot be loaded") as caught:
        TABLE.get("green")
    assert why in caught.value.message
    assert caught.value.category is Category.TOOL
    assert TABLE.get("red") == "0123456789"


def test_two_packages_of_one_name_are_an_error(install: Install) -> None:
    install("paint", "green = paint_code:GREEN")
    install("varnish", "green = varnish_code:GREEN")
    with pytest.raises(PluginError, match=r"several packages: paint, varnish"):
        TABLE.get("green")


def test_built_ins_need_no_metadata_and_no_other_module() -> None:
    code = (
        "import sys\nfrom harness.plugins import Table\n"
        "table = Table('x', 'g', {'a': 'string:digits', 'b': 'no_such_module:x'})\n"
        "assert table.get('a') and 'b' in table\nprint('importlib.metadata' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
