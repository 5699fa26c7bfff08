"""The checks of budgets, one for each limit of the card: `arena`, `flash`, `stack`, `instructions`, `cycles`.

A budget is compared only with a measurement of the same unit; where the board measures another one, the result is "not
measured", which neither passes nor fails.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.units import Quantity, Unit
from harness.validate.card import Card
from harness.validate.checks.result import CheckResult, Status, with_advice
from harness.validate.evidence import Evidence


class BudgetChecks:
    """See harness.validate.checks.Check."""

    def names(self, card: Card, board: str) -> tuple[str, ...]:
        """See Check."""
        return tuple(card.budget(board).limits())

    def judge(self, card: Card, evidence: Evidence) -> Iterable[CheckResult]:
        """See Check."""
        for name, limit in card.budget(evidence.resolved.asked.name).limits().items():
            time = name in ("instructions", "cycles")
            unit = Unit(name) if time else Unit.BYTES
            measured, why = _time(evidence, unit) if time else _bytes(evidence, name)
            result = check_budget(name, Quantity(limit, unit), measured, why)
            yield with_advice(result, _advice(name, limit, card, evidence))


def _advice(name: str, limit: int, card: Card, evidence: Evidence) -> str:
    """What keeps a budget, beyond what this run was compiled for already."""
    mode = evidence.plan.goals.optimize
    if name == "arena":
        keep = f"--max-arena {limit} makes the compiler keep the budget, or say the least that it needs"
        if mode != "ram":
            return f"--optimize ram, a small arena; {keep}"
        return f"{keep}; `tinyhil analyze` shows the layer at which it is largest: fewer channels or pixels there"
    if name == "flash":
        keep = f"--max-flash {limit} makes the compiler keep the budget, or say by how much it cannot"
        if mode != "flash":
            return f"--optimize flash, the fewest bytes of weights, tables and code; {keep}"
        return f"{keep}; most of it is weights: fewer channels, or a board with more flash"
    if name == "stack":
        lower = "--optimize balanced may take less; else " if mode == "ram" else ""
        return (
            f"{lower}raise the budget (`stack` in the card): the deepest kernel takes it, and the task or thread that "
            f"calls invoke must have as much free"
        )
    target, board = (card.path or card.model).name, evidence.resolved.asked.name
    where = f"`tinyhil profile {target} -b {board}` shows the layers that take it"
    return where if mode == "time" else f"--optimize time, the fastest kernels; {where}"


def _time(evidence: Evidence, unit: Unit) -> tuple[Quantity | None, str]:
    """(time of an inference in this unit or None, why it is None)."""
    measured = evidence.measurement
    if measured.total is not None and measured.unit is unit:
        return Quantity(measured.total, unit), ""
    return None, f"{evidence.resolved.runs_on.name} measures {measured.unit.value if measured.unit else 'no time'}"


def _bytes(evidence: Evidence, name: str) -> tuple[Quantity | None, str]:
    """(bytes of arena, stack or flash or None, why they are None)."""
    from harness.boards.backends import find_backend

    board, runtime = evidence.resolved.runs_on, evidence.runtime
    if not getattr(runtime.measures, name):
        return None, f"runtime {runtime.name} does not tell its {name}"
    if name != "arena" and not find_backend(board.backend).measures_memory:
        return None, f"{board.name} runs native code of this machine"
    measured = evidence.measurement
    taken = {"arena": measured.arena_high, "stack": measured.stack_high, "flash": evidence.image.sizes.network.flash}
    return Quantity(taken[name], Unit.BYTES), ""


def check_budget(name: str, limit: Quantity, measured: Quantity | None, why: str = "") -> CheckResult:
    """The result for one budget; `measured` is None where the board cannot measure it, for the reason `why`.

    Raises:
        UnitError: `limit` and `measured` have different units.
    """
    if measured is None:
        return CheckResult(name, Status.NOT_MEASURED, f"not measured here: {why}", {"limit": limit.value})
    unit = limit.unit.value
    figures: dict[str, float | int | str] = {"measured": measured.value, "limit": limit.value, "unit": unit}
    if measured <= limit:
        share = measured.ratio(limit)
        return CheckResult(name, Status.PASS, f"{measured.value:,} of {limit.value:,} {unit} ({share:.0%})", figures)
    over = (measured - limit).value
    text = f"{measured.value:,} {unit}, {over:,} over the budget of {limit.value:,}"
    return CheckResult(name, Status.FAIL, text, figures)
