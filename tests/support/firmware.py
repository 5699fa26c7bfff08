"""Builds the runtime with the test models of tests/support/model, without the compiler and the cache, and runs it."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from harness.boards.channels import Channels
from harness.link.subprocess import Subprocess
from harness.link.transport import PipeTransport, SocketTransport, Transport
from tests.support.paths import FIRMWARE

MODEL = Path(__file__).parent / "model" / "hil_models.c"
BUILD_ID = "0123456789abcdef"
WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror")


def build(
    port: str,
    out: Path,
    *,
    link: str | None = None,
    compiler: str | None = None,
    flags: Sequence[str] = (),
    test_faults: bool = True,
    stack_size: int | None = None,
    models: Path = MODEL,
    folders: Sequence[str] = (),
) -> Path:
    """Compile and link an image of the test models, with C of further folders of firmware/; returns `out`."""
    facts = yaml.safe_load((FIRMWARE / "ports" / port / "port.yaml").read_text())
    chosen = facts["links"][link or facts["default_link"]]
    arm = facts["toolchain"] == "arm"
    sources = [str(FIRMWARE / s) for s in [*facts["sources"], *chosen["sources"]]]
    sources += sorted(str(p) for folder in ("runtime", *folders) for p in (FIRMWARE / folder).glob("*.c"))
    command = [compiler or ("arm-none-eabi-gcc" if arm else "gcc"), "-O2", "-g", *WARNINGS]
    command += ["-ffunction-sections", "-fdata-sections", *facts["cflags"], *facts["ldflags"]]
    command += [f"-I{FIRMWARE / i}" for i in (*facts["includes"], *folders)]
    command += [f"-D{d}" for d in [*facts["defines"], *chosen["defines"]]]
    command += [f'-DHIL_BUILD_ID="{BUILD_ID}"', f'-DHIL_BOARD="{port}"', *flags]
    command += ["-DHIL_TEST_FAULTS"] if test_faults else []
    command += [f"-L{FIRMWARE / d}" for d in facts["library_dirs"]]
    if facts["ldscript"]:
        stack_size = stack_size or facts["stack_size"]
        command += [f"-T{FIRMWARE / facts['ldscript']}", f"-Wl,--defsym=HIL_STACK_SIZE={stack_size}"]
    command += [*sources, str(models), *facts["libs"], "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"
    return out


@contextlib.contextmanager
def running(elf: Path, port: str, link: str, *, shift: int = 8, options: Sequence[str] = ()) -> Iterator[Transport]:
    """Run an image of build() and give the line to it; the program ends with the block."""
    command = [str(elf)]
    channels, channel = Channels(), None
    if port != "host":
        command = ["qemu-system-arm", "-M", port, "-display", "none", "-monitor", "none", "-kernel", str(elf)]
        command += ["-icount", f"shift={shift}", *options]
        if link == "uart":
            channel = channels.listen("link")
            command += ["-chardev", f"socket,id=link,{channel.option}", "-serial", "chardev:link"]
        else:
            command += ["-serial", "null", "-semihosting-config", "enable=on,target=native"]
    environment = {"ASAN_OPTIONS": "detect_leaks=0"}
    child = Subprocess(port, command, pipes=channel is None, env=environment)
    transport: Transport | None = None
    try:
        if channel is None:
            transport = PipeTransport(child.stdout, child.stdin)
        else:
            transport = SocketTransport(channel.accept(child, 15))
        yield transport
        assert "ERROR: AddressSanitizer" not in child.stderr() and "runtime error" not in child.stderr(), child.stderr()
    finally:
        child.close()
        if transport is not None:
            transport.close()
        channels.close()
