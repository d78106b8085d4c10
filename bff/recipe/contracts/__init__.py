"""What the backends of a project promise: the types of their replies, from a schema or from what has been seen.

`promise` says what a promise is, `openapi` reads one from a client's `schema=`, `learned` from its learned types, and
`project` finds both for each client. Only operations that recipes ask for are made into types.
"""

from bff.recipe.contracts.promise import Contract, Contracts, Promise, is_never_nothing, promise_of

__all__ = ["Contract", "Contracts", "Promise", "is_never_nothing", "promise_of"]
