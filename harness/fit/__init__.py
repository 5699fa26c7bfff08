"""Which microcontrollers a model fits, and how fast it would be there, without running it.

    from harness.fit import Wishes, fit, known_parts
    found = fit(graph, known_parts()["stm32f446re"], Wishes(latency_s=0.05))
    found.verdict, found.best.rooms, found.best.time

Memory is planned and time estimated as the compiler does it, once per core and mode; parts differ in their sizes,
clocks and memories.
"""

from __future__ import annotations

from harness.fit.catalogue import known_parts
from harness.fit.compilations import Compilations
from harness.fit.fitting import Fit, ModeFit, fit, fit_all
from harness.fit.microcontroller import Microcontroller
from harness.fit.wishes import Wishes

__all__ = ["Compilations", "Fit", "Microcontroller", "ModeFit", "Wishes", "fit", "fit_all", "known_parts"]
