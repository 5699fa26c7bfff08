"""Tables of runs as text, for console, pytest and HTML."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from harness.report.document import Document
from harness.report.plain import one_line
from harness.report.table import ReportTable
from harness.report.tflm import (
    OF_ALL_OPERATORS,
    builds,
    is_measured,
    layer_origin,
    marked,
    origin_of,
    program_of,
    runtime_of,
)
from harness.runtimes import DEFAULT_RUNTIME
from harness.runtimes.forms import DEFAULT_FORM
from harness.validate.names import shorten

RATIOS = "to TFLM"
NO_TIME = "no time to tell"


def number(value: float | int | None) -> str:
    """A whole number with thousands separated; a dash for None."""
    return "-" if value is None else f"{value:,.0f}"


def ratio(value: float | None) -> str:
    """A ratio such as 0.43x; a dash for None."""
    return "-" if value is None else f"{value:.2f}x"


def percent(value: float | None) -> str:
    """A share such as 43.1 %; a dash for None."""
    return "-" if value is None else f"{value * 100:.1f} %"


def board_name(document: Document) -> str:
    """The board that was asked for, its stand-in if one ran, the runtime if it is not tinyhil's own, and the form."""
    board, runtime = document["board"], runtime_of(document)
    text = f"{board['asked']} (ran on {board['ran_on']})" if board.get("stand_in") else str(board["asked"])
    text = text if runtime == DEFAULT_RUNTIME else f"{text}, runtime {runtime}"
    form = document.get("form") or DEFAULT_FORM
    return text if form == DEFAULT_FORM else f"{text}, {form}"


def verdict_word(document: Document) -> str:
    """pass, fail or error."""
    if document["kind"] == "error":
        return "error"
    return "pass" if document["verdict"]["passed"] else "fail"


def ratio_to_tflm(document: Document, kernels: str, figure: str, *, measured: bool = True) -> float | None:
    """tinyhil's figure divided by TFLM's; None without one of TFLM's, measured of this very model or not."""
    for baseline in document.get("baselines", ()):
        if baseline["kernels"] == kernels and is_measured(baseline) is measured:
            value: float | None = baseline["ratio"][figure]
            return value
    return None


def _ratio_shown(document: Document, kernels: str) -> str:
    """The ratio of the inference to TFLM's, marked where that was not measured."""
    for baseline in document.get("baselines", ()):
        if baseline["kernels"] == kernels:
            return marked(ratio(baseline["ratio"]["total"]), origin_of(baseline, "total"))
    return "-"


def names(documents: Sequence[Document]) -> list[str]:
    """A name for each document; its file where several files have one name."""
    files = [str(d["file"] if d["kind"] == "error" else d["card"] or d["model"]["file"]) for d in documents]
    shared: dict[str, set[str]] = {}
    for document, file in zip(documents, files, strict=True):
        shared.setdefault(document["name"], set()).add(os.path.abspath(file))
    return [
        file if file and len(shared[document["name"]]) > 1 else str(document["name"])
        for document, file in zip(documents, files, strict=True)
    ]


def summary(documents: Sequence[Document]) -> ReportTable:
    """One line per model and board."""
    rows = []
    for document, name in zip(documents, names(documents), strict=True):
        head = (name, board_name(document), verdict_word(document))
        if document["kind"] == "error":
            rows.append((*head, *("-",) * 6))
            continue
        memory, time = document["memory"], document["time"]
        ratios = [_ratio_shown(document, kernels) for kernels in ("reference", "cmsis-nn")]
        rows.append(
            (
                *head,
                str(document["verdict"]["max_lsb"]),
                f"{number(time['total'])} {time['unit'] or ''}".rstrip(),
                number(memory["arena_measured"]),
                number(memory["stack_measured"]),
                number(memory["flash"]),
                " / ".join(ratios) if set(ratios) != {"-"} else "-",
            )
        )
    columns = ("model", "board", "verdict", "max LSB", "inference", "arena B", "stack B", "flash B", RATIOS)
    notes = sorted({document["board"]["reason"] for document in documents if document["board"].get("stand_in")})
    if any(row[-1] != "-" for row in rows):
        notes.append(f"{RATIOS}: inference, divided by TFLM's with its reference kernels / with CMSIS-NN")
    notes += builds(documents)
    drop = ("max LSB", "stack B", "flash B", RATIOS, "arena B")
    return ReportTable("Results", columns, tuple(rows), frozenset(columns[3:]), tuple(notes), drop=drop)


