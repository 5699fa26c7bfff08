"""Installing a relocatable model on a board whose firmware runs, and validating it there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.compiler.goals import Goals, Mode
from harness.cycles.targets import target_of, target_of_run
from harness.errors import OptionError, RelocatableError
from harness.files.reading import read_regular
from harness.frontends import is_model
from harness.hardware.placement import assign_regions
from harness.hardware.target import Target
from harness.relocatable.format import RelocatableModel, check_weights, read
from harness.runtimes.slot import SlotForm, SlotSizes
from harness.validate.card import Card, card_of
from harness.validate.compressed import goals_of
from harness.validate.options import mode_of
from harness.validate.running import GivenForm

if TYPE_CHECKING:
    from harness.build.progress import Progress
    from harness.compiler.emit.package import Package
    from harness.compiler.plan import Plan
    from harness.validate.options import Options
    from harness.validate.outcome import Outcome
    from harness.validate.workbench import Workbench

_MOST_BYTES = 256 << 20
_MODES: tuple[Mode, ...] = ("balanced", "time", "ram", "flash")


@dataclass(frozen=True, eq=False)
class Installable:
    """A file to install.

    Attributes:
        path: of NAME.bin.
        model: what it says.
        form: it, with its weights where they are apart.
    """

    path: Path
    model: RelocatableModel
    form: SlotForm


def load_installable(path: Path, weights: Path | None = None, sizes: SlotSizes | None = None) -> Installable:
    """Reads NAME.bin, and NAME_weights.bin beside it where its weights are apart.

    Args:
        path: of NAME.bin.
        weights: the file of the weights; None for the one beside it.
        sizes: of the firmware's slot and arena; None for what the board has room for.

    Raises:
        InputError: a file cannot be read.
        RelocatableError: a file is none, damaged, or of another model.
    """
    file = _bytes(path, "make one with: tinyhil generate MODEL --relocatable")
    model = read(file, str(path))
    if model.weights is None:
        if weights is not None:
            raise OptionError(f"{path} holds its weights itself", hint="leave --weights out")
        return Installable(path, model, SlotForm(file, sizes=sizes))
    beside = weights or path.with_name(f"{path.stem}_weights.bin")
    apart = _bytes(beside, "name it with --weights")
    check_weights(model, apart, str(beside))
    return Installable(path, model, SlotForm(file, apart, model.weights_align, sizes))


def find_card(installable: Installable, model: Path | None) -> Card:
    """The card of the model that a file was made of: as named, else the model beside it with the same SHA-256.

    Raises:
        OptionError: there is none.
    """
    if model is not None:
        return card_of(model)
    folder, wanted = installable.path.absolute().parent, installable.model.model_sha256
    for path in sorted(folder.iterdir()):
        if path.is_file() and is_model(path) and hashlib.sha256(read_regular(path, _MOST_BYTES)).hexdigest() == wanted:
            return card_of(path)
    raise OptionError(
        f"no model with SHA-256 {wanted[:16]} lies beside {installable.path}, of which it was made",
        hint="name the model or its card: --model FILE",
    )


def install_and_validate(
    bench: Workbench, installable: Installable, card: Card, board: str, options: Options, tell: Progress
) -> Outcome:
    """Sends a file to a board's firmware, installs it, and validates it against the model that it was made of.

    Raises:
        RelocatableError: it is of another core than the board, or of another model.
        TinyhilError: it could not be installed or run.
    """
    said = installable.model
    resolved = bench.boards.resolve(board, probe=options.probe)
    if said.core != resolved.runs_on.core:
        raise RelocatableError(
            f"{installable.path} is made for {said.core}, and {resolved.runs_on.name} has {resolved.runs_on.core}",
            hint=f"make it for the board: tinyhil generate MODEL --relocatable --board {resolved.runs_on.name}",
        )
    card = card.model_copy(update={"name": said.name, "budgets": {}})
    package = _package(bench, installable, card, board, options)
    return bench.validate(card, board, options, tell, given=GivenForm(installable.form, package))


def _package(bench: Workbench, installable: Installable, card: Card, board: str, options: Options) -> Package:
    """The model compiled as the file says that it was: by the layout of its arena and layers."""
    said = installable.model
    graph = None
    for target, goals in _ways(bench, card, board, options):
        compressed = bench.compressed(card, target, goals)
        graph = bench.graph(card.model) if compressed is None else compressed.graph
        if graph.sha256 != said.model_sha256:
            continue
        package = bench.package(graph, target, said.name, goals)
        if describes(said, package.plan):
            return package
    if graph is None or graph.sha256 != said.model_sha256:
        raise RelocatableError(
            f"{installable.path} is made of another model than {card.model}: SHA-256 {said.model_sha256[:16]}",
            hint="name the one that it was made of: --model FILE",
        )
    raise RelocatableError(
        f"this tinyhil compiles {card.model} to other layers than {installable.path} has, by tinyhil {said.version}",
        hint="give --optimize as it was, or make the file anew: tinyhil generate MODEL --relocatable",
    )


def _ways(bench: Workbench, card: Card, board: str, options: Options) -> Iterator[tuple[Target, Goals]]:
    """How the file may have been compiled: for the board or its core alone, for each of the goals."""
    resolved = bench.boards.resolve(board, probe=options.probe)
    placed = assign_regions(resolved.runs_on, options.placement)
    asked, runs_on = resolved.asked, resolved.runs_on
    targets = (target_of_run(resolved, placed), target_of(asked), target_of(runs_on), Target(runs_on.core))
    wanted = mode_of(card, options)
    modes = (wanted,) if options.overrides.optimize else tuple(dict.fromkeys((wanted, *_MODES)))
    for mode in modes:
        for target in dict.fromkeys(targets):
            if target.core == runs_on.core:
                yield target, goals_of(card, replace(options.overrides, optimize=mode))


def describes(said: RelocatableModel, plan: Plan) -> bool:
    """Whether a file has the layout of a plan: arena, inputs, outputs, and what each layer writes."""
    graph = plan.graph

    def places(tensors: tuple[int, ...]) -> list[tuple[int, int]]:
        return [(place.offset, place.size) for place in map(plan.placement_of, tensors)]

    layers = [[(region.offset, region.bytes) for region in regions] for regions in said.layers]
    return (
        said.arena_bytes == plan.arena_size
        and [(t.offset, t.bytes) for t in said.inputs] == places(graph.inputs)
        and [(t.offset, t.bytes) for t in said.outputs] == places(graph.outputs)
        and layers == [places(layer.outputs) for layer in plan.layers]
    )


def _bytes(path: Path, hint: str) -> bytes:
    try:
        return read_regular(path, _MOST_BYTES)
    except OSError as error:
        raise RelocatableError(f"{path}: {error.strerror or error}", hint=hint) from None
