"""Prices of parts, from a user's file only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import PartsError
from harness.files.yaml_mapping import read_mapping

_HINT = "it must have `currency: EUR` and `prices:` with a line NAME: PRICE for each part"


@dataclass(frozen=True)
class Prices:
    """Prices by a part's name, all in one currency."""

    currency: str
    by_part: Mapping[str, float]


def read_prices(path: Path) -> Prices:
    """The prices of a file.

    Raises:
        PartsError: it cannot be read or breaks the schema.
    """
    content = read_mapping(
        path, PartsError, what="`currency` and `prices`", hint=_HINT, most_parts=100_000, most_levels=16
    )
    from pydantic import ValidationError

    from harness.fit.schema import PricesEntry

    try:
        entry = PricesEntry.model_validate(content)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False)]
        raise PartsError(f"{path}: {lines[0]}", hint=_HINT, details="\n".join(lines[:20])) from None
    return Prices(entry.currency, {name.lower(): price for name, price in entry.prices.items()})
