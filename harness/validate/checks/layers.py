"""The check `layers`: the output of every layer against the reference's tensors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.validate.card import Card, Tolerance
from harness.validate.checks.result import CheckResult, Status, about_difference, allowed, how_equal, with_advice
from harness.validate.differences import LayerDiff, describe
from harness.validate.evidence import Evidence


class LayersCheck:
    """See harness.validate.checks.Check."""

    def names(self, card: Card, board: str) -> tuple[str, ...]:
        """See Check."""
        return () if card.checks.layers is None else ("layers",)

    def judge(self, card: Card, evidence: Evidence) -> Iterable[CheckResult]:
        """See Check."""
        if card.checks.layers is None:
            return
        if not evidence.runtime.measures.layer_outputs:
            why = f"not measured here: runtime {evidence.runtime.name} shows no layer's output"
            yield CheckResult("layers", Status.NOT_MEASURED, why)
            return
        result = check_layers(
            evidence.layers,
            evidence.first_layer,
            card.checks.layers,
            len(evidence.reference.tensors),
            evidence.reference.tensors_of or evidence.reference.oracle,
            evidence.uncompared,
            sum(layer.hidden for layer in evidence.plan.layers),
        )
        yield with_advice(result, about_difference(evidence.reference.oracle, evidence.resolved.runs_on.name))


def check_layers(
    layers: Sequence[LayerDiff],
    first: LayerDiff | None,
    tolerance: Tolerance,
    vectors: int,
    oracle: str,
    uncompared: Sequence[str] = (),
    hidden: int = 0,
) -> CheckResult:
    """The result for the layers' outputs; the summary describes the first differing layer.

    Args:
        layers: differences of all compared layer outputs.
        first: the first differing one, or None.
        tolerance: allowed difference.
        vectors: number of vectors compared.
        oracle: name of the reference.
        uncompared: names of layers without a counterpart in the model file.
        hidden: number of operators whose output never exists whole, and is checked only by the outputs after it.
    """
    bad = [diff for diff in layers if not diff.diff.within(tolerance)]
    if not layers:
        why = f"not measured here: {oracle} has no tensor of any layer" if uncompared else "no layer to compare"
        return CheckResult("layers", Status.NOT_MEASURED, why)
    figures = {
        "vectors": vectors,
        "layers": len({diff.layer for diff in layers}),
        "differing_layers": len({diff.layer for diff in layers if diff.diff.differing}),
        "uncompared": len(uncompared),
        "hidden_operators": hidden,
        "narrowed_layers": len({diff.layer for diff in layers if diff.diff.channels}),
        "max_lsb": max((d.diff.max_lsb for d in layers), default=0),
        "near": sum(d.diff.near for d in layers),
    }
    if not bad:
        equal = how_equal(figures["max_lsb"], figures["near"])
        text = f"{figures['layers']} layers equal {oracle} {equal} over {vectors} vectors"
        text += _narrowed(layers) + _hidden(hidden)
        return CheckResult("layers", Status.PASS, text + _uncompared(uncompared, oracle), figures)
    shown = first or bad[0]
    what = describe(shown.diff, [diff.diff.name for diff in layers])
    text = f"first differing layer: {shown.layer} {shown.name} ({shown.op}): {what}"
    text += f" (allowed: {allowed(tolerance)}, against {oracle})"
    return CheckResult("layers", Status.FAIL, text + _hidden(hidden) + _uncompared(uncompared, oracle), figures)


def _narrowed(layers: Sequence[LayerDiff]) -> str:
    """Words on layers of which only some channels were compared."""
    counts = [diff.diff.channels for diff in layers if diff.diff.channels]
    if not counts:
        return ""
    left, of = sum(c[0] for c in counts), sum(c[1] for c in counts)
    return f"; {len(counts)} of them in the {left:,} of {of:,} channels left (the others are constant or unused)"


def _hidden(count: int) -> str:
    return f"; {count} operators are computed row by row within them, their outputs never exist whole" if count else ""


def _uncompared(names: Sequence[str], oracle: str) -> str:
    """Words on layers that were not compared: one of them may differ unnoticed before the first that was found."""
    if not names:
        return ""
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return f"; not compared, as {oracle} has no tensor for it: {shown}"
