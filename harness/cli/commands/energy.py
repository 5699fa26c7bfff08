"""The command `tinyhil energy`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from harness.cli import terminal
from harness.cli.options import (
    BoardOption,
    JsonOption,
    ModelArgument,
    OptimizeOption,
    ProbeOption,
    ReportOption,
    VectorsOption,
    command_line,
)
from harness.errors import OptionError
from harness.version import DEFAULT_BOARD

if TYPE_CHECKING:
    from harness.report.document import Document


def _option(name: str, metavar: str, text: str) -> Any:
    return typer.Option(name, metavar=metavar, help=text, show_default=False)


_Rate: TypeAlias = Annotated[str | None, _option("--rate", "RATE", "Inferences: 1/s, 10/min, 4/h, 0.5Hz.")]
_Battery: TypeAlias = Annotated[str | None, _option("--battery", "CHARGE", "Capacity, such as 220mAh.")]
_BatteryVolts: TypeAlias = Annotated[
    str | None, _option("--battery-voltage", "VOLTS", "Mean voltage of the battery. Default: the chip's supply.")
]
_Efficiency: TypeAlias = Annotated[
    str | None, _option("--efficiency", "SHARE", "Of the regulator between battery and chip, such as 85%. Default: 1.")
]
_Sleep: TypeAlias = Annotated[
    str | None, _option("--sleep", "CURRENT", "In between, such as 2uA. Default: the datasheet's, where it is known.")
]
_Volts: TypeAlias = Annotated[
    str | None, _option("--voltage", "VOLTS", "The chip's supply, such as 3.0V. Default: the datasheet's, or 3V.")
]
_Current: TypeAlias = Annotated[
    str | None, _option("--current", "CURRENT", "Per MHz while code runs, such as 95uA. Default: the datasheet's.")
]
_Meter: TypeAlias = Annotated[
    str | None, _option("--meter", "METER", "Measure on a real board, with lpm01a:PORT or joulescope.")
]
_Wakes: TypeAlias = Annotated[Path | None, _option("--wakes", "LARGE", "The large model (.tflite) that MODEL wakes.")]
_Trigger: TypeAlias = Annotated[
    str | None, _option("--trigger-rate", "SHARE", "Share of inferences that wake it: 0.02 or 2%.")
]
_WakeOn: TypeAlias = Annotated[
    list[int] | None,
    _option("--wake-on", "CLASS", "Measure that share on --vectors: a class that wakes. Repeatable."),
]
_Threshold: TypeAlias = Annotated[
    float | None, _option("--threshold", "SCORE", "With --wake-on: the least score that wakes. Default: the highest.")
]
_Parts: TypeAlias = Annotated[Path | None, _option("--parts", "FILE", "Further microcontrollers: tinyhil docs fit.")]


def energy(
    model: ModelArgument,
    board: BoardOption = DEFAULT_BOARD,
    rate: _Rate = None,
    battery: _Battery = None,
    battery_voltage: _BatteryVolts = None,
    efficiency: _Efficiency = None,
    sleep: _Sleep = None,
    voltage: _Volts = None,
    current: _Current = None,
    meter: _Meter = None,
    wakes: _Wakes = None,
    trigger_rate: _Trigger = None,
    wake_on: _WakeOn = None,
    threshold: _Threshold = None,
    vectors: VectorsOption = None,
    optimize: OptimizeOption = None,
    parts: _Parts = None,
    probe: ProbeOption = None,
    report: ReportOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell an inference's energy, estimated or measured with a meter; battery life at a rate; the cost of a cascade."""
    from harness.cli.energy_run import Wanted, run
    from harness.compiler.goals import parse_mode
    from harness.report import energy as shown
    from harness.units import parse_amount, parse_rate, parse_share

    def amount(text: str | None, symbol: str, option: str, example: str) -> float | None:
        return None if text is None else parse_amount(text, symbol, option, example)

    wanted = Wanted(
        model=model,
        board=board,
        rate=None if rate is None else parse_rate(rate, "rate"),
        battery_ah=amount(battery, "Ah", "battery", "220mAh"),
        battery_v=amount(battery_voltage, "V", "battery-voltage", "3V"),
        efficiency=1.0 if efficiency is None else parse_share(efficiency, "efficiency"),
        sleep_a=amount(sleep, "A", "sleep", "2uA"),
        volts=amount(voltage, "V", "voltage", "3.0V"),
        a_per_mhz=amount(current, "A", "current", "95uA"),
        meter=meter,
        large=wakes,
        trigger_rate=None if trigger_rate is None else parse_share(trigger_rate, "trigger-rate"),
        wake_on=tuple(wake_on or ()),
        threshold=threshold,
        vectors=vectors,
        modes=() if optimize is None else (parse_mode(optimize),),
        parts=parts,
        probe=probe,
    )
    with _result(report, meter) as keep, terminal.progress(as_json, f"energy of {model.name}") as tell:
        document = run(wanted, tell)
        keep.append(document)
    if as_json:
        terminal.print_json(document)
        return
    terminal.show_table(shown.models(document))
    terminal.print_text(*shown.summary(document))


@contextmanager
def _result(report: Path | None, meter: str | None) -> Iterator[list[Document]]:
    """A list whose documents are written to a bundle when the block ends without an error.

    Raises:
        OptionError: a bundle is asked for of an estimate.
        ResultsError: it cannot be written.
    """
    from harness.report.bundle import Invocation, check_folder, write_bundle
    from harness.report.tool_versions import tool_versions

    if report is None:
        yield []
        return
    if meter is None:
        raise OptionError("--report is for what is measured", hint="give --meter, or --json for the estimate")
    check_folder(report)
    documents: list[Document] = []
    yield documents
    write_bundle(report, (), Invocation(command_line(), tool_versions()), energy=documents)
