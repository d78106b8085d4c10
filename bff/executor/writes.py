"""What became of the writes of a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from bff.errors import Failure, PageError
from bff.http import Reply
from bff.plan.model import PlannedRequest

WriteOutcome = Literal[
    "under way",
    "done",  # answered with success
    "refused",  # answered with something else: neither done nor to be undone
    "unknown",  # no reply, or an earlier try brought none: it may have happened
    "unsent",  # it cannot have reached the backend
]
_NOT_UNDONE = ("done", "undo_failed", "unknown")
TakenBack = Literal["undone", "undo_failed"]


class Write(Struct, eq=False):
    """One request that changes something; `local` holds the names that only its own step knows.

    `value` is what its reply gave, None where it gave none; `accepted` says that the recipe took the reply for a
    success, whatever its status: an earlier try of the visitor may have done it. One of many items at once has their
    `places` in its list, and of those that were not done in `failed`.
    """

    planned: PlannedRequest
    local: Mapping[str, Any]
    item: int | None = None
    outcome: WriteOutcome = "under way"
    reply: Reply | None = None
    value: Any = None
    accepted: bool = False
    places: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    taken_back: TakenBack | None = None

    @property
    def may_have_happened(self) -> bool:
        """Whether the backend may hold something else than before, also if it was taken back since."""
        return self.outcome == "done" or self.is_unknown or self.accepted

    def judged(self, failure: Failure) -> Failure:
        """The failure of its step, which says where asking again may do it twice.

        An error of the backend may have come after it was done, one of a gateway says nothing of it at all, and a
        redirect is what many backends answer when all is done.
        """
        status = failure.upstream_status or 0
        may_be_done = self.may_have_happened or 300 <= status < 400 or (status >= 500 and status != 503)
        return replace(failure, may_be_done=True) if may_be_done else failure

    @property
    def is_unknown(self) -> bool:
        return self.outcome in ("unknown", "under way")

    @property
    def can_be_undone(self) -> bool:
        """Whether there is an undo that can be made of what is known."""
        if self.planned.undo is None:
            return False
        return self.outcome == "done" or (self.is_unknown and not self.planned.undo_reads_reply)

    @property
    def lists(self) -> tuple[str, ...]:
        """The lists of the problem that it stands in.

        An unknown write stays unknown when its undo was answered: it may reach the backend after that.
        """
        found = ("unknown",) if self.is_unknown else ()
        if self.taken_back is not None:
            return (*found, self.taken_back)
        return ("done",) if self.outcome == "done" else found


class Writes(Struct):
    """The writes of a page in the order sent; `left` counts the items of each step that never were."""

    sent: list[Write] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)

    @property
    def may_have_happened(self) -> bool:
        """Whether a backend may hold something else than before the page."""
        return any(write.may_have_happened for write in self.sent)

    def newest_first(self) -> Iterator[tuple[PlannedRequest, list[Write]]]:
        """The writes that can be undone, step by step, the newest first."""
        wanted = [write for write in reversed(self.sent) if write.can_be_undone]
        for _, group in groupby(wanted, lambda write: write.planned.name):
            writes = list(group)
            yield writes[0].planned, writes

    def add_to(self, error: PageError) -> None:
        """Have a problem say what became of the writes, and that asking again may do twice what is not undone."""
        told = self.members
        error.members |= told
        if "retryable" in error.members and any(told.get(name) for name in _NOT_UNDONE):
            error.members["retryable"] = False

    @property
    def members(self) -> dict[str, Any]:
        """The members of the problem that ends a page after it has written; empty where nothing can have happened.

        Steps by name in the order sent, each once in a list; `items` counts those of each step with `each` or `batch`.
        """
        lists: dict[str, list[str]] = {"done": [], "undone": [], "undo_failed": [], "unknown": []}
        items: dict[str, dict[str, Any]] = {}
        tells = False
        for write in self.sent:
            name = write.planned.name
            for listed in write.lists:
                if name not in lists[listed]:
                    lists[listed].append(name)
                if write.item is not None:
                    counts = items.setdefault(name, {})
                    counts[listed] = counts.get(listed, 0) + 1
            if write.places:
                _count(write, items.setdefault(name, {}))
                tells = tells or bool(write.failed)
        if self.left:
            for name, left in self.left.items():
                counts = items.setdefault(name, {})
                counts["unsent"] = counts.get("unsent", 0) + left
        if not tells and not any(lists.values()):
            return {}
        return {**lists, "items": items} if items else {**lists}


def _count(write: Write, counts: dict[str, Any]) -> None:
    """Count the items of a write of many at once, by what became of them."""
    done = len(write.places) - len(write.failed)
    for listed in write.lists:
        counts[listed] = counts.get(listed, 0) + done
    if write.failed:
        counts["failed"] = counts.get("failed", 0) + len(write.failed)
        counts["failed_at"] = [*counts.get("failed_at", ()), *write.failed]
    if write.outcome == "unsent":
        counts["unsent"] = counts.get("unsent", 0) + done
