"""A page's drawing as text for Mermaid, which many wikis and forges draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bff.explaining.nodes import Drawing, Edge, Kind, Node

_SHAPES: Mapping[Kind, tuple[str, str]] = {
    "read": ("[", "]"),
    "write": ("[[", "]]"),
    "value": ("(", ")"),
    "guard": ("{{", "}}"),
    "page": ("([", "])"),
}
_CLASSES = {
    "optional": "stroke-dasharray:5 3",
    "critical": "stroke:#b3261e,stroke-width:3px",
    "late": "color:#b3261e",
}


def mermaid(drawing: Drawing) -> str:
    """The text of a flowchart."""
    places = {node.name: f"s{at}" for at, node in enumerate(drawing.nodes)}
    lines = ["---", f"title: '{drawing.title}'", "---", "flowchart LR"]
    lines += [f"  {places[node.name]}{_label(node)}" for node in drawing.nodes]
    lines += [f"  {places[edge.source]} {_arrow(edge)} {places[edge.target]}" for edge in drawing.edges]
    return "\n".join([*lines, *_classes(drawing, places)]) + "\n"


def _label(node: Node) -> str:
    left, right = _SHAPES[node.kind]
    text = "<br/>".join(
        line.replace("&", "&amp;").replace("<", "&lt;").replace('"', "#quot;") for line in node.lines
    )
    return f'{left}"{text}"{right}'


def _arrow(edge: Edge) -> str:
    if edge.critical:
        return "==>"
    return "-.->" if edge.barrier else "-->"


def _classes(drawing: Drawing, places: Mapping[str, str]) -> Iterator[str]:
    for name, style in _CLASSES.items():
        members = [places[node.name] for node in drawing.nodes if getattr(node, name)]
        if members:
            yield f"  classDef {name} {style}"
            yield f"  class {','.join(members)} {name}"
