"""`tinyhil generate --for`: every ecosystem takes the package by its own rules, and computes right outputs with it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import kconfiglib
import numpy as np
import pytest
import yaml

from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import Package, emit, write_package
from harness.compiler.emit.wrappers import ALWAYS, WRAPPERS, chosen
from harness.compiler.emit.wrappers.wrapper import semantic_version
from harness.errors import OptionError
from harness.ir.graph import Tensor
from harness.ir.interpreter import run as interpret
from harness.quantization.types import DType
from harness.version import __version__
from tests.compiler.host.test_emit import small_package
from tests.compiler.host.test_package_use import write_main
from tests.support import pack_schema
from tests.support.cross import CORES
from tests.support.ecosystems import (
    SEMANTIC,
    arduino,
    arduino_properties,
    arduino_sketch,
    compile_all,
    platformio,
    run,
    zephyr_project,
)
from tests.support.graphs import Builder

BUILT_IN = tuple(name for name in WRAPPERS.names() if ":" not in name)
BARE = ("--specs=nosys.specs",)


def packed(tmp_path: Path, *ecosystems: str, core: str = "host", name: str = "small") -> tuple[Package, Path]:
    """The small package with the files of ecosystems, in a folder of its own."""
    package = emit(small_package(name, core).plan, ecosystems)
    write_package(package, tmp_path / "package")
    return package, tmp_path / "package"


def cross(core: str) -> tuple[str, tuple[str, ...]]:
    """Prefix of the compilers, and the core's flags."""
    return ("", ()) if core == "host" else ("arm-none-eabi-", CORES[core])


def outputs(text: str) -> list[int]:
    return [int(number) for number in text.split()]


@pytest.mark.parametrize(
    ("core", "together"), [("host", ()), ("host", ("arduino",)), ("cortex-m4", ("arduino",)), ("cortex-m55", ())]
)
def test_platformio(core: str, together: tuple[str, ...], tmp_path: Path) -> None:
    package, library = packed(tmp_path, "platformio", *together, core=core)
    for stray in ("examples/other/main.cpp", "stray.c", "test/test_small.c", "src/stray.S"):
        (library / stray).parent.mkdir(parents=True, exist_ok=True)
        (library / stray).write_text("#error compiled\n")
    manifest = json.loads((library / "library.json").read_text())
    assert SEMANTIC.fullmatch(manifest["version"])
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", manifest["name"])
    build = platformio(library)
    assert sorted(path.name for path in build.sources) == sorted(package.facts.sources)
    assert manifest["headers"] == "small.h" and (build.includes[0] / "small.h").is_file()
    prefix, flags = cross(core)
    objects = compile_all(build, tmp_path / "objects", prefix, flags)
    wanted = write_main(package, tmp_path / "main.c")
    command = [f"{prefix}gcc", *flags, *(BARE if prefix else ()), f"-I{build.includes[0]}", tmp_path / "main.c"]
    run([*command, *objects, "-o", tmp_path / "main"])
    if core == "host":
        assert outputs(run([tmp_path / "main"])) == wanted


@pytest.mark.parametrize("core", ["host", "cortex-m4", "cortex-m55"])
def test_arduino(core: str, tmp_path: Path) -> None:
    package, library = packed(tmp_path, "arduino", core=core)
    prefix, flags = cross(core)
    if prefix:
        compile_all(arduino(library), tmp_path / "objects", prefix, flags)
        return
    build = arduino_sketch(library, tmp_path / "sketch")
    objects = compile_all(build, tmp_path / "objects", flags=("-Wall", "-Wextra", "-Werror"))
    run(["g++", *objects, "-o", tmp_path / "main"])
    zeros = np.zeros((1, 6, 5, 3), np.int8)
    wanted = interpret(package.plan.graph, [zeros]).outputs[0].reshape(-1).tolist()
    first, last = run([tmp_path / "main"]).splitlines()
    assert outputs(first) == wanted and last == "0 us"


