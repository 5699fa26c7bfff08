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
    from harness.compiler.compile import compile_graph
    from harness.compiler.emit.package import write_package
    from harness.compiler.goals import Goals
    from harness.cycles.predict import WhatIf
    from harness.errors import TinyhilError
    from harness.frontends import load
    from harness.validate.card import card_for_model, load_card
    from harness.validate.options import Options
    from harness.validate.outcome import Outcome
    from harness.validate.profile import profile_model
    from harness.validate.workbench import Workbench
    from harness.version import DEFAULT_BOARD as DEFAULT_BOARD
    from harness.version import __version__ as __version__

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
    "DEFAULT_BOARD": "version",
    "Goals": "compiler.goals",
    "Options": "validate.options",
    "Outcome": "validate.outcome",
    "TinyhilError": "errors",
    "WhatIf": "cycles.predict",
    "Workbench": "validate.workbench",
    "card_for_model": "validate.card",
    "compile_graph": "compiler.compile",
    "load": "frontends",
    "load_card": "validate.card",
    "profile_model": "validate.profile",
    "write_package": "compiler.emit.package",
    "__version__": "version",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"harness.{_HOME[name]}"), name)
    raise AttributeError(f"module 'harness' has no attribute '{name}'")
