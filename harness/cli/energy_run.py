"""What `tinyhil energy` does with its options, read: estimate or measure, then cascade, duty cycle and battery."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.energy import (
    Battery,
    Cascade,
    DutyCycle,
    EnergyEstimate,
    EnergyMeasurement,
    estimate_energy,
    measure_energy,
    open_meter,
)
from harness.energy import trigger_rate as count_triggers
from harness.energy.cascade import Triggers
from harness.energy.meters import check_meter
from harness.errors import BoardError, OptionError
from harness.fit import Microcontroller, Wishes, fit, known_parts
from harness.fit.catalogue import find_part
from harness.fit.microcontroller import RunCurrent
from harness.report.energy import ModelEnergy, energy_document

if TYPE_CHECKING:
    from harness.build.progress import Progress
    from harness.compiler.goals import Mode
    from harness.ir.graph import Graph
    from harness.report.document import Document

_VOLTS = 3.0


@dataclass(frozen=True)
class Wanted:
    """The options of `tinyhil energy`: SI units; None where not given."""

    model: Path
    board: str
    rate: float | None
    battery_ah: float | None
    battery_v: float | None
    efficiency: float
    sleep_a: float | None
    volts: float | None
    a_per_mhz: float | None
    meter: str | None
    large: Path | None
    trigger_rate: float | None
    wake_on: tuple[int, ...]
    threshold: float | None
    vectors: str | None
    modes: tuple[Mode, ...]
    parts: Path | None
    probe: str | None


def run(wanted: Wanted, tell: Progress) -> Document:
    """The document of the command.

    Raises:
        OptionError: options that do not go together, or a part without a current.
        TinyhilError: what compiling, running and measuring raise.
    """
    from harness.npu.compiling import refuse_npu
    from harness.validate.workbench import Workbench

    _check(wanted)
    part = find_part(wanted.board, known_parts(wanted.parts))
    bench = Workbench()
    files = (wanted.model, *(() if wanted.large is None else (wanted.large,)))
    graphs = [bench.graph(file) for file in files]
    for graph in graphs:
        refuse_npu(graph, "the energy of one is not known")
    found: list[ModelEnergy] = []
    for file, graph in zip(files, graphs, strict=True):
        tell(f"{graph.name} on {part.name}", len(found), len(files))
        energy = _estimate(graph, part, wanted) if wanted.meter is None else _measure(graph, wanted, tell)
        found.append(ModelEnergy(graph.name, str(file), part.name, energy))
    cascade, triggers = None, None
    if wanted.large is not None:
        triggers = _triggers(graphs[0], wanted, tell) if wanted.wake_on else None
        share = triggers.rate if triggers is not None else wanted.trigger_rate
        cascade = Cascade(found[0].stage, found[1].stage, share if share is not None else 0.0)
    stage = cascade.mean if cascade is not None else found[0].stage
    volts = wanted.volts or (part.run.volts if part.run is not None else _VOLTS)
    duty = battery = None
    if wanted.rate is not None:
        duty = DutyCycle(wanted.rate, stage.energy, stage.seconds, _sleep_a(part, wanted), volts)
        if wanted.battery_ah is not None:
            battery = Battery(wanted.battery_ah, wanted.battery_v or volts, wanted.efficiency)
    return energy_document(tuple(found), cascade=cascade, triggers=triggers, duty=duty, battery=battery)


def _check(wanted: Wanted) -> None:
    """Refuses options that do not go together, before anything is done."""
    if wanted.meter is not None:
        check_meter(wanted.meter)
    alone = (
        (wanted.battery_ah is not None and wanted.rate is None, "--battery needs --rate", "such as --rate 1/s"),
        (wanted.sleep_a is not None and wanted.rate is None, "--sleep needs --rate", "such as --rate 1/s"),
        (
            wanted.large is None and wanted.trigger_rate is not None,
            "--trigger-rate needs --wakes",
            "--wakes LARGE.tflite",
        ),
        (wanted.large is None and bool(wanted.wake_on), "--wake-on needs --wakes", "--wakes LARGE.tflite"),
        (wanted.threshold is not None and not wanted.wake_on, "--threshold needs --wake-on", "--wake-on CLASS"),
        (bool(wanted.wake_on) and wanted.vectors is None, "--wake-on needs --vectors", "--vectors NAME.npz"),
        (
            wanted.large is not None and (wanted.trigger_rate is None) == (not wanted.wake_on),
            "--wakes needs either --trigger-rate or --wake-on",
            "--trigger-rate 2%, or --wake-on CLASS --vectors NAME.npz",
        ),
        (wanted.efficiency <= 0, "an efficiency of 0", "such as --efficiency 85%"),
    )
    for wrong, what, hint in alone:
        if wrong:
            raise OptionError(what, hint=hint)


def _current(part: Microcontroller, wanted: Wanted) -> RunCurrent:
    """What the part draws: as given, else its datasheet's."""
    if wanted.a_per_mhz is not None:
        volts = wanted.volts or (part.run.volts if part.run is not None else _VOLTS)
        sleep = None if part.run is None else part.run.sleep_ua
        return RunCurrent(wanted.a_per_mhz * 1e6, volts, "--current", sleep, "the command line")
    if part.run is None:
        raise OptionError(
            f"no current per MHz is known of {part.name}",
            hint="give its datasheet's: --current 95uA (per MHz) --voltage 3.0V; or --meter on a real board",
        )
    return part.run


