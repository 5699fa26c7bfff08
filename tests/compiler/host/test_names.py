"""Text and names of others in generated files: never code, never a warning, never another file's or symbol's name."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import Package, emit, write_package
from harness.compiler.emit.text import plain_text
from harness.compiler.names import MAX_LENGTH, identifier
from harness.ir.graph import Graph
from harness.kernels.discovery import kernel_files
from tests.support.graphs import Builder
from tests.support.paths import FIRMWARE
from tests.support.scale import scaled

WORDS = """
con CON aux nul prn.txt com1 COM9 lpt1.tflite conin$ clock$ CONOUT$ con. 9con
int class template namespace _Bool alignas and co_await nullptr main errno NULL EOF assert INT8_MAX stdin uint8_t
offsetof atomic mtx sem pthread_mutex FILE string unistd features windows arm_mve immintrin __clang_cuda_math _ansi
hil hil_model tinyhil tinyhil_x HIL_SHARED requantize kernel conv_dsp scale_s8 library all_model
x x_weights x_hil x_weights_hil x_weights_model X_INPUT_0 x_layer x_state_0 all test 1 _ __x__ a__b é 模型 ſtring K İnt
"""
ODD = ("", "*/", "**//", "\\", "\udcff", "x\0y", "x\ny", "a" * 3000, "9" * 3000, "hil_" * 900, "x" * 41 + "_weights")
TAKEN = (*WORDS.split(), *ODD, "x" * 42 + "_weights", "wei" * 13 + "_hil")
"""What models are named by people, and by people who try."""

ENDS = ("*/ int x; /*", "**//", "*//*/", "/*", "/**/", "*\\\n/", "/\\\n*", "//", "// \\", "\\", "a\\\n#error", "/", "*")
LINES = (
    "\n#error x\n",
    "\r#error x",
    "\x0b\x0c#error",
    "\u2028#error x",
    "\x85#error",
    "%:include <x>",
    "\\u000a",
    "\0",
)
TRIGRAPHS = ("??/", "??/\n#error x", "????//", "?\\?/", "<:%>", "?" * 3000, "*/" * 1500, "\\" * 3000, "a" * 3000)
QUOTES = (
    '"',
    '");',
    "'",
    "%s%n",
    "${CMAKE_COMMAND}",
    "$(shell false)",
    "`false`",
    "]]",
    "]=]",
    '_Pragma("x")',
    "\\U0001",
)
HOSTILE = (*ENDS, *LINES, *TRIGRAPHS, *QUOTES, "", " ", "é模", "\udc80", "\x1b[2J", "\u202e")
"""What tensors and operators are named by people who try."""

WARNINGS = (
    *("-Wall", "-Wextra", "-Wcomment", "-Wtrigraphs", "-Wconversion", "-Wundef"),
    *("-Werror",),
)
GCC_WARNINGS = (*WARNINGS, "-Wbidi-chars=any")
CLANG_WARNINGS = (*WARNINGS, "-Wnewline-eof", "-Wreserved-identifier")

text = st.one_of(st.text(), st.lists(st.sampled_from([*HOSTILE, *TAKEN]), max_size=4).map("".join))


def named(graph: Graph, names: Sequence[str]) -> Graph:
    """The graph with these names for its tensors, the operators of its file, and the two classes of its output."""
    tensors = tuple(replace(t, name=names[i % len(names)]) for i, t in enumerate(graph.tensors))
    ops = tuple(names[i % len(names)] for i in range(len(graph.nodes)))
    return replace(graph, tensors=tensors, source_ops=ops, labels=((names[0], names[-1]),))


def hostile_package(name: str, names: Sequence[str]) -> Package:
    """A padded convolution and a sum, of hostile tensors."""
    b = Builder()
    x = b.input(1, 4, 4, 2)
    y = b.add(b.conv(b.pad(x, 1, 1, 1, 1), 2), b.conv(b.pad(x, 1, 1, 1, 1), 2, seed=1))
    return emit(compile_graph(named(b.graph(y, name=name), names), core="host"))


# --- identifiers -----------------------------------------------------------------------------------------------------


@given(text)
@example("x" * 40 + "_weights")
def test_identifiers_are_words_of_every_language_and_file_system(name: str) -> None:
    made = identifier(name)
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", made) and len(made) <= MAX_LENGTH
    assert identifier(made) == made
    assert not re.fullmatch(r"con|aux|nul|prn|com\d|lpt\d|conin|conout|.*_weights|.*_hil|hil.*_.*|tinyhil.*_.*", made)


def test_ordinary_names_stay() -> None:
    for name in ("kws", "digits", "stream", "person_detect", "ad01_int8", "mobilenet_v2_1_0_96", "weights", "add"):
        assert identifier(name) == name
    assert identifier("My Net v2.1") == "my_net_v2_1" and identifier("KWS") == "kws"


def test_long_names_that_begin_alike_stay_apart() -> None:
    made = {identifier("very_long_" * 300 + end) for end in ("a", "b", "c")}
    assert len(made) == 3 and all(name.startswith("very_long_very") for name in made)


def test_no_package_hides_a_header_of_a_compiler() -> None:
    """A package's folder is searched before the compiler's own."""
    folders: set[str] = set()
    for compiler in ("gcc", "clang", "arm-none-eabi-gcc"):
        command = [compiler, "-E", "-v", "-xc", "/dev/null"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
        folders |= set(told.partition("> search starts here:")[2].partition("End of search")[0].split())
    stems = {path.stem for folder in folders if Path(folder).name == "include" for path in Path(folder).glob("*.h")}
    system = Path("/usr/include")
    stems -= {path.stem for path in system.glob("*.h")} if system.is_dir() else set()  # of any library
    stems = {stem for stem in stems if re.fullmatch("[a-z0-9_]+", stem) and not stem.startswith("__")}
    hidden = {stem for stem in stems if identifier(stem) == stem}
    assert len(stems) > 60
    # what only another target's clang looks for
    assert {
        stem for stem in hidden if not re.match("amx|hexagon|hvx|riscv|s390|wasm|x86|opencl|acc_|vec|mm3d", stem)
    } == set()


def test_no_header_of_c_or_posix_is_hidden() -> None:
    listed = """
    assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic
    stdbit     stdbool stdckdint stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype
    unistd sched pthread strings memory malloc alloca endian features dirent fcntl poll regex semaphore spawn
    """
    assert [stem for stem in listed.split() if identifier(stem) == stem] == []


def test_no_identifier_of_kernels_and_runtime_reads_like_one_of_a_model() -> None:
    """NAME_init and the others are the model's alone, whatever NAME is."""
    ends = "init|invoke|status|context|observer|(de)?quantize_(in|out)put_\\d+|(in|out)put_\\d+\\w*|layer_\\d+\\w*"
    ends += "|layer_shared_\\d+|state_\\d+|ARENA_\\w+|INPUT_\\w+|OUTPUT_\\w+|LAYER_COUNT|OK|NULL_POINTER|CAST|WEIGHTS_H"
    form = re.compile(rf"\b(?!hil_|HIL_|TINYHIL_)[A-Za-z]\w*_({ends})\b")
    paths = [*kernel_files(), *(FIRMWARE / "runtime").glob("*.h")]
    found = {(path.name, match[0]) for path in paths for match in form.finditer(path.read_text())}
    assert len(paths) > 100 and found == set()


