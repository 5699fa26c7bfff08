"""The stack that a header states: what it is made of, and when it is not known (is it true: emulator tests)."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from harness.build.stack import NoBoundError, assembly_frames, stack_need
from harness.compiler.emit.package import Package, emit
from harness.compiler.emit.stack import StackNeed
from tests.compiler.host.test_emit import small_package
from tests.support.cross import CORES
from tests.support.paths import FIRMWARE

FRAMES = {
    "push {r4, lr}": 8,
    "push {r4-r11, lr}": 36,
    "sub sp, #20": 20,
    "sub.w sp, sp, #200": 200,
    "subw sp, sp, #1111": 1111,
    "str r0, [sp, #-4]!": 4,
    "strd r0, r1, [sp, #-16]!": 16,
    "vpush {d8-d15}": 64,
    "vpush {s16}": 4,
    "stmdb sp!, {r4-r6}": 12,
    "push {r0-r3}\n pop {r0-r3}\n push {r4}": 20,
    "ldr r0, [sp, #4]\n str r1, [sp, #4]\n add sp, #8": 0,
    "b 1f\n .word 0xB500B5FF, 0xE92DFFFF\n1: nop": 0,
}


def assemble(body: str, folder: Path, core: str = "cortex-m55") -> Path:
    text = f".syntax unified\n.thumb\n.type f, %function\n.thumb_func\n.global f\nf:\n {body}\n bx lr\n.size f, . - f\n"
    (folder / "f.s").write_text(text)
    command = ["arm-none-eabi-gcc", *CORES[core], "-c", "f.s", "-o", "f.o"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "f.o"


@pytest.mark.parametrize("body", FRAMES)
def test_assembly_frames(body: str, tmp_path: Path) -> None:
    assert assembly_frames(assemble(body, tmp_path)) == {"f": FRAMES[body]}


@pytest.mark.parametrize("body", ["bl g", "blx r3", "mov sp, r7", "sub.w sp, sp, #4096", "mov r0, r0\n bl f"])
def test_assembly_without_a_bound(body: str, tmp_path: Path) -> None:
    with pytest.raises(NoBoundError):
        assembly_frames(assemble(body, tmp_path))


def test_every_kernel_of_assembly_has_a_frame_that_can_be_told(tmp_path: Path) -> None:
    folder = FIRMWARE / "kernels"
    for source in sorted(folder.glob("*.S")):
        core = "cortex-m55" if "_mve" in source.name else "cortex-m7"
        command = ["arm-none-eabi-gcc", *CORES[core], "-c", str(source), "-o", str(tmp_path / "k.o")]
        subprocess.run(command, check=True)
        frames = assembly_frames(tmp_path / "k.o")
        # 36 positions of 32 bytes, pushed in a loop
        most = 1300 if source.name.startswith("winograd_4x4") else 200
        assert frames and all(size <= most for size in frames.values()), (source.name, frames)
        assert most == 200 or min(frames.values()) > 36 * 32


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m55"])
def test_header_and_manifest_state_it(core: str) -> None:
    flat = small_package(core=core)
    need = stack_need(flat)
    assert need is not None and 100 < need.bytes < 1000
    assert re.fullmatch(r"arm-none-eabi-gcc \d+\.\d+\.\d+ -O2", need.compiler)
    package = emit(flat.plan, stack=need)
    assert f"#define SMALL_STACK_BYTES {need.bytes}\n" in package.files["small.h"]
    head = package.files["small.h"].split("#ifndef")[0]
    assert f"Stack: {need.bytes} bytes" in head and need.compiler in head
    assert all(name in head for name in need.library)
    assert ("__aeabi_lmul" in need.library) == (core == "cortex-m0plus")
    assert package.manifest["stack"]["bytes"] == need.bytes


def test_not_known_is_said() -> None:
    package = small_package(core="cortex-m4")
    assert "Stack: not known" in package.files["small.h"] and "STACK_BYTES" not in package.files["small.h"]
    assert package.manifest["stack"] is None
    assert stack_need(small_package(core="host")) is None


@pytest.mark.parametrize("compiler", ["/nonexistent/gcc", "clang"])
def test_not_known_without_the_compiler(compiler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYHIL_ARM_GCC", compiler)
    assert stack_need(small_package(core="cortex-m4")) is None


def test_not_known_without_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    assert stack_need(small_package(core="cortex-m4")) is None


def changed(package: Package, statement: str, before: str = "") -> Package:
    """The package with a further statement in NAME_init, and functions before it."""
    name = f"{package.plan.name}.c"
    text = package.files[name]
    at = text.index(f"{package.plan.name}_status {package.plan.name}_init")
    body = text[at:].replace("{\n", f"{{\n    {statement}\n", 1)
    return replace(package, files={**package.files, name: f"{text[:at]}{before}\n{body}"})


LARGE = "static __attribute__((noinline)) void g(void) { volatile char c[3000]; c[0] = 1; (void)c[0]; }"


def test_the_deepest_call_counts() -> None:
    package = small_package(core="cortex-m4")
    before, after = stack_need(package), stack_need(changed(package, "g();", LARGE))
    assert isinstance(before, StackNeed) and isinstance(after, StackNeed)
    assert 3000 <= after.bytes < 3000 + before.bytes


@pytest.mark.parametrize(
    ("statement", "before"),
    [
        ("volatile char *p = __builtin_alloca(size); p[0] = 1;", ""),
        ("g((int)size);", "static __attribute__((noinline)) int g(int n) { return n < 2 ? n : g(n - 1) * g(n - 2); }"),
        ("g();", "extern void g(void);"),
    ],
)
def test_not_known_without_a_bound(statement: str, before: str) -> None:
    assert stack_need(changed(small_package(core="cortex-m4"), statement, before)) is None
