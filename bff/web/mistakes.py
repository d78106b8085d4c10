"""What a visitor got wrong, as `errors` of a problem say it: where, and what is allowed; never what came."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

from bff import jsontext
from bff.errors import InputError, PageError
from bff.problems import PROBLEMS
from bff.validation import MOST_MISTAKES, Validator

Errors = list[dict[str, Any]]

NOT_TEXT = "is not text in UTF-8"
TOO_LARGE = "is too large a number: an integer has at most 1,000 digits, and no other number is over 1.8e308"


def mistake(path: Sequence[str | int], detail: str, **more: Any) -> dict[str, Any]:
    """One entry of `errors`; `more` are its other members."""
    pointer = "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return {"pointer": f"#/{pointer}", "detail": detail, **more}


def mistakes_in(validator: Validator, value: Any, root: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """An entry for each thing in a value that does not fit a schema."""
    for found in validator.mistakes(value):
        if found.rule == "type" and root[0] != "body" and _is_large_number(value, found.path):
            yield mistake((*root, *found.path), TOO_LARGE)
        else:
            yield mistake((*root, *found.path), found.detail, **found.broken)


def _is_large_number(value: Any, path: Sequence[str | int]) -> bool:
    """Whether a parameter stayed a text because the number that it is is too large."""
    text = functools.reduce(lambda found, part: found[part], path, value)
    return isinstance(text, str) and () in jsontext.large_numbers(text.encode())


def invalid(errors: Errors) -> PageError:
    """The problem of a request with such mistakes."""
    declared = PROBLEMS["invalid-input"]
    errors = errors[:MOST_MISTAKES]
    count = "One value is" if len(errors) == 1 else f"{len(errors)} values are"
    return InputError(
        "invalid-input",
        declared.status,
        declared.title,
        f"{count} not as this page takes them.",
        errors=errors,
    )
