"""Symbols of shared kernels: of one version one, of two versions or two bodies two, and short wherever people read."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.boards import find_board
from harness.build import BuildOptions, build_image
from harness.compiler.emit.kernels import kernel_files_of
from harness.compiler.emit.package import write_package
from harness.elf.symbols import Symbols, read_symbols
from harness.ir.interpreter import run
from harness.kernels.discovery import kernel_files
from harness.kernels.symbols import declared_functions, short_name, with_symbols
from harness.version import __version__
from tests.compiler.host.test_emit import small_package
from tests.support.paths import FIRMWARE, REPOSITORY

MARK = re.compile(r"_tinyhil_\d\w*_[0-9a-f]{8}$")
M55 = ("arm-none-eabi-gcc", "-std=c11", "-O1", "-mthumb", "-mcpu=cortex-m55", "-mfpu=auto", "-mfloat-abi=hard")


OLD = """
import sys
from pathlib import Path
import harness.version
from harness.kernels import discovery
folder, version = Path(sys.argv[1]), sys.argv[2]
harness.version.__version__ = version
find = discovery.kernel_file
discovery.kernel_file = lambda name: folder / name if (folder / name).is_file() else find(name)
from harness.compiler.emit.package import write_package
from tests.compiler.host.test_emit import small_package
package = small_package("old")
write_package(package, folder / "package")
print(*package.sources)
"""
"""Writes a package as another tinyhil does: of that version, with kernels from a folder before its own."""


def listed(path: Path, tool: str = "nm") -> list[str]:
    """Defined global symbols."""
    command = [tool, "--defined-only", "--extern-only", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.split()[-1] for line in done.stdout.splitlines()]


def code_files() -> list[Path]:
    return sorted(path for path in kernel_files() if path.suffix in (".c", ".S"))


# --- every kernel ----------------------------------------------------------------------------------------------------


def test_every_symbol_of_every_kernel_carries_version_and_digest(tmp_path: Path) -> None:
    files = code_files()
    texts = kernel_files_of([path.stem for path in files], "1.2.3rc4+local")
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    subprocess.run([*M55, "-c", *(path.name for path in files)], cwd=tmp_path, check=True)
    marks: dict[str, str] = {}
    for path in files:
        symbols = listed(tmp_path / f"{path.stem}.o", "arm-none-eabi-nm")
        declared = declared_functions(path.with_suffix(".h").read_text())
        assert {short_name(symbol) for symbol in symbols} == set(declared) and len(symbols) == len(declared) > 0
        found = {match[0] for symbol in symbols if (match := MARK.search(symbol))}
        assert len(found) == 1, (path.name, symbols)
        marks[path.name] = found.pop()
        assert marks[path.name].startswith("_tinyhil_1_2_3rc4_local_")
    assert len(set(marks.values())) == len(marks) > 50


def test_the_public_header_shows_none_of_it() -> None:
    package = small_package()
    assert "_tinyhil_" not in package.files["small.h"] + package.files["small.c"] + package.files["small_weights.h"]
    assert package.shared and any("#define scale_s8 scale_s8_tinyhil_" in text for text in package.files.values())


def test_declarations_of_all_forms_are_found() -> None:
    header = """
/* void not_this(void); */
#ifndef GUARD
#define GUARD
typedef void shape_function(int a);
typedef struct {
    int field;
} some_shape;
struct other;
shape_function first, second;
shape_function *choose(int32_t a,
                       int32_t b);
