"""What a search leaves: an int8 .tflite with its card, vectors and labels, and what the board then says of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from harness.build.progress import Progress
from harness.errors import ResultsError
from harness.files.writing import reason, write_whole, writing_hint
from harness.ir.graph import Graph
from harness.quantization.params import quantize_values
from harness.search.pictures import resized
from harness.search.run import Final, SearchRun
from harness.search.trainings import loaded
from harness.training.data import TrainingData
from harness.training.export import float_graph, int8_accuracy
from harness.training.lined import lined
from harness.training.loop import accuracy
from harness.validate.card import card_of
from harness.validate.outcome import Outcome
from harness.validate.profile import profile_card
from harness.validate.workbench import Workbench

VECTORS = 100
"""Pictures of the test part that the board computes."""


@dataclass(frozen=True)
class WrittenNetwork:
    """A network in its files.

    Attributes:
        final: the network.
        card, model: files.
        float_accuracy, int8_accuracy: over the test part.
    """

    final: Final
    card: Path
    model: Path
    float_accuracy: float
    int8_accuracy: float


@dataclass(frozen=True)
class Confirmed:
    """A network on the board, emulated where none is attached.

    Attributes:
        outcome: of its validation.
        arena: bytes that were written of the arena.
        constants: bytes of weights and tables in the image.
        flash: bytes of the model and its kernels.
        cycles: modelled, of the instructions that ran.
    """

    outcome: Outcome
    arena: int
    constants: int
    flash: int
    cycles: float


def write_network(run: SearchRun, final: Final, folder: Path, name: str) -> WrittenNetwork:
    """Quantizes a network that was trained, and writes it with its card and vectors.

    Raises:
        ResultsError: they cannot be written.
    """
    data = resized(run.data, *final.net.size[:2])
    module = loaded(final.net, final.checkpoint)
    made = lined(float_graph(module, data.shape, name), data)
    graph = made.graph
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / f"{name}.tflite", made.file)
        _write_vectors(folder / f"{name}_vectors.npz", data, graph)
        write_whole(folder / f"{name}.hil.yaml", _card(run, final, data, name).encode())
    except OSError as error:
        hint = writing_hint(folder, error)
        raise ResultsError(f"{folder} cannot be written: {reason(error)}", hint=hint) from None
    right = accuracy(module, data.test_x, data.test_y), int8_accuracy(graph, data.test_x, data.test_y)
    return WrittenNetwork(final, folder / f"{name}.hil.yaml", folder / f"{name}.tflite", *right)


def _write_vectors(path: Path, data: TrainingData, graph: Graph) -> None:
    pictures = quantize_values(data.test_x[:VECTORS], graph.tensors[graph.inputs[0]])
    with path.open("wb") as file:
        np.savez_compressed(file, input_0=pictures, labels=data.test_y[:VECTORS])


def _card(run: SearchRun, final: Final, data: TrainingData, name: str) -> str:
    needs, limits = final.answer.needs, run.settings.limits
    budgets = {"arena": needs.arena, **({} if limits.flash is None else {"flash": limits.flash})}
    card = {
        "description": f"{run.data.name} for {run.settings.board}, {final.why}: {final.net.text}",
        "model": f"{name}.tflite",
        "vectors": f"{name}_vectors.npz",
        "checks": {"outputs": "exact", "layers": "exact"},
        "budgets": {"default": budgets},
        **({"labels": list(data.classes)} if data.classes else {}),
    }
    return yaml.safe_dump(card, sort_keys=False, width=120)


def confirmed(written: WrittenNetwork, board: str, progress: Progress | None = None) -> Confirmed:
    """Validates a network on the board at once, and models the cycles of the instructions that ran there.

    Raises:
        TinyhilError: the board or its emulator cannot run it.
    """
    bench, card = Workbench(), card_of(written.card)
    outcome = bench.validate(card, board, progress=progress)
    prediction = profile_card(card, board, bench=bench, progress=progress)
    return Confirmed(
        outcome,
        outcome.measurement.arena_high,
        outcome.package.constant_bytes,
        outcome.image.sizes.network.flash,
        prediction.estimate.cycles.value,
    )
