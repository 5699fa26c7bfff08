"""Vela's configuration file: which memories are behind the NPU's ports, how fast they are, and what lies where.

An .ini file with sections System_Config.NAME and Memory_Mode.NAME; one may inherit another. Source: Arm/vela.ini of
Vela 5.2, and OPTIONS.md there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from configparser import ConfigParser, Error, SectionProxy
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from harness.errors import InputError, OptionError
from harness.ethosu.accelerators import Accelerator
from harness.ethosu.pmu import BEAT, MemoryTiming
from harness.resources import has_package

DEFAULT_FILE = "Arm/vela.ini"
"""The file that comes with Vela and that it takes where none is named."""

DEFAULTS = {
    "u55": ("Ethos_U55_High_End_Embedded", "Shared_Sram"),
    "u65": ("Ethos_U65_Client_Server", "Dedicated_Sram_384KB"),
    "u85": ("Ethos_U85_SYS_DRAM_Mid", "Dedicated_Sram_384KB"),
}
"""Family -> system configuration and memory mode that Vela 5.2 takes where none are named."""

MOST_BYTES = 1 << 20
_SYSTEM, _MODE, _INHERIT = "System_Config.", "Memory_Mode.", "inherit"
_PORTS = ("axi0_port", "axi1_port")
_AREAS = ("const_mem_area", "arena_mem_area", "cache_mem_area")
_MOST_PARENTS = 16

_Section = TypeVar("_Section")


@dataclass(frozen=True)
class PortMemory:
    """A memory behind a port.

    Attributes:
        name: Sram, Dram, OnChipFlash or OffChipFlash.
        clock_scale: its bytes per second divided by those of the port.
        latency: cycles of the NPU to the first byte.
    """

    name: str
    clock_scale: float
    latency: int

    @property
    def writable(self) -> bool:
        """Whether an arena can lie there."""
        return "Flash" not in self.name


@dataclass(frozen=True)
class SystemConfig:
    """A section System_Config: clock in Hz, and the memories behind AXI0 and AXI1."""

    name: str
    clock_hz: float
    ports: tuple[PortMemory, PortMemory]

    def is_for(self, accelerator: str) -> bool:
        """Whether its name is not that of another family, as Ethos_U65_Embedded for a U55."""
        named = self.name.lower().replace("-", "_")
        return not named.startswith("ethos_u") or named.startswith(f"ethos_{family_of(accelerator)}")


@dataclass(frozen=True)
class MemoryMode:
    """A section Memory_Mode: the ports (0 or 1) of constants, of the arena, and of the NPU's fast memory."""

    name: str
    ports: tuple[int, int, int]

    def is_for(self, system: SystemConfig) -> bool:
        """Whether what is written lies where it can be written, and no two modes are the same on this system."""
        return all(system.ports[port].writable for port in self.ports[1:])


@dataclass(frozen=True)
class NpuConfiguration:
    """A configuration file, by names of sections without their prefix."""

    place: str
    systems: Mapping[str, SystemConfig]
    modes: Mapping[str, MemoryMode]

    def chosen(self, accelerator: str, system: str, mode: str) -> tuple[SystemConfig, MemoryMode]:
        """The sections of these names, "" for what Vela takes by itself.

        Raises:
            OptionError: there is none of this name, or they do not go together.
        """
        own = DEFAULTS[family_of(accelerator)]
        if not system and own[0] not in self.systems:
            raise OptionError(f"{self.place}: no system config named, and no {own[0]} in it", hint="--system-config")
        found = self._of(self.systems, system or own[0], "system config")
        if not found.is_for(accelerator):
            fitting = ", ".join(name for name, one in self.systems.items() if one.is_for(accelerator))
            raise OptionError(f"system config {found.name} is not for {accelerator}", hint=f"for it: {fitting}")
        usual = own[1] if own[1] in self.modes or not self.modes else next(iter(self.modes))
        laid = self._of(self.modes, mode or usual, "memory mode")
        if not laid.is_for(found):
            fitting = ", ".join(name for name, one in self.modes.items() if one.is_for(found))
            what = f"memory mode {laid.name} puts into {found.ports[1].name} of {found.name} what is written"
            raise OptionError(what, hint=f"with it: {fitting}")
        return found, laid

    def _of(self, table: Mapping[str, _Section], name: str, what: str) -> _Section:
        if name not in table:
            raise OptionError(f"{self.place}: no {what} '{name}'", hint=f"it has {', '.join(table)}")
        return table[name]