HIL_INLINE void inlined(void) { first(1); }
int8_t *last(void);
#endif
"""
    assert declared_functions(header) == ["first", "second", "choose", "last"]
    marked = with_symbols(header, ["first"], "_x")
    assert "#define GUARD\n/* " in marked and "#define first first_x\n" in marked


# --- linked ----------------------------------------------------------------------------------------------------------


VECTOR = np.random.default_rng(8).integers(-128, 128, (1, 6, 5, 3)).astype(np.int8)


def differ(name: str, folder: Path, packages: Mapping[str, Sequence[str]]) -> bool:
    """Whether the model `name` computes anything else than it must when packages are linked in this order.

    Args:
        packages: sources of each package; its files are in the folder of its name.
    """
    graph, upper = small_package(name).plan.graph, name.upper()
    others = "".join(f"(void){other}_invoke(NULL, NULL, NULL);" for other in packages)
    (folder / "main.c").write_text(
        f"""
        #include <stdio.h>
        #include <string.h>
        {"".join(f'#include "{other}/{other}.h"{chr(10)}' for other in packages)}
        static const int8_t x[] = {{{", ".join(map(str, VECTOR.reshape(-1)))}}};
        static _Alignas(16) uint8_t arena[{upper}_ARENA_SIZE];
        int main(void) {{
            {name}_context c;
            {others}
            if ({name}_init(&c, arena, sizeof arena)) return 1;
            memcpy({name}_input_0(&c), x, sizeof x);
            if ({name}_invoke(&c, NULL, NULL)) return 2;
            for (int i = 0; i < {upper}_OUTPUT_0_COUNT; ++i) printf("%d ", {name}_output_0(&c)[i]);
            return 0;
        }}
        """
    )
    made = []
    for package, sources in packages.items():
        for source in sources:
            made.append(f"{package}_{source}.o")
            command = ["gcc", "-std=c11", "-O1", "-c", f"{package}/{source}", "-o", made[-1]]
            subprocess.run(command, cwd=folder, check=True)
    subprocess.run(["gcc", "main.c", *made, "-o", "main"], cwd=folder, check=True)
    printed = subprocess.run([folder / "main"], capture_output=True, text=True, check=True).stdout
    return [int(n) for n in printed.split()] != run(graph, [VECTOR]).outputs[0].reshape(-1).tolist()


def written(name: str, folder: Path) -> Sequence[str]:
    """Writes a package of this version; its sources."""
    package = small_package(name)
    write_package(package, folder / name)
    return package.sources


def shared_symbols(folder: Path) -> list[str]:
    return [symbol for symbol in listed(folder / "main") if short_name(symbol) == "scale_s8"]


def test_packages_of_one_version_share_a_kernel(tmp_path: Path) -> None:
    assert not differ("second", tmp_path, {name: written(name, tmp_path) for name in ("first", "second")})
    assert len(shared_symbols(tmp_path)) == 1


@pytest.mark.parametrize("old_version", ["0.0.9", __version__])
def test_another_version_or_another_body_is_another_symbol(old_version: str, tmp_path: Path) -> None:
    """Bodies differ within a version between two states of its development."""
    body = (FIRMWARE / "kernels" / "scale_s8.c").read_text()
    start = body.index("{", body.index("HIL_SHARED")) + 1
    changed = tmp_path / "changed"
    changed.mkdir()
    (changed / "scale_s8.c").write_text(f"{body[:start]}\n    count = 0; /* computes nothing */{body[start:]}")
    command = [sys.executable, "-c", OLD, str(changed), old_version]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    (changed / "package").rename(tmp_path / "old")
    old, now = {"old": done.stdout.split()}, {"now": written("now", tmp_path)}
    assert differ("old", tmp_path, old)
    for packages in ({**old, **now}, {**now, **old}):
        assert not differ("now", tmp_path, packages)
        assert differ("old", tmp_path, packages)
        found = shared_symbols(tmp_path)
        assert len(found) == 2 and all(MARK.search(symbol) for symbol in found)
        assert any("_tinyhil_0_0_9_" in symbol for symbol in found) == (old_version != __version__)


# --- read by people --------------------------------------------------------------------------------------------------


def test_short_names() -> None:
    assert short_name("conv_dsp_tinyhil_0_1_0_0123abcd") == "conv_dsp"
    assert short_name("conv_dsp_tinyhil_0_2_0_dev3_0123abcd.cold") == "conv_dsp.cold"
    for name in ("main", "a_tinyhil_x", "a_tinyhil_0_layer_00_conv_2d", "kws_tinyhil_1_0_0123abcd_init"):
        assert short_name(name) == name


def test_images_have_the_long_names_and_readers_tell_the_short_ones() -> None:
    package = small_package(core="cortex-m4")
    image = build_image([package], find_board("mps2-an386"), BuildOptions())
    raw = listed(image.elf, "arm-none-eabi-nm")
    long = {short_name(symbol) for symbol in raw if MARK.search(symbol)}
    assert "conv_dsp" in long and "conv_dsp" not in raw
    functions = {symbol.name: symbol.address for symbol in read_symbols(image.elf) if symbol.kind == "function"}
    assert long <= functions.keys() and not any(MARK.search(name) for name in functions)
    place = Symbols(image.elf).at(functions["conv_dsp"] + 2)
    assert place is not None and place.function == "conv_dsp" and "tinyhil" not in str(place)
    assert image.sizes.models["small"]["kernels"].text > 1000
