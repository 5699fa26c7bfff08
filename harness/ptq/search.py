"""`auto`: all schemes are tried, the best by what was kept back is taken."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from harness.build.progress import Progress
from harness.errors import OracleError, UnsupportedModelError
from harness.ir.graph import Graph
from harness.ptq.calibration import CalibrationData
from harness.ptq.evaluation import Evaluation, accuracy_of, evaluate
from harness.ptq.quantizer import QuantizedModel, Quantizer, ScalesError
from harness.ptq.scheme import AUTO, CANDIDATES, Scheme, scheme_of
from harness.ptq.values import Stacks, forward


@dataclass(frozen=True, eq=False)
class SchemeTrial:
    """A scheme that was tried.

    Attributes:
        scheme: which.
        quantized, evaluation: None where it failed.
        seconds: it took.
        failure: why it failed; "" where it did not.
    """

    scheme: Scheme
    quantized: QuantizedModel | None
    evaluation: Evaluation | None
    seconds: float
    failure: str = ""


@dataclass(frozen=True, eq=False)
class SchemeSearch:
    """What came of it.

    Attributes:
        trials: in the order in which they were made.
        best: the one that is taken.
        floats: activations of the float network of `best` over the vectors that were kept back.
        float_accuracy: of the float network over them; None without labels.
    """

    trials: tuple[SchemeTrial, ...]
    best: SchemeTrial
    floats: Stacks
    float_accuracy: float | None


def schemes_of(name: str) -> tuple[Scheme, ...]:
    """What a name on the command line stands for.

    Raises:
        OptionError: it is no scheme.
    """
    return CANDIDATES if name == AUTO else (scheme_of(name),)


def search(
    graph: Graph, data: CalibrationData, schemes: Sequence[Scheme], progress: Progress | None = None
) -> SchemeSearch:
    """Tries schemes in order and takes the best: by accuracy where there are labels, then by SQNR.

    Raises:
        UnsupportedModelError: no scheme has integer forms of all operators.
        ScalesError, OracleError: no scheme gives a network that can be computed.
    """
    quantizer = Quantizer(graph, data.fitted.inputs, data.origin)
    trials: list[SchemeTrial] = []
    floats: dict[tuple[bool, object], Stacks] = {}
    failure: UnsupportedModelError | ScalesError | OracleError | None = None
    for number, scheme in enumerate(schemes):
        began = time.perf_counter()
        try:
            made = quantizer.quantize(scheme)
            key = scheme.equalise, scheme.activations
            if key not in floats:
                floats[key] = forward(made.source, data.held.inputs)
            found = evaluate(made, floats[key], data.held)
            trials.append(SchemeTrial(scheme, made, found, time.perf_counter() - began))
        except (UnsupportedModelError, ScalesError, OracleError) as error:
            failure = failure or error
            trials.append(SchemeTrial(scheme, None, None, time.perf_counter() - began, error.message))
        if progress:
            progress("schemes", number + 1, len(schemes))
    done = [trial for trial in trials if trial.evaluation is not None]
    if not done:
        assert failure is not None
        raise failure
    best = max(done, key=_merit)
    assert best.quantized is not None
    own = floats[best.scheme.equalise, best.scheme.activations]
    output = own[best.quantized.source.outputs[0]]
    return SchemeSearch(tuple(trials), best, own, accuracy_of(output, data.held))


def _merit(trial: SchemeTrial) -> tuple[float, float]:
    assert trial.evaluation is not None
    return trial.evaluation.accuracy or 0.0, trial.evaluation.worst_sqnr