@pytest.mark.parametrize("core", ["host", "cortex-m4", "cortex-m55"])
def test_arduino_properties_keep_the_specification(core: str, tmp_path: Path) -> None:
    _, library = packed(tmp_path, "arduino", core=core)
    properties = arduino_properties(library)
    required = ("name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url", "architectures")
    assert all(properties[key] for key in required)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}", properties["name"])
    assert SEMANTIC.fullmatch(properties["version"])
    assert properties["category"] in (
        *("Display", "Communication", "Signal Input/Output", "Sensors", "Device Control", "Timing", "Data Storage"),
        *("Data Processing", "Other"),
    )
    assert (library / "src" / properties["includes"]).is_file()
    assert (properties["architectures"] == "*") == (core == "host")
    assert not list(library.glob("*.[chS]")), "only src/ is compiled"


def test_arduino_sketch_of_several_inputs_and_types(tmp_path: Path) -> None:
    """The example of a model with a float output, and with two inputs, is a program, too."""
    b = Builder()
    x, y = b.input(1, 4), b.input(1, 4)
    total = b.add(x, y)
    b.tensors.append(Tensor("real", (1, 4), DType.FLOAT32))
    real = b.node("DEQUANTIZE", (total,), len(b.tensors) - 1)
    package = emit(compile_graph(b.graph(real, total, name="two"), core="host"), ["arduino"])
    write_package(package, tmp_path / "library")
    build = arduino_sketch(tmp_path / "library", tmp_path / "sketch")
    objects = compile_all(build, tmp_path / "objects", flags=("-Wall", "-Wextra", "-Werror"))
    run(["g++", *objects, "-o", tmp_path / "main"])
    assert len(run([tmp_path / "main"]).splitlines()) == 3


@pytest.mark.parametrize(("core", "together"), [("host", ("arduino",)), ("cortex-m4", ())])
def test_zephyr(core: str, together: tuple[str, ...], tmp_path: Path) -> None:
    package, module = packed(tmp_path, "zephyr", *together, core=core)
    wanted = write_main(package, tmp_path / "main.c")
    with (tmp_path / "main.c").open("a") as main:  # the names of kernels' headers are not the image's
        main.write("#if __has_include(<kernel.h>)\n#error kernel.h\n#endif\n")
    said = yaml.safe_load((module / "zephyr" / "module.yml").read_text())
    assert re.fullmatch(r"[a-z0-9_]+", said["name"])
    build = said["build"]
    assert (module / build["cmake"] / "CMakeLists.txt").is_file() and (module / build["kconfig"]).is_file()
    options = ["CONFIG_TINYHIL_SMALL", "CONFIG_TINYHIL_SMALL_O2"]
    zephyr_project(module, tmp_path, options, build["kconfig"], build["cmake"])
    prefix, flags = cross(core)
    given = [f"-DCMAKE_C_FLAGS={' '.join(flags)}", f"-DCMAKE_ASM_FLAGS={' '.join(flags)}"]
    if prefix:
        given += ["-DCMAKE_C_COMPILER=arm-none-eabi-gcc", "-DCMAKE_SYSTEM_NAME=Generic"]
        given += [f"-DCMAKE_EXE_LINKER_FLAGS={BARE[0]}"]
    run(["cmake", "-S", tmp_path, "-B", tmp_path / "build", "-Werror=dev", *given])
    run(["cmake", "--build", tmp_path / "build"])
    if not prefix:
        assert outputs(run([tmp_path / "build" / "main"])) == wanted


def test_zephyr_without_the_option_compiles_nothing(tmp_path: Path) -> None:
    _, module = packed(tmp_path, "zephyr")
    zephyr_project(module, tmp_path, [], "zephyr/Kconfig", "zephyr")
    (tmp_path / "main.c").write_text("int main(void) { return 0; }\n")
    run(["cmake", "-S", tmp_path, "-B", tmp_path / "build"])
    assert "tinyhil_small" not in run(["cmake", "--build", tmp_path / "build", "--target", "help"])


