"""A model compiled by Vela for one accelerator, and how its memories are timed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from harness.errors import GraphError, OptionError, UnsupportedModelError
from harness.ethosu.accelerators import ACCELERATORS, Accelerator
from harness.ethosu.payload import CUSTOM_CODE
from harness.ethosu.pmu import NO_WAITS, MemoryTiming, default_timing
from harness.ethosu.sources import StreamSources, read_sources
from harness.ethosu.vela import VelaOptions, VelaResult, run_vela
from harness.frontends.tflite.reader import load
from harness.frontends.tflite.schema import FileSubgraph, read_model
from harness.frontends.tflite.vela_file import VelaModel, read_vela
from harness.ir.graph import Graph
from harness.offload.configuration import (
    DEFAULT_FILE,
    MemoryMode,
    NpuConfiguration,
    SystemConfig,
    find_configuration,
    read_configuration,
    timing,
)
from harness.offload.subject import NpuSubject

ONLY_COMPILED = tuple(f"ethos-u85-{macs}" for macs in (128, 256, 512, 1024, 2048))
"""What Vela compiles for and no simulator here runs."""

NAMES = (*(accelerator.name for accelerator in ACCELERATORS), *ONLY_COMPILED)

DEFAULT_CLOCK_HZ = 500e6
"""Where no system configuration says one."""


@dataclass(frozen=True, eq=False)
class NpuCompilation:
    """What Vela made.

    Attributes:
        name: of the model.
        options: what it was asked for, with the configuration's names where they are known.
        accelerator: None for one that is not simulated.
        system, mode: of the memories; None where no configuration file is there to say.
        assumed: whether nobody named a system or memory mode, and these are Vela's own.
        result: Vela's words and figures; None for a file that was compiled before.
        subgraph: of the compiled file.
        model: its operators on the NPU; None without any, or for an accelerator that is not simulated.
        sources: of each stream, by Vela's debug database; () without.
    """

    name: str
    options: VelaOptions
    accelerator: Accelerator | None
    system: SystemConfig | None
    mode: MemoryMode | None
    assumed: bool
    result: VelaResult | None
    file: bytes
    subgraph: FileSubgraph
    model: VelaModel | None
    sources: tuple[StreamSources, ...]

    @cached_property
    def read(self) -> tuple[Graph | None, str]:
        """(The compiled file as a graph, why there is none)."""
        if self.accelerator is None:
            return None, "the accelerator is not simulated"
        try:
            return load(self.file, name=self.name), ""
        except (UnsupportedModelError, GraphError) as error:
            return None, error.message

    @property
    def simulated(self) -> bool:
        """Whether the accelerator is one of the simulator's."""
        return self.accelerator is not None

    @property
    def waits(self) -> MemoryTiming | None:
        """The configuration's memories; None where they are not known."""
        if self.accelerator is None or self.system is None or self.mode is None:
            return None
        return timing(self.accelerator, self.system, self.mode)

    def timing(self, waits: bool | None) -> MemoryTiming | None:
        """What cycles are counted with; None where the accelerator is not simulated.

        Args:
            waits: the configuration's memories, or memories that never let the NPU wait; None for the configuration's
                where somebody named them, else for what fits published figures best.
        """
        if self.accelerator is None:
            return None
        if waits is False:
            return NO_WAITS
        told = self.waits if waits or not self.assumed else None
        return told or default_timing(self.accelerator)

    @property
    def clock_hz(self) -> float:
        """The system configuration's."""
        return DEFAULT_CLOCK_HZ if self.system is None else self.system.clock_hz


def check_accelerator(name: str) -> str:
    """Raises OptionError: there is no such accelerator."""
    if name not in NAMES:
        raise OptionError(f"there is no accelerator '{name}'", hint=f"there are {', '.join(NAMES)}")
    return name


def configuration_of(options: VelaOptions) -> NpuConfiguration | None:
    """The file that Vela reads for these options; None where Vela is not installed.

    Raises:
        InputError: it is not there, or no such file.
    """
    path = find_configuration(options.config)
    return None if path is None else read_configuration(path)


def compile_subject(subject: NpuSubject, options: VelaOptions, known: NpuConfiguration | None) -> NpuCompilation:
    """Compiles a model that is not compiled yet.

    Raises:
        OptionError: accelerator, system configuration and memory mode do not go together.
        VelaMissingError, VelaRefusedError: see run_vela.
    """
    check_accelerator(options.accelerator)
    assumed = not (options.system_config or options.memory_mode or options.config)
    system, mode, asked = None, None, options
    if known is not None:
        system, mode = known.chosen(options.accelerator, options.system_config, options.memory_mode)
        if not assumed:  # Vela wants all three or none
            config = options.config or DEFAULT_FILE
            asked = replace(options, system_config=system.name, memory_mode=mode.name, config=config)
    result = run_vela(subject.data, asked, str(subject.path))
    if known is not None and assumed:  # another version may take others by itself
        system = known.systems.get(result.summary.get("system_config", ""), system)
        mode = known.modes.get(result.summary.get("memory_mode", ""), mode)
    accelerator = next((one for one in ACCELERATORS if one.name == options.accelerator), None)
    place = f"{subject.path} as Vela compiled it"
    subgraph = read_model(result.file, place)[0]
    model = read_vela(result.file, place) if accelerator is not None and _has_streams(subgraph) else None
    sources = _of(model, read_sources(result.database, place) if model is not None and result.database else ())
    return NpuCompilation(
        subject.path.stem, asked, accelerator, system, mode, assumed, result, result.file, subgraph, model, sources
    )


def compiled_before(subject: NpuSubject, options: VelaOptions, known: NpuConfiguration | None) -> NpuCompilation:
    """A file that Vela compiled, for the accelerator that it says itself.

    Raises:
        UnsupportedModelError: it is for another NPU.
        OptionError: system configuration and memory mode do not go together.
    """
    model = read_vela(subject.data, str(subject.path))
    accelerator = model.operators[0][1].accelerator
    assumed = not (options.system_config or options.memory_mode or options.config)
    asked = replace(options, accelerator=accelerator.name)
    system, mode = (None, None)
    if known is not None:
        system, mode = known.chosen(accelerator.name, options.system_config, options.memory_mode)
    return NpuCompilation(
        subject.path.stem, asked, accelerator, system, mode, assumed, None, subject.data, subject.subgraph, model, ()
    )


def _has_streams(subgraph: FileSubgraph) -> bool:
    return any(operator.custom == CUSTOM_CODE for operator in subgraph.operators)


def _of(model: VelaModel | None, sources: tuple[StreamSources, ...]) -> tuple[StreamSources, ...]:
    """The sources where there is one record for each stream, which is how they are told apart."""
    return sources if model is not None and len(sources) == len(model.operators) else ()
