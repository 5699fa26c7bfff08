"""A Graph compiled for an NPU: by Vela, then read back."""

from __future__ import annotations

from dataclasses import fields, replace

from harness.errors import OptionError
from harness.ethosu.vela import VelaOptions, run_vela, vela_version
from harness.frontends.tflite.reader import load
from harness.frontends.tflite.rounding import rounded_as_tflm
from harness.ir.aliases import assigns
from harness.ir.graph import Graph
from harness.ir.operators import has
from harness.ir.operators.ethos_u import EthosUAttrs
from harness.ir.operators.traits import Trait

KEYS = tuple(field.name for field in fields(VelaOptions) if field.name not in ("accelerator", "program"))
"""What may follow the accelerator: system_config, memory_mode, optimise, config."""

_FORM = "ethos-u55-128 or ethos-u55-128,optimise=Size,memory_mode=Sram_Only"


def parse_npu(text: str) -> VelaOptions:
    """`ACCELERATOR[,KEY=VALUE...]`, see KEYS.

    Raises:
        OptionError: it is no such text.
    """
    accelerator, *rest = (part.strip() for part in text.split(","))
    pairs = [part.partition("=") for part in rest]
    unknown = [key for key, sign, value in pairs if key not in KEYS or not sign or not value]
    if not accelerator or "=" in accelerator or unknown or len({key for key, _, _ in pairs}) < len(pairs):
        known = ", ".join(KEYS)
        what = f"'{unknown[0]}' is none of {known} with a value" if unknown else "an accelerator, then each key once"
        raise OptionError(f"npu '{text}': {what}", hint=f"such as {_FORM}")
    return replace(VelaOptions(accelerator), **{key: value for key, _, value in pairs})


def for_npu(graph: Graph, options: VelaOptions) -> Graph:
    """The graph that Vela makes of a model, with its name and labels.

    Raises:
        OptionError: the model is compiled for an NPU already.
        VelaMissingError, VelaRefusedError: Vela is not there, or does not take it.
        UnsupportedModelError: of what Vela made something is not supported: an Ethos-U85's commands, for one.
    """
    if on_npu(graph):
        raise OptionError(
            f"{graph.name}: Vela has compiled it already", hint="leave --npu out, or give the model that it was made of"
        )
    _check_variables(graph)
    made = run_vela(rounded_as_tflm(graph.model), options, graph.name)
    loaded = load(made.file, name=graph.name)
    if not on_npu(loaded):
        none = f"{graph.name}: Vela leaves every operator to the core"
        raise OptionError(none, hint="quantize it to int8 or int16; `vela --show-cpu-operations` says why")
    set_up = ", ".join(value for key in KEYS if (value := getattr(options, key)))
    note = f"compiled by Vela {vela_version(options.program)} for {options.accelerator} ({set_up})"
    rounds = () if graph.follows_tflm else ("Vela's operators round as TFLM does, not as ONNX Runtime",)
    return replace(loaded, labels=graph.labels, notes=(note, *rounds, *loaded.notes))


def _check_variables(graph: Graph) -> None:
    """Refuses what Vela 5.2 gets wrong: it does not keep the order of what reads and what assigns a variable.

    Raises:
        OptionError: a variable is read after it is assigned.
    """
    assigned: set[int] = set()
    for node in graph.nodes:
        if has(node, Trait.COPIES_STATE) and has(node, Trait.READS_STATE) and assigned & set(node.states):
            name = graph.states[node.states[0]].name
            raise OptionError(
                f"{graph.name}: variable '{name}' is read after it is assigned, an order that Vela does not keep",
                hint="read it once, before it is assigned; or compile it for the core alone",
            )
        if assigns(node):
            assigned.update(node.states)


def on_npu(graph: Graph) -> bool:
    """Whether some of it runs on an NPU."""
    return accelerator_of_graph(graph) is not None


def refuse_npu(graph: Graph, why: str) -> None:
    """For what knows of cores alone.

    Raises:
        OptionError: some of the graph runs on an NPU.
    """
    wanted = accelerator_of_graph(graph)
    if wanted is not None:
        what = f"{graph.name}: compiled for an {wanted}, and {why}"
        raise OptionError(what, hint="give the model as it was before Vela compiled it")


def accelerator_of_graph(graph: Graph) -> str | None:
    """Name of the accelerator that it is compiled for; None for the core alone."""
    return next((node.attrs.accelerator.name for node in graph.nodes if isinstance(node.attrs, EthosUAttrs)), None)
