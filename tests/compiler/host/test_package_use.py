"""The generated package as firmware engineers use it: from C++, with make, with CMake."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import Package, emit, write_package
from harness.ir.interpreter import run
from harness.quantization.types import DType
from tests.compiler.host.test_emit import small_package
from tests.support.cross import CORES
from tests.support.generated import KINDS, random_graph
from tests.support.graphs import Builder

CXX_WARNINGS = (
    *("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wold-style-cast", "-Wcast-qual", "-Wundef", "-Wshadow"),
    *("-Wdouble-promotion", "-Werror"),
)
MAIN = """
#include <stdio.h>
#include <string.h>
#include "small.h"
static const int8_t x[SMALL_INPUT_0_COUNT] = {INPUT};
ALIGNED(SMALL_ARENA_ALIGN) static uint8_t arena[SMALL_ARENA_SIZE];
int main(void)
{
    small_context context;
    if (small_init(&context, arena, sizeof arena) != SMALL_OK) return 1;
    memcpy(small_input_0(&context), x, sizeof x);
    if (small_invoke(&context, NULL, NULL) != SMALL_OK) return 2;
    for (int i = 0; i < SMALL_OUTPUT_0_COUNT; ++i) printf("%d ", small_output_0(&context)[i]);
    return 0;
}
"""


def write_main(package: Package, path: Path) -> list[int]:
    """Writes a main program in C or C++ for the package; returns what it must print."""
    graph = package.plan.graph
    vector = np.random.default_rng(5).integers(-128, 128, (1, 6, 5, 3)).astype(np.int8)
    text = MAIN.replace("INPUT}", ", ".join(map(str, vector.reshape(-1))) + "}")
    path.write_text(text.replace("ALIGNED", "_Alignas" if path.suffix == ".c" else "alignas"))
    return [int(value) for value in run(graph, [vector]).outputs[0].reshape(-1)]


def call(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that must succeed."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("standard", ["c++11", "c++17"])
@pytest.mark.parametrize(("c", "cxx"), [("gcc", "g++"), ("clang", "clang++")])
def test_links_with_cxx_and_computes_the_same(c: str, cxx: str, standard: str, tmp_path: Path) -> None:
    package = small_package()
    write_package(package, tmp_path)
    wanted = write_main(package, tmp_path / "main.cpp")
    call(c, "-std=c11", "-c", *package.sources, cwd=tmp_path)
    objects = [f"{Path(source).stem}.o" for source in package.sources]
    call(cxx, f"-std={standard}", *CXX_WARNINGS, "main.cpp", *objects, "-o", "main", cwd=tmp_path)
    assert [int(n) for n in call(tmp_path / "main", cwd=tmp_path).split()] == wanted


@pytest.mark.parametrize("standard", ["c++11", "c++17"])
@pytest.mark.parametrize("cxx", ["g++", "clang++"])
def test_headers_of_all_kinds_of_models_are_cxx(cxx: str, standard: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    lines = []
    for kind in KINDS:
        package = emit(compile_graph(random_graph(rng, op=kind), core="host", name=f"k_{kind}"))
        for name in (f"k_{kind}.h", f"k_{kind}_weights.h"):
            (tmp_path / name.lower()).write_text(package.files[name.lower()])
            lines.append(f'#include "{name.lower()}"')
    (tmp_path / "all.cpp").write_text("\n".join([*lines, *lines, ""]))
    call(cxx, f"-std={standard}", *CXX_WARNINGS, "-fsyntax-only", "all.cpp", cwd=tmp_path)


TOOLCHAIN = """
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_C_FLAGS_INIT "OPTIONS")
set(CMAKE_CXX_FLAGS_INIT "OPTIONS")
set(CMAKE_EXE_LINKER_FLAGS_INIT "--specs=nosys.specs")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
"""


def firmware_with_two_models(tmp_path: Path, core: str) -> list[int]:
    """A main program, the package `small`, and `test`, a name that CMake has taken; returns what it prints."""
    for name in ("small", "test"):
        package = small_package(name, core)
        write_package(package, tmp_path / name)
        assembly = any(source.endswith(".S") for source in package.sources)
        assert assembly == (core not in ("host", "cortex-m3"))
    other = '#include "test.h"\nint other(test_context *c) { return test_invoke(c, 0, 0); }\n'
    (tmp_path / "other.c").write_text(other)
    return write_main(small_package(core=core), tmp_path / "main.c")


LINKED = ("host", "cortex-m3", "cortex-m33")
"""Cores whose firmware is only linked; that of others runs in tests/compiler/emulator/test_package_in_firmware.py."""


@pytest.mark.parametrize("core", LINKED)
def test_make(core: str, tmp_path: Path) -> None:
    wanted = firmware_with_two_models(tmp_path, core)
    (tmp_path / "Makefile").write_text(
        "include small/small.mk\ninclude test/test.mk\nCPPFLAGS += $(SMALL_CPPFLAGS) $(TEST_CPPFLAGS)\n"
        "main: main.o other.o $(SMALL_OBJECTS) $(TEST_LIBRARY)\n\t$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@\n"
    )
    tools = [] if core == "host" else ["CC=arm-none-eabi-gcc", "AR=arm-none-eabi-ar", "LDFLAGS=--specs=nosys.specs"]
    call("make", f"CFLAGS=-O1 {' '.join(CORES[core])}", *tools, cwd=tmp_path)
    assert not list((tmp_path / "small").glob("*.o"))
    assert "up to date" in call("make", f"CFLAGS=-O1 {' '.join(CORES[core])}", *tools, cwd=tmp_path)
    if core == "host":
        assert [int(n) for n in call(tmp_path / "main", cwd=tmp_path).split()] == wanted


@pytest.mark.parametrize("languages", ["C", "CXX"])
@pytest.mark.parametrize("core", LINKED)
def test_cmake(core: str, languages: str, tmp_path: Path) -> None:
    wanted = firmware_with_two_models(tmp_path, core)
    main = "main.c"
    linker = ""
    if languages == "CXX":
        if core != "host":  # Debian has arm-none-eabi-g++ without its library
            languages, linker = "C CXX", "LINKER_LANGUAGE C"
        main = "main.cpp"
        write_main(small_package(core=core), tmp_path / main)
        (tmp_path / "other.c").rename(tmp_path / "other.cpp")
    (tmp_path / "CMakeLists.txt").write_text(
        f"cmake_minimum_required(VERSION 3.13)\nproject(firmware LANGUAGES {languages})\n"
        "add_subdirectory(small)\nadd_subdirectory(test)\n"
        f"add_executable(main {main} {main.replace('main', 'other')})\n"
        f"set_target_properties(main PROPERTIES CXX_STANDARD 11 {linker})\n"
        "target_link_libraries(main PRIVATE small tinyhil::test)\n"
    )
    (tmp_path / "toolchain.cmake").write_text(TOOLCHAIN.replace("OPTIONS", " ".join(CORES[core])))
    given = [] if core == "host" else ["-DCMAKE_TOOLCHAIN_FILE=toolchain.cmake"]
    call("cmake", "-S", ".", "-B", "build", "-Werror=dev", *given, cwd=tmp_path)
    call("cmake", "--build", "build", cwd=tmp_path)
    if core == "host":
        assert [int(n) for n in call(tmp_path / "build" / "main", cwd=tmp_path).split()] == wanted


@pytest.mark.parametrize("compiler", [("arm-none-eabi-gcc",), ("clang", "--target=arm-none-eabi", "-ffreestanding")])
@pytest.mark.parametrize(
    ("core", "less", "missing"),
    [
        ("cortex-m4", "cortex-m3", "DSP"),
        ("cortex-m7", "cortex-m0plus", "DSP"),
        ("cortex-m33", "cortex-m33+nodsp", "DSP"),
        ("cortex-m55", "cortex-m33", "MVE"),
        ("cortex-m55", "cortex-m55+nomve", "MVE"),
        ("cortex-m3", None, None),
    ],
)
def test_refuses_to_compile_for_less(
    core: str, less: str | None, missing: str | None, compiler: tuple[str, ...], tmp_path: Path
) -> None:
    """Only the preprocessor is asked: it knows the core, and needs no header of the C library for clang."""
    (tmp_path / "string.h").write_text("")
    write_package(small_package(core=core), tmp_path)
    command = [*compiler, "-E", "-I.", "-mthumb", "small.c", "-o", "small.i"]
    if core == "cortex-m55":  # gcc has MVE only with the registers of an FPU
        command += ["-mfloat-abi=hard", *(["-mfpu=auto"] if compiler[0] != "clang" else [])]
    call(*command, f"-mcpu={core}", cwd=tmp_path)
    if less is None:
        return
    done = subprocess.run([*command, f"-mcpu={less}"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"generated for {core}" in done.stderr and missing is not None and missing in done.stderr


CONVERT = """
#include <math.h>
#include <stdio.h>
#include "convert_me.h"
#ifdef __cplusplus
#define AS(type, value) static_cast<type>(value)
#else
#define AS(type, value) ((type)(value))
#endif
int main(void)
{
    float value;
    while (scanf("%f", &value) == 1) printf("%d\\n", convert_me_quantize_input_0(value));
    for (int i = LOW; i <= HIGH; ++i) printf("%a\\n", AS(double, convert_me_dequantize_output_0(AS(TYPE, i))));
    return 0;
}
"""


@pytest.mark.parametrize("compiler", ["gcc", "clang", "g++"])
@pytest.mark.parametrize(
    ("dtype", "scale", "zero"),
    [
        (DType.INT8, 0.1, 7),
        (DType.INT8, 1 / 255, -128),
        (DType.INT8, 0.5, 127),
        (DType.UINT8, 1 / 256, 0),
        (DType.UINT8, 0.037, 255),
        (DType.INT16, 3e-5, 0),
    ],
)
def test_helpers_convert_as_the_operators_do(
    dtype: DType, scale: float, zero: int, compiler: str, tmp_path: Path
) -> None:
    b = Builder()
    x = b.tensor(1, 4, scale=scale, zero=zero, dtype=dtype)
    b.inputs.append(x)
    inner = b.node("QUANTIZE", (x,), b.tensor(1, 4, scale=0.2, zero=1))
    y = b.node("QUANTIZE", (inner,), b.tensor(1, 4, scale=scale, zero=zero, dtype=dtype))
    write_package(emit(compile_graph(b.graph(y, name="convert_me"), core="host")), tmp_path)
    low, high = dtype.range
    suffix, flags = (".cpp", ("-std=c++11", *CXX_WARNINGS)) if compiler == "g++" else (".c", ("-std=c11", "-Wall"))
    text = CONVERT.replace("LOW", str(low)).replace("HIGH", str(high)).replace("TYPE", f"{dtype.value}_t")
    (tmp_path / f"main{suffix}").write_text(text)
    call(compiler, *flags, "-Wfloat-equal", "-Werror", f"main{suffix}", "-o", "main", cwd=tmp_path)
    step = np.float32(scale)
    steps = np.random.default_rng(6).uniform(low - zero - 9, high - zero + 9, 3000).astype(np.float32)
    halves = np.arange(-9, 10, dtype=np.float32) + np.float32(0.5)
    far = np.array([0.0, np.inf, -np.inf, 3e38, -3e38, 1e-42, np.nextafter(np.float32(0.5), np.float32(0))], np.float32)
    values = np.concatenate([steps * step, halves * step, far]).astype(np.float32)
    given = "\n".join([*(f"{value:.9g}" for value in values), "nan"])
    done = subprocess.run([tmp_path / "main"], input=given, capture_output=True, text=True, check=True)
    lines = done.stdout.split()
    with np.errstate(over="ignore"):
        exact = np.clip((values / step).astype(np.float64), -1e6, 1e6)
    rounded = np.where(exact < 0, np.ceil(exact - 0.5), np.floor(exact + 0.5))
    wanted = np.clip(rounded + zero, low, high)
    assert [int(line) for line in lines[: len(values)]] == wanted.astype(int).tolist()
    assert int(lines[len(values)]) == zero
    back = step * (np.arange(low, high + 1) - zero).astype(np.float32)
    assert [float.fromhex(line) for line in lines[len(values) + 1 :]] == back.astype(float).tolist()


def test_the_header_explains_itself() -> None:
    package = small_package(core="cortex-m4")
    head = package.files["small.h"].split("#ifndef")[0]
    plan = package.plan
    assert "input 0: t0, int8 1x6x5x3" in head and "output 0: " in head
    assert "scale 0.100000001, zero point 7: number = 0.100000001 * (element - 7)" in head
    assert "Made for cortex-m4, needs the DSP extension" in head and "tinyhil 0." in head
    assert f"{sum(layer.macs for layer in plan.layers)} multiply-accumulates" in head
    assert f"Arena: {plan.arena_size} bytes, aligned to {plan.arena_align}" in head
