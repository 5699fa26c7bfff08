"""`python -m tests.bench [NAME...]`: run benchmarks and print their tables."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable

from rich.console import Console

from tests.bench import (
    compress,
    costs,
    cycles,
    farm,
    figures,
    floats,
    history,
    install,
    instructions,
    kernels,
    link,
    npu,
    onnx_nodes,
    operators,
    oracle,
    ptq,
    recipe,
    recurrent,
    relocatable,
    search,
    shape_costs,
    shapes,
    sizes,
    start,
    steep,
    targets,
    tflm,
    virtual,
    wide,
    winograd,
)

BENCHES: dict[str, Callable[[Console], None]] = {
    "instructions": instructions.run,
    "cycles": cycles.run,
    "costs": costs.run,
    "operators": operators.run,
    "oracle": oracle.run,
    "kernels": kernels.run,
    "recurrent": recurrent.run,
    "relocatable": relocatable.run,
    "wide": wide.run,
    "winograd": winograd.run,
    "steep": steep.run,
    "search": search.run,
    "shapes": shapes.run,
    "shape_costs": shape_costs.run,
    "compress": compress.run,
    "floats": floats.run,
    "figures": figures.run,
    "link": link.run,
    "install": install.run,
    "npu": npu.run,
    "start": start.run,
    "sizes": sizes.run,
    "virtual": virtual.run,
    "targets": targets.run,
    "farm": farm.run,
    "history": history.run,
    "tflm": tflm.run,
    "onnx": onnx_nodes.run,
    "ptq": ptq.run,
    "recipe": recipe.run,
}
OPTIONS = {
    "costs": costs.run,
    "figures": figures.run,
    "relocatable": relocatable.run,
    "tflm": tflm.main,
    "ptq": ptq.run,
    "shapes": shapes.run,
}
"""Benchmarks that take options, where they are named alone."""


def main() -> None:
    """Run the benchmarks named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("bench", nargs="*", help=f"one of: {', '.join(BENCHES)}; all without any")
    parsed, rest = parser.parse_known_args()
    chosen = parsed.bench or list(BENCHES)
    unknown = [name for name in chosen if name not in BENCHES]
    if unknown:
        parser.error(f"no benchmark named {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    alone = len(chosen) == 1 and chosen[0] in OPTIONS
    if rest and not alone:
        parser.error(f"{' '.join(rest)}: only {' and '.join(OPTIONS)}, named alone, take options")
    console = Console(width=None if Console().is_terminal else 130)
    console.print(f"{platform.system()} {platform.machine()}, Python {platform.python_version()}; one run each")
    if alone:
        OPTIONS[chosen[0]](console, rest)
        return
    for name in chosen:
        BENCHES[name](console)


if __name__ == "__main__":
    main()