def family_of(accelerator: str) -> str:
    """ethos-u55-128 -> u55."""
    return accelerator.split("-")[1]


def timing(accelerator: Accelerator, system: SystemConfig, mode: MemoryMode) -> MemoryTiming:
    """How long the NPU waits for the memories of a system."""
    width = BEAT[accelerator.product]
    return MemoryTiming(
        f"{mode.name}, {system.name}",
        (width * system.ports[0].clock_scale, width * system.ports[1].clock_scale),
        (system.ports[0].latency, system.ports[1].latency),
        dict(enumerate(mode.ports)),
    )


def find_configuration(config: str = "") -> Path | None:
    """The file that Vela reads: the named one, there or in Vela's folder; None where Vela is not installed.

    Raises:
        InputError: there is none of this name.
    """
    if config and Path(config).is_file():
        return Path(config)
    found = find_spec("ethosu") if has_package("ethosu") else None
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / "config_files" / (config or DEFAULT_FILE)
        if path.is_file():
            return path
    if config:
        raise InputError(f"{config}: no such file, nor in Vela's folder", hint="vela --list-config-files shows those")
    return None


def read_configuration(path: Path) -> NpuConfiguration:
    """All sections of a file.

    Raises:
        InputError: it cannot be read, or is no such file.
    """
    parser = ConfigParser(interpolation=None, strict=True)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _wrong(path, f"more than {MOST_BYTES} bytes")
        parser.read_string(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", hint="name a configuration file of Vela") from None
    except (Error, UnicodeDecodeError) as error:
        raise _wrong(path, str(error).replace("\n", " ")) from None
    systems = {name: _system(path, name, values) for name, values in _sections(path, parser, _SYSTEM)}
    modes = {name: _mode(path, name, values) for name, values in _sections(path, parser, _MODE)}
    if not systems:
        raise _wrong(path, f"no section {_SYSTEM}NAME")
    return NpuConfiguration(str(path), systems, modes)


def _sections(path: Path, parser: ConfigParser, prefix: str) -> Iterator[tuple[str, dict[str, str]]]:
    for section in parser.sections():
        if section.startswith(prefix):
            yield section.removeprefix(prefix), _inherited(path, parser, parser[section])


def _inherited(path: Path, parser: ConfigParser, section: SectionProxy) -> dict[str, str]:
    chain = [section]
    while _INHERIT in chain[-1]:
        parent = chain[-1][_INHERIT]
        if parent not in parser or len(chain) > _MOST_PARENTS:
            raise _wrong(path, f"section {chain[-1].name} inherits {parent}, which is not there or goes in a circle")
        chain.append(parser[parent])
    return {key: value for part in reversed(chain) for key, value in part.items()}


def _system(path: Path, name: str, values: Mapping[str, str]) -> SystemConfig:
    where = f"section {_SYSTEM}{name}"
    memories = []
    for port in _PORTS:
        memory = values.get(port, "")
        if not memory:
            raise _wrong(path, f"{where} has no {port}")
        scale = _number(path, where, values, f"{memory}_clock_scale", "1")
        latency = _number(path, where, values, f"{memory}_read_latency", "0")
        memories.append(PortMemory(memory, scale, round(latency)))
    return SystemConfig(name, _number(path, where, values, "core_clock", None), (memories[0], memories[1]))


def _mode(path: Path, name: str, values: Mapping[str, str]) -> MemoryMode:
    ports = []
    for area in _AREAS:
        port = values.get(area, "").lower()
        if port not in ("axi0", "axi1"):
            raise _wrong(path, f"section {_MODE}{name}: {area} is '{port}', not Axi0 or Axi1")
        ports.append(int(port == "axi1"))
    return MemoryMode(name, (ports[0], ports[1], ports[2]))


def _number(path: Path, where: str, values: Mapping[str, str], key: str, otherwise: str | None) -> float:
    text = values.get(key.lower(), otherwise)
    try:
        number = float(text or "")
    except ValueError:
        raise _wrong(path, f"{where}: {key} is '{text}', no number") from None
    if not 0 <= number < 1e12 or (number == 0 and "latency" not in key):
        raise _wrong(path, f"{where}: {key} is {text}")
    return number


def _wrong(path: Path, why: str) -> InputError:
    return InputError(f"{path}: no configuration file of Vela: {why}", hint=f"compare it with Vela's {DEFAULT_FILE}")
