"""Loads cards from files; a model without a card gets a default one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

import yaml
from pydantic import ValidationError

from harness.errors import BoardConfigError, CardError
from harness.files.reading import TooLargeError, read_regular, sha256_of
from harness.validate.card.compress import CompressKeys
from harness.validate.card.labels import read_labels
from harness.validate.card.positions import compose, line_of, one_line
from harness.validate.card.schema import (
    AccuracyBounds,
    AtLeast,
    AtMost,
    Budget,
    Card,
    CardKeys,
    Checks,
    FloatModelFile,
    NpuKeys,
    Placing,
    Tolerance,
)
from harness.validate.card.vectors import FileVectors, RandomVectors

SUFFIX = ".hil.yaml"
_MAX_BYTES = 1 << 20
_SHOWN = 20


def card_for_model(model: Path) -> Card:
    """The default card of a model: random vectors, outputs and layers exact against TFLM, no budgets."""
    return Card(name=model.stem, path=None, model=model, base=model.parent, vectors=RandomVectors(random=20))


def card_of(target: Path) -> Card:
    """The card of a path: of a card's file, or the default card of a model file.

    Raises:
        CardError: it is a card's file that cannot be used, see load_card.
    """
    return load_card(target) if target.suffix in (".yaml", ".yml") else card_for_model(target)


def load_card(path: Path) -> Card:
    """Read and check a card.

    Raises:
        CardError: the file cannot be read, is not YAML, breaks the schema (all mistakes at once, with line numbers), or
            has budgets or a placement for an unknown board; or its model's file has another `sha256`.
    """
    text = _read(path)
    root = compose(path, text)
    try:
        content = None if root is None else yaml.SafeLoader("").construct_document(root)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CardError(f"{path}: not readable as YAML: {one_line(error)}", hint="correct the YAML syntax") from error
    if not isinstance(content, dict):
        raise CardError(f"{path}: a card is a mapping of keys to values", hint="start with `model: NAME.tflite`")
    try:
        card = CardKeys.model_validate(content)
    except ValidationError as error:
        raise _schema_error(path, root, error) from None
    _check_model(path, root, ["sha256"], card.model, card.sha256)
    if card.float_model is not None:
        _check_model(path, root, ["float_model", "sha256"], card.float_model.file, card.float_model.sha256)
    _check_drop(path, root, card)
    _check_boards(path, root, "budgets", card.budgets)
    _check_boards(path, root, "placement", card.placement)
    return Card(
        name=path.name.removesuffix(SUFFIX),
        path=path,
        model=path.parent / card.model,
        base=path.parent,
        vectors=card.vectors,
        oracle=card.oracle,
        runtime=card.runtime,
        form=card.form,
        checks=card.checks,
        budgets=card.budgets,
        placement=card.placement,
        compile=card.compile,
        npu=_beside(path, card.npu),
        compress=card.compress,
        description=card.description,
        sha256=card.sha256,
        labels=read_labels(path, card.labels),
        float_model=card.float_model,
    )


def _beside(path: Path, npu: NpuKeys | None) -> NpuKeys | None:
    """Vela's configuration file is one beside the card, or one that Vela knows."""
    if npu is None or not npu.config or not (path.parent / npu.config).is_file():
        return npu
    return npu.model_copy(update={"config": str((path.parent / npu.config).resolve())})


def _check_drop(path: Path, root: yaml.Node | None, card: CardKeys) -> None:
    """Refuses a bound of what accuracy loses where no float model says from what."""
    bounds = card.checks.accuracy
    if bounds is not None and bounds.drop_max is not None and card.float_model is None:
        line = line_of(root, ["checks", "accuracy", "drop_max"])
        raise CardError(
            f"{path}: line {line}: checks.accuracy.drop_max bounds what is lost to the float model, which is not named",
            hint="add `float_model: NAME.tflite`, or bound the accuracy itself with `min`",
        )


