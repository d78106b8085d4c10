"""What one request is promised, and who promises it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from bff.expressions.tree import PathTemplate
from bff.recipe.model import Request
from bff.types.model import Type, may_be_null


class Promise(Struct, frozen=True):
    """The type of the JSON body with which a request is answered when all is well.

    A reply is held to one that is `enforced`, as far as a page reads it; one that is not is good for warnings alone.
    `source` is the place (`file:line`) that says so.
    """

    type: Type
    enforced: bool
    source: str = ""


class Contract(Protocol):
    """What one client's backend promises."""

    def promise(self, method: str, path: PathTemplate) -> Promise | None:
        """What it promises of a request; None where it says nothing of it."""
        ...


Contracts = Mapping[str, Contract]
"""The contracts of a project's clients, by their names; a client may have none."""


def promise_of(contracts: Contracts, request: Request) -> Promise | None:
    """What the backend of a step promises of its reply.

    Of a GraphQL document no description of paths says it, and of a body that is read as no JSON none is held to it.
    """
    if request.graphql is not None or request.format is not None:
        return None
    contract = contracts.get(request.client)
    return None if contract is None else contract.promise(request.method, request.path)


def is_never_nothing(contracts: Contracts, request: Request) -> bool:
    """Whether each success of a step has a body, by a promise that replies are held to; `ok` decides by itself."""
    promise = promise_of(contracts, request)
    return promise is not None and promise.enforced and request.ok is None and not may_be_null(promise.type)
