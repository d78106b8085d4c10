"""A query or form whose names are computed: a mapping, or the failure of a request that cannot be made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from bff.errors import Failure, NoMappingError
from bff.expressions import Evaluation
from bff.expressions.evaluation import text_size
from bff.expressions.running import Compiled

_PAIR = 700
"""Bytes that a pair takes as it is copied and encoded, beside its name and a long text."""


class ComputedPairs(Struct, frozen=True):
    """The mapping that an expression gives; of null an empty one. Raises NoMappingError where it gives another kind.

    `key` is the key of the request (`query`). What is no mapping is the visitor's fault where what they sent flows
    into it, a backend's where a reply does, and else the recipe's.
    """

    compiled: Compiled
    step: str
    key: str
    from_input: bool
    from_backend: bool

    def __call__(self, scope: Mapping[str, Any], evaluation: Evaluation) -> dict[str, Any]:
        value = self.compiled(scope, evaluation)
        if value is None:
            return {}
        if value.__class__ is not dict:
            raise NoMappingError(self._failure(), f"the {self.key} of '{self.step}' is no mapping")
        evaluation.charge(8 * len(value))
        length = sum(map(len, value))
        evaluation.charge(length >> 2)
        evaluation.take(3 * text_size(length, value) + _PAIR * len(value))
        return value

    def _failure(self) -> Failure:
        what = f"'{self.step}' was not asked: its {self.key} is no mapping."
        if self.from_input:
            return Failure(self.step, "unsent", 400, what)
        if self.from_backend:
            return Failure(self.step, "bad-reply", 502, what)
        return Failure(self.step, "function", 500, what)
