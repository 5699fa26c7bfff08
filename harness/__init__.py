"""tinyhil: hardware-in-the-loop validation of neural networks on microcontrollers.

    import harness
    bench = harness.Workbench()
    package = bench.package(harness.load("kws.tflite"), core="cortex-m4", goals=harness.Goals("ram"))
    harness.write_package(package, Path("out"))
    outcome = bench.validate(harness.load_card(Path("kws.hil.yaml")), "mps2-an500")
    cycles = harness.profile_model("kws.tflite", "nucleo-l4r5").estimate.cycles

Names are imported on first use, so that `import harness` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.card import card_for_model, load_card
    from harness.compiler import compile_graph
    from harness.cycles.predict import WhatIf, profile_model
    from harness.emit import write_package
    from harness.errors import TinyhilError
    from harness.frontends import load
    from harness.goals import Goals
    from harness.pipeline import Options, Outcome, Workbench

__version__ = "0.1.0"

DEFAULT_BOARD = "mps2-an500"
"""The board that runs when none is named."""

__all__ = [
    "Goals",
    "Options",
    "Outcome",
    "TinyhilError",
    "WhatIf",
    "Workbench",
    "card_for_model",
    "compile_graph",
    "load",
    "load_card",
    "profile_model",
    "write_package",
]

_HOME = {
    "Goals": "goals",
    "Options": "pipeline",
    "Outcome": "pipeline",
    "TinyhilError": "errors",
    "WhatIf": "cycles.predict",
    "Workbench": "pipeline",
    "card_for_model": "card",
    "compile_graph": "compiler",
    "load": "frontends",
    "load_card": "card",
    "profile_model": "cycles.predict",
    "write_package": "emit",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"harness.{_HOME[name]}"), name)
    raise AttributeError(f"module 'harness' has no attribute '{name}'")
