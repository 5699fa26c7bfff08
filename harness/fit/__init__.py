"""Which microcontrollers a model fits, and how fast it would be there, without running it.

    from harness.fit import Wishes, fit, known_parts
    found = fit(graph, known_parts()["stm32f446re"], Wishes(latency_s=0.05))
    found.verdict, found.best.rooms, found.best.time

Memory is planned and time estimated as the compiler does it, once per core and mode; parts differ in their sizes,
clocks and memories.

Networks that have no weights yet are asked of a ShapeOracle, in some 0.1 ms each where they are small:

    net = NetworkShape.begin((28, 28, 1))
    net.dense(net.mean(net.conv(net.input, 16, kernel=3, stride=2)), 10)
    answer = fits(net, NetworkLimits(arena=24_000, cycles=2e6), ShapeOracle(target_of(known_board("nucleo-l4r5"))))
    answer.fits, answer.slack("arena"), answer.hints()
"""

from __future__ import annotations

from harness.fit.catalogue import known_parts
from harness.fit.compilations import Compilations
from harness.fit.fitting import Fit, ModeFit, fit, fit_all
from harness.fit.limits import LimitAnswer, NetworkLimits, fits
from harness.fit.microcontroller import Microcontroller
from harness.fit.oracle import Needs, ShapeOracle
from harness.fit.shapes import NetworkShape
from harness.fit.wishes import Wishes

__all__ = [
    "Compilations", "Fit", "LimitAnswer", "NetworkLimits", "Microcontroller", "ModeFit", "Needs", "NetworkShape",
    "ShapeOracle", "Wishes", "fit", "fit_all", "fits", "known_parts",
]  # fmt: skip