# --- text ------------------------------------------------------------------------------------------------------------


@given(text, st.integers(3, 200))
def test_text_is_one_line_without_anything_that_commands(given_text: str, most: int) -> None:
    made = plain_text(given_text, most)
    assert re.fullmatch(r"[A-Za-z0-9 _.,:;+=()/-]*", made) and len(made) <= most


def test_ordinary_text_stays() -> None:
    for name in ("serving_default_x:0", "model/conv2d/Conv2D;model/bias", "StatefulPartitionedCall (1)", "a-b.c"):
        assert plain_text(name) == name
    assert plain_text("a" * 3000) == "a" * 117 + "..."


# --- compiled --------------------------------------------------------------------------------------------------------


def compile_together(packages: Sequence[Package], folder: Path) -> None:
    """All packages as one file of C for gcc and clang, all headers as one of C++ for g++ and clang++."""
    packages = list({package.plan.name: package for package in packages}.values())
    assert all(len({file.lower() for file in package.files}) == len(package.files) for package in packages)
    for package in packages:
        write_package(package, folder / package.plan.name)
    names = [package.plan.name for package in packages]
    files = [f"{name}/{name}{end}" for name in names for end in ("_weights.c", ".c")]
    glue = [f"{name}/glue_{name}.c" for name in names]
    for package, path in zip(packages, glue, strict=True):
        (folder / path).write_text(package.glue)
    (folder / "all.c").write_text("".join(f'#include "{file}"\n' for file in files))
    (folder / "all.cpp").write_text("".join(f'#include "{name}/{name}.h"\n' for name in names) * 2)
    (folder / "string.cpp").write_text("#include <cstring>\n#include <string>\n#include <cstdlib>\n#include <cmath>\n")
    includes = [f"-I{name}" for name in names]
    own = [f"-I{FIRMWARE / 'runtime'}"]
    for command in (
        ["gcc", "-std=c11", *GCC_WARNINGS, "all.c"],
        ["gcc", "-std=c11", *GCC_WARNINGS, *own, *glue],
        ["clang", "-std=c11", *CLANG_WARNINGS, "all.c"],
        ["g++", "-std=c++11", *GCC_WARNINGS, "all.cpp"],
        ["g++", "-std=c++17", *includes, "string.cpp"],
        ["clang++", "-std=c++17", *CLANG_WARNINGS, "all.cpp"],
    ):
        done = subprocess.run([*command, "-fsyntax-only"], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stderr[:4000]}"


