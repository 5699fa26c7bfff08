"""The schema of files of parts and of prices, checked by pydantic; imported only when one is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.hardware.schema import CoreName

_KiB = Annotated[int, Field(gt=0, le=1 << 20)]
_Text = Annotated[str, Field(min_length=1, max_length=200)]
_Region = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
_Microamperes = Annotated[float, Field(gt=0, le=1e6)]


class _StrictEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class RunEntry(_StrictEntry):
    """Supply current, see RunCurrent."""

    ua_per_mhz: _Microamperes
    volts: Annotated[float, Field(gt=0, le=60)]
    how: _Text
    sleep_ua: _Microamperes | None = None
    source: _Text


class PartEntry(_StrictEntry):
    """One microcontroller; the head of harness/data/parts.yaml explains the keys."""

    vendor: _Text
    core: CoreName
    fpu: Literal["none", "single", "double"]
    clock_mhz: Annotated[float, Field(gt=0, le=10_000)]
    flash_kib: _KiB
    ram_kib: Annotated[dict[_Region, _KiB], Field(min_length=1, max_length=16)]
    source: _Text
    dsp: bool = True
    external: bool = False
    memory_like: _Text | None = None
    run: RunEntry | None = None


class PricesEntry(_StrictEntry):
    """Prices of parts by name, all in one currency."""

    currency: Annotated[str, Field(min_length=1, max_length=8)]
    prices: Annotated[Mapping[str, Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]], Field(min_length=1)]
