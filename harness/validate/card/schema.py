"""The schema of a card: every key, its type and its default.

docs/cards.md shows it by example. Paths in a card are relative to the card's folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, NonNegativeInt, PositiveInt, model_validator

from harness.compiler.goals import Mode, Overrides, parse_bytes
from harness.errors import CardError, OptionError
from harness.ethosu.vela import OPTIMISE, VelaOptions
from harness.hardware.placement import AUTO, SOLVED
from harness.ir.graph import Graph
from harness.runtimes import DEFAULT_RUNTIME
from harness.runtimes.forms import DEFAULT_FORM, split_forms
from harness.validate.card.compress import CompressField
from harness.validate.card.labels import LabelsField
from harness.validate.card.record import PathText, Record
from harness.validate.card.vectors import RandomVectors, VectorsField


def _gates(name: str) -> str:
    from harness.oracle.oracle import NOT_GATING, ORACLES, gating_names

    if name in NOT_GATING or name not in ORACLES:
        raise ValueError(f"there is no oracle '{name}'; there are {', '.join(repr(known) for known in gating_names())}")
    return name


def _runs(name: str) -> str:
    from harness.runtimes import BOTH, RUNTIMES

    known = (*RUNTIMES.names(), BOTH)
    if name not in known:
        raise ValueError(f"there is no runtime '{name}'; there are {', '.join(map(repr, known))}")
    return name


def _is_form(name: str) -> str:
    from harness.runtimes.forms import FORMS

    known = FORMS.names()
    if name not in known:
        raise ValueError(f"there is no form '{name}'; there are {', '.join(map(repr, known))}")
    return name


def _forms(value: object) -> object:
    """One form is short for a list of one."""
    if isinstance(value, str):
        return split_forms([value])
    return tuple(dict.fromkeys(value)) if isinstance(value, list) else value


OracleName: TypeAlias = Annotated[str, AfterValidator(_gates)]
RuntimeName: TypeAlias = Annotated[str, AfterValidator(_runs)]
FormNames: TypeAlias = Annotated[
    tuple[Annotated[str, AfterValidator(_is_form)], ...], BeforeValidator(_forms), Field(min_length=1)
]


class Tolerance(Record):
    """`{max_lsb: N}`: every element within N quantization steps (units in the last place for floats)."""

    max_lsb: NonNegativeInt


def _tolerance(value: object) -> object:
    if value == "exact":
        return {"max_lsb": 0}
    if value is False or value == "off":  # `off` without quotes is false in YAML
        return None
    return value


class AtLeast(Record):
    """`{min: SHARE}`: the least that the board must reach, 0 to 1."""

    min: Annotated[float, Field(ge=0, le=1, strict=False)]


class AccuracyBounds(Record):
    """`{min: SHARE, drop_max: SHARE}`: the least accuracy, and the most that may be lost to the float model, 0 to 1.

    One of the two may be left out.
    """

    min: Annotated[float | None, Field(ge=0, le=1, strict=False)] = None
    drop_max: Annotated[float | None, Field(ge=0, le=1, strict=False)] = None

    @model_validator(mode="after")
    def _bounds_something(self) -> AccuracyBounds:
        if self.min is None and self.drop_max is None:
            raise ValueError("bounds nothing: give min, drop_max or both")
        return self


class AtMost(Record):
    """`{max: VALUE}`: the most that the board may have, 0 or more."""

    max: Annotated[float, Field(ge=0, strict=False, allow_inf_nan=False)]


def _bytes(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_bytes(value, "budget")
    except OptionError as error:
        raise ValueError(error.message) from None


def _count(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not value.strip()[-1:].isdigit() and value.strip()[-1:] not in ("k", "K", "m", "M"):
        raise ValueError(f"'{value}' is no count: give a number, such as 300000, 300k or 1.5M")
    return _bytes(value)


def _sha256(text: str) -> str:
    if re.fullmatch("[0-9a-fA-F]{64}", text) is None:
        raise ValueError("no SHA-256: 64 hexadecimal digits, as sha256sum prints them")
    return text.lower()


Bytes: TypeAlias = Annotated[PositiveInt, BeforeValidator(_bytes)]
Count: TypeAlias = Annotated[PositiveInt, BeforeValidator(_count)]
Sha256: TypeAlias = Annotated[str, AfterValidator(_sha256)]

ToleranceField: TypeAlias = Annotated[Tolerance | None, BeforeValidator(_tolerance)]


class FloatModelFile(Record):
    """`{file: NAME.tflite, sha256: HEX}`, or just `NAME.tflite`: the float model that the model was quantized from.

    Attributes:
        sha256: of that file; None if the card does not say.
    """

    file: PathText
    sha256: Sha256 | None = None


def _float_model(value: object) -> object:
    return {"file": value} if isinstance(value, str) else value


FloatModelField: TypeAlias = Annotated[FloatModelFile | None, BeforeValidator(_float_model)]


class Checks(Record):
    """Which checks are made, with their tolerances; None for a check that is not made.

    Those of TRUTHS compare the board with what is right, not with the reference.
    """

    outputs: ToleranceField = Tolerance(max_lsb=0)
    layers: ToleranceField = Tolerance(max_lsb=0)
    accuracy: AccuracyBounds | None = None
    auc: AtLeast | None = None
    rmse: AtMost | None = None
    label_error_rate: AtMost | None = None


TRUTHS = {"accuracy": "labels", "auc": "labels", "rmse": "targets", "label_error_rate": "targets"}
"""Check -> the array of the vectors' file with what is right."""