def _read(path: Path) -> str:
    try:
        return read_regular(path, _MAX_BYTES).decode("utf-8")
    except TooLargeError as error:
        raise CardError(f"{path}: {error.strerror}", hint="a card is a short text file") from error
    except OSError as error:
        raise CardError(f"{path}: cannot be read: {error.strerror}", hint="check the path and permissions") from error
    except UnicodeDecodeError as error:
        raise CardError(f"{path}: not UTF-8 text", hint="a card is a YAML text file") from error


def _check_model(path: Path, root: yaml.Node | None, key: list[str], file: str, sha256: str | None) -> None:
    """Refuses a file that is another than the card names under `key`; one that is not there is told later."""
    model = path.parent / file
    if sha256 is None or not model.is_file():
        return
    try:
        found = sha256_of(model)
    except OSError as error:
        raise CardError(f"{model}: cannot be read: {error.strerror}", hint="check the path and permissions") from error
    if found != sha256:
        raise CardError(
            f"{path}: line {line_of(root, key)}: {'.'.join(key)}: {model} is another file, of SHA-256 {found}",
            hint="bring back the model that the card was written for, or write the new SHA-256 into the card",
        )


def _check_boards(path: Path, root: yaml.Node | None, key: str, boards: Iterable[str]) -> None:
    """Refuses unknown boards under `key`: entries under a misspelt name would never be used."""
    names = [name for name in boards if name != "default"]
    if not names:
        return
    from harness.boards import find_board, load_boards

    known = load_boards()
    for name in names:
        try:
            find_board(name, known)
        except BoardConfigError as error:
            line = line_of(root, [key, name])
            raise CardError(
                f"{path}: line {line}: {key}.{name}: {error.message}", hint=f"`default`, or a board; {error.hint}"
            ) from None


def _schema_error(path: Path, root: yaml.Node | None, error: ValidationError) -> CardError:
    lines: list[str] = []
    hint = "`tinyhil docs cards` lists every key"
    mistakes = error.errors(include_url=False, include_input=False)
    for item in mistakes[:_SHOWN]:
        where = [str(part) for part in item["loc"] if str(part) not in _UNION_TAGS]
        line = line_of(root, where)
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
    rest = max(len(mistakes) - _SHOWN, 0)
    count = len(lines) + rest
    lines += [f"and {rest} more"] if rest else []
    more = "" if count == 1 else f" (and {count - 1} more)"
    return CardError(f"{path}: {lines[0]}{more}", hint=hint, details="\n".join(lines) if more else "")


# Names that pydantic inserts into locations for the alternatives of a union.
_UNION_TAGS = {"RandomVectors", "FileVectors"}
_FORMS = {
    "FileVectors": "NAME.npz, {file: NAME.npz, count: N}, {file: NAME.wav, step: SAMPLES} or {random: N, seed: S}",
    "RandomVectors": "{random: N, seed: S}",
    "Tolerance": "`exact`, {max_lsb: N} or `off`",
    "AccuracyBounds": "{min: SHARE, drop_max: SHARE}, or one of them",
    "AtLeast": "{min: SHARE}",
    "AtMost": "{max: VALUE}",
    "Checks": "a mapping of outputs, layers, accuracy, auc, rmse and label_error_rate",
    "Budget": "a mapping of arena, flash, stack, instructions and cycles",
    "FloatModelFile": "NAME.tflite or {file: NAME.tflite, sha256: HEX}",
    "NpuKeys": "an accelerator's name, or a mapping of accelerator, system_config, memory_mode, optimise and config",
    "CompressKeys": "a level: lossless, low, medium, high or int4; or {level: LEVEL, data: FILE.npz}",
    "Placing": "a mapping of arena, stack, data, weights and code to memory regions",
}
_RECORDS = (
    *(CardKeys, RandomVectors, FileVectors, FloatModelFile, Tolerance, AccuracyBounds, AtLeast, AtMost, Checks),
    *(Budget, Placing, NpuKeys, CompressKeys),
)
_KNOWN_KEYS = [name for record in _RECORDS for name in record.model_fields]
