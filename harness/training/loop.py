"""Trains a torch module: the same by a seed, and killed at any moment it goes on and ends with the same weights."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from harness.build.progress import Progress
from harness.errors import ResultsError
from harness.files.writing import reason, write_whole, writing_hint
from harness.training.data import Labels, Pictures, TrainingData
from harness.training.plan import TrainingPlan
from harness.training.torch_extra import functional, torch

Loss: TypeAlias = Callable[[Any, Any, Any], Any]
"""(module, pictures, labels) -> loss, a tensor; one that is detached has gone backward already."""

SAVED_S = 20.0
"""So often the state is written within an epoch."""
_BATCH = 500
_WARM = 0.3
"""Share of the steps in which the one-cycle schedule rises."""


@dataclass(frozen=True)
class Trained:
    """What came of it.

    Attributes:
        loss: mean of the last epoch.
        held_accuracy: over the pictures that are held back.
        seconds: that all sessions together took.
        steps: that were made.
    """

    loss: float
    held_accuracy: float
    seconds: float
    steps: int


def seeded(seed: int, threads: int = 1) -> None:
    """Makes what torch draws and computes a matter of the seed alone."""
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # costs a fifth of a training; all of it is written


def to_torch(x: Pictures) -> Any:
    """Pictures [n, height, width, channels] as [n, channels, height, width]."""
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))


def outputs(module: Any, x: Pictures, batch: int = _BATCH) -> Any:
    """Outputs [n, classes] of a module in evaluation, as an array."""
    was = module.training
    module.eval()
    with torch.no_grad():
        made = [module(to_torch(x[start : start + batch])).numpy() for start in range(0, len(x), batch)]
    module.train(was)
    return np.concatenate(made)


def accuracy(module: Any, x: Pictures, y: Labels, batch: int = _BATCH) -> float:
    """Share of pictures [n, height, width, channels] whose class is right."""
    return float(np.mean(outputs(module, x, batch).argmax(axis=1) == y))


def distance(made: Any, taught: Any, temperature: float) -> Any:
    """How far outputs are from a teacher's: the divergence of their softmax, times the temperature squared.

    Source: Hinton et al. 2015, section 2.
    """
    soft = functional.log_softmax(made / temperature, 1)
    return functional.kl_div(soft, functional.softmax(taught / temperature, 1), reduction="batchmean") * temperature**2


def train(
    module: Any,
    data: TrainingData,
    plan: TrainingPlan,
    *,
    checkpoint: Path | None = None,
    teacher: Any = None,
    penalty: Callable[[Any], Any] | None = None,
    loss_of: Loss | None = None,
    after_step: Callable[[Any], None] | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Trains a module in place, and leaves it in evaluation mode.

    Args:
        module: over [n, channels, height, width].
        data: its training part is trained on.
        plan: how.
        checkpoint: file to go on from, and to write to; one that is finished is taken instead of training.
        teacher: a module whose outputs are aimed at with plan.teacher_weight.
        penalty: of the module, added to the loss.
        loss_of: in place of the cross entropy and the teacher.
        after_step: called with the module.
        progress: called after each step.

    Raises:
        ResultsError: the checkpoint is one of another plan, network or data, or is damaged.
    """
    return _Training(module, data, plan, checkpoint, loss_of or _loss(plan, teacher), penalty, after_step).run(progress)


def _loss(plan: TrainingPlan, teacher: Any) -> Loss:
    share = plan.teacher_weight if teacher is not None else 0.0
    if teacher is not None:
        teacher.eval()

    def loss(module: Any, x: Any, y: Any) -> Any:
        made = module(x)
        found = functional.cross_entropy(made, y)
        if not share:
            return found
        with torch.no_grad():
            taught = teacher(x)
        return (1 - share) * found + share * distance(made, taught, plan.teacher_temperature)

    return loss


