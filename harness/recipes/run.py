"""Carries out a recipe: step after step, each kept on the disk, so that a run that was killed goes on where it was."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.build.progress import Progress
from harness.errors import RecipeError, ResultsError
from harness.files.reading import sha256_of
from harness.files.writing import reason, write_whole, writing_hint
from harness.recipes.architecture import network_from, spec_of
from harness.recipes.costs import BoardCosts, Costs, board_costs
from harness.recipes.file import RecipeFile
from harness.recipes.steps import STEPS
from harness.recipes.workshop import Workshop
from harness.training.data import TrainingData, named
from harness.training.export import int8_accuracy
from harness.training.lined import lined_model
from harness.training.loop import accuracy, seeded, stored
from harness.training.network import TorchNetwork
from harness.training.plan import TrainingPlan
from harness.training.torch_extra import torch

if TYPE_CHECKING:
    from harness.ptq.quantizer import QuantizedModel

FIRST = "train"
_ROW, _MODEL = "row.json", "model.tflite"
_PLAN = TrainingPlan(epochs=6)


@dataclass(frozen=True)
class RecipeRow:
    """The network after a step.

    Attributes:
        step: its key.
        float_accuracy, int8_accuracy: over the test part.
        held_float, held_int8: over what is held back.
        costs: of the int8 network on the board.
        seconds: that the step took.
        scheme: by which it is quantized.
        said: what the step tells.
        file_bytes: of the int8 .tflite.
    """

    step: str
    float_accuracy: float
    int8_accuracy: float
    held_float: float
    held_int8: float
    costs: Costs
    seconds: float
    scheme: str
    said: tuple[str, ...]
    file_bytes: int


@dataclass(frozen=True, eq=False)
class RecipeRun:
    """What came of a recipe.

    Attributes:
        recipe: that was carried out.
        data: of it.
        rows: one a step, the training of the first network first.
        folder: with a folder for each.
    """

    recipe: RecipeFile
    data: TrainingData
    rows: tuple[RecipeRow, ...]
    folder: Path

    @property
    def model(self) -> bytes:
        """The last network as an int8 .tflite."""
        return (step_folder(self.folder, len(self.rows) - 1, self.rows[-1].step) / _MODEL).read_bytes()


def run_recipe(recipe: RecipeFile, folder: Path, *, base: Path = Path(), progress: Progress | None = None) -> RecipeRun:
    """Carries out a recipe in a folder; what is there of the same recipe is taken.

    Args:
        recipe: what to do.
        folder: for networks, rows and checkpoints.
        base: folder that the recipe's files are relative to.
        progress: told of trainings.

    Raises:
        RecipeError: a step cannot do what it is told to.
        VectorsError, UnsupportedModelError, OptionError: data, network or board cannot be used.
        ResultsError: the folder cannot be written, or holds something else.
    """
    data = named(recipe.data, seed=recipe.seed, folder=base).few(recipe.pictures)
    return _Carrying(recipe, data, board_costs(recipe.board, data), folder, base, progress).all()


def step_folder(folder: Path, number: int, step: str) -> Path:
    """Where a step keeps what it made."""
    return folder / f"{number:02d}-{step}"


class _Carrying:
    def __init__(
        self,
        recipe: RecipeFile,
        data: TrainingData,
        costs: BoardCosts,
        folder: Path,
        base: Path,
        progress: Progress | None,
    ) -> None:
        self._recipe, self._data, self._costs = recipe, data, costs
        self._folder, self._base, self._progress = folder, base, progress

    def all(self) -> RecipeRun:
        seeded(self._recipe.seed, self._recipe.threads)
        network, rows = self._first()
        teacher = network
        for number, choice in enumerate(self._recipe.steps, start=1):
            shop = self._shop(number, choice.kind, teacher)
            network = STEPS[choice.kind](network, choice.entry, shop)
            rows.append(self._row(choice.kind, network, shop))
        return RecipeRun(self._recipe, self._data, tuple(rows), self._folder)

    def _first(self) -> tuple[TorchNetwork, list[RecipeRow]]:
        """The network that is trained, or whose weights are given."""
        shop = self._shop(0, FIRST, None)

        def make() -> TorchNetwork:
            seeded(self._recipe.seed, self._recipe.threads)
            made = self._untrained()
            if self._recipe.train is None:
                made.eval()
                return made
            return shop.trained(FIRST, made, self._recipe.train.plan(_PLAN))

        network = shop.kept(FIRST, make)
        return network, [self._row(FIRST, network, shop)]

    def _untrained(self) -> TorchNetwork:
        given = self._recipe.network
        shape = self._data.shape
        made = network_from(given, shape, self._base) if isinstance(given, str) else TorchNetwork(spec_of(given, shape))
        outputs = made.spec.shapes()[-1]
        if outputs != (self._data.count,):
            raise RecipeError(
                f"the network gives {outputs}, and '{self._data.name}' has {self._data.count} classes",
                hint=f"end with `- dense: {{outputs: {self._data.count}}}`",
            )
        if self._recipe.weights is not None:
            _take_weights(made, self._base / self._recipe.weights)
        return made

    def _shop(self, number: int, step: str, teacher: TorchNetwork | None) -> Workshop:
        """Where a step is done; what is there of another recipe is removed."""
        folder = step_folder(self._folder, number, step)
        mark, key = folder / "key", self._key(number)
        if folder.exists() and (not mark.exists() or mark.read_text(encoding="utf-8") != key):
            if not mark.exists() and any(folder.iterdir()):
                raise ResultsError(f"{folder} holds something else than a recipe's step", hint="name another folder")
            shutil.rmtree(folder)
        _write(mark, key)
        recipe = self._recipe
        return Workshop(
            self._data, self._costs, folder, teacher, recipe.schemes, recipe.seed, recipe.threads, self._progress
        )

    def _key(self, number: int) -> str:
        """Of all that a step depends on."""
        recipe = self._recipe.model_dump(mode="json", exclude={"name", "vectors"})
        recipe["steps"] = recipe["steps"][:number]
        files = [self._recipe.weights, *([self._recipe.network] if isinstance(self._recipe.network, str) else [])]
        read = [_digest(self._base / name.partition(":")[0]) for name in files if name]
        whole = {"recipe": recipe, "data": self._data.sha256, "torch": torch.__version__}
        whole |= {"files": read} if read else {}
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()

    def _row(self, step: str, network: TorchNetwork, shop: Workshop) -> RecipeRow:
        """Figures of a network; from the file where they are known."""
        path = shop.folder / _ROW
        if path.exists() and (shop.folder / _MODEL).exists():
            held = json.loads(path.read_text(encoding="utf-8"))
            return RecipeRow(**{**held, "costs": Costs(**held["costs"]), "said": tuple(held["said"])})
        data = self._data
        right, scheme, made = self._quantized(network)
        row = RecipeRow(
            step=step,
            float_accuracy=accuracy(network, data.test_x, data.test_y),
            int8_accuracy=int8_accuracy(made.graph, data.test_x, data.test_y),
            held_float=accuracy(network, data.held_x, data.held_y),
            held_int8=right,
            costs=self._costs.of_graph(made.graph),
            seconds=round(shop.seconds, 1),
            scheme=scheme,
            said=tuple(shop.said),
            file_bytes=len(made.file),
        )
        _write(shop.folder / _MODEL, made.file)
        _write(path, json.dumps(asdict(row), indent=1))
        return row

    def _quantized(self, network: TorchNetwork) -> tuple[float, str, QuantizedModel]:
        """(accuracy over what is held back, scheme, int8 network) of the scheme that is right most often there."""
        return max(self._tried(network), key=lambda one: one[0])

    def _tried(self, network: TorchNetwork) -> Iterator[tuple[float, str, QuantizedModel]]:
        for scheme in self._recipe.schemes:
            made = lined_model(network, self._data, name=self._recipe.name, scheme=scheme)
            yield int8_accuracy(made.graph, self._data.held_x, self._data.held_y), scheme, made


def _digest(path: Path) -> str:
    """Of a file's content; "" where it cannot be read, which is told when it is needed."""
    try:
        return sha256_of(path)
    except OSError:
        return ""


def _take_weights(network: TorchNetwork, path: Path) -> None:
    """The weights of a file that torch.save wrote of a state_dict, in the order of the network's own.

    Raises:
        RecipeError: they are not the network's.
    """
    given = stored(path)
    own = network.state_dict()
    shapes = [[tuple(v.shape) for v in state.values()] for state in (own, given if isinstance(given, dict) else {})]
    if shapes[0] != shapes[1]:
        raise RecipeError(f"{path}: not the weights of this network", hint="torch.save(net.state_dict(), FILE)")
    network.load_state_dict(dict(zip(own, given.values(), strict=True)))


def _write(path: Path, content: str | bytes) -> None:
    try:
        write_whole(path, content)
    except OSError as error:
        raise ResultsError(f"{path} cannot be written: {reason(error)}", hint=writing_hint(path, error)) from None
