"""Models in the relocatable form beside the static one: what each costs at every address, on every core."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.boards.registry import find_board
from harness.frontends.tflite.writer import write
from harness.relocatable.format import RelocatableModel
from harness.runtimes.relocatable import LIBRARY
from harness.validate.card import RandomVectors, card_of, parse_compress
from harness.validate.options import Options
from harness.validate.outcome import Outcome
from harness.validate.workbench import Workbench
from tests.bench.wide import Layer
from tests.support.models import find_model
from tests.support.paths import FIXTURES

CORES = {
    "cortex-m3": "mps2-an385",
    "cortex-m4": "mps2-an386",
    "cortex-m7": "mps2-an500",
    "cortex-m33": "mps2-an505",
    "cortex-m55": "mps3-an547",
}

_MLPERF = ("kws_int8", "vww_int8", "ic_int8", "ad_int8", "sww_int8")
_OTHERS = (
    "tflm_trained_lstm_int8", "tflm_hello_world_int8", "tflm_micro_speech_quantized", "tflm_sine_float", "mww_v2_vad",
    "tflm_person_detect", "mlperftiny_ad_float32", "st_gmp_wl_24_int8",
    "tinymaix_mnist_resnet_q", "armzoo_ds_cnn_quantized", "tflm_audio_preprocessor_int8",
)  # fmt: skip
_WIDE = {
    "wide_conv": Layer("CONV_2D", (1, 12, 12, 16), (24, 3, 3, 16), (1, 12, 12, 24), same=True),
    "wide_fully_connected": Layer("FULLY_CONNECTED", (1, 256), (64, 256), (1, 64)),
}
_COMPRESSED = ("int4", "high")
"""Levels that kws is stored at, besides as it is."""


_LAYER, _REGION = 2, 8
"""Bytes of a layer, and of a tensor that it writes, in the file's tables."""

_BESIDE = (*(f"mlperftiny_{one}" for one in _MLPERF), *_OTHERS)
NAMES = (*_BESIDE, *_WIDE, *(f"kws_{level}" for level in _COMPRESSED))
"""Of all models but the fixtures."""


@dataclass(frozen=True)
class Moved:
    """A model to be moved.

    Attributes:
        level: of its compression; "" for none.
    """

    name: str
    path: Path
    level: str = ""


def everything(folder: Path) -> list[Moved]:
    """The models that are there; those of 16x8 are written to a folder."""
    found = [Moved(name, path) for name in _BESIDE if (path := find_model(name)) is not None]
    found += [Moved(path.stem, path) for path in sorted(FIXTURES.glob("*.tflite"))]
    for name, layer in _WIDE.items():
        path = folder / f"{name}.tflite"
        path.write_bytes(write(layer.graph()))
        found.append(Moved(name, path))
    kws = find_model("mlperftiny_kws_int8")
    found += [] if kws is None else [Moved(f"kws_{level}", kws, level) for level in _COMPRESSED]
    return found


def moved(bench: Workbench, model: Moved, core: str, vectors: int = 2) -> Outcome:
    """A model in the relocatable form on the emulated board of a core, with every check."""
    compress = parse_compress(model.level, model.path.parent) if model.level else None
    board = find_board(CORES[core]).name
    options = Options(
        link="fast", opinions=(), vectors=RandomVectors(random=vectors), forms=("relocatable",), compress=compress
    )
    return bench.validate(card_of(model.path), board, options)


@dataclass(frozen=True)
class Price:
    """What the form costs.

    Attributes:
        static: instructions of the form that is linked.
        more: instructions beyond them at the address with the most.
        flash: bytes of flash beyond its.
        tables: of these, bytes of the tables of layers, which the static form has in the harness' own part.
        library: of these, bytes of the compiler's library, which a static firmware holds beside the model.
        addresses: how many were run.
    """

    static: int
    more: int
    flash: int
    tables: int
    library: int
    addresses: int

    @property
    def share(self) -> float:
        """`more` by `static`."""
        return self.more / self.static


def price_of(outcome: Outcome) -> Price:
    """The price of an outcome whose board counts instructions."""
    assert outcome.static is not None
    static = outcome.static.measurement.total
    totals = [run.measurement.total for run in outcome.places]
    assert static is not None
    worst = max(total for total in totals if total is not None)
    flash = outcome.image.sizes.network.flash - outcome.static.flash
    library = outcome.image.sizes.objects[LIBRARY].flash
    written = sum(len(layer.outputs) for layer in outcome.plan.layers)
    tables = _LAYER * len(outcome.plan.layers) + _REGION * written
    return Price(static, worst - static, flash, tables, library, len(totals))


def described(size: int, arena: int, align: int = 4) -> RelocatableModel:
    """What a file of so many bytes might say."""
    return RelocatableModel(
        name="m", version="0", model_sha256="00" * 32, core="cortex-m4", features=frozenset(), align=align,
        weights_align=0, total_bytes=size, code_offset=0, code_bytes=0, init=0, invoke=0, arena_bytes=arena,
        arena_align=8, context_bytes=8, stack_bytes=0, inputs=(), outputs=(), layers=(),
    )  # fmt: skip
