"""What `tinyhil generate --relocatable` and `tinyhil inspect` make and say."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from harness import frontends
from harness.build.cache import BuildCache, default_root
from harness.build.jobs import compile_all
from harness.build.port import core_flags
from harness.build.toolchain import find
from harness.compiler.compile import compile_graph
from harness.compiler.emit.relocatable import emit_relocatable
from harness.errors import BuildError
from harness.relocatable.format import HEADER, read
from harness.relocatable.linking import link_model
from harness.relocatable.make import compile_jobs, make_relocatable, path_flags
from tests.support.command import called
from tests.support.paths import FIRMWARE, FIXTURES

DIGITS = FIXTURES / "digits.tflite"


@pytest.fixture(scope="module")
def plan():
    return compile_graph(frontends.load(DIGITS), core="cortex-m3", name="digits")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model as the command writes it, its weights apart."""
    folder = tmp_path_factory.mktemp("relocatable") / "out"
    options = ("--relocatable", "--weights", "apart", "--json")
    done = called("generate", FIXTURES / "digits.hil.yaml", "-o", folder, "--core", "cortex-m3", *options)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["kind"] == "relocatable" and told["files"] == [str(folder / name) for name in NAMES]
    return folder


NAMES = ("digits.bin", "digits_weights.bin", "digits.json")


def test_the_same_plan_gives_the_same_bytes(plan, folder, tmp_path):
    """Whatever folder and cache it is built in; the command and its manifest say the same."""
    made = make_relocatable(plan, weights_apart=True, cache_dir=tmp_path)
    assert made.file == (folder / "digits.bin").read_bytes()
    assert made.weights == (folder / "digits_weights.bin").read_bytes()
    said = json.loads((folder / "digits.json").read_text())
    assert set(said["files"]) == {"digits.bin", "digits_weights.bin"}
    assert said["relocatable"]["body"]["sha256"] == made.model.body.sha256
    assert str(tmp_path).encode() not in made.file


def test_the_file_says_what_the_plan_says(plan):
    made = make_relocatable(plan)
    model = read(made.file, "digits.bin")
    assert (model.core, model.align, model.context_bytes, model.features) == ("cortex-m3", 4, 4, frozenset())
    assert (model.arena_bytes, model.arena_align) == (plan.arena_size, plan.arena_align)
    assert [one.shape for one in model.inputs] == [(1, 8, 8, 1)] and model.stack_bytes > 0
    assert [len(layer) for layer in model.layers] == [len(layer.outputs) for layer in plan.layers]
    assert model.weights is None and made.weights is None


def test_the_code_is_the_same_wherever_it_is_linked(plan, tmp_path):
    """What the linker itself makes, such as veneers, would differ."""
    sources = [emit_relocatable(plan, base) for base in (HEADER.size, 0x2000_0004 + HEADER.size)]
    flags = core_flags(FIRMWARE, "cortex-m3")
    cache = BuildCache(default_root())
    objects, _ = compile_all(compile_jobs(sources[0], flags), find("arm"), cache, tmp_path, path_flags(tmp_path))
    linked = [link_model(find("arm"), flags, objects, one.linker_script, "digits", tmp_path) for one in sources]
    assert linked[0].code == linked[1].code and linked[1].init - linked[0].init == 0x2000_0004


def test_what_is_left_in_a_library_is_named_with_its_function(plan, tmp_path):
    """As libgcc's division for the v6-M: its objects are not checked one by one."""
    (tmp_path / "m.c").write_text(
        "int m_init(unsigned number);\nint m_invoke(void);\nint m_invoke(void) { return 0; }\n"
        "static const int two = 2; static const int *const held[] = {&two, 0};\n"
        "int m_init(unsigned number) { return *held[number & 1]; }\n"
    )
    flags = (*core_flags(FIRMWARE, "cortex-m3"), "-O2")
    subprocess.run([find("arm").cc, *flags, "-c", "m.c", "-o", "m.o"], cwd=tmp_path, check=True)
    script = emit_relocatable(plan, 0).linker_script.replace("digits", "m")
    with pytest.raises(BuildError, match=r"m as linked does not run at any address: .*R_ARM_ABS32 in (m_init|held)"):
        link_model(find("arm"), flags, [tmp_path / "m.o"], script, "m", tmp_path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--weights", "apart"), "add --relocatable"),
        (("--relocatable", "--weights", "there"), "inside or apart"),
        (("--relocatable", "--for", "cmake"), "--for brings files for sources"),
        (("--relocatable", "--core", "host"), "no relocatable models for host"),
    ],
)
def test_options_that_do_not_go_together(options, words, tmp_path):
    done = called("generate", DIGITS, "-o", tmp_path / "out", *options)
    assert done.returncode == 2 and words in done.stderr and not (tmp_path / "out").exists()


