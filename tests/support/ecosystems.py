"""What ecosystems make of a package by their own documented rules: which files are compiled, with which flags."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

GNU_COMPILERS = {".c": "gcc", ".cpp": "g++", ".S": "gcc"}
SEMANTIC = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
)
"""Semantic Versioning 2.0.0."""


@dataclass(frozen=True)
class Build:
    """What is compiled: absolute paths of sources, include folders, and flags."""

    sources: tuple[Path, ...]
    includes: tuple[Path, ...]
    flags: tuple[str, ...] = ()


def compile_all(build: Build, objects: Path, prefix: str = "", flags: Sequence[str] = ()) -> list[Path]:
    """Compiles each source by its suffix; C++ is C++11, as the oldest cores of Arduino have it."""
    objects.mkdir(parents=True, exist_ok=True)
    made = []
    for number, source in enumerate(build.sources):
        target = objects / f"{number}_{source.name}.o"
        standard = ["-std=gnu++11"] if source.suffix == ".cpp" else ["-std=gnu11"] if source.suffix == ".c" else []
        command = [prefix + GNU_COMPILERS[source.suffix], *standard, *flags, *build.flags]
        command += [*(f"-I{folder}" for folder in build.includes), "-c", str(source), "-o", str(target)]
        run(command)
        made.append(target)
    return made


def run(command: Sequence[str | Path]) -> str:
    """Standard output of a command that must succeed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def platformio(library: Path) -> Build:
    """library.json as PlatformIO's library builder reads it."""
    manifest = json.loads((library / "library.json").read_text())
    build = manifest["build"]
    source_folder = library / build["srcDir"]
    chosen: set[Path] = set()
    for sign, pattern in re.findall(r"([+-])<([^>]+)>", " ".join(build["srcFilter"])):
        found = {path for path in source_folder.glob("**/*" if pattern == "*" else pattern) if path.is_file()}
        chosen = chosen | found if sign == "+" else chosen - found
    suffixes = {".c", ".cc", ".cpp", ".S", ".spp", ".SPP", ".sx", ".s", ".asm", ".ASM"}
    sources = tuple(sorted(path for path in chosen if path.suffix in suffixes))
    return Build(sources, (library / build["includeDir"], source_folder), tuple(build["flags"]))


def arduino_properties(library: Path) -> dict[str, str]:
    """library.properties: key=value in lines."""
    lines = (library / "library.properties").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def arduino(library: Path) -> Build:
    """A library of the recursive layout: everything in src/, and src/ alone in the include path."""
    assert arduino_properties(library)
    root = library / "src"
    assert root.is_dir()
    sources = tuple(sorted(path for path in root.rglob("*") if path.suffix in (".c", ".cpp", ".S")))
    return Build(sources, (root,))


ARDUINO_H = """\
// What the sketch uses of Arduino.h, on this machine.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
struct HardwareSerial {
  void begin(unsigned long) {}
  void print(const char *text) { fputs(text, stdout); }
  void print(char letter) { putchar(letter); }
  void print(int number) { printf("%d", number); }
  void print(long number) { printf("%ld", number); }
  void print(unsigned long number) { printf("%lu", number); }
  void print(double number) { printf("%.2f", number); }
  void println() { putchar('\\n'); }
  void println(const char *text) { puts(text); }
};
static HardwareSerial Serial;
static unsigned long micros() { return 0; }
static void delay(unsigned long) { exit(0); }
"""


def arduino_sketch(library: Path, made: Path) -> Build:
    """The library and its example as the IDE compiles them: the sketch becomes C++ that begins with Arduino.h."""
    (sketch,) = (library / "examples").rglob("*.ino")
    assert sketch.stem == sketch.parent.name
    made.mkdir(parents=True, exist_ok=True)
    (made / "Arduino.h").write_text(ARDUINO_H)
    (made / "main.cpp").write_text("int main() { setup(); for (;;) loop(); }\n")
    prototypes = "#include <Arduino.h>\nvoid setup();\nvoid loop();\n"
    text = sketch.read_text() + (made / "main.cpp").read_text()
    (made / "main.cpp").write_text(prototypes + text)
    library_build = arduino(library)
    return Build((*library_build.sources, made / "main.cpp"), (*library_build.includes, made))


ZEPHYR_FUNCTIONS = """\
# Zephyr's CMake extensions, as far as a module uses them, with what they do to targets.
function(zephyr_library_named name)
    add_library(${name} STATIC)
    target_link_libraries(${name} PUBLIC zephyr_interface)
    set(ZEPHYR_CURRENT_LIBRARY ${name} PARENT_SCOPE)
    set_property(GLOBAL APPEND PROPERTY ZEPHYR_LIBS ${name})
endfunction()
function(zephyr_library_sources)
    target_sources(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGN})
endfunction()
function(zephyr_library_compile_options)
    target_compile_options(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGN})
endfunction()
function(zephyr_include_directories)
    target_include_directories(zephyr_interface INTERFACE ${ARGN})
endfunction()
add_library(zephyr_interface INTERFACE)
"""


def zephyr_project(module: Path, project: Path, options: Sequence[str], kconfig: str, cmake: str) -> None:
    """A project that adds a module's CMake folder as Zephyr does, with Kconfig options set, and links it whole."""
    (project / "zephyr.cmake").write_text(ZEPHYR_FUNCTIONS)
    (project / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.20)\nproject(zephyr_stub C ASM)\ninclude(zephyr.cmake)\n"
        + "".join(f"set({option} y)\n" for option in options)
        + f'set(ZEPHYR_CURRENT_MODULE_DIR "{module}")\nset(ZEPHYR_KCONFIG "{kconfig}")\n'
        f'add_subdirectory("{module / cmake}" module)\n'
        "add_executable(main main.c)\nget_property(libs GLOBAL PROPERTY ZEPHYR_LIBS)\n"
        "target_link_libraries(main PRIVATE zephyr_interface -Wl,--whole-archive ${libs} -Wl,--no-whole-archive)\n"
    )
