"""Settings of a pytest run: from the command line, else the environment, else the ini file, else the default.

Imports nothing heavy, as the plugin loads it in every pytest run.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.version import DEFAULT_BOARD

if TYPE_CHECKING:
    from harness.farm.address import FarmAddress
    from harness.validate.options import Options

# Name -> (metavar, help). --NAME (with hyphens) on the command line, TINYHIL_NAME in the environment, hil_NAME in the
# ini file.
SETTINGS: dict[str, tuple[str, str]] = {
    "board": ("NAME", f"board to run on, repeatable, or `all`; `tinyhil boards` lists them (default: {DEFAULT_BOARD})"),
    "model": ("FILE", "validate this .tflite file, with or without a card; repeatable"),
    "vectors": ("V", "instead of the cards' vectors: NAME.npz or NAME.wav, or COUNT or COUNT:SEED for random ones"),
    "link": ("LINK", "auto (default: fast on emulated boards, else uart), uart, fast, or rtt through a debug probe"),
    "placement": ("PART=REGION", "put arena, stack, data, weights or code in that memory region, repeatable; or auto"),
    "farm": ("FARM", "lease boards of a farm: HOST:PORT of its coordinator, or a .yaml file; then ,TAG=VALUE,..."),
    "probe": ("ID", "unique id of the debug probe, or BOARD=ID,...; `tinyhil boards --probe` lists them"),
    "report": ("DIR", "write a result bundle there: results.json, report.html, images, manifest.json"),
    "optimize": ("MODE", "compile for time, ram, flash or balanced (default: the card's, or balanced)"),
    "max_arena": ("BYTES", "arena that must not be exceeded, such as 32k (1000) or 32KiB"),
    "max_flash": ("BYTES", "flash of weights, tables and code that must not be exceeded"),
    "runtime": ("NAME", "tinyhil, tflm (Arm's program, on mps3-an547) or both (default: the cards', or tinyhil)"),
    "form": ("FORM", "static, relocatable or both as static,relocatable (default: the cards', or static)"),
    "tflm_runner": ("FILE", "Arm's program of TFLM, instead of that of the installed package mlia-ethos-u"),
    "npu": ("ACCELERATOR", "compile for an Ethos-U by Vela first: ethos-u55-128; then ,optimise=Size and the like"),
    "oracle": ("NAME", "instead of the cards' reference: tflm, litert-ref, litert, onnxruntime or spec"),
    "history": ("FILE", "keep the results in this history; `default`: the one in the user's data folder"),
    "compare": ("BASE", "compare with results of the history, such as last-good: what regressed is a failed test"),
    "policy": ("FILE", "what may change, YAML: `tinyhil docs history`"),
}
LIST_SETTINGS = ("board", "model", "placement", "form")


@dataclass(frozen=True)
class Settings:
    """Checked settings.

    Attributes:
        boards: names, at least one.
        options: of every run.
        report: folder for the bundle, or None.
        farm: where boards are leased; None for those of this host.
        history: file of the history that results are kept in; None where they are not.
        compare: what results are compared with, see harness.history.selection; None where they are not.
        policy: file of what may change; None for the defaults.
    """

    boards: tuple[str, ...]
    options: Options
    report: Path | None
    farm: FarmAddress | None = None
    history: Path | None = None
    compare: str | None = None
    policy: Path | None = None


def values(config: pytest.Config, name: str) -> list[str]:
    """A setting's values from the first place that has any; empty if none has."""
    given = config.getoption(name, None)
    if given:
        return [str(value) for value in given] if isinstance(given, list) else [str(given)]
    named = os.environ.get(f"TINYHIL_{name.upper()}", "").strip()
    if named:
        return named.replace(",", " ").split() if name in LIST_SETTINGS else [named]
    from_ini = config.getini(f"hil_{name}")
    if isinstance(from_ini, list):
        return [str(value) for value in from_ini]
    return [str(from_ini)] if from_ini else []


def is_used(config: pytest.Config) -> bool:
    """Whether a setting of this run is given."""
    return any(values(config, name) for name in SETTINGS if name != "tflm_runner")  # which alone asks for nothing


def settings(config: pytest.Config) -> Settings:
    """All settings.

    Raises:
        BoardConfigError: a board is unknown.
        FarmFileError: what --farm names is no farm.
        OptionError, CardError: an option has an invalid value.
    """
    from harness.compiler.goals import parse_overrides
    from harness.farm.address import parse_farm
    from harness.hardware.placement import parse_placement
    from harness.npu.compiling import parse_npu
    from harness.runtimes.forms import split_forms
    from harness.validate.card import parse_vectors
    from harness.validate.options import Options, check_choice, choose_boards

    here = config.invocation_params.dir
    link = (values(config, "link") or ["auto"])[0]
    check_choice("link", link)
    oracle = next(iter(values(config, "oracle")), None)
    if oracle is not None:
        check_choice("oracle", oracle)
    runtime = next(iter(values(config, "runtime")), None)
    if runtime is not None:
        check_choice("runtime", runtime)
    forms = split_forms(values(config, "form"))
    for form in forms:
        check_choice("form", form)
    runner = next(iter(values(config, "tflm_runner")), None)
    vectors = next(iter(values(config, "vectors")), None)
    npu = next(iter(values(config, "npu")), None)
    report, history, policy = (next(iter(values(config, name)), None) for name in ("report", "history", "policy"))
    probe = next(iter(values(config, "probe")), None)
    farm = next(iter(values(config, "farm")), None)
    return Settings(
        boards=choose_boards(values(config, "board") or [DEFAULT_BOARD]),
        options=Options(
            link=link,
            oracle=oracle,
            runtime=runtime,
            forms=forms,
            tflm_runner=here / runner if runner else None,
            vectors=parse_vectors(vectors, here) if vectors else None,
            npu=parse_npu(npu) if npu else None,
            placement=parse_placement(values(config, "placement")),
            probe=probe,
            overrides=parse_overrides(
                *(next(iter(values(config, n)), None) for n in ("optimize", "max_arena", "max_flash"))
            ),
        ),
        report=here / report if report else None,
        farm=parse_farm(farm) if farm else None,
        history=_history(here, history),
        compare=next(iter(values(config, "compare")), None),
        policy=here / policy if policy else None,
    )


def _history(here: Path, named: str | None) -> Path | None:
    from harness.history.connection import DEFAULT

    if not named:
        return None
    return Path(named) if named == DEFAULT else here / Path(named).expanduser()