def _estimate(graph: Graph, part: Microcontroller, wanted: Wanted) -> EnergyEstimate:
    current = _current(part, wanted)
    fitted = fit(graph, part, Wishes(modes=wanted.modes or ("balanced",)))
    mode = fitted.best
    if mode is None or mode.time is None:
        raise OptionError(
            f"{part.name}: {fitted.refused or fitted.untimed}", hint="another --board, or --meter on a real one"
        )
    return estimate_energy(mode.time, current, volts=wanted.volts)


def _sleep_a(part: Microcontroller, wanted: Wanted) -> float:
    if wanted.sleep_a is not None:
        return wanted.sleep_a
    if part.run is None or part.run.sleep_ua is None:
        raise OptionError(f"no sleep current is known of {part.name}", hint="give it: --sleep 2uA")
    return part.run.sleep_ua * 1e-6


def _measure(graph: Graph, wanted: Wanted, tell: Progress) -> EnergyMeasurement:
    """Flashes firmware of the benchmark's language and measures it."""
    from harness.boards import open_session, resolve
    from harness.build import BuildOptions, build_image
    from harness.compiler.compile import compile_graph
    from harness.compiler.emit.package import emit
    from harness.compiler.goals import Goals
    from harness.cycles.targets import target_of
    from harness.mlperf.client import MlperfClient
    from harness.mlperf.firmware import language
    from harness.validate import vectors

    resolved = resolve(wanted.board, probe=wanted.probe)
    board = resolved.runs_on
    emulated = resolved.probe is not None and resolved.probe.virtual
    if resolved.stand_in or emulated or not _is_real(board.backend):
        raise BoardError(
            f"{resolved.ran_on} draws no current that a meter could measure",
            hint="attach the board itself, or leave --meter out for an estimate",
        )
    goals = Goals(wanted.modes[0]) if wanted.modes else Goals()
    package = emit(compile_graph(graph, core=target_of(board), goals=goals))
    image = build_image([package], board, BuildOptions(language=language(package)), progress=tell)
    data = b"".join(array.tobytes() for array in vectors.random_vectors(graph, 1, 0).inputs[0])
    meter = open_meter(wanted.meter or "", volts=wanted.volts or _VOLTS)
    try:
        with open_session(resolved, image) as session:
            client = MlperfClient(session.stream())
            client.wait_ready()
            return measure_energy(client, meter, data, progress=tell)
    finally:
        meter.close()


def _is_real(backend: str) -> bool:
    """Whether a backend runs a board of its own, not this machine or an emulator on it."""
    from harness.boards.backends import find_backend

    return find_backend(backend).has_probe and not find_backend(backend).emulated


def _triggers(graph: Graph, wanted: Wanted, tell: Progress) -> Triggers:
    """The small model's answers to the vectors, by tinyhil's specification."""
    from harness.oracle.specification import SpecInterpreter
    from harness.validate import vectors
    from harness.validate.card import parse_vectors

    given = vectors.load(parse_vectors(wanted.vectors or "", Path.cwd()), graph, Path.cwd())
    interpreter, outputs = SpecInterpreter(graph), []
    for number, inputs in enumerate(given.inputs):
        if number % 16 == 0:
            tell("triggers", number, len(given))
        outputs.append(interpreter.invoke(inputs, ())[0][0])
    quant = graph.tensors[graph.outputs[0]].quant
    return count_triggers(
        outputs,
        wanted.wake_on,
        threshold=wanted.threshold,
        scale=quant.scale if quant else 1.0,
        zero_point=quant.zero_point if quant else 0,
        labels=None if given.labels is None else [int(label) for label in given.labels],
    )
