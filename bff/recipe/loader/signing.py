"""`signed` of a recipe: whose signature it is, and which environment variables hold its secrets."""

from __future__ import annotations

import re
from typing import Any

from bff.recipe.keys import key_of
from bff.recipe.loader.reading import Reading, Table, kind_of
from bff.recipe.model import Signed
from bff.recipe.source import ListNode, Node, ScalarNode, mark_of

_VARIABLE = re.compile("[A-Z][A-Z0-9_]*")
_HEADER = re.compile("[A-Za-z][A-Za-z0-9-]*")
_FORM = "the name of an environment variable, such as STRIPE_SECRET"
_OWN = "BFF_"


def read_signed(reading: Reading, node: Node) -> Signed | None:
    """What a mapping says; None where it says no scheme or no secret that could be used."""
    found = reading.table(node, "signed", "signed")
    if found is None:
        return None
    scheme: Any = _choice(reading, found, "scheme")
    secrets = _secrets(reading, found["secret"][1]) if "secret" in found else None
    header = _header(reading, found["header"][1]) if "header" in found else ""
    prefix = reading.text("prefix", found["prefix"][1]) if "prefix" in found else ""
    encoding: Any = _choice(reading, found, "encoding") or "hex"
    if scheme is None or secrets is None:
        return None
    return Signed(scheme, secrets, header or "", prefix or "", encoding)


def _choice(reading: Reading, found: Table, name: str) -> str | None:
    return reading.choice(key_of("signed", name), found[name][1]) if name in found else None


def _header(reading: Reading, node: Node) -> str | None:
    if isinstance(node, ScalarNode) and _HEADER.fullmatch(node.text):
        return node.text
    reading.wrong("header", node, "the name of a header", "letters, digits and -")
    return None


def _secrets(reading: Reading, node: Node) -> tuple[str, ...] | None:
    """The names of a list, or the one name; None where something else is among them."""
    nodes = node.items if isinstance(node, ListNode) else [node]
    found = [(one, name) for one in nodes if (name := _variable(reading, one)) is not None]
    names = [name for _, name in found]
    if not nodes:
        reading.wrong("secret", node, _FORM)
    for at, (one, name) in enumerate(found):
        if name in names[:at]:
            reading.say(mark_of(one), f"'secret' names {name} twice")
    return tuple(names) if names and len(names) == len(nodes) else None


def _variable(reading: Reading, node: Node) -> str | None:
    """The name of a variable. What is none may be the secret itself, and is shown nowhere."""
    mark = mark_of(node)
    if not isinstance(node, ScalarNode) or node.value is None:
        reading.say(mark, f"'secret' takes {_FORM}, not {kind_of(node)}")
        return None
    if not _VARIABLE.fullmatch(node.text):
        hint = "the secret itself stands in no recipe: put it into the environment"
        reading.findings.append(type(mark)(mark.place).finding(f"'secret' takes {_FORM}", hint))
        return None
    if node.text.startswith(_OWN):
        reading.say(
            mark, f"'secret' takes a variable of yours, not {node.text}", "BFF_… are the app's settings"
        )
        return None
    return node.text
