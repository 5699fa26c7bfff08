"""`auto`: all schemes are tried, the best by all vectors is taken, and told by what was kept back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from harness.build.progress import Progress
from harness.compression.stacks import Stacks, forward
from harness.errors import OracleError, UnsupportedModelError
from harness.ir.graph import Graph
from harness.ptq.calibration import CalibrationData
from harness.ptq.evaluation import Evaluation, accuracy_of, evaluate
from harness.ptq.judgement import Judgement, Trueness, judge, references
from harness.ptq.kinds import AS_THE_SCHEME, LayerPlan
from harness.ptq.quantizer import QuantizedModel, Quantizer
from harness.ptq.scales import ScalesError
from harness.ptq.scheme import AUTO, CANDIDATES, Scheme, scheme_of
from harness.quantization.types import DType

_WORTH_DB = 3.0
"""What an input that is not int8 is to bring."""
_STANDARDISED = "mse+features+bias+adaptive"
"""Tried, beside the best scheme, where an input's features are unlike."""


@dataclass(frozen=True, eq=False)
class SchemeTrial:
    """A scheme that was tried.

    Attributes:
        scheme: which.
        quantized, evaluation: None where it failed.
        seconds: it took.
        failure: why it failed; "" where it did not.
        judgement: what it is chosen by; None where it is not compared.
    """

    scheme: Scheme
    quantized: QuantizedModel | None
    evaluation: Evaluation | None
    seconds: float
    failure: str = ""
    judgement: Judgement | None = None


class SchemeBench:
    """Makes trials of one network over the same data; what they share is computed once."""

    def __init__(self, graph: Graph, data: CalibrationData) -> None:
        """Of a float network."""
        self.data = data
        self.quantizer = Quantizer(graph, data.fitted.inputs, data.origin)
        self._known: tuple[Trueness, ...] | None = None
        self._held: dict[tuple[bool, bool, DType], Stacks] = {}

    def tried(self, scheme: Scheme, plan: LayerPlan = AS_THE_SCHEME) -> SchemeTrial:
        """A scheme, but for the layers of a plan, judged by what was kept back.

        Raises:
            UnsupportedModelError, ScalesError: as of Quantizer.quantize.
            OracleError: TFLM refuses the file.
        """
        began = time.perf_counter()
        made = self.quantizer.quantize(scheme, plan)
        found = evaluate(made, self.floats(made), self.data.held)
        return SchemeTrial(scheme, made, found, time.perf_counter() - began)

    def floats(self, made: QuantizedModel) -> Stacks:
        """Activations of the float network of a trial over the vectors that were kept back."""
        if made.plan.wide:  # its network has copies of its own
            return forward(made.source, self.data.held.inputs)
        key = made.scheme.network
        if key not in self._held:
            self._held[key] = forward(made.source, self.data.held.inputs)
        return self._held[key]

    def judged(self, trial: SchemeTrial) -> SchemeTrial:
        """The trial with what it is chosen by.

        Raises:
            OracleError: TFLM refuses the file.
        """
        made = trial.quantized
        assert made is not None
        began = time.perf_counter()
        if self._known is None:
            self._known = references(self.quantizer.network, self.data)
        found = judge(made, self._known)
        return replace(trial, judgement=found, seconds=trial.seconds + time.perf_counter() - began)

    def float_accuracy(self, trial: SchemeTrial) -> float | None:
        """Of the float network of a trial over what was kept back; None without labels."""
        assert trial.quantized is not None
        return accuracy_of(self.floats(trial.quantized)[trial.quantized.source.outputs[0]], self.data.held)


@dataclass(frozen=True, eq=False)
class SchemeSearch:
    """What came of it.

    Attributes:
        bench: what made the trials.
        trials: in the order in which they were made.
        best: the one that is taken.
    """

    bench: SchemeBench
    trials: tuple[SchemeTrial, ...]
    best: SchemeTrial

    @cached_property
    def model(self) -> QuantizedModel:
        """The network that is taken."""
        assert self.best.quantized is not None
        return self.best.quantized

    @cached_property
    def floats(self) -> Stacks:
        """Activations of its float network over the vectors that were kept back."""
        return self.bench.floats(self.model)

    @cached_property
    def float_accuracy(self) -> float | None:
        """Of the float network over them; None without labels."""
        return self.bench.float_accuracy(self.best)


def schemes_of(name: str) -> tuple[Scheme, ...]:
    """What a name on the command line stands for.

    Raises:
        OptionError: it is no scheme.
    """
    return CANDIDATES if name == AUTO else (scheme_of(name),)


def search(
    graph: Graph, data: CalibrationData, schemes: Sequence[Scheme], progress: Progress | None = None
) -> SchemeSearch:
    """Tries schemes in order and takes the best.

    Where there are labels those as right as the floats are, then by SQNR: see harness.ptq.judgement.

    Raises:
        UnsupportedModelError: no scheme has integer forms of all operators.
        ScalesError, OracleError: no scheme gives a network that can be computed.
    """
    bench = SchemeBench(graph, data)
    trials: list[SchemeTrial] = []
    failure: UnsupportedModelError | ScalesError | OracleError | None = None
    for number, scheme in enumerate(schemes):
        began = time.perf_counter()
        try:
            trial = bench.tried(scheme)
            trials.append(bench.judged(trial) if len(schemes) > 1 else trial)
        except (UnsupportedModelError, ScalesError, OracleError) as error:
            failure = failure or error
            trials.append(SchemeTrial(scheme, None, None, time.perf_counter() - began, error.message))
        if progress:
            progress("schemes", number + 1, len(schemes))
    done = [trial for trial in trials if trial.evaluation is not None]
    if not done:
        assert failure is not None
        raise failure
    best = best_of(done) if len(schemes) > 1 else done[0]
    if len(schemes) > 1 and bench.quantizer.unlike:
        added = _standardised(bench, (best.scheme, scheme_of(_STANDARDISED)))
        trials += added
        new = best_of(added) if added else best
        best = new if _is_worth_it(new, best) else best
    return SchemeSearch(bench, tuple(trials), best)


def _standardised(bench: SchemeBench, schemes: Sequence[Scheme]) -> list[SchemeTrial]:
    """Schemes with features made alike, those that can be computed."""
    found = []
    for scheme in dict.fromkeys(replace(scheme, standardise=True) for scheme in schemes):
        try:
            found.append(bench.judged(bench.tried(scheme)))
        except (ScalesError, OracleError):
            continue
    return found


def _is_worth_it(standardised: SchemeTrial, best: SchemeTrial) -> bool:
    """Whether an input that is not int8 pays: by accuracy, or an SQNR that is higher by far."""
    new, old = _judgement(standardised), _judgement(best)
    if abs(new.rightness - old.rightness) > new.chance:
        return new.rightness > old.rightness
    return new.sqnr > old.sqnr + _WORTH_DB


def best_of(done: Sequence[SchemeTrial]) -> SchemeTrial:
    """Of those that are as right as any, but for chance, the one with the highest SQNR."""
    most = max(_judgement(trial).rightness for trial in done)
    right = [trial for trial in done if _judgement(trial).rightness >= most - _judgement(trial).chance]
    return max(right, key=lambda trial: _judgement(trial).sqnr)


def _judgement(trial: SchemeTrial) -> Judgement:
    assert trial.judgement is not None
    return trial.judgement