class Budget(Record):
    """Limits; each is compared only with a measurement of the same unit. Numbers, or text such as 20k or 20KiB (bytes).

    Attributes:
        arena: bytes of the arena, as measured on the board.
        flash: bytes of text, rodata and data of the generated code, its weights and its kernels.
        stack: most bytes of stack that a run uses.
        instructions: executed instructions of one inference (emulated boards).
        cycles: cycles of one inference (real boards).
    """

    arena: Bytes | None = None
    flash: Bytes | None = None
    stack: Bytes | None = None
    instructions: Count | None = None
    cycles: Count | None = None

    def limits(self) -> dict[str, int]:
        """The limits that are set, by name."""
        return {name: int(value) for name, value in self.model_dump(exclude_none=True).items()}


class Placing(Record):
    """Memory regions of the board for parts of the image; None for the board's default.

    Attributes:
        arena, stack: the model's arena and the stack.
        data: all other variables.
        weights: constants of the model.
        code: its layers with their kernels.
        scratch: what kernels use while they run; part of the arena where that is in the same region.
    """

    arena: str | None = None
    stack: str | None = None
    data: str | None = None
    weights: str | None = None
    code: str | None = None
    scratch: str | None = None


class Compiling(Record):
    """Goals of the compiler, see harness.compiler.goals.Goals. Budgets in bytes, or as text such as 32k or 32KiB.

    Attributes:
        optimize: time, ram, flash or balanced.
        max_arena, max_flash: bytes that no compilation may exceed.
    """

    optimize: Mode | None = None
    max_arena: Bytes | None = None
    max_flash: Bytes | None = None

    @property
    def overrides(self) -> Overrides:
        """These keys as overrides of the compiler's goals."""
        return Overrides(self.optimize, self.max_arena, self.max_flash)


class NpuKeys(Record):
    """`{accelerator: ethos-u55-128, ...}`, or just the name: what Vela compiles the model for.

    Attributes:
        system_config, memory_mode: sections of Vela's configuration file.
        optimise: Performance or Size.
        config: a configuration file instead of Vela's own.
    """

    accelerator: str
    system_config: str = ""
    memory_mode: str = ""
    optimise: str = OPTIMISE[0]
    config: str = ""

    @property
    def options(self) -> VelaOptions:
        """The same for Vela."""
        return VelaOptions(**self.model_dump())

    @classmethod
    def of(cls, options: VelaOptions) -> NpuKeys:
        """What a command's option says."""
        return cls(**{key: getattr(options, key) for key in cls.model_fields})


