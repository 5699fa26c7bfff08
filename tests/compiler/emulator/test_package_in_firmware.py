"""A package in firmware of C or C++, built by CMake, make, gcc or clang, runs on M4, M7 and M55 as on the host."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import frontends
from harness.build.stack import stack_need
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import Package, emit, write_package
from tests.compiler.host.test_emit import small_package
from tests.compiler.host.test_package_use import CXX_WARNINGS, TOOLCHAIN, call, write_main
from tests.support.cross import CORES, LINK, MACHINES, START, clang_flags, emulate
from tests.support.paths import FIXTURES

TARGETS = ("host", *MACHINES)


def outputs(image: Path, core: str) -> list[int]:
    printed = call(image, cwd=image.parent) if core == "host" else emulate(image, core)
    return [int(number) for number in printed.split()]


def package_in(folder: Path, core: str) -> Package:
    package = small_package(core=core)
    write_package(package, folder)
    assert any(source.endswith(".S") for source in package.sources) == (core != "host")
    return package


def compiler(core: str, family: str, language: str) -> list[str]:
    """The compiler with its flags for a core."""
    program = {"gcc c": "gcc", "gcc c++": "g++", "clang c": "clang", "clang c++": "clang++"}[f"{family} {language}"]
    if core == "host":
        return [program]
    bare = ["-fno-exceptions", "-fno-rtti"] if language == "c++" else []
    if family == "clang":
        return [program, *clang_flags(core), *bare]
    return [f"arm-none-eabi-{program}", *CORES[core], *bare]


def linker(core: str, family: str) -> list[str]:
    """For Cortex-M always gcc: Debian has its C library, and no C++ library, which the package does not need."""
    if core == "host":
        return ["g++" if family == "gcc" else "clang++"]
    return ["arm-none-eabi-gcc", *CORES[core], *LINK, START]


@pytest.mark.parametrize("core", TARGETS)
def test_make(core: str, tmp_path: Path) -> None:
    wanted = write_main(package_in(tmp_path / "out", core), tmp_path / "main.c")
    (tmp_path / "Makefile").write_text(
        "include out/small.mk\nCPPFLAGS += $(SMALL_CPPFLAGS)\n"
        "main: main.o $(SMALL_OBJECTS)\n\t$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@\n"
    )
    given = [f"CFLAGS=-O2 {' '.join(CORES[core])}"]
    if core != "host":
        given += ["CC=arm-none-eabi-gcc", "AR=arm-none-eabi-ar", f"LDFLAGS={' '.join((*LINK, START))}"]
    call("make", *given, cwd=tmp_path)
    assert outputs(tmp_path / "main", core) == wanted


@pytest.mark.parametrize("core", TARGETS)
def test_cmake(core: str, tmp_path: Path) -> None:
    """With a main program of C++; that of test_make is C."""
    wanted = write_main(package_in(tmp_path / "out", core), tmp_path / "main.cpp")
    start = "" if core == "host" else f'"{START}"'
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(firmware LANGUAGES C CXX)\nadd_subdirectory(out)\n"
        f"add_executable(main main.cpp {start})\ntarget_link_libraries(main PRIVATE tinyhil::small)\n"
        f"set_target_properties(main PROPERTIES CXX_STANDARD 17 {'' if core == 'host' else 'LINKER_LANGUAGE C'})\n"
        f"target_compile_options(main PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)\n"
    )
    options = " ".join(CORES[core])
    toolchain = TOOLCHAIN.replace("OPTIONS", options).replace("--specs=nosys.specs", " ".join(LINK))
    (tmp_path / "toolchain.cmake").write_text(toolchain)
    given = ["-DCMAKE_BUILD_TYPE=Release", *([] if core == "host" else ["-DCMAKE_TOOLCHAIN_FILE=toolchain.cmake"])]
    call("cmake", "-S", ".", "-B", "build", "-Werror=dev", *given, cwd=tmp_path)
    call("cmake", "--build", "build", cwd=tmp_path)
    assert outputs(tmp_path / "build" / "main", core) == wanted


@pytest.mark.parametrize("family", ["gcc", "clang"])
@pytest.mark.parametrize("core", TARGETS)
def test_cxx(core: str, family: str, tmp_path: Path) -> None:
    """A C++11 and a C++17 translation unit, with every warning that the header may give."""
    package = package_in(tmp_path, core)
    wanted = write_main(package, tmp_path / "main.cpp")
    objects = [f"{source}.o" for source in package.sources]
    for source, target in zip(package.sources, objects, strict=True):
        standard = ["-std=c11"] if source.endswith(".c") else []
        call(*compiler(core, family, "c"), *standard, "-O2", "-c", source, "-o", target, cwd=tmp_path)
    for standard in ("c++11", "c++17"):
        command = [*compiler(core, family, "c++"), f"-std={standard}", "-O2", *CXX_WARNINGS, "-c", "main.cpp"]
        call(*command, "-o", "main.o", cwd=tmp_path)
        call(*linker(core, family), "main.o", *objects, "-o", standard, cwd=tmp_path)
        assert outputs(tmp_path / standard, core) == wanted


PAINTED = """
#include <stdio.h>
#include "painted.h"
static _Alignas(PAINTED_ARENA_ALIGN) uint8_t arena[PAINTED_ARENA_SIZE];
static painted_context context;
static uint32_t lowest(void (*called)(void))
{
    volatile uint32_t *sp;
    __asm__ volatile("mov %0, sp" : "=r"(sp));
    for (int32_t i = 1; i <= 1024; ++i) sp[-i] = 0xA5A5A5A5U;
    called();
    for (int32_t i = 1024; i > 0; --i) if (sp[-i] != 0xA5A5A5A5U) return (uint32_t)i * 4U;
    return 0;
}
static void init(void) { painted_init(&context, arena, sizeof arena); }
static void invoke(void) { painted_invoke(&context, NULL, NULL); }
int main(void)
{
    const uint32_t first = lowest(init), second = lowest(invoke);
    printf("%u %d", (unsigned)(first > second ? first : second), PAINTED_STACK_BYTES);
    return 0;
}
"""


@pytest.mark.parametrize(
    ("core", "model"),
    [("cortex-m4", "digits"), ("cortex-m7", "stream"), ("cortex-m55", "residual"), ("cortex-m55", "stream")],
)
def test_the_stack_that_the_header_states_is_what_a_run_takes(core: str, model: str, tmp_path: Path) -> None:
    """Painted stack: no more than stated, but for init's and invoke's own frames here, and not much less."""
    plan = compile_graph(frontends.load(FIXTURES / f"{model}.tflite"), core=core, name="painted")
    package = emit(plan, stack=stack_need(emit(plan)))
    write_package(package, tmp_path)
    (tmp_path / "main.c").write_text(PAINTED)
    call(*linker(core, "gcc"), "-std=gnu11", "-O2", "main.c", *package.sources, "-o", "main", cwd=tmp_path)
    taken, stated = map(int, emulate(tmp_path / "main", core).split())
    own = 16
    assert stated - 64 <= taken <= stated + own
