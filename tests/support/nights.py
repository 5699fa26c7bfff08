"""Results documents of nights: made-up models on boards, with any number of layers, noise, and what is changed."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

Document = dict[str, Any]
FIRST = datetime(2026, 1, 1, 3, tzinfo=UTC)


def revision(night: int) -> str:
    """The git revision of a night."""
    return hashlib.sha1(f"revision {night}".encode()).hexdigest()


def night(
    number: int,
    *,
    models: Sequence[str] = ("kws", "vww"),
    boards: Sequence[str] = ("mps2-an386", "nucleo-h743"),
    layers: int = 6,
    unit: str = "instructions",
    noise: float = 0.0,
    change: Callable[[Document], None] | None = None,
) -> Document:
    """results.json of a night.

    Args:
        number: of the night; it tells time, revision and the seed of the noise.
        models, boards: all of them with all of them.
        layers: of each model.
        unit: of times; cycles scatter by `noise`, a relative standard deviation.
        change: told every run before it is in the document.
    """
    runs = []
    scatter = random.Random(number)
    for model in models:
        for board in boards:
            run = json.loads(_text(model, board, layers, unit))
            if noise:
                for part in run["layers"]:
                    part["value"] = round(part["value"] * (1 + scatter.gauss(0, noise)))
                run["time"]["total"] = round(run["time"]["total"] * (1 + scatter.gauss(0, noise)))
            if change:
                change(run)
            runs.append(run)
    failed = sum(run["kind"] == "run" and not run["verdict"]["passed"] for run in runs)
    return {
        "schema": "tinyhil.results",
        "version": 1,
        "created": (FIRST + timedelta(days=number)).isoformat(timespec="seconds"),
        "command": ["tinyhil", "nightly", "farm.yaml"],
        "tools": {"tinyhil": "0.1.0", "arm compiler": "arm-none-eabi-gcc 12.2.1"},
        "environment": {
            "sources": {"revision": revision(number), "branch": "main", "dirty": False}, "machine": "lab", "ci": "",
        },
        "verdict": "fail" if failed else "pass",
        "counts": {"runs": len(runs), "failed": failed, "errors": 0},
        "session": None,
        "runs": runs,
    }  # fmt: skip


@lru_cache(maxsize=1024)
def _text(model: str, board: str, layers: int, unit: str) -> str:
    return json.dumps(run_on(model, board, layers, unit))


def run_on(model: str, board: str, layers: int, unit: str) -> Document:
    """The document of a run, with a budget, a chip and TFLM's figures."""
    made = random.Random(f"{model} {layers}")
    times = [made.randrange(10_000, 400_000) for _ in range(layers)]
    arena = made.randrange(2_000, 60_000)
    limit = {"name": "arena", "status": "pass", "summary": "", "advice": ""}
    limit["figures"] = {"measured": arena, "limit": arena + 1_000, "unit": "bytes"}
    lines = [
        {
            "index": place, "name": f"conv_2d_{place:02d}", "op": "CONV_2D", "kernel": "conv_s8", "macs": value // 2,
            "operators": [place], "value": value, "tflm": {"reference": value * 9},
        }
        for place, value in enumerate(times)
    ]  # fmt: skip
    return {
        "kind": "run",
        "name": model,
        "card": f"cards/{model}.hil.yaml",
        "model": {"file": f"cards/{model}.tflite", "sha256": hashlib.sha256(model.encode()).hexdigest(), "bytes": 9},
        "board": {
            "asked": board, "ran_on": board, "core": "cortex-m7", "backend": "pyocd", "clock_hz": 480_000_000,
            "memory": [
                {"name": "flash", "kind": "flash", "size": 2 << 20}, {"name": "sram", "kind": "ram", "size": 1 << 19},
            ],
        },
        "runtime": "tinyhil",
        "oracle": {"name": "tflm", "version": "1"},
        "vectors": {"count": 20, "sha256": "ab" * 32},
        "verdict": {
            "passed": True, "checks": [limit], "max_lsb": 0, "layers_compared": layers, "layers_differing": [],
            "outputs": [{"tensor": "out", "differing": 0, "max_lsb": 0}], "accuracy": None,
        },
        "image": {
            "build_id": "0123456789abcdef", "toolchain": "arm-none-eabi-gcc 12.2.1", "sha256": "cd" * 32,
            "groups": {"model": {"text": 100, "rodata": 9_000, "data": 0, "bss": arena},
                       "kernels": {"text": 8_000, "rodata": 0, "data": 0, "bss": 0}},
            "regions": {"flash": 28_000, "sram": 20_000},
        },
        "memory": {"arena_planned": arena, "arena_measured": arena, "stack_measured": 400, "flash": 18_000,
                   "constants": 8_400},
        "goals": {"optimize": "balanced", "max_arena": None, "max_flash": None},
        "time": {"unit": unit, "total": sum(times), "layers_sum": sum(times)},
        "macs": 220_000,
        "layers": lines,
        "baselines": [{"kernels": "reference", "unit": "instructions", "total": sum(times) * 9, "arena": 70_000}],
    }  # fmt: skip


def slower(layer: int, share: float) -> Callable[[Document], None]:
    """A change: a layer takes that share more time, and so does the whole."""

    def change(run: Document) -> None:
        more = round(run["layers"][layer]["value"] * share)
        run["layers"][layer]["value"] += more
        run["time"]["total"] += more

    return change


def one_byte_of_arena(run: Document) -> None:
    """A change: the arena has one byte more."""
    run["memory"]["arena_measured"] += 1


def one_wrong_lsb(run: Document) -> None:
    """A change: one element of a layer, and of the output, differs by one LSB; the checks are off, so it passes."""
    wrong = {"layer": 2, "name": "conv_2d_02", "op": "CONV_2D", "differing": 1, "max_lsb": 1}
    run["verdict"]["layers_differing"] = [wrong]
    run["verdict"]["outputs"] = [{"tensor": "out", "differing": 1, "max_lsb": 1}]
    run["verdict"]["max_lsb"] = 1
