"""Files of the firmware build on each other in one direction, and what they share stands in headers of one subject."""

from __future__ import annotations

import re
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.paths import FIRMWARE

FOLDERS = {"runtime": ["runtime"], "mlperf": ["runtime", "mlperf"]}
DEFINES = ["-DHIL_TEST_FAULTS", '-DHIL_BUILD_ID="0"', '-DHIL_BOARD="host"']


def symbols(source: Path, includes: list[str], out: Path) -> tuple[set[str], set[str]]:
    """What a C file defines and what it uses of others."""
    command = ["gcc", "-std=c11", "-O2", *(f"-I{FIRMWARE / folder}" for folder in includes), *DEFINES]
    subprocess.run([*command, "-c", str(source), "-o", str(out)], check=True, timeout=60)
    listed = subprocess.run(["nm", str(out)], capture_output=True, text=True, check=True, timeout=60).stdout
    found = re.findall(r"^[0-9a-f ]{16} (\w) (\w+)$", listed, re.MULTILINE)
    return {name for kind, name in found if kind != "U"}, {name for kind, name in found if kind == "U"}


def graph_of(folder: Path, includes: list[str], out: Path) -> dict[str, set[str]]:
    """File -> the other files of the folder whose functions and variables it uses."""
    sources = sorted(folder.glob("*.c"))
    known = {source.name: symbols(source, includes, out / f"{source.stem}.o") for source in sources}
    return {
        name: {other for other, (defined, _) in known.items() if other != name and defined & used}
        for name, (_, used) in known.items()
    }


def circle_in(graph: dict[str, set[str]]) -> list[str]:
    """A way from a file to itself, as far as there is one."""
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for other in sorted(graph[name]):
            if found := walk(other, [*way, name]):
                return found
        done.add(name)
        return []

    return next((found for name in sorted(graph) if (found := walk(name, []))), [])


@pytest.mark.parametrize("folder", FOLDERS)
def test_files_use_each_other_in_one_direction(folder, tmp_path):
    graph = graph_of(FIRMWARE / folder, FOLDERS[folder], tmp_path)
    assert sum(map(len, graph.values())) > 5
    assert circle_in(graph) == []


def test_handlers_lie_between_what_answers_and_what_serves(tmp_path):
    graph = graph_of(FIRMWARE / "runtime", ["runtime"], tmp_path)
    handlers = {"hil_data.c", "hil_describe.c", "hil_line.c", "hil_provoke.c", "hil_run.c"}
    assert handlers <= graph["hil_serve.c"]
    assert {name for name, used in graph.items() if "hil_serve.c" in used} == set()
    for name in handlers:
        assert "hil_answer.c" in graph[name]
    assert graph["hil_answer.c"] == {"hil_frame.c"}


def test_a_circle_is_found():
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circle_in({"a": {"b", "c"}, "b": set(), "c": {"d"}, "d": {"c"}}) == ["c", "d", "c"]
    found = circle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert all(pair in {("a", "b"), ("b", "c"), ("c", "a")} for pair in pairwise(found)) and len(found) == 4


@pytest.mark.parametrize("path", sorted((FIRMWARE / "runtime").glob("*.h")), ids=lambda path: path.name)
def test_a_header_needs_no_other_before_it(path, tmp_path):
    source = tmp_path / "alone.c"
    source.write_text(f'#include "{path.name}"\ntypedef int never_empty;\n')
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{FIRMWARE / 'runtime'}"]
    assert subprocess.run(["gcc", *flags, str(source)], check=False, timeout=60).returncode == 0


@pytest.mark.parametrize("folder", [*FOLDERS, "calibrate", "ports"])
def test_every_source_is_named_after_its_subject_and_says_it(folder):
    """A comment at the head of a C file, or of the header of the same name."""
    paths = list((FIRMWARE / folder).rglob("*.[ch]"))
    assert len(paths) >= 2
    for path in paths:
        header = path.with_suffix(".h")
        texts = [one.read_text() for one in (path, header) if one.exists()]
        assert any(text.startswith("/*") for text in texts), path