class _Training:
    """One training, from where its checkpoint left it."""

    def __init__(
        self,
        module: Any,
        data: TrainingData,
        plan: TrainingPlan,
        checkpoint: Path | None,
        loss: Loss,
        penalty: Callable[[Any], Any] | None,
        after_step: Callable[[Any], None] | None,
    ) -> None:
        self._module, self._data, self._plan, self._checkpoint = module, data, plan, checkpoint
        self._loss, self._penalty, self._after = loss, penalty, after_step
        seeded(plan.seed, plan.threads)
        self._optimizer = torch.optim.SGD(
            module.parameters(), plan.learning_rate, plan.momentum, weight_decay=plan.weight_decay, nesterov=True
        )
        self._each = max(len(data.train_y) // plan.batch, 1)
        self._steps = self._each * plan.epochs
        self._done, self._sum, self._seconds = 0, 0.0, 0.0
        shapes = {name: list(values.shape) for name, values in module.state_dict().items()}
        self._key = {"plan": asdict(plan), "data": data.sha256, "shapes": shapes}

    def run(self, progress: Progress | None) -> Trained:
        self._take()
        began = saved = time.monotonic()
        earlier = self._seconds
        self._module.train()
        x, y = to_torch(self._data.train_x), torch.from_numpy(self._data.train_y)
        order = self._order()
        while self._done < self._steps:
            place = self._done % self._each
            if place == 0:
                order, self._sum = self._order(), 0.0
            drawn = order[place * self._plan.batch : (place + 1) * self._plan.batch]
            self._sum += self._step(x[drawn], y[drawn])
            self._done += 1
            now = time.monotonic()
            self._seconds = earlier + now - began
            if self._done % self._each == 0 or now - saved > SAVED_S:
                self._keep()
                saved = now
            if progress:
                progress("training", self._done, self._steps)
        self._module.eval()
        right = accuracy(self._module, self._data.held_x, self._data.held_y)
        return Trained(self._sum / self._each, right, self._seconds, self._done)

    def _order(self) -> Any:
        """Of the pictures in the epoch that is under way."""
        drawn = np.random.default_rng((self._plan.seed, self._done // self._each))
        return torch.from_numpy(drawn.permutation(len(self._data.train_y)))

    def _step(self, x: Any, y: Any) -> float:
        for group in self._optimizer.param_groups:
            group["lr"] = self._plan.learning_rate * rate(self._plan.schedule, self._done / self._steps)
        self._optimizer.zero_grad()
        loss = self._loss(self._module, x, y)
        total = loss if self._penalty is None else loss + self._penalty(self._module)
        if total.requires_grad:
            total.backward()
        self._optimizer.step()
        if self._after:
            self._after(self._module)
        return float(loss.detach())

    def _keep(self) -> None:
        if self._checkpoint is None:
            return
        held = {
            "key": self._key,
            "done": self._done,
            "sum": self._sum,
            "seconds": self._seconds,
            "module": self._module.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "drawn": torch.get_rng_state(),
        }
        store(self._checkpoint, held)

    def _take(self) -> None:
        if self._checkpoint is None or not self._checkpoint.exists():
            return
        held = stored(self._checkpoint)
        if held.get("key") != self._key:
            raise ResultsError(
                f"{self._checkpoint} is of another training: its plan, network or data differ",
                hint="name another folder, or remove this one",
            )
        self._module.load_state_dict(held["module"])
        self._optimizer.load_state_dict(held["optimizer"])
        self._done, self._sum, self._seconds = held["done"], held["sum"], held["seconds"]
        torch.set_rng_state(held["drawn"])


def rate(schedule: str, share: float) -> float:
    """Of the highest learning rate, after a share of the steps."""
    if schedule == "constant":
        return 1.0
    if schedule == "one-cycle" and share < _WARM:
        return 0.04 + 0.96 * (1 - math.cos(math.pi * share / _WARM)) / 2
    falling = (share - _WARM) / (1 - _WARM) if schedule == "one-cycle" else share
    return (1 + math.cos(math.pi * falling)) / 2


def store(path: Path, held: Any) -> None:
    """Writes tensors and plain values whole or not at all.

    Raises:
        ResultsError: they cannot be written.
    """
    packed = io.BytesIO()
    torch.save(held, packed)
    try:
        write_whole(path, packed.getvalue())
    except OSError as error:
        raise ResultsError(f"{path} cannot be written: {reason(error)}", hint=writing_hint(path, error)) from None


def stored(path: Path) -> Any:
    """What `store` wrote; code of others is never run.

    Raises:
        ResultsError: it is no such file.
    """
    try:
        return torch.load(io.BytesIO(path.read_bytes()), weights_only=True)
    except Exception as error:  # torch raises what its readers raise
        raise ResultsError(f"{path} cannot be read: {error}", hint="remove it; the training starts anew") from None
