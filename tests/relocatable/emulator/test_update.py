"""The example of an update: signed images in two slots, cut and forged, on an emulated Cortex-M7."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

from harness.build.jobs import run_tool
from harness.build.port import core_flags
from harness.build.toolchain import find
from harness.compiler.compile import compile_graph
from harness.ir.interpreter import run
from harness.relocatable.make import make_relocatable
from tests.support.cross import LINK, START, emulate
from tests.support.paths import EXAMPLES, FIRMWARE, REPOSITORY
from tests.support.scale import scaled
from tests.support.tiny import TINY_VECTOR, tiny_graph

CORE = "cortex-m7"
PAGE, CUTS = 1024, scaled(10, 400)
RELOCATABLE = FIRMWARE / "relocatable"
SOURCES = [
    EXAMPLES / "relocatable" / "model_update.c",
    REPOSITORY / "tests/support/relocatable_update.c",
    *(RELOCATABLE / name for name in ("tinyhil_relocatable.c", "tinyhil_slots.c", "tinyhil_hash.c")),
]
PLACES = """
    .section .rodata.places
    .global old_image, new_image, inputs, old_bytes, new_bytes
    .balign 16
old_image: .incbin "old.bin"
    .balign 16
new_image: .incbin "new.bin"
    .balign 4
inputs: .incbin "inputs.bin"
    .balign 4
old_bytes: .word {old}
new_bytes: .word {new}
"""


def image_of(file: bytes, *, header: int = 64) -> bytes:
    """As `imgtool sign --header-size 64 --pad-header` makes it: hash and signature behind the file."""
    head = struct.pack("<IIHHII8xI", 0x96F3B83D, 0, header, 0, len(file), 0, 0).ljust(header, b"\0")
    digest = hashlib.sha256(head + file).digest()
    signature = bytes(byte ^ 255 for byte in digest) * 2
    tags = struct.pack("<HH", 0x10, 32) + digest + struct.pack("<HH", 0x24, 64) + signature
    return head + file + struct.pack("<HH", 0x6907, 4 + len(tags)) + tags


def program(folder: Path, old: bytes, new: bytes, arena: int) -> Path:
    """The image, with both models and an input."""
    (folder / "old.bin").write_bytes(old)
    (folder / "new.bin").write_bytes(new)
    (folder / "inputs.bin").write_bytes(TINY_VECTOR[0].tobytes())
    (folder / "places.s").write_text(PLACES.format(old=len(old), new=len(new)))
    pages = -(-(max(len(old), len(new)) + 32) // PAGE)
    operations = pages + len(new) // 4 + 8
    command = [
        str(find("arm").cc), *core_flags(FIRMWARE, CORE), "-std=c11", "-O2", "-Wall", "-Wextra", "-Wconversion",
        "-Werror", f"-I{RELOCATABLE}", f"-I{EXAMPLES / 'relocatable'}", f"-DSLOT_PAGES={pages}",
        f"-DARENA_BYTES={arena}", f"-DCUT_MAX={operations}", f"-DCUT_STEP={max(operations // CUTS, 1)}", START,
        *map(str, SOURCES), "places.s", *LINK, "-o", "update.elf",
    ]  # fmt: skip
    run_tool(command, folder, "the firmware does not link", find("arm"))
    return folder / "update.elf"


def test_a_cut_or_forged_update_leaves_the_model_that_was_there(tmp_path):
    graphs = [tiny_graph(seed=seed) for seed in (0, 7)]
    made = [make_relocatable(compile_graph(graph, core=CORE)) for graph in graphs]
    arena = max(one.model.arena_bytes for one in made)
    told = emulate(program(tmp_path, *(image_of(one.file) for one in made), arena), CORE).splitlines()
    old, new = (run(graph, TINY_VECTOR).outputs[0].tobytes().hex() for graph in graphs)
    assert old != new
    assert told[:3] == ["nothing none", "1", f"old {old}"]
    cuts = told[3:-4]
    assert len(cuts) >= CUTS and set(cuts) <= {f"cut {old}"}
    assert told[-4:] == ["1", f"new {new}", "0", f"forged {new}"]