def test_taken_names_compile(tmp_path: Path) -> None:
    compile_together([hostile_package(name, HOSTILE[at % len(HOSTILE) :]) for at, name in enumerate(TAKEN)], tmp_path)


@settings(max_examples=scaled(4, 100), deadline=None, phases=[Phase.generate])  # shrinking would compile for minutes
@given(st.lists(st.tuples(text, st.lists(text, min_size=1, max_size=9)), min_size=6, max_size=6))
def test_hostile_names_compile(
    tmp_path_factory: pytest.TempPathFactory, given_names: list[tuple[str, list[str]]]
) -> None:
    packages = [hostile_package(name, names) for name, names in given_names]
    compile_together(packages, tmp_path_factory.mktemp("hostile"))


def test_make_and_cmake_take_taken_names_at_once(tmp_path: Path) -> None:
    names = dict.fromkeys(identifier(name) for name in ("all", "all_model", *TAKEN[:: scaled(4, 1)]))
    for name in names:
        write_package(hostile_package(name, HOSTILE[5:]), tmp_path / "models" / name)
    includes = "".join(f"include models/{name}/{name}.mk\n" for name in names)
    objects = " ".join(f"$({name.upper()}_OBJECTS) $({name.upper()}_LIBRARY)" for name in names)
    (tmp_path / "Makefile").write_text(f"{includes}firmware: {objects}\n")
    done = subprocess.run(["make", "-n", "--warn-undefined-variables"], cwd=tmp_path, capture_output=True, text=True)
    undefined = [line for line in done.stderr.splitlines() if not re.search("variable '(CPPFLAGS|CFLAGS)'", line)]
    assert done.returncode == 0 and undefined == [] and done.stdout.count(" -c ") >= 3 * len(names), done.stderr[:2000]
    folders = "".join(f"add_subdirectory(models/{name})\n" for name in names)
    targets = " ".join(f"tinyhil::{name}" for name in names)
    (tmp_path / "main.c").write_text("int main(void) { return 0; }\n")
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(firmware C)\n"
        f"{folders}add_executable(firmware main.c)\ntarget_link_libraries(firmware PRIVATE {targets})\n"
    )
    command = ["cmake", "-S", ".", "-B", "build", "-Werror=dev", "--warn-uninitialized"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Warning" not in done.stderr, done.stderr[:4000]
