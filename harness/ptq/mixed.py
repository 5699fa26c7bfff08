"""Mixed precision: 4-bit weights where they cost least, to fit a size; 16 bits where they help most, for an SQNR."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from harness.build.progress import Progress
from harness.errors import InputError, OracleError
from harness.ir.operators import has
from harness.ir.operators.traits import Trait
from harness.ptq.kinds import AS_THE_SCHEME, LayerPlan, can_be_wide
from harness.ptq.network import roles
from harness.ptq.scales import ScalesError
from harness.ptq.scheme import Scheme
from harness.ptq.search import SchemeBench, SchemeSearch, SchemeTrial
from harness.quantization.types import DType


class BudgetUnreachedError(InputError):
    """No mix of precisions keeps what was asked for."""

    code = "quantize-budget"
    stage = "quantize"


@dataclass(frozen=True)
class PrecisionWishes:
    """What a mix is to keep; None for no bound.

    Attributes:
        max_size: bytes of the file.
        min_sqnr: dB of the worst output.
    """

    max_size: int | None = None
    min_sqnr: float | None = None


def mixed(found: SchemeSearch, wishes: PrecisionWishes, progress: Progress | None = None) -> SchemeSearch:
    """The best scheme of a search with the fewest layers changed that keep to the wishes.

    Raises:
        BudgetUnreachedError: none does.
    """
    mixer = _Mixer(found.bench, found.best.scheme, progress)
    trial = found.best
    if wishes.max_size is not None and _size(trial) > wishes.max_size:
        trial = mixer.narrowed(trial, wishes.max_size)
    if wishes.min_sqnr is not None and _sqnr(trial) < wishes.min_sqnr:
        trial = mixer.widened(trial, wishes.min_sqnr)
    if trial is found.best:
        return found
    if wishes.max_size is not None and _size(trial) > wishes.max_size:
        raise BudgetUnreachedError(
            f"{_sqnr(trial):.1f} dB take {_size(trial):,} B, more than the {wishes.max_size:,} that were given",
            hint="raise --max-size, or lower --min-sqnr",
        )
    return SchemeSearch(found.bench, (*found.trials, trial), trial)


def _size(trial: SchemeTrial) -> int:
    assert trial.quantized is not None
    return len(trial.quantized.file)


def _sqnr(trial: SchemeTrial) -> float:
    assert trial.evaluation is not None
    return trial.evaluation.worst_sqnr


def _noise(trial: SchemeTrial) -> float:
    """Power of the noise as a share of the signal's."""
    return float(10 ** (-_sqnr(trial) / 10))


class _Mixer:
    """Tries plans of layers for one scheme."""

    def __init__(self, bench: SchemeBench, scheme: Scheme, progress: Progress | None) -> None:
        self._bench, self._scheme, self._progress = bench, scheme, progress
        self._network = bench.quantizer.network

    def narrowed(self, start: SchemeTrial, most: int) -> SchemeTrial:
        """With weights of 4 bits in the layers where a byte saved costs least, until the file fits."""
        layers = {
            node.outputs[0]: self._network.tensors[node.inputs[1]].elements
            for node in self._network.nodes
            if has(node, Trait.WEIGHTS) and roles(self._network, node).weights is not None
        }
        costs = self._each("4 bits", list(layers), lambda t: LayerPlan(narrow=frozenset({t})))
        order = sorted(costs, key=lambda t: ((_noise(costs[t]) - _noise(start)) / layers[t], t))
        plan, trial = AS_THE_SCHEME, start
        for t in order:
            plan = replace(plan, narrow=plan.narrow | {t})
            found = self._tried(plan)
            trial = found or trial
            if found and _size(found) <= most:
                return found
        raise BudgetUnreachedError(
            f"with weights of 4 bits in all {len(order)} layers that take them the file has {_size(trial):,} B, more "
            f"than {most:,}",
            hint="raise --max-size, or train a smaller network",
        )

    def widened(self, start: SchemeTrial, least: float) -> SchemeTrial:
        """With activations of 16 bits in the layers where they help most, until the outputs are near enough."""
        assert start.quantized is not None
        plan = start.quantized.plan
        if self._scheme.activations is DType.INT16:
            raise self._too_noisy(start, least)
        layers = [t for node in self._network.nodes for t in node.outputs if can_be_wide(self._network, t)]
        gains = self._each("16 bits", layers, lambda t: replace(plan, wide=frozenset({t})))
        order = sorted(gains, key=lambda t: (_noise(gains[t]), t))
        best = start
        for t in order:
            plan = replace(plan, wide=plan.wide | {t})
            found = self._tried(plan)
            if found and _sqnr(found) >= _sqnr(best):
                best = found
            if _sqnr(best) >= least:
                return best
        raise self._too_noisy(best, least)

    def _too_noisy(self, best: SchemeTrial, least: float) -> BudgetUnreachedError:
        return BudgetUnreachedError(
            f"no mix reaches {least:g} dB; the best has {_sqnr(best):.1f}",
            hint="lower --min-sqnr, try --scheme mse+16x8+bias+adaptive, or give more data",
        )

    def _each(
        self, what: str, layers: list[int], plan: Callable[[int], LayerPlan]
    ) -> dict[int, SchemeTrial]:
        """Every layer by itself under a plan of its own; those that cannot be computed so are left out."""
        found = {}
        for number, t in enumerate(layers):
            trial = self._tried(plan(t))
            if trial is not None:
                found[t] = trial
            if self._progress:
                self._progress(f"layers with {what}", number + 1, len(layers))
        return found

    def _tried(self, plan: LayerPlan) -> SchemeTrial | None:
        try:
            return self._bench.tried(self._scheme, plan)
        except (ScalesError, OracleError):
            return None