def own_tests(session: Document) -> ReportTable:
    """One line per test of the user's own that ran models."""
    columns = ("test", "board", "outcome", "runs", "message")
    lines = tuple(
        (
            test["id"],
            test["board"],
            test["outcome"],
            ", ".join(f"{run['model']} {run['verdict'] or 'not compared'}" for run in test["runs"]) or "none",
            test["message"],
        )
        for test in session["tests"]
    )
    return ReportTable("Tests", columns, lines, prose=frozenset({"message"}))


def problems(session: Document) -> ReportTable:
    """One line per other test, or file of tests, that failed."""
    lines = tuple((p["id"], p["outcome"], p["message"]) for p in session["problems"])
    return ReportTable("What else failed", ("test", "outcome", "message"), lines, prose=frozenset({"message"}))


def link(document: Document) -> str:
    """What went over which link."""
    check = document.get("link_check")
    if check is None:
        return f"link {document['link']}"
    layers = f" and {number(check['layers'])} layers" if check["layers"] else ""
    count = check["vectors"]
    vectors = "the first vector" if count == 1 else f"the first {number(count)} vectors"
    return f"link {document['link']}; {check['link']} checked with {vectors}: same outputs{layers}"


def checks(document: Document) -> ReportTable:
    """One line per check of a run."""
    found = document["verdict"]["checks"]
    rows = tuple((c["name"], c["status"], c["summary"]) for c in found)
    notes = tuple(f"{c['name']}, try: {c['advice']}" for c in found if c.get("advice"))
    return ReportTable("Checks", ("check", "status", "figures"), rows, notes=notes, prose=frozenset({"figures"}))


def profile(document: Document) -> ReportTable:
    """One line per layer: time, its share, time per multiply-accumulate, and TFLM's for the same operators."""
    unit = document["time"]["unit"]
    kernel_sets = [b["kernels"] for b in document["baselines"] if b["per_layer"]]
    columns = ["#", "layer", "op", "kernel", "MACs", unit or "-", "%", "cum. %", "/MAC"]
    for kernels in kernel_sets:
        columns += [f"TFLM {kernels}", "ratio"]
    rows: list[tuple[str, ...]] = []
    for layer in document["layers"]:
        value, tflm = layer.get("value"), layer.get("tflm", {})
        per_mac = layer.get("per_mac")
        row = [
            str(layer["index"]),
            layer["name"],
            "+".join([layer["op"], *layer["fused"]]),
            layer["kernel"],
            number(layer["macs"]) if layer["macs"] else "-",
            number(value),
            percent(layer.get("share")),
            percent(layer.get("cumulative")),
            f"{per_mac:.2f}" if per_mac is not None else "-",
        ]
        for kernels in kernel_sets:
            theirs, origin = tflm.get(kernels), layer_origin(layer, kernels)
            part = ratio(value / theirs if theirs and value is not None else None)
            row += [marked(number(theirs), origin), marked(part, origin)]
        rows.append(tuple(row))
    rows += _removed(document, kernel_sets)
    total, macs = document["time"]["total"], document["macs"]
    last = [
        "",
        "inference",
        "",
        "",
        number(macs),
        number(total),
        "",
        "",
        f"{total / macs:.2f}" if macs and total else "-",
    ]
    for kernels in kernel_sets:
        baseline = next(b for b in document["baselines"] if b["kernels"] == kernels)
        origin = origin_of(baseline, "total")
        last += [marked(number(baseline["total"]), origin), marked(ratio(baseline["ratio"]["total"]), origin)]
    rows.append(tuple(last))
    notes = [document["baseline_note"]] if document["baseline_note"] else builds([document])
    if document.get("macs_of_file", macs) != macs:
        notes.append(macs_equation(document))
    right = frozenset(columns) - {"layer", "op", "kernel"}
    return ReportTable(
        f"Layers, {unit or NO_TIME}",
        tuple(columns),
        tuple(rows),
        right,
        tuple(notes),
        drop=("kernel", "cum. %", "/MAC", "TFLM reference", "op", "MACs", "TFLM cmsis-nn", "#"),
        attached=frozenset({"ratio"}),
    )


