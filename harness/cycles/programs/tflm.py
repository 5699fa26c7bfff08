"""Modelled cycles of TFLM with CMSIS-NN on the Cortex-M55: Arm's program of it, profiled operator by operator."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from harness.boards import find_board
from harness.boards.backends.qemu.plugin import escape
from harness.build.progress import Progress
from harness.cycles.document import (
    Document,
    causes_document,
    estimate_document,
    functions_document,
    hot_blocks,
    quantity,
)
from harness.cycles.pipeline import Cause
from harness.cycles.programs.points import WHOLE, Point, Points
from harness.cycles.programs.profile import ProgramProfile, profile_points
from harness.elf.symbols import Symbols
from harness.errors import ProfileError
from harness.ir.graph import Graph
from harness.quantization.types import Array
from harness.runtimes.tflm.builds import Build
from harness.runtimes.tflm.execution import INPUT_ADDRESS, MACHINE, MODEL_ADDRESS
from harness.runtimes.tflm.runner import TflmRunner
from harness.units import Quantity, Unit, total

_LIMIT_S = 600.0


def profile_tflm(
    runner: TflmRunner, graph: Graph, inputs: Sequence[Array], progress: Progress | None = None
) -> ProgramProfile:
    """One inference by TFLM: region 0 is Invoke(), the regions within it the operators of the main graph in order.

    Args:
        runner: Arm's program.
        graph: the model.
        inputs: an array for each input.
        progress: see harness.build.progress.

    Raises:
        ProfileError: the program does not take the model; or it is the one whose code says nothing about TFLM's.
        TinyhilError: QEMU or its plugin is missing or fails.
    """
    operators = graph.source_ops
    points = _points(runner.build, operators)
    with tempfile.TemporaryDirectory(prefix="tinyhil-") as made:
        arguments = []
        data = b"".join(np.ascontiguousarray(array).tobytes() for array in inputs)
        for name, content, address in (("model", graph.model, MODEL_ADDRESS), ("inputs", data, INPUT_ADDRESS)):
            path = Path(made) / name
            path.write_bytes(content)
            arguments += ["-device", f"loader,file={escape(path)},addr=0x{address:x},force-raw=on"]
        board = find_board(MACHINE)
        profiled = profile_points(
            runner.image(), board, points, limit_s=_LIMIT_S, arguments=tuple(arguments), progress=progress
        )
    if len(profiled.profile.layers) != 1 + len(operators):
        raise ProfileError(
            f"TFLM ran {len(profiled.profile.layers) - 1} operators of {len(operators)}",
            hint="this is a bug, please report it",
        )
    return profiled


def _points(build: Build, operators: Sequence[str]) -> Points:
    if build.loop is None:
        raise ProfileError(f"{build.title} is not optimized", hint="take the program for the Ethos-U65 of the package")
    points = [
        Point(build.invoke_call, "begin", WHOLE),
        Point(build.invoke_return, "end", WHOLE),
        Point(build.loop.node, "step", WHOLE + 1),
    ]
    names = ("Invoke()", *(f"{number} {name}" for number, name in enumerate(operators)))
    return Points(names, tuple(sorted(points, key=lambda point: point.address)))


def tflm_document(profiled: ProgramProfile, graph: Graph, *, hot: int = 5) -> Document:
    """The same figures as harness.cycles.document.prediction_document has of generated code, by operator of the file.

    What Invoke() does before its first operator is the first one's.
    """
    profile, estimate = profiled.profile, profiled.estimate
    symbols = Symbols(profile.elf)
    return {
        "kind": "prediction",
        "model": graph.name,
        "unit": Unit.MODELLED_CYCLES.value,
        "core": estimate.core,
        "board": None,
        "setup": None,
        "clock_hz": None,
        "placement": {},
        **estimate_document(estimate),
        "instructions": quantity(profile.total),
        "milliseconds": None,
        "profile": {
            "board": profile.board,
            "emulator": profile.emulator,
            "toolchain": profile.toolchain,
            "reason": "TFLM with CMSIS-NN, as Arm built it",
            "fresh": True,
        },
        "layers": list(_layers(profiled, graph, symbols)),
        "macs": 0,
        "unknown": dict(estimate.unknown),
        "hot": hot_blocks(estimate.layers, estimate.cycles, symbols, hot),
        "what_if": [],
    }


def _layers(profiled: ProgramProfile, graph: Graph, symbols: Symbols) -> Iterator[Document]:
    before, *regions = sorted(profiled.whole.walk(), key=lambda region: region.number)
    whole = max(profiled.estimate.cycles.value, 1)
    for number, (name, region) in enumerate(zip(graph.source_ops, regions, strict=True)):
        parts = [before, region] if number == 0 else [region]
        estimates = [part.estimate for part in parts]
        cycles = total((one.cycles for one in estimates), Unit.MODELLED_CYCLES)
        zero = Quantity(0, Unit.MODELLED_CYCLES)
        causes = {c: total((one.causes.get(c, zero) for one in estimates), Unit.MODELLED_CYCLES) for c in Cause}
        yield {
            "index": number,
            "name": name,
            "op": name,
            "kernel": "TFLM",
            "macs": 0,
            "instructions": quantity(total((part.own.instructions for part in parts), Unit.INSTRUCTIONS)),
            "low": quantity(total((one.low for one in estimates), Unit.MODELLED_CYCLES)),
            "cycles": quantity(cycles),
            "high": quantity(total((one.high for one in estimates), Unit.MODELLED_CYCLES)),
            "per_mac": None,
            "share": cycles.value / whole,
            "causes": causes_document(causes),
            "functions": functions_document(region.estimate, symbols),
        }
