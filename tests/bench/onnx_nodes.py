"""ONNX's own node cases by operator: how many are equal, how many refused, how many wrong."""

from __future__ import annotations

from collections import Counter, defaultdict

from rich.console import Console

from tests.support.onnx_cases import cases, outcome


def run(console: Console) -> None:
    """Prints the table of docs/onnx.md: operators of which a case passes; the others in a line."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for case in cases():
        one = outcome(case)
        found[one.op][one.result] += 1
        if one.result == "wrong":
            console.print(f"wrong: {one.name}: {one.why}")
    total = sum(found.values(), Counter())
    console.print(f"{total['pass']} pass, {total['refused']} refused, {total['wrong']} wrong, of {sum(total.values())}")
    console.print("| operator | pass | refused |\n|---|---:|---:|", soft_wrap=True)
    for op in sorted(op for op, results in found.items() if results["pass"]):
        console.print(f"| {op} | {found[op]['pass']} | {found[op]['refused']} |", soft_wrap=True)
    console.print(", ".join(sorted(op for op, results in found.items() if not results["pass"])), soft_wrap=True)