def test_without_a_compiler_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("harness.build.toolchain.USUAL_PLACES", ())
    done = called("generate", DIGITS, "-o", tmp_path / "out", "--relocatable", "--core", "cortex-m3")
    assert done.returncode == 3 and "no arm-none-eabi-gcc" in done.stderr and not (tmp_path / "out").exists()


def test_inspect_tells_what_is_in_it_and_checks_the_weights(folder, tmp_path):
    done = called("inspect", folder / "digits.bin")
    assert done.returncode == 0, done.stderr
    assert "digits: a relocatable model for cortex-m3, by tinyhil" in done.stdout
    assert f"matches {folder / 'digits_weights.bin'}" in done.stdout and "input 0" in done.stdout
    told = json.loads(called("inspect", folder / "digits.bin", "--json").stdout)
    assert told["kind"] == "relocatable-inspection" and told["weights_checked"] and told["against"] is None
    (tmp_path / "digits.bin").write_bytes((folder / "digits.bin").read_bytes())
    assert "not checked" in called("inspect", tmp_path / "digits.bin").stdout
    (tmp_path / "digits_weights.bin").write_bytes((folder / "digits_weights.bin").read_bytes()[:-4] + b"abcd")
    done = called("inspect", tmp_path / "digits.bin")
    assert done.returncode == 2 and "digits_weights.bin is damaged" in done.stderr
    done = called("inspect", folder / "digits_weights.bin")
    assert done.returncode == 2 and "holds the weights of a relocatable model" in done.stderr
    assert called("inspect", tmp_path / "none.bin").returncode == 2


FIRMWARE_C = """
#include "tinyhil_relocatable_format.h"
extern const tinyhil_reloc_abi_record tinyhil_reloc_abi;
const tinyhil_reloc_abi_record tinyhil_reloc_abi = {TINYHIL_RELOC_ABI_MAGIC, TINYHIL_RELOC_FORMAT, ABI};
static _Alignas(16) uint8_t memory[BYTES];
int main(void);
int main(void) { return *(volatile uint8_t *)memory + (int)*(volatile const uint16_t *)&tinyhil_reloc_abi.abi; }
"""


@pytest.fixture
def firmware(tmp_path):
    (tmp_path / "firmware.c").write_text(FIRMWARE_C)

    def build(core: str, *, abi: int = 1, size: int = 8192) -> Path:
        elf = tmp_path / f"{core}.elf"
        flags = [*core_flags(FIRMWARE, core), "-std=c11", f"-DABI={abi}U", f"-DBYTES={size}"]
        flags += [f"-I{FIRMWARE / 'relocatable'}", "-nostartfiles", "-Wl,-e,main", "-Wl,--no-warn-rwx-segments"]
        subprocess.run([find("arm").cc, *flags, tmp_path / "firmware.c", "-o", elf], check=True)
        return elf

    return build


def test_inspect_tells_whether_a_firmware_would_run_it(folder, firmware):
    done = called("inspect", folder / "digits.bin", "--against", firmware("cortex-m3"))
    assert done.returncode == 0 and "nothing speaks against it" in done.stdout
    assert "memory has 8,192 B" in done.stdout
    for elf, words in (
        (firmware("cortex-m4"), "compiled for v7E-M with FPv4; the model runs on cortex-m3 only"),
        (firmware("cortex-m3", abi=2), "its runtime takes ABI 2, the model has 1"),
    ):
        done = called("inspect", folder / "digits.bin", "--against", elf)
        assert done.returncode == 1 and "it would not run there" in done.stdout and words in done.stdout
    small = firmware("cortex-m3", size=64)
    told = json.loads(called("inspect", folder / "digits.bin", "--json", "--against", small).stdout)
    assert told["against"]["runs"] and "which no array of it has" in told["against"]["findings"][-1]["text"]
    stripped = firmware("cortex-m3")
    subprocess.run(["arm-none-eabi-strip", stripped], check=True)
    assert called("inspect", folder / "digits.bin", "--against", stripped).returncode == 0
    done = called("inspect", folder / "digits.bin", "--against", DIGITS)
    assert done.returncode == 4 and "cannot be read as an ELF file" in done.stderr
