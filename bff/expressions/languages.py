"""The language of an answer by what the visitor's browser asks for (RFC 9110, RFC 4647). A room."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from bff.expressions.evaluation import Evaluation
from bff.expressions.library import Function, library

FUNCTIONS: dict[str, Function] = {}
_declare = partial(library, FUNCTIONS)

_ITEM = re.compile(
    r"[ \t]*(\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)"
    r"[ \t]*(?:;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*)?"
)
_LONGEST = 4096
"""Characters of a header that is read; a longer one asks for nothing."""
_LONGEST_TAG = 99


@_declare("language(header, ['de', 'en'])", 2, 2, "one of the items")
def language(evaluation: Evaluation, header: Any, languages: Any) -> str | None:
    """That of these languages which an Accept-Language header likes best; null where none fits, and null gives null."""
    if header.__class__ is not str or languages.__class__ is not list or len(header) > _LONGEST:
        return None
    evaluation.charge(6 * len(header) + 8 * len(languages) + 8)
    evaluation.take(100 * (len(header) + len(languages)))
    tags = [tag for tag in languages if tag.__class__ is str and len(tag) <= _LONGEST_TAG]
    evaluation.charge(2 * sum(map(len, tags)))
    evaluation.take(100 * sum(map(len, tags)))
    return _best(list(_ranges(header)), tags)


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    """The ranges of a header, each with its weight; what is malformed asks for nothing."""
    for part in header.split(","):
        found = _ITEM.fullmatch(part)
        if found is not None:
            yield found[1].lower(), float(found[2] or 1)


def _best(ranges: list[tuple[str, float]], tags: list[str]) -> str | None:
    """The tag that is asked for most: by the range itself, by what it begins with, else by what begins with it."""
    weights = dict(reversed(ranges))  # the first counts
    exact: dict[str, str] = {}
    narrower: dict[str, str] = {}
    other = None
    for tag in tags:
        own, *wider = _wider(tag.lower())
        named = next((one for one in (own, *wider) if one in weights), None)
        if named is None:
            other = tag if other is None else other
        elif not weights[named]:
            continue  # it is refused
        exact.setdefault(own, tag)
        for one in wider:
            narrower.setdefault(one, tag)
    for asked, weight in sorted(ranges, key=lambda one: -one[1]):  # of one weight in the header's order
        if not weight:
            break
        found = other if asked == "*" else next((exact[one] for one in _wider(asked) if one in exact), None)
        found = narrower.get(asked) if found is None else found
        if found is not None:
            return found
    return None


def _wider(tag: str) -> Iterator[str]:
    """A tag, and what it begins with: all but its last part, and so on; a single letter belongs to what follows it."""
    while True:
        yield tag
        tag, _, _ = tag.rpartition("-")
        if tag[-2:-1] == "-":
            tag = tag[:-2]
        if not tag:
            return