def _removed(document: Document, kernel_sets: Sequence[str]) -> list[tuple[str, ...]]:
    """One line for each operator that TFLM runs and no layer computes."""
    by_source: dict[tuple[int, ...], dict[str, str]] = {}
    names: dict[tuple[int, ...], str] = {}
    for baseline in document["baselines"]:
        for removed in baseline["removed"]:
            sources = tuple(removed["sources"])
            names[sources] = removed["op"]
            shown = marked(number(removed["value"]), removed.get("origin"))
            by_source.setdefault(sources, {})[baseline["kernels"]] = shown
    lines = []
    for sources, values in sorted(by_source.items()):
        line = ["", f"(operator {sources[0]})", names[sources], "compiled away", "-", "0", "", "", "-"]
        for kernels in kernel_sets:
            value = values.get(kernels, "-")
            line += [value, ratio(0.0) if value not in ("-", "0") else "-"]
        lines.append(tuple(line))
    return lines


def against_tflm(document: Document) -> ReportTable:
    """Figures of the whole model beside TFLM's."""
    memory, time = document["memory"], document["time"]
    ours = {
        "total": time["total"],
        "arena": memory["arena_measured"],
        "stack": memory["stack_measured"],
        "flash": memory["flash"],
    }
    names = {"total": time["unit"] or NO_TIME, "arena": "arena B", "stack": "stack B", "flash": "flash B"}
    columns = ["figure", runtime_of(document)]
    for baseline in document["baselines"]:
        columns += [f"TFLM {baseline['kernels']}", "ratio"]
    rows = []
    for figure, value in ours.items():
        row = [names[figure], number(value)]
        for baseline in document["baselines"]:
            origin = origin_of(baseline, figure)
            row += [marked(number(baseline[figure]), origin), marked(ratio(baseline["ratio"][figure]), origin)]
        rows.append(tuple(row))
    notes = [document["baseline_note"]] if document["baseline_note"] else []
    title, flash = "Figures", "flash: tinyhil's code, weights and kernels without the test harness"
    if program_of(document):
        flash = f"flash: {OF_ALL_OPERATORS}"
    if document["baselines"]:
        title = "Beside TensorFlow Lite Micro"
        flash += "; TFLM's program with the model's operators alone and the model file"
        if any(baseline.get("live") for baseline in document["baselines"]):
            flash += f"; live: {OF_ALL_OPERATORS}, so without a ratio"
    right = frozenset(columns) - {"figure"}
    attached = frozenset({"ratio"})
    return ReportTable(title, tuple(columns), tuple(rows), right, (*notes, flash), attached=attached)


def tensor_names(document: Document) -> dict[str, str]:
    """Name of each tensor, state and scratch buffer of a document -> what all of its tables show of it."""
    model, verdict = document.get("model", {}), document.get("verdict", {})
    entries = [*model.get("inputs", ()), *model.get("outputs", ()), *document.get("arena", {}).get("placements", ())]
    entries += [tensor for layer in document.get("layers", ()) for tensor in layer["outputs"]]
    judged = [output["tensor"] for output in verdict.get("outputs", ())]
    return shorten([*judged, *(entry["name"] for entry in entries)])


