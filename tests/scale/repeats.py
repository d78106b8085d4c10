"""What visitors may be told when they repeat a write."""

from __future__ import annotations

from tests.soak.ledger import Operation


def refused_without_a_cut(operation: Operation) -> bool:
    """Whether a write was told that its first try still runs, though none of its tries was lost."""
    lost = False
    for tried in operation.tries:
        if tried.status == 409 and not lost:
            return True
        lost = lost or tried.status in (0, 502, 504)
    return False
