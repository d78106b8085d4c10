"""What is known to differ: stock requests in threads from wires, each with its reason."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tests.differ.kinds import KINDS


@dataclass(frozen=True)
class Difference:
    """The `parts` of a record that may differ, of some misbehaviours and kinds (of all, unless they are named).

    Where it is `always` so, a test fails when it is no longer; else it is a matter of which thread comes first.
    """

    reason: str
    parts: Collection[str]
    misbehaviours: Collection[str] = ()
    kinds: Collection[str] = ()
    except_kinds: Collection[str] = ()
    always: bool = False

    def is_about(self, kind: str, misbehaviour: str) -> bool:
        return (
            (not self.misbehaviours or misbehaviour in self.misbehaviours)
            and (not self.kinds or kind in self.kinds)
            and kind not in self.except_kinds
        )


_PAGES = ("next", "trial", "healed")
_STATES = ("state", *(f"{page} state" for page in _PAGES))
_CONNECTIONS = {"dials", *_STATES, *_PAGES}
_ALL = {"answer", "log", "requests", "sent", *_CONNECTIONS}
_THROUGH = ("pass",)
"""Bodies that go through are stock requests' in both."""
_QUEUES = ("each, one place", "each, one place, required", "undo of some")
_SIDE_BY_SIDE = tuple(name for name, kind in KINDS.items() if kind.others)
_HELD = tuple(name for name, kind in KINDS.items() if kind.held)
_TLS = tuple(name for name, kind in KINDS.items() if kind.tls)
_KEPT = tuple(
    name
    for name, kind in KINDS.items()
    if kind.before == "idle" and kind.method == "GET" and name not in _THROUGH
)

DIFFERENCES = (
    Difference(
        "stricter: two ways to read it, or nobody asked for it (docs/transport.md)",
        _ALL,
        (
            "101",
            "a length and chunks",
            "a coding of transfer",
            "LF alone",
            "a space before the colon",
            "HTTP/0.9",
        ),
        except_kinds=_THROUGH,
        always=True,
    ),
    Difference(
        "103 is skipped (docs/transport.md)",
        _ALL,
        ("103 first",),
        except_kinds=_THROUGH,
        always=True,
    ),
    Difference(
        "a read on a dead kept connection is sent once more (docs/transport.md)",
        _ALL,
        ("nothing", "reset"),
        always=False,
    ),
    Difference("another reason: a reset before any answer", {"answer", "log", "trial"}, ("reset",)),
    Difference("another reason: an end of TLS", {"answer", "log"}, ("nothing",), _TLS),
    Difference("another reason: two lengths that agree", {"log", "trial"}, ("one length twice",)),
    Difference("another reason: too many codings", {"answer", "log", "trial"}, ("six codings",)),
    Difference(
        "what is left behind on a connection is seen before it is used again, not before it is kept",
        _CONNECTIONS,
        ("smuggled", "half smuggled", "garbage behind"),
        except_kinds=_THROUGH,
        always=True,
    ),
    Difference(
        "an end that came with the reply is seen before the connection is kept, not before it is used again",
        {"state"},
        ("closed unsaid", "spaces behind a value"),
        _TLS,
        always=True,
    ),
    Difference(
        "a connection is kept although the coding of its reply could not be taken off",
        _CONNECTIONS,
        ("cut gzip", "broken gzip", "six codings"),
        except_kinds=_THROUGH,
    ),
    Difference(
        "Keep-Alive: timeout is not looked at",
        {"dials", *_PAGES},
        ("kept for a second",),
        except_kinds=_THROUGH,
    ),
    Difference(
        "a closed connection stays on top of the pool", {*_CONNECTIONS}, kinds=("hedge", "each, retries")
    ),
    Difference(
        "where nobody listens, which thread is refused first is luck",
        {"answer", "log", "dials", "requests", *_CONNECTIONS},
        ("refused",),
        kinds=(*_SIDE_BY_SIDE, *_QUEUES, *_HELD),
    ),
    Difference(
        "what has not begun when its page ends never goes out; a wire is handed the place at once",
        {"requests", "sent", *_CONNECTIONS},
        kinds=_QUEUES,
    ),
    Difference(
        "who joins a read 20 ms or more later asks again when the first has no time left, and has some itself",
        {"requests", "sent", *_CONNECTIONS},
        ("hang", "hang in the head", "hang in the body", "late", "drip", "drip in the head"),
        kinds=("equal reads", "equal reads, fresh connection"),
    ),
)
