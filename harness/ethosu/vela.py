"""Runs Arm's compiler Vela: a .tflite file in, one with the NPU's command streams out.

Vela runs as a process of its own: what it prints, what its C++ raises and where it crashes stays there.
"""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from harness.errors import InputError, ToolError
from harness.resources import has_package

PACKAGE = "ethos-u-vela"
TIMEOUT_S = 600.0
OPTIMISE = ("Performance", "Size")
DEFAULT_ACCELERATOR = "ethos-u55-128"

_DETAILS = 2_000
_VERSION = re.compile(r"\d+(?:\.\d+)+\S*")


class VelaMissingError(ToolError):
    """Vela is not installed, or does not start."""

    code = "vela-missing"
    stage = "vela"


class VelaRefusedError(InputError):
    """Vela does not compile the model, or not with these options; details carry what it said."""

    code = "vela-refused"
    stage = "vela"


@dataclass(frozen=True)
class VelaOptions:
    """What Vela is asked for.

    Attributes:
        accelerator: such as ethos-u55-128; what else Vela knows is compiled, too.
        system_config, memory_mode: sections of the configuration file; "" for Vela's defaults.
        optimise: one of OPTIMISE.
        config: a configuration file instead of the one that comes with Vela.
        program: the command to run; "" for the package that is installed beside tinyhil.
    """

    accelerator: str = DEFAULT_ACCELERATOR
    system_config: str = ""
    memory_mode: str = ""
    optimise: str = OPTIMISE[0]
    config: str = ""
    program: str = ""

    def arguments(self) -> tuple[str, ...]:
        """As Vela's command line has them."""
        named = {
            "--accelerator-config": self.accelerator,
            "--config": self.config,
            "--system-config": self.system_config,
            "--memory-mode": self.memory_mode,
            "--optimise": self.optimise,
        }
        return tuple(part for option, value in named.items() if value for part in (option, value))


@dataclass(frozen=True, eq=False)
class VelaResult:
    """What Vela made of a model.

    Attributes:
        file: the compiled .tflite file.
        database: its debug database, XML, which leads from commands to operators of the model (sources.py).
        printed: all that it said.
        summary: its own figures, column -> text, such as cycles_total; empty where it wrote none.
    """

    file: bytes
    database: str
    printed: str
    summary: Mapping[str, str] = field(default_factory=dict)


def run_vela(model: bytes, options: VelaOptions, place: str) -> VelaResult:
    """Compiles a model for an NPU.

    Args:
        model: the bytes of a .tflite file.
        options: what for.
        place: how errors name the model.

    Raises:
        VelaMissingError: Vela is not there.
        VelaRefusedError: it does not take the model or the options, crashes, or is not done after TIMEOUT_S.
    """
    with tempfile.TemporaryDirectory(prefix="tinyhil-vela-") as name:
        folder = Path(name)
        source = folder / "model.tflite"
        source.write_bytes(model)
        asked = (*options.arguments(), "--enable-debug-db", "--show-cpu-operations")
        status, printed = _run((*_command(options.program), *asked, "--output-dir", name, str(source)), place)
        compiled, database = folder / "model_vela.tflite", folder / "model_debug.xml"
        if status or not compiled.is_file():
            raise VelaRefusedError(
                f"{place}: Vela does not compile it for {options.accelerator}: {_reason(printed, status)}",
                hint="`vela` with the same options shows more; does TFLM run the model, and are the options as "
                "`vela --list-configs Arm/vela.ini` has them?",
                details=printed[-_DETAILS:].replace(name, ""),
            )
        text = database.read_text(encoding="utf-8", errors="replace") if database.is_file() else ""
        return VelaResult(compiled.read_bytes(), text, printed.replace(name, ""), _summary(folder))


def vela_version(program: str = "") -> str:
    """Such as 5.2.0.

    Raises:
        VelaMissingError: Vela is not there.
    """
    if not program:
        _command(program)
        return version(PACKAGE)
    _, printed = _run((*_command(program), "--version"), "vela --version")
    found = _VERSION.search(printed)
    return found[0] if found else "of unknown version"


def _command(program: str) -> tuple[str, ...]:
    if program:
        return (program,)
    if not has_package("ethosu") or not has_package("ethosu.vela"):
        raise VelaMissingError("Vela is not installed", hint="pip install 'tinyhil[npu]'")
    return (sys.executable, "-m", "ethosu.vela")


def _summary(folder: Path) -> dict[str, str]:
    """Of the one summary in a folder, its one row."""
    for path in folder.glob("model_summary_*.csv"):
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            return {key: value for key, value in next(csv.DictReader(file), {}).items() if key and value is not None}
    return {}


def _run(command: tuple[str, ...], place: str) -> tuple[int, str]:
    """Exit status and all that was printed."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
    except OSError as error:
        raise VelaMissingError(
            f"{command[0]} does not start: {error.strerror}", hint="name Vela's program, or leave it out"
        ) from None
    except subprocess.TimeoutExpired:
        raise VelaRefusedError(
            f"{place}: Vela was not done after {TIMEOUT_S:.0f} s", hint="is the model very large, or the machine busy?"
        ) from None
    return done.returncode, done.stdout


def _reason(printed: str, status: int) -> str:
    """The line that says why: the last that names an error."""
    if status < 0:
        return f"it was killed by signal {-status}"
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or [f"it ended with status {status} and said nothing"])[-1].strip("'\"")
