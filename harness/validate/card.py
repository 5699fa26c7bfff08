"""Model cards: `NAME.hil.yaml`, which says what a model is checked with and against which limits.

The schema is the Card class and the records it holds; docs/cards.md shows it by example. Paths in a card are relative
to the card's folder.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    NonNegativeInt,
    PositiveInt,
    Tag,
    ValidationError,
)

from harness.compiler.goals import Mode, Overrides, parse_bytes
from harness.errors import BoardConfigError, CardError, OptionError

SUFFIX = ".hil.yaml"
_MAX_BYTES = 1 << 20

OracleName: TypeAlias = Literal["tflm", "litert-ref", "litert", "spec"]


class _Record(BaseModel):
    """A part of a card: unknown keys are refused, so that a typing mistake never switches a check off."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class RandomVectors(_Record):
    """`{random: COUNT, seed: SEED}`: seeded mix of noise, structure and corner values (harness/validate/vectors.py)."""

    random: Annotated[int, Field(ge=1, le=100_000)]
    seed: NonNegativeInt = 0


def _path(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise ValueError("no path of a file")
    return text


PathText: TypeAlias = Annotated[str, AfterValidator(_path)]


class FileVectors(_Record):
    """`{file: NAME.npz, count: COUNT}`, or just `NAME.npz`: recorded inputs, with labels if there are any.

    Attributes:
        count: use only the first `count` vectors of the file; all of them when None.
    """

    file: PathText
    count: PositiveInt | None = None


class Tolerance(_Record):
    """`{max_lsb: N}`: every element within N quantization steps (units in the last place for floats)."""

    max_lsb: NonNegativeInt


def _tolerance(value: object) -> object:
    if value == "exact":
        return {"max_lsb": 0}
    if value is False or value == "off":  # YAML reads a bare `off` as false
        return None
    return value


def _vectors(value: object) -> object:
    return {"file": value} if isinstance(value, str) else value


def _vectors_kind(value: object) -> str:
    random = "random" in value if isinstance(value, dict) else isinstance(value, RandomVectors)
    return "RandomVectors" if random else "FileVectors"


VectorsField: TypeAlias = Annotated[
    Annotated[RandomVectors, Tag("RandomVectors")] | Annotated[FileVectors, Tag("FileVectors")],
    Discriminator(_vectors_kind),
    BeforeValidator(_vectors),
]


class Accuracy(_Record):
    """`{min: SHARE}`: share of labelled vectors that the board classifies right (0 to 1)."""

    min: Annotated[float, Field(ge=0, le=1, strict=False)]


def _bytes(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_bytes(value, "budget")
    except OptionError as error:
        raise ValueError(error.message) from None


Bytes: TypeAlias = Annotated[PositiveInt, BeforeValidator(_bytes)]

ToleranceField: TypeAlias = Annotated[Tolerance | None, BeforeValidator(_tolerance)]


class Checks(_Record):
    """What is compared; a check that is None is not made."""

    outputs: ToleranceField = Tolerance(max_lsb=0)
    layers: ToleranceField = Tolerance(max_lsb=0)
    accuracy: Accuracy | None = None


class Budget(_Record):
    """Limits; each is compared only with a measurement of its own unit.

    Attributes:
        arena: bytes of the arena, as measured on the board.
        flash: bytes of text, rodata and data of the generated code, its weights and its kernels.
        stack: bytes of stack, highest mark of a run.
        instructions: executed instructions of one inference (emulated boards).
        cycles: cycles of one inference (real boards).
    """

    arena: PositiveInt | None = None
    flash: PositiveInt | None = None
    stack: PositiveInt | None = None
    instructions: PositiveInt | None = None
    cycles: PositiveInt | None = None

    def limits(self) -> dict[str, int]:
        """The limits that are set, by name."""
        return {name: int(value) for name, value in self.model_dump(exclude_none=True).items()}


class Placing(_Record):
    """Memory regions of the board for parts of the image; a part that is None stays where the board has it.

    Attributes:
        arena, stack: the model's arena and the stack.
        data: all other variables.
        weights: constants of the model.
        code: its layers with their kernels.
    """

    arena: str | None = None
    stack: str | None = None
    data: str | None = None
    weights: str | None = None
    code: str | None = None


class Compiling(_Record):
    """What to compile for: see harness.compiler.goals.Goals. Budgets in bytes, also as text such as 32k or 32KiB.

    Attributes:
        optimize: time, ram, flash or balanced.
        max_arena, max_flash: bytes that no compilation may exceed.
    """

    optimize: Mode | None = None
    max_arena: Bytes | None = None
    max_flash: Bytes | None = None

    @property
    def overrides(self) -> Overrides:
        """The same for the compiler."""
        return Overrides(self.optimize, self.max_arena, self.max_flash)


def _placement(value: object) -> object:
    """`{arena: dtcm}` is short for `{default: {arena: dtcm}}`."""
    flat = isinstance(value, dict) and any(part in value for part in Placing.model_fields)
    return {"default": value} if flat else value


class _CardFile(_Record):
    """The keys of a card."""

    model: PathText
    vectors: VectorsField = RandomVectors(random=20)
    oracle: OracleName = "tflm"
    checks: Checks = Checks()
    budgets: dict[str, Budget] = {}
    placement: Annotated[dict[str, Placing], BeforeValidator(_placement)] = {}
    compile: Compiling = Compiling()
    description: str = ""


class Card(_Record):
    """A model card, checked.

    Attributes:
        name: the card's file name without its suffix, or the model's.
        path: the card's file, or None for a model given without a card.
        model: path of the model file.
        base: folder that relative paths start from.
        vectors: where the inputs come from.
        oracle: name of the reference that gates.
        checks, budgets, placement: as in the file; the latter two by board name or "default".
        compile: what to compile for.
    """

    name: str
    path: Path | None
    model: Path
    base: Path
    vectors: VectorsField
    oracle: OracleName = "tflm"
    checks: Checks = Checks()
    budgets: Mapping[str, Budget] = {}
    placement: Mapping[str, Placing] = {}
    compile: Compiling = Compiling()
    description: str = ""

    def budget(self, board: str) -> Budget:
        """Limits for `board`: its own where it has them, else the default's."""
        default = self.budgets.get("default", Budget()).limits()
        return Budget(**{**default, **self.budgets.get(board, Budget()).limits()})

    def placing(self, board: str, *, has_choice: bool) -> dict[str, str]:
        """Part -> memory region on `board`: its own entries, and the default's where the board has a choice at all."""
        names = ("default", board) if has_choice else (board,)
        given = (self.placement.get(name, Placing()).model_dump(exclude_none=True) for name in names)
        return {part: region for entry in given for part, region in entry.items()}

    def check_names(self, board: str) -> tuple[str, ...]:
        """Names of the checks made on `board`, in the order they are reported; "memory" always is."""
        made = [name for name in ("outputs", "layers", "accuracy") if getattr(self.checks, name) is not None]
        return (*made, "memory", *self.budget(board).limits())


def card_for_model(model: Path) -> Card:
    """The card of a model that has none: random vectors, outputs and layers exact against TFLM, no budgets."""
    return Card(name=model.stem, path=None, model=model, base=model.parent, vectors=RandomVectors(random=20))


def card_of(target: Path) -> Card:
    """The card that a path names: a card's file, or a model, which gets one of its own.

    Raises:
        CardError: it is a card's file and cannot be used.
    """
    return load_card(target) if target.suffix in (".yaml", ".yml") else card_for_model(target)


def load_card(path: Path) -> Card:
    """Read and check a card.

    Raises:
        CardError: the file cannot be read, is not YAML, breaks the schema (all mistakes at once, with line numbers), or
            has budgets or a placement for a board that nobody knows.
    """
    text = _read(path)
    root = _compose(path, text)
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CardError(f"{path}: not readable as YAML: {_one_line(error)}", hint="correct the YAML syntax") from error
    if not isinstance(content, dict):
        raise CardError(f"{path}: a card is a mapping of keys to values", hint="start with `model: NAME.tflite`")
    try:
        card = _CardFile.model_validate(content)
    except ValidationError as error:
        raise _schema_error(path, root, error) from None
    _check_boards(path, root, "budgets", card.budgets)
    _check_boards(path, root, "placement", card.placement)
    return Card(
        name=path.name.removesuffix(SUFFIX),
        path=path,
        model=path.parent / card.model,
        base=path.parent,
        vectors=card.vectors,
        oracle=card.oracle,
        checks=card.checks,
        budgets=card.budgets,
        placement=card.placement,
        compile=card.compile,
        description=card.description,
    )


def parse_vectors(text: str, base: Path) -> RandomVectors | FileVectors:
    """Vectors as named on a command line: a .npz file, COUNT, or COUNT:SEED for random ones.

    Raises:
        OptionError: it is neither.
    """
    count, _, seed = text.partition(":")
    if count.isdecimal() and (not seed or seed.isdecimal()) and 1 <= int(count) <= 100_000:
        return RandomVectors(random=int(count), seed=int(seed or 0))
    if text.endswith(".npz"):
        return FileVectors(file=str((base / text).resolve()))
    raise OptionError(
        f"vectors '{text}' are neither an .npz file nor a number",
        hint="give NAME.npz, or COUNT (1 to 100000) or COUNT:SEED for seeded random vectors, such as 20:7",
    )


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
        if len(raw) > _MAX_BYTES:
            raise CardError(f"{path}: larger than {_MAX_BYTES} bytes", hint="a card is a short text file")
        return raw.decode("utf-8")
    except OSError as error:
        raise CardError(f"{path}: cannot be read: {error.strerror}", hint="check the path and permissions") from error
    except UnicodeDecodeError as error:
        raise CardError(f"{path}: not UTF-8 text", hint="a card is a YAML text file") from error


def _compose(path: Path, text: str) -> yaml.Node | None:
    """The node tree, for line numbers; also refuses what YAML allows and a card must not have."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise CardError(f"{path}: not readable as YAML: {_one_line(error)}", hint="correct the YAML syntax") from error
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise CardError(
                f"{path}: line {_line(event)}: aliases (*{event.anchor}) are not used in cards",
                hint="write the value out",
            )
    for node in _mappings(root):
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise CardError(
                    f"{path}: line {_line(key)}: key '{key.value}' stands twice",
                    hint="keep one of them; YAML would silently take the last",
                )
            seen.add(str(key.value))
    return root


def _mappings(node: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from _mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _mappings(value)


def _check_boards(path: Path, root: yaml.Node | None, key: str, boards: Iterable[str]) -> None:
    """What is under a misspelt name would never be used."""
    names = [name for name in boards if name != "default"]
    if not names:
        return
    from harness.boards import find_board, load_boards

    known = load_boards()
    for name in names:
        try:
            find_board(name, known)
        except BoardConfigError as error:
            line = _line_of(root, [key, name])
            raise CardError(
                f"{path}: line {line}: {key}.{name}: {error.message}", hint=f"`default`, or a board; {error.hint}"
            ) from None


def _schema_error(path: Path, root: yaml.Node | None, error: ValidationError) -> CardError:
    lines: list[str] = []
    hint = "docs/cards.md lists every key"
    for item in error.errors():
        where = [str(part) for part in item["loc"] if str(part) not in _UNION_TAGS]
        line = _line_of(root, where)
        problem = item["msg"][0].lower() + item["msg"][1:]
        if item["type"] == "extra_forbidden":
            problem = "unknown key"
            near = difflib.get_close_matches(where[-1], _KNOWN_KEYS, n=1)
            if near:
                hint = f"did you mean '{near[0]}'?"
        elif item["type"] == "missing":
            problem = "missing"
        elif item["type"] == "value_error":
            problem = str(item["ctx"]["error"])
        elif item["type"] == "model_type":
            problem = f"input should be {_FORMS[item['ctx']['class_name']]}"
        text = f"line {line}: {'.'.join(where)}: {problem}"
        if text not in lines:
            lines.append(text)
    more = "" if len(lines) == 1 else f" (and {len(lines) - 1} more)"
    return CardError(f"{path}: {lines[0]}{more}", hint=hint, details="\n".join(lines) if more else "")


def _line_of(root: yaml.Node | None, where: list[str]) -> int:
    node, line = root, 1
    for part in where:
        found: Any = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if str(key.value) == part:
                    line, found = _line(key), value
        node = found
    return int(line)


def _line(place: yaml.Node | yaml.Event) -> int:
    return int(place.start_mark.line) + 1 if place.start_mark else 1


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


# What pydantic puts into a location for the alternatives of a union.
_UNION_TAGS = {"RandomVectors", "FileVectors"}
_FORMS = {
    "FileVectors": "NAME.npz, {file: NAME.npz, count: N} or {random: N, seed: S}",
    "RandomVectors": "{random: N, seed: S}",
    "Tolerance": "`exact`, {max_lsb: N} or `off`",
    "Accuracy": "{min: SHARE}",
    "Checks": "a mapping of outputs, layers and accuracy",
    "Budget": "a mapping of arena, flash, stack, instructions and cycles",
    "Placing": "a mapping of arena, stack, data, weights and code to memory regions",
}
_KNOWN_KEYS = [
    name
    for record in (_CardFile, RandomVectors, FileVectors, Tolerance, Accuracy, Checks, Budget, Placing)
    for name in record.model_fields
]
