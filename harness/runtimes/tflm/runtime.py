"""See harness.runtimes.tflm."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.build.cache import BuildCache, default_root, digest
from harness.errors import BuildError
from harness.runtimes.base import Measures, ProgramRun
from harness.runtimes.tflm.execution import MACHINE, PLUGIN, PLUGIN_PACKAGE, TflmExecution, execute
from harness.runtimes.tflm.npu import accelerator_in
from harness.runtimes.tflm.runner import TflmRunner, find_runner
from harness.units import Unit

if TYPE_CHECKING:
    from harness.build.progress import Progress
    from harness.ethosu.accelerators import Accelerator
    from harness.hardware.board import Board
    from harness.ir.graph import Graph
    from harness.quantization.types import Array

SIMULATOR_PACKAGE = "harness.ethosu"
_FORMAT = "2"


class TflmRuntime:
    """See harness.runtimes.base.ProgramRuntime."""

    name = "tflm"
    measures = Measures(layer_outputs=False, arena_contents=False)

    def refusal(self, board: Board) -> str:
        """See ProgramRuntime."""
        if board.machine == MACHINE:
            return ""
        return f"runs on {MACHINE} only: Arm's program is for a Cortex-M55"

    def run(
        self,
        graph: Graph,
        board: Board,
        vectors: Sequence[Sequence[Array]],
        *,
        program: Path | None = None,
        cache_dir: Path | None = None,
        progress: Progress | None = None,
    ) -> ProgramRun:
        """See ProgramRuntime."""
        accelerator = accelerator_in(graph.model, graph.name)
        runner = find_runner(program, None if accelerator is None else accelerator.product)
        data = [b"".join(np.ascontiguousarray(array).tobytes() for array in vector) for vector in vectors]
        found = _execution(runner, graph, data, cache_dir, progress, npu=accelerator is not None)
        build = runner.build
        return ProgramRun(
            outputs=tuple(_arrays(output, graph) for output in found.outputs),
            unit=None if found.total is None else Unit.INSTRUCTIONS,
            total=found.total,
            operators=found.operators,
            arena=found.arena,
            stack=found.stack,
            flash=runner.flash,
            stack_size=build.stack_size,
            program=runner.image(cache_dir),
            build_id=build.sha256[:16],
            title=build.title,
            machine=board.name,
            npu=found.npu,
            notes=_notes(found, accelerator),
        )


def _notes(found: TflmExecution, accelerator: Accelerator | None) -> tuple[str, ...]:
    """What TFLM complained of, and what a run with an NPU cannot tell."""
    notes = [f"TFLM went on, but said: {line.partition(' - ')[2]}" for line in dict.fromkeys(found.complaints)]
    if accelerator is not None:
        notes.append(
            f"tinyhil's simulator was the {accelerator.name}, and Arm's driver did not run: no instructions and no "
            "stack are given"
        )
    return tuple(notes)


def _execution(
    runner: TflmRunner,
    graph: Graph,
    data: Sequence[bytes],
    cache_dir: Path | None,
    progress: Progress | None,
    *,
    npu: bool,
) -> TflmExecution:
    """From the cache, or run now."""
    from harness.boards.backends.qemu.session import qemu_version

    cache = BuildCache(default_root() if cache_dir is None else cache_dir)
    image = runner.image(cache_dir)
    sources = [files(PLUGIN_PACKAGE).joinpath(name).read_bytes() for name in PLUGIN]
    if npu:
        sources += [path.read_bytes() for path in _simulator()]
    key = digest("tflm-run", _FORMAT, image.name, qemu_version(), *sources, graph.model, "", *data)
    kept = cache.find(key, ".json")
    if kept is None:
        size = sum(graph.tensors[tensor].bytes for tensor in graph.outputs)
        with cache.lock(key), cache.workspace() as folder:
            kept = cache.find(key, ".json")  # another process may have made it while this one waited
            if kept is None:
                try:
                    found = execute(image, runner.build, graph.model, data, size, folder, progress, npu=npu)
                except OSError as error:
                    raise BuildError(
                        f"the cache folder {cache.root} cannot be used: {error.strerror or error}",
                        hint="free disk space there, or set TINYHIL_CACHE to a folder you can write to",
                    ) from error
                kept = cache.put(key, ".json", json.dumps(found.as_dict()).encode())
    return TflmExecution.from_dict(json.loads(kept.read_bytes()))


def _simulator() -> list[Traversable]:
    """The sources of the NPU's simulator."""
    modules = (path for path in files(SIMULATOR_PACKAGE).iterdir() if path.name.endswith(".py"))
    return sorted(modules, key=lambda path: path.name)


def _arrays(data: bytes, graph: Graph) -> tuple[Array, ...]:
    """The outputs of the model from their bytes one behind the other."""
    found = []
    start = 0
    for tensor in (graph.tensors[output] for output in graph.outputs):
        part = data[start : start + tensor.bytes]
        found.append(np.frombuffer(part, tensor.dtype.numpy).reshape(tensor.shape))
        start += tensor.bytes
    return tuple(found)


TFLM_RUNTIME = TflmRuntime()