def _npu(value: object) -> object:
    return {"accelerator": value} if isinstance(value, str) else value


NpuField: TypeAlias = Annotated[NpuKeys | None, BeforeValidator(_npu)]


def _placement(value: object) -> object:
    """Expands `{arena: dtcm}` to `{default: {arena: dtcm}}`, and `auto` to that of every part that it is for."""
    if value == AUTO:
        return {"default": dict.fromkeys(SOLVED, AUTO)}
    flat = isinstance(value, dict) and any(part in value for part in Placing.model_fields)
    return {"default": value} if flat else value


class CardKeys(Record):
    """The keys of a card's file."""

    model: PathText
    sha256: Sha256 | None = None
    float_model: FloatModelField = None
    vectors: VectorsField = RandomVectors(random=20)
    oracle: OracleName = "tflm"
    runtime: RuntimeName = DEFAULT_RUNTIME
    form: FormNames = (DEFAULT_FORM,)
    checks: Checks = Checks()
    budgets: dict[str, Budget] = {}
    placement: Annotated[dict[str, Placing], BeforeValidator(_placement)] = {}
    compile: Compiling = Compiling()
    npu: NpuField = None
    compress: CompressField = None
    labels: LabelsField = ()
    description: str = ""


class Card(Record):
    """A checked model card.

    Attributes:
        name: the card's file name without its suffix, or the model's.
        path: the card's file, or None for a model given without a card.
        model: path of the model file.
        sha256: of that file, checked when the card was loaded; None if the card does not say.
        float_model: what the model was quantized from; None if the card does not say.
        base: folder that relative paths start from.
        vectors: the source of the inputs.
        oracle: name of the oracle that the checks compare with.
        runtime: name of what computes the model on a board, or "both".
        form: names of the forms that the model runs in, one after the other.
        checks, budgets, placement: as in the file; the latter two by board name or "default".
        compile: goals of the compiler.
        npu: what Vela compiles the model for before it is compiled here; None for the core alone.
        compress: how its weights are stored in fewer bits; None for as they are.
        labels: names of the classes of output 0, in order; () without.
    """

    name: str
    path: Path | None
    model: Path
    base: Path
    vectors: VectorsField
    oracle: OracleName = "tflm"
    runtime: RuntimeName = DEFAULT_RUNTIME
    form: FormNames = (DEFAULT_FORM,)
    checks: Checks = Checks()
    budgets: Mapping[str, Budget] = {}
    placement: Mapping[str, Placing] = {}
    compile: Compiling = Compiling()
    npu: NpuField = None
    compress: CompressField = None
    description: str = ""
    sha256: Sha256 | None = None
    labels: tuple[str, ...] = ()
    float_model: FloatModelField = None

    def labelled(self, graph: Graph) -> Graph:
        """The model's graph with the card's labels, which go before those of the model's own metadata.

        Raises:
            CardError: the card has another number of labels than output 0 has classes.
        """
        if not self.labels:
            return graph
        shape = graph.tensors[graph.outputs[0]].shape
        classes = shape[-1] if shape else 1
        if len(self.labels) != classes:
            raise CardError(
                f"{self.path}: {len(self.labels)} labels, but output 0 of {self.model} has {classes} classes",
                hint="name every class, in the order of the output's last dimension",
            )
        return replace(graph, labels=(self.labels, *graph.labels[1:]))

    def budget(self, board: str) -> Budget:
        """Limits for `board`: those under its name if there are any, else those under "default"."""
        default = self.budgets.get("default", Budget()).limits()
        return Budget(**{**default, **self.budgets.get(board, Budget()).limits()})

    def placing(self, board: str, *, has_choice: bool) -> dict[str, str]:
        """Part -> memory region on `board`: entries under its name, and with `has_choice` those under "default"."""
        names = ("default", board) if has_choice else (board,)
        given = (self.placement.get(name, Placing()).model_dump(exclude_none=True) for name in names)
        return {part: region for entry in given for part, region in entry.items()}