def opinions(document: Document) -> ReportTable:
    """One line per output and second reference: the board's differences from it."""
    rows, shown = [], tensor_names(document)
    for opinion in document["opinions"]:
        for output in opinion["outputs"]:
            rows.append(
                (
                    opinion["oracle"],
                    shown[output["tensor"]],
                    f"{output['vectors_differing']}",
                    f"{output['differing']:,} of {output['elements']:,}",
                    str(output["max_lsb"]),
                    histogram(output["histogram"]),
                )
            )
    columns = ("oracle", "output", "vectors", "elements differing", "max LSB", "LSB: elements")
    versions = dict.fromkeys(o["version"] for o in document["opinions"])
    right = frozenset({"vectors", "elements differing", "max LSB"})
    notes = (*versions, *document["opinion_notes"])
    drop = ("vectors", "LSB: elements")
    return ReportTable("Second opinions (reported, never gating)", columns, tuple(rows), right, notes, drop=drop)


def histogram(pairs: Sequence[Sequence[int]], most: int = 6) -> str:
    """An LSB histogram in a few words, the most frequent differences first."""
    frequent = sorted(pairs, key=lambda pair: -pair[1])
    text = ", ".join(f"{step:+d}: {count:,}" for step, count in frequent[:most])
    return text + (", ..." if len(frequent) > most else "") if text else "none"


def metrics(document: Document) -> ReportTable:
    """The metrics of each output."""
    outputs = document["verdict"]["outputs"]
    names = tuple(outputs[0]["metrics"]) if outputs else ()
    rows, shown = [], tensor_names(document)
    for output in outputs:
        values = output["metrics"]
        rows.append((shown[output["tensor"]], *(_metric(values[name]) for name in names)))
    notes = (text,) if (text := accuracy(document)) else ()
    return ReportTable("Metrics against the reference", ("output", *names), tuple(rows), frozenset(names), notes)


def accuracy(document: Document) -> str:
    """Shares of labelled vectors that board, reference and float model classify correctly; "" without labels."""
    found, model = document["verdict"].get("accuracy"), document.get("float_model")
    if not found:
        return ""
    count = document["vectors"]["count"]
    text = f"accuracy over {count} labelled vectors: board {found['board']:.2%}, {document['oracle']['name']} "
    text += f"{found['reference']:.2%}"
    if model is None:
        return text
    if model["accuracy"] is None:
        return f"{text}; float model not computed: {model['oracle']}"
    points = 100 * (found["board"] - model["accuracy"])
    return f"{text}, float model {model['accuracy']:.2%} (litert); quantization changes {points:+.2f} points"


def _metric(value: float | str | None) -> str:
    if value is None:
        return "n.a."
    return value if isinstance(value, str) else f"{value:.6g}"


def equation(document: Document) -> str:
    """The arena's size as a sum."""
    arena = document["arena"]
    shown = tensor_names(document)
    text = " + ".join(_term(term, shown) for term in arena["sum"] if term["bytes"]) or "0"
    where = f" ({arena['worst_at']})" if arena.get("worst_at") else ""
    return f"arena {arena['size']:,} B = {text}{where}"


def _term(term: Document, shown: Mapping[str, str]) -> str:
    beyond = f" of {term['of']:,}" if term["of"] != term["bytes"] else ""
    return f"{shown.get(term['name'], term['name'])} {term['bytes']:,}{beyond}"


def arena_parts(document: Document) -> str:
    """The goals of the compiler, and the planned size of the arena by kind."""
    arena, goals = document["arena"], document["goals"]
    budgets = "".join(
        f", {name} at most {goals[f'max_{name}']:,} B" for name in ("arena", "flash") if goals[f"max_{name}"]
    )
    return (
        f"optimized for {goals['optimize']}{budgets}: planned {arena['size']:,} B, peak {arena['peak']:,} B "
        f"(of it scratch {arena['scratch']:,} B; overlap saves {arena['overlapped']:,} B), "
        f"alignment and gaps {arena['loss']:,} B; without overlap, scratch left out: {arena['liveness_bound']:,} B"
    )


