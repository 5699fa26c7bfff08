"""What steps of a recipe work with: data, costs on the board, trainings that go on where they were killed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.build.progress import Progress
from harness.errors import ResultsError
from harness.recipes.costs import BoardCosts, Costs
from harness.training.data import TrainingData
from harness.training.layers import spec_from
from harness.training.loop import Loss, store, stored, train
from harness.training.network import TorchNetwork, with_weights
from harness.training.plan import TrainingPlan


@dataclass(eq=False)
class Workshop:
    """Where one step is done.

    Attributes:
        data: labelled pictures.
        costs: on the recipe's board.
        folder: of the step, for what it keeps.
        teacher: the network that was trained first; None in the step that trains it.
        schemes: by one of which the network is quantized.
        seed, threads: of all that is drawn, and of torch.
        progress: told of trainings.
        said: what the step tells a person, in the order in which it was said.
    """

    data: TrainingData
    costs: BoardCosts
    folder: Path
    teacher: TorchNetwork | None
    schemes: tuple[str, ...] = ("min-max",)
    seed: int = 0
    threads: int = 1
    progress: Progress | None = None
    said: list[str] = field(default_factory=list)
    _seconds: float = 0.0
    _before: float = 0.0

    @property
    def seconds(self) -> float:
        """That all `kept` stages took, in this session or in earlier ones."""
        return self._seconds

    def cost(self, network: TorchNetwork) -> Costs:
        """On the board, as of its shape."""
        return self.costs.of(network)

    def measured_cycles(self, network: TorchNetwork) -> tuple[int, int]:
        """(fewest, most) cycles with the weights as they are now: accuracy will say by which scheme."""
        found = [costs.cycles for costs in self.costs.by_schemes(network, self.schemes)]
        return min(found), max(found)

    def kept(self, name: str, make: Callable[[], TorchNetwork]) -> TorchNetwork:
        """What `make` gives; from its file where a session before this one has made it."""
        path = self.folder / f"{name}.pt"
        if path.exists():
            held = stored(path)
            self._seconds += held["seconds"]
            self.said += held["said"]
            return network_from_document(held)
        began, self._before = time.monotonic(), 0.0
        told = len(self.said)
        made = make()
        seconds = time.monotonic() - began + self._before
        store(path, {**network_document(made), "seconds": seconds, "said": self.said[told:]})
        for checkpoint in self.folder.glob(f"{name}*-training.pt"):
            checkpoint.unlink()
        self._seconds += seconds
        return made

    def trained(
        self,
        name: str,
        network: TorchNetwork,
        plan: TrainingPlan,
        *,
        teacher: TorchNetwork | None = None,
        loss_of: Loss | None = None,
        penalty: Callable[[Any], Any] | None = None,
    ) -> TorchNetwork:
        """Trains a network in place; `name` is that of the stage that is kept, or begins with it."""
        began = time.monotonic()
        found = train(
            network,
            self.data,
            replace(plan, seed=self.seed, threads=self.threads),
            checkpoint=self.folder / f"{name}-training.pt",
            teacher=(teacher or self.teacher) if plan.teacher_weight else None,
            loss_of=loss_of,
            penalty=penalty,
            progress=self.progress,
        )
        self._before += max(found.seconds - (time.monotonic() - began), 0.0)
        return network


def network_document(network: TorchNetwork) -> dict[str, Any]:
    """What `store` writes of a network."""
    return {"spec": json.dumps(network.spec.document()), "state": network.state_dict()}


def network_from_document(held: dict[str, Any]) -> TorchNetwork:
    """The inverse.

    Raises:
        ResultsError: it is no network.
    """
    try:
        return with_weights(spec_from(json.loads(held["spec"])), held["state"])
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        raise ResultsError(f"a stored network is damaged: {error}", hint="remove the folder of the recipe") from None
