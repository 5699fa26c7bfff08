"""What Open-CMSIS-Pack's schema (PACK.xsd 1.7.28) and packchk ask of a pack with one software component.

Written from the documented rules: elements with their attributes, which of them must be there, how often and in which
order, and the patterns and words that values are taken from.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from xml.etree import ElementTree

NAME = r"[\-_A-Za-z0-9]+"
QUALITY = r"(\-((0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
PACK_VERSION = rf"[0-9]+\.[0-9]+\.[0-9]+{QUALITY}(\+([0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*))?"
COMPONENT_VERSION = rf"(0|[1-9]\d*)\.([0-9]+)(\.([0-9]+))?{QUALITY}"
PART = r"[A-Za-z0-9][A-Za-z0-9_+()'/\-\s\.]{1,31}"
SUB = r"([A-Za-z0-9][A-Za-z0-9_+():/\- \.]{0,31})?"
CORES = "|".join(
    re.escape(f"Cortex-M{core}") for core in ("0", "0+", "1", "3", "4", "7", "23", "33", "35P", "52", "55", "85")
)
ANY = r"(?s:.*)"
FILTER = {
    "Dcore": CORES,
    "Ddsp": "NO_DSP|DSP",
    "Dmve": "NO_MVE|MVE|FP_MVE",
    "Tcompiler": "GCC|ARMCC|IAR|CLANG",
    "Toptions": "AC5|AC6|AC6LTO",
    "condition": ANY,
}


@dataclass(frozen=True)
class Rule:
    """An element.

    Attributes:
        required, optional: attribute -> pattern of its whole value.
        text: pattern of its text; None where it has none.
        children: name -> (least, most) of its children; None for no limit.
        ordered: children come in the order of `children`; else in any.
    """

    required: dict[str, str] = field(default_factory=dict)
    optional: dict[str, str] = field(default_factory=dict)
    text: str | None = None
    children: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    ordered: bool = True


CONDITION = Rule(
    {"id": ANY},
    children={"description": (0, 1), **dict.fromkeys(("accept", "require", "deny"), (0, None))},
    ordered=False,
)
RULES = {
    "package": Rule(
        {"schemaVersion": r"[0-9]+\.[0-9]+(\.[0-9]+)?"},
        {"{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation": r"PACK\.xsd"},
        children={
            **dict.fromkeys(("vendor", "name", "description", "url", "releases"), (1, 1)),
            **dict.fromkeys(("license", "keywords", "taxonomy", "conditions", "components"), (0, 1)),
        },
        ordered=False,
    ),
    "package/vendor": Rule(text=NAME),
    "package/name": Rule(text=NAME),
    "package/description": Rule(text=r".{1,256}"),
    "package/url": Rule(text=r"|https?://\S+"),
    "package/license": Rule(text=r"\S+"),
    "package/releases": Rule(children={"release": (1, None)}),
    "package/releases/release": Rule({"version": PACK_VERSION}, {"date": r"\d{4}-\d\d-\d\d"}, text=ANY),
    "package/keywords": Rule(children={"keyword": (1, None)}),
    "package/keywords/keyword": Rule(text=r".+"),
    "package/taxonomy": Rule(children={"description": (1, None)}),
    "package/taxonomy/description": Rule({"Cclass": PART}, {"Cgroup": PART}, text=r".+"),
    "package/conditions": Rule(children={"condition": (1, None)}),
    "package/conditions/condition": CONDITION,
    "package/conditions/condition/description": Rule(text=r".{1,256}"),
    **{f"package/conditions/condition/{kind}": Rule({}, FILTER) for kind in ("accept", "require", "deny")},
    "package/components": Rule(children={"component": (1, None)}),
    "package/components/component": Rule(
        {"Cclass": PART, "Cgroup": PART, "Cversion": COMPONENT_VERSION},
        {"Csub": SUB, "condition": ANY},
        children={"description": (1, 1), "files": (1, 1)},
        ordered=False,
    ),
    "package/components/component/description": Rule(text=r".{1,256}"),
    "package/components/component/files": Rule(children={"file": (1, None)}),
    "package/components/component/files/file": Rule(
        {"category": "doc|header|include|library|source|utility|other", "name": r"[^\\:*?\"<>| ]+"},
        {"language": "asm|c|cpp|c-cpp|link", "condition": ANY},
    ),
}


def problems(text: str, files: Collection[str]) -> list[str]:
    """What is wrong with the text of a .pdsc whose pack holds these files."""
    root = ElementTree.fromstring(text)
    found = _element(root, root.tag)
    ids = [str(condition.get("id")) for condition in root.iter("condition")]
    found += [f"condition {name} twice" for name in set(ids) if ids.count(name) > 1]
    found += [
        f"{element.tag} refers to condition {element.get('condition')}"
        for element in root.iter()
        if element.get("condition") is not None and element.get("condition") not in ids
    ]
    referred = [str(file.get("name")) for file in root.iter("file")] + [str(root.findtext("license"))]
    found += [f"{name} is not in the pack" for name in referred if name not in files]
    found += [f"{name} is listed twice" for name in set(referred) if referred.count(name) > 1]
    found += [
        f"{element.tag}: Toptions without Tcompiler"
        for element in root.iter()
        if element.get("Toptions") and not element.get("Tcompiler")
    ]
    return found


def _element(element: ElementTree.Element, path: str) -> list[str]:
    rule = RULES.get(path)
    if rule is None:
        return [f"{path}: no such element"]
    allowed = rule.required | rule.optional
    found = [f"{path}: attribute {name} is missing" for name in rule.required if name not in element.attrib]
    for name, value in element.attrib.items():
        if name not in allowed:
            found.append(f"{path}: no attribute {name}")
        elif not re.fullmatch(allowed[name], value):
            found.append(f"{path}: {name}={value}")
    content = element.text or ""
    if not re.fullmatch(r"\s*" if rule.text is None else rule.text, content):
        found.append(f"{path}: text {content!r}")
    names = [child.tag for child in element]
    for name, (least, most) in rule.children.items():
        if names.count(name) < least or (most is not None and names.count(name) > most):
            found.append(f"{path}: {names.count(name)} {name}")
    order = [list(rule.children).index(name) for name in names if name in rule.children]
    if rule.ordered and order != sorted(order):
        found.append(f"{path}: order {names}")
    return found + [problem for child in element for problem in _element(child, f"{path}/{child.tag}")]