@pytest.mark.parametrize(
    ("core", "chip", "offered"),
    [
        ("host", "", True),
        ("cortex-m3", "CPU_CORTEX_M3", True),
        ("cortex-m4", "CPU_CORTEX_M3", False),
        ("cortex-m4", "CPU_CORTEX_M7", True),
        ("cortex-m33", "ARMV8_M_DSP", True),
        ("cortex-m55", "ARMV8_M_DSP", False),
        ("cortex-m55", "ARMV8_1_M_MVEI", True),
    ],
)
def test_zephyr_offers_the_option_where_the_core_has_what_it_needs(
    core: str, chip: str, offered: bool, tmp_path: Path
) -> None:
    """By kconfiglib, which Zephyr itself uses."""
    _, module = packed(tmp_path, "zephyr", core=core)
    chips = ("CPU_CORTEX_M3", "CPU_CORTEX_M4", "CPU_CORTEX_M7", "ARMV8_M_DSP", "ARMV8_1_M_MVEI")
    text = "".join(f"config {name}\n\tbool\n\tdefault {'y' if name == chip else 'n'}\n" for name in chips)
    (tmp_path / "Kconfig").write_text(f'{text}source "{module}/zephyr/Kconfig"\n')
    kconfig = kconfiglib.Kconfig(str(tmp_path / "Kconfig"), suppress_traceback=True)
    assert kconfig.warnings == []
    kconfig.syms["TINYHIL_SMALL"].set_value(2)
    assert (kconfig.syms["TINYHIL_SMALL"].str_value == "y") == offered
    assert (kconfig.syms["TINYHIL_SMALL_O2"].str_value == "y") == offered


@pytest.mark.parametrize(
    ("core", "together"),
    [
        ("host", ()),
        ("host", ("arduino", "zephyr", "platformio")),
        ("cortex-m3", ()),
        ("cortex-m4", ()),
        ("cortex-m55", ()),
    ],
)
def test_cmsis_pack(core: str, together: tuple[str, ...], tmp_path: Path) -> None:
    """The description keeps the schema; what it lists is in the pack, and is a program."""
    package, folder = packed(tmp_path, "cmsis-pack", *together, core=core)
    pack = zipfile.ZipFile(folder / f"tinyhil.small.{semantic_version(__version__)}.pack")
    assert pack.testzip() is None
    (description,) = (name for name in pack.namelist() if name.endswith(".pdsc"))
    assert description == "tinyhil.small.pdsc"
    text = pack.read(description).decode()
    assert (folder / description).read_text() == text
    assert pack_schema.problems(text, pack.namelist()) == []
    pack.extractall(tmp_path / "pack")
    files = re.findall(r'<file category="(\w+)" name="([^"]+)"', text)
    sources = [tmp_path / "pack" / name for category, name in files if category == "source"]
    folders = dict.fromkeys((tmp_path / "pack" / name).parent for category, name in files if category == "header")
    includes = [f"-I{folder}" for folder in folders]
    wanted = write_main(package, tmp_path / "main.c")
    prefix, flags = cross(core)
    command = [f"{prefix}gcc", *flags, *(BARE if prefix else ()), *includes, tmp_path / "main.c", *sources]
    run([*command, "-o", tmp_path / "main"])
    if core == "host":
        assert outputs(run([tmp_path / "main"])) == wanted
    conditions = re.findall(r'<condition id="(\w+)"', text)
    assert ("assembler" in conditions) == (core in ("cortex-m4", "cortex-m55"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("<name>small</name>", ""), "0 name"),
        (("<name>small</name>", "<name>s m</name>"), "text 's m'"),
        (('condition="use"', 'condition="us"'), "condition us"),
        (('Dcore="Cortex-M4"', 'Dcore="cortex-m4"'), "Dcore=cortex-m4"),
        (('name="small.c"', 'name="tall.c"'), "tall.c is not in the pack"),
        (('release version="', 'release version="v'), "version=v"),
        (('category="header"', 'category="headers"'), "category=headers"),
        (("<url></url>", "<url></url><site></site>"), "site: no such element"),
        (('Cgroup="tinyhil" ', ""), "Cgroup is missing"),
    ],
)
def test_the_schema_check_finds(change: tuple[str, str], told: str) -> None:
    """The check of the tests above would tell."""
    package = emit(small_package(core="cortex-m4").plan, ["cmsis-pack"])
    text = package.files["tinyhil.small.pdsc"]
    assert change[0] in text
    found = pack_schema.problems(text.replace(*change, 1), package.files)
    assert any(told in problem for problem in found), found


def test_the_pack_is_the_same_bytes_whenever_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    first = emit(small_package().plan, ["cmsis-pack"]).archives
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.localtime", lambda *_: (2040, 5, 6, 7, 8, 9, 0, 1, 0))
    assert emit(small_package().plan, ["cmsis-pack"]).archives == first
    (data,) = first.values()
    with zipfile.ZipFile(io.BytesIO(data)) as pack:
        entries = pack.infolist()
    assert {(entry.date_time, entry.compress_type) for entry in entries} == {
        ((1980, 1, 1, 0, 0, 0), zipfile.ZIP_STORED)
    }


