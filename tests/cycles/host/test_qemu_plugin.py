"""The profiler's plugin under both of QEMU's plugin interfaces, driven by a program that stands in for QEMU."""

import subprocess
from pathlib import Path

import pytest

from harness.boards.backends.qemu import plugin as qemu_plugin
from harness.boards.backends.qemu.plugin import plugin_library
from harness.cycles import replay
from harness.cycles.memory import Span
from harness.cycles.observers import PLUGIN
from tests.support.paths import REPOSITORY

HOST = REPOSITORY / "tests" / "support" / "plugin_host.c"


@pytest.fixture(scope="module")
def plugin():
    return plugin_library(replay.PACKAGE, PLUGIN)


def traced(api, plugin, folder, points):
    """The trace of the program that stands in for QEMU."""
    program = folder / "host"
    command = ["gcc", "-std=c11", "-Wall", "-Werror", f"-DAPI={api}", "-D_GNU_SOURCE"]
    command += [str(HOST), "-rdynamic", "-ldl", "-o", str(program)]
    subprocess.run(command, check=True, timeout=60)
    (folder / "points").write_text(points)
    trace = folder / "trace"
    arguments = [f"list={folder / 'points'}", f"trace={trace}"]
    done = subprocess.run([program, plugin, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return trace


@pytest.mark.parametrize("api", [1, 5])
def test_a_region_begins_and_ends_within_blocks(api, plugin, tmp_path):
    trace = traced(api, plugin, tmp_path, "handler 300\nbegin 202 0\nend 206 0\n")
    (region,) = replay.count(trace, [])
    assert region.counts == {0x202: 3, 0x200: 2, 0x204: 1}
    assert region.transfers == {(0x202, 0x200): 2}
    assert trace.with_name("trace.paths").read_text() == "path 0 0 1\nwhole\n"


@pytest.mark.parametrize("api", [1, 5])
def test_it_loads_and_traces(api, plugin, tmp_path):
    trace = traced(api, plugin, tmp_path, "layer 200\nhandler 300\n")
    (layer,) = replay.count(trace, [Span(0x2000_0000, 0x200, "arena")])
    assert layer.counts == {0x200: 3, 0x202: 3, 0x204: 1, 0x206: 1}
    assert layer.transfers == {(0x202, 0x200): 2, (0x206, 0x104): 1}
    assert layer.accesses == {(0x200, "arena"): (3, 0), (0x204, "arena"): (0, 1)}


def test_it_says_what_is_missing(plugin, tmp_path):
    program = tmp_path / "host"
    command = ["gcc", "-std=c11", "-DAPI=1", "-D_GNU_SOURCE", str(HOST), "-rdynamic", "-ldl", "-o", str(program)]
    subprocess.run(command, check=True, timeout=60)
    for arguments in ([], [f"list={tmp_path / 'none'}", f"trace={tmp_path / 'trace'}"]):
        done = subprocess.run([program, plugin, *arguments], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 4 and "the trace cannot be begun" in done.stderr


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("source", ["plugin.c", "replay.c", "unicorn.c"])
def test_its_parts_compile_without_a_warning(compiler, source, tmp_path):
    path = Path(replay.__file__).parent / "native" / source
    interface = f"-I{Path(qemu_plugin.__file__).parent}"
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fPIC", interface, "-c", str(path)]
    done = subprocess.run([compiler, *flags, "-o", str(tmp_path / "out.o")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
