"""Documents of runs with what the native board cannot measure: a chip's memory, budgets, TFLM's figures, cycles."""

from __future__ import annotations

import copy
from typing import Any

Document = dict[str, Any]


def on_a_chip(run: Document, name: str = "") -> Document:
    """A run of the native board as if on a small chip, with budgets of which one is exceeded and TFLM's figures."""
    made = copy.deepcopy(run)
    made["name"] = name or made["name"]
    made["board"] |= {"asked": "nucleo-f446", "ran_on": "nucleo-f446", "core": "cortex-m4", "clock_hz": 180_000_000}
    made["board"]["memory"] = [
        {"name": "flash", "kind": "flash", "size": 512 * 1024},
        {"name": "sram", "kind": "ram", "size": 96 * 1024},
        {"name": "sram2", "kind": "ram", "size": 32 * 1024},
    ]
    made["image"]["regions"] = {"flash": 60_000, "sram": 20_000, "sram2": 4_000}
    made["image"]["placement"] = {"arena": "sram2", "stack": "sram", "data": "sram", "weights": "flash"}
    made["memory"] |= {"stack_measured": 400, "flash": 24_000}
    made["time"]["unit"] = "instructions"
    checks = made["verdict"]["checks"]
    made["verdict"]["checks"] = [check for check in checks if "limit" not in check["figures"]]
    budgets = {"arena": (made["memory"]["arena_measured"], 1_000), "stack": (400, 2_048)}
    for check, (measured, limit) in budgets.items():
        figures = {"measured": measured, "limit": limit, "unit": "bytes"}
        status = "pass" if measured <= limit else "fail"
        made["verdict"]["checks"].append(
            {"name": check, "status": status, "summary": f"{measured:,} of {limit:,}", "figures": figures, "advice": ""}
        )
    made["verdict"]["passed"] = False
    made["baselines"] = [_baseline(made, "reference", 9), _baseline(made, "cmsis-nn", 3)]
    for layer in made["layers"]:
        layer["tflm"] = {"reference": layer["value"] * 9, "cmsis-nn": layer["value"] * 3}
    made["baseline_note"] = None
    return made


def _baseline(run: Document, kernels: str, times: int) -> Document:
    figures = {"total": run["time"]["total"] * times, "arena": 9_000, "stack": 700, "flash": 90_000}
    ours = {
        "total": run["time"]["total"],
        "arena": run["memory"]["arena_measured"],
        "stack": run["memory"]["stack_measured"],
        "flash": run["memory"]["flash"],
    }
    ratios = {name: ours[name] / value for name, value in figures.items()}
    about = {"runtime": "tflm", "kernels": kernels, "core": "cortex-m4", "machine": "x", "unit": "instructions"}
    return {**about, **figures, "ratio": ratios, "per_layer": True, "removed": []}


def with_cycles(run: Document) -> Document:
    """The run with modelled cycles: of each layer a function, of each function a loop and a block."""
    made = copy.deepcopy(run)

    def cycles(value: int) -> Document:
        return {"value": value, "unit": "modelled-cycles"}

    def costed(value: int) -> Document:
        causes = ("issue", "fetch", "data", "load-use", "interlock", "branch")
        figures = {name: cycles(value) for name in ("low", "cycles", "high")}
        return {**figures, "instructions": cycles(value), "causes": {cause: cycles(value // 9) for cause in causes}}

    layers = []
    for layer in made["layers"]:
        value = 1_000 * (layer["index"] + 1)
        blocks = [
            {"address": 0x8000000, "place": f"f+0x{n}", "count": 7, "cycles": cycles(value // 2), "loops": n == 0}
            for n in (0, 1)
        ]
        functions = [{"name": "f<u>", "cycles": cycles(value), "blocks": blocks}]
        named = {name: layer[name] for name in ("index", "name", "op", "kernel", "macs")}
        layers.append({**named, **costed(value), "per_mac": 1.5, "share": 0.1, "functions": functions})
    total = sum(layer["cycles"]["value"] for layer in layers)
    hot = {"share": 0.5, "loops": True, "address": 0x8000000, "place": "f", "count": 7, "per_execution": 2.0}
    hot |= {"instructions": 3, "layers": ["conv"], "listing": ["0 08000000 ldr r0, [r1]"] * 3}
    profile = {"board": "x", "emulator": "QEMU", "toolchain": "gcc", "reason": "", "fresh": True}
    made["modelled"] = {
        "unit": "modelled-cycles",
        "core": "cortex-m4",
        "setup": None,
        "label": "modelled, not validated",
        "milliseconds": None,
        "placement": {},
        "profile": profile,
        "validation": [],
        "unknown": {},
        "macs": made["macs"],
        "layers": layers,
        "hot": [hot],
        "what_if": [],
        **costed(total),
    }
    made["modelled_note"] = None
    return made


def with_layers(run: Document, count: int) -> Document:
    """The run as if its network had `count` layers, each with a tensor and a scratch buffer in the arena."""
    made = copy.deepcopy(run)
    template, size = made["layers"][0], made["arena"]["size"]
    made["layers"] = [
        {**template, "index": n, "name": f"conv_2d_{n:02d}", "share": 1 / count, "reads_from": [n - 1]}
        for n in range(count)
    ]
    made["arena"] |= {"layers": count, "worst_index": count // 2}
    made["arena"]["placements"] = [
        {"name": f"{kind} {n}", "kind": kind, "offset": at, "size": size // 2, "first_layer": n, "last_layer": n + more}
        for n in range(count)
        for kind, at, more in (("tensor", n % 2 * (size // 2), 1), ("scratch", size // 3, 0))
    ]
    return made