def flash_equation(groups: Document, constants: int) -> str:
    """Flash by group, as a sum; `constants` are the bytes of weights and tables."""
    flash = {name: g["text"] + g["rodata"] + g["data"] for name, g in groups.items()}
    model, kernels = flash.get("model", 0), flash.get("kernels", 0)
    return (
        f"flash {model + kernels:,} B = weights and tables {constants:,} + calls and descriptions {model - constants:,}"
        f" + kernels {kernels:,} (test harness beside it: {flash.get('runtime', 0):,})"
    )


def macs_equation(document: Document) -> str:
    """Multiply-accumulates of the model file and of the layers that are computed; once where they are the same."""
    computed = document["macs"]
    of_file = document.get("macs_of_file", computed)
    if computed == of_file:
        return f"{computed:,} MACs"
    why = "the rest is constant or unused" if computed < of_file else "the compiler's layers take more"
    return f"MACs of the file {of_file:,}, computed {computed:,}: {why}"


def ram_equation(document: Document) -> str:
    """RAM of the network as a sum, and the bytes of the arena that are inputs and outputs."""
    memory, model = document["memory"], document["model"]
    arena, scratch, stack = memory["arena_measured"], memory.get("scratch"), memory["stack_measured"]
    beside = f" + scratch {scratch:,}" if scratch else ""
    if arena is None:
        total = "RAM: not measured"
    elif stack:
        total = f"RAM {arena + (scratch or 0) + stack:,} B = arena {arena:,}{beside} + stack {stack:,}"
    else:
        total = f"RAM: arena {arena:,}{beside} B"
    parts = [f"{role} {sum(t['bytes'] for t in model[role]):,}" for role in ("inputs", "outputs")]
    if model["state_bytes"]:
        parts.append(f"states {model['state_bytes']:,}")
    return f"{total}; in the arena: {', '.join(parts)} B"


def memory_use(image: Document) -> str:
    """Memory regions with the bytes used and the parts placed there; "" for a board without placement."""
    if not image.get("placement"):
        return ""
    texts = []
    for region, size in image["regions"].items():
        parts = [part for part, where in image["placement"].items() if where == region]
        texts.append(f"{region} {size:,} B" + (f" ({', '.join(parts)})" if parts else ""))
    return "memory with the test harness: " + ", ".join(texts)


def arena_check(document: Document) -> str:
    """Planned and measured arena, and the bytes that were never written."""
    memory = document["memory"]
    planned, measured, idle = memory["arena_planned"], memory["arena_measured"], memory["arena_untouched"]
    if measured is None:
        return f"planned arena {planned:,} B; not measured"
    same = "equals" if planned == measured else "differs from"
    return f"planned arena {planned:,} B {same} the measured {number(measured)} B; {number(idle)} B never written"


def first_difference(document: Document) -> str:
    """The first differing layer in words: element, expected and actual value, histogram, differing layers after it."""
    first, shown = document["verdict"]["first_layer"], tensor_names(document)
    element = first["first"]
    index = ", ".join(str(i) for i in element["index"])
    later = [d["name"] for d in document["verdict"]["layers_differing"] if d["layer"] > first["layer"]]
    lines = [
        f"layer {first['layer']} {first['name']} ({first['op']}), tensor {shown[first['tensor']]}",
        f"  vector {element['vector']}, element [{index}]: expected {element['expected']}, got {element['got']}",
        f"  {first['differing']:,} of {first['elements']:,} elements differ, by up to {first['max_lsb']} LSB",
        f"  LSB: elements   {histogram(first['histogram'], 16)}",
        f"  layers after it that differ too: {', '.join(dict.fromkeys(later)) or 'none'}",
    ]
    unseen = document["verdict"]["layers_uncompared"]
    if unseen:
        lines.append(f"  layers not compared, as {document['oracle']['name']} has no tensor for them: {len(unseen)}")
    return "\n".join(map(one_line, lines))
