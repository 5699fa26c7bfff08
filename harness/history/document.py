"""What the history reads of results.json, checked by pydantic: a document may be damaged, of others, or older.

Fields that came later have defaults, so that bundles of every version of tinyhil are read. All else is left alone.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

_MOST_RUNS, _MOST_LAYERS, _MOST_SAMPLES = 200_000, 100_000, 100_000


Text = Annotated[str, Field(max_length=10_000)]
Count = Annotated[int, Field(ge=0, le=1 << 62)]
Value = Annotated[int, Field(ge=-(1 << 62), le=1 << 62)] | Annotated[float, Field(allow_inf_nan=False)]


class ResultsRecord(BaseModel):
    """A part of results.json, of which more than is named here is let be."""

    model_config = ConfigDict(extra="ignore", frozen=True, protected_namespaces=())


class ModelPart(ResultsRecord):
    """`model` of a run."""

    file: Text = ""
    sha256: Text = ""
    bytes: Count = 0


class MemoryRegionPart(ResultsRecord):
    """A region of `board.memory`."""

    name: Text
    kind: Text
    size: Count


class BoardPart(ResultsRecord):
    """`board` of a run; of one that an error ended only `asked`. `place`: which of a farm's boards of the type."""

    asked: Text
    ran_on: Text = ""
    core: Text = ""
    backend: Text = ""
    clock_hz: Count = 0
    stand_in: bool = False
    place: Text | None = None
    memory: list[MemoryRegionPart] = []


class NamedVersionPart(ResultsRecord):
    """`oracle` of a run."""

    name: Text = ""
    version: Text | None = ""


class VectorsPart(ResultsRecord):
    """`vectors` of a run."""

    count: Count = 0
    sha256: Text = ""


class CheckPart(ResultsRecord):
    """A check of `verdict.checks`."""

    name: Text
    status: Text
    summary: Text = ""
    figures: dict[Text, Any] = {}


class DifferencePart(ResultsRecord):
    """An output of `verdict.outputs`, or a layer of `verdict.layers_differing`."""

    layer: Count | None = None
    differing: Count = 0
    max_lsb: Value | None = 0


class AccuracyPart(ResultsRecord):
    """`verdict.accuracy`."""

    board: Value | Text
    reference: Value | Text


class VerdictPart(ResultsRecord):
    """`verdict` of a run."""

    passed: bool
    checks: list[CheckPart] = []
    outputs: list[DifferencePart] = []
    max_lsb: Value | None = None
    layers_compared: Count = 0
    layers_differing: list[DifferencePart] = []
    accuracy: AccuracyPart | None = None


class GroupPart(ResultsRecord):
    """Sizes of a part of the image."""

    text: Count = 0
    rodata: Count = 0
    data: Count = 0
    bss: Count = 0


class ImagePart(ResultsRecord):
    """`image` of a run."""

    build_id: Text = ""
    sha256: Text = ""
    toolchain: Text = ""
    groups: dict[Text, GroupPart] = {}
    regions: dict[Text, Count] = {}


class MemoryPart(ResultsRecord):
    """`memory` of a run."""

    arena_planned: Count | None = None
    arena_measured: Count | None = None
    stack_measured: Count | None = None
    flash: Count | None = None
    constants: Count | None = None


class GoalsPart(ResultsRecord):
    """`goals` of a run."""

    optimize: Text = ""


class TimePart(ResultsRecord):
    """`time` of a run; `repeats`: `total` as it was measured several times, where it was."""

    unit: Text | None = None
    total: Value | None = None
    repeats: Annotated[list[Value], Field(max_length=_MOST_SAMPLES)] = []


class LayerPart(ResultsRecord):
    """A layer of a run."""

    name: Text
    op: Text = ""
    kernel: Text = ""
    macs: Count | None = None
    operators: list[int] = []
    value: Value | None = None
    tflm: dict[Text, Value | None] = {}
    tflm_origin: dict[Text, Text] = {}


class BaselinePart(ResultsRecord):
    """TFLM's figures beside the run; `origin` by figure, of documents of before nothing: those are measured."""

    kernels: Text
    origin: dict[Text, Text] = {}
    unit: Text = ""
    total: Value | None = None
    arena: Value | None = None


class QuantityPart(ResultsRecord):
    """A figure with its unit."""

    value: Value
    unit: Text


class ModelledLayerPart(ResultsRecord):
    """A layer of `modelled`."""

    cycles: QuantityPart


class ModelledPart(ResultsRecord):
    """`modelled` of a run: cycles of the core model."""

    cycles: QuantityPart
    layers: Annotated[list[ModelledLayerPart], Field(max_length=_MOST_LAYERS)] = []


class FigurePart(ResultsRecord):
    """A figure of `figures`: what others measured besides (energy, for instance), by metric."""

    metric: Annotated[Text, Field(min_length=1)]
    unit: Annotated[Text, Field(min_length=1)]
    value: Value
    repeats: Annotated[list[Value], Field(max_length=_MOST_SAMPLES)] = []


class RunPart(ResultsRecord):
    """An entry of `runs` of kind "run"."""

    name: Text
    card: Text | None = None
    model: ModelPart = ModelPart()
    board: BoardPart
    runtime: Text = "tinyhil"
    form: Text = "static"
    npu: Text | None = None
    link: Text = ""
    oracle: NamedVersionPart = NamedVersionPart()
    vectors: VectorsPart = VectorsPart()
    verdict: VerdictPart
    image: ImagePart = ImagePart()
    memory: MemoryPart = MemoryPart()
    goals: GoalsPart = GoalsPart()
    time: TimePart = TimePart()
    macs: Count | None = None
    layers: Annotated[list[LayerPart], Field(max_length=_MOST_LAYERS)] = []
    baselines: list[BaselinePart] = []
    modelled: ModelledPart | None = None
    figures: list[FigurePart] = []


class FaultPart(ResultsRecord):
    """`error` of a run that an error ended."""

    code: Text = ""
    stage: Text = ""
    message: Text = ""


class ErrorPart(ResultsRecord):
    """An entry of `runs` of kind "error"."""

    name: Text
    file: Text = ""
    board: BoardPart
    runtime: Text = ""
    form: Text = "static"
    npu: Text | None = None
    goals: GoalsPart = GoalsPart()
    error: FaultPart = FaultPart()


class SourcesPart(ResultsRecord):
    """`environment.sources`: the repository that the command ran in."""

    revision: Text = ""
    branch: Text = ""
    dirty: bool = False


class EnvironmentPart(ResultsRecord):
    """`environment` of a document."""

    sources: SourcesPart = SourcesPart()
    machine: Text = ""
    ci: Text = ""


class ResultsPart(ResultsRecord):
    """results.json; `runs` are read one by one, as their kind says."""

    created: Text
    command: list[Text] = []
    tools: dict[Text, Text] = {}
    verdict: Text = ""
    environment: EnvironmentPart = EnvironmentPart()
    runs: Annotated[list[dict[str, Any]], Field(max_length=_MOST_RUNS)]