@pytest.mark.parametrize("kind", ["cmake", "make"])
def test_cmake_and_make_take_the_layout_of_arduino(kind: str, tmp_path: Path) -> None:
    package, folder = packed(tmp_path, "arduino", kind)
    wanted = write_main(package, tmp_path / "main.c")
    if kind == "make":
        (tmp_path / "Makefile").write_text(
            "include package/small.mk\nCPPFLAGS += $(SMALL_CPPFLAGS)\nmain: main.o $(SMALL_OBJECTS)\n\t$(CC) $^ -o $@\n"
        )
        run(["make", "-C", tmp_path])
    else:
        (tmp_path / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.13)\nproject(firmware C)\nadd_subdirectory(package)\n"
            "add_executable(main main.c)\ntarget_link_libraries(main PRIVATE tinyhil::small)\n"
        )
        run(["cmake", "-S", tmp_path, "-B", tmp_path])
        run(["cmake", "--build", tmp_path])
    assert outputs(run([tmp_path / "main"])) == wanted


def names() -> Iterator[str]:
    yield from (
        "test",
        "7segments",
        "Größe <b>",
        "a" * 3000,
        "con",
        "x\ny=z",
        "*/ #error",
        "${HOME}",
        "src",
        "examples",
    )


@pytest.mark.parametrize("name", list(names()))
def test_no_name_breaks_a_wrapper(name: str, tmp_path: Path) -> None:
    package, folder = packed(tmp_path, *BUILT_IN, name=name)
    own = package.facts.name
    assert re.fullmatch(r"[a-z][a-z0-9_]*", own)
    properties = arduino_properties(folder)
    assert set(properties) == {
        *("name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url", "architectures"),
        "includes",
    }
    assert len(properties["name"]) <= 63
    assert json.loads((folder / "library.json").read_text())["name"] == own
    assert yaml.safe_load((folder / "zephyr" / "module.yml").read_text())["name"] == f"tinyhil_{own}"
    assert kconfiglib.Kconfig(str(folder / "zephyr" / "Kconfig")).syms[f"TINYHIL_{own.upper()}"].nodes
    (pack,) = folder.glob("*.pack")
    text = (folder / f"tinyhil.{own}.pdsc").read_text()
    assert pack_schema.problems(text, zipfile.ZipFile(pack).namelist()) == []


@pytest.mark.parametrize(
    ("python", "semantic", "component"),
    [
        ("0.1.0", "0.1.0", "0.1.0"),
        ("1.2", "1.2.0", "1.2.0"),
        ("1.2.3.4", "1.2.3", "1.2.3"),
        ("1.2rc3", "1.2.0-rc.3", "1.2.0-rc.3"),
        ("1.2.0a1.dev4", "1.2.0-a.1.dev.4", "1.2.0-a.1.dev.4"),
        ("1.2.0.dev4+g12ab.d2026", "1.2.0-dev.4+g12ab.d2026", "1.2.0-dev.4"),
        ("1.2.0.post2", "1.2.0+post.2", "1.2.0"),
        ("2!1.0", "1.0.0", "1.0.0"),
    ],
)
def test_versions_are_semantic(python: str, semantic: str, component: str) -> None:
    assert semantic_version(python) == semantic
    assert semantic_version(python, build=False) == component
    assert SEMANTIC.fullmatch(semantic)
    assert re.fullmatch(pack_schema.PACK_VERSION, semantic)
    assert re.fullmatch(pack_schema.COMPONENT_VERSION, component)


def test_what_every_package_brings_comes_once() -> None:
    assert [wrapper.name for wrapper in chosen(["make", "zephyr", "zephyr"])] == [*ALWAYS, "zephyr"]
    plain, asked = emit(small_package().plan), emit(small_package().plan, ["cmake", "make"])
    assert plain.files == asked.files and {"CMakeLists.txt", "small.mk"} <= set(plain.files)


def test_an_unknown_ecosystem_is_told_with_those_there_are() -> None:
    with pytest.raises(OptionError, match="no ecosystem is named 'mbed'") as caught:
        emit(small_package().plan, ["mbed"])
    assert "zephyr" in caught.value.hint
