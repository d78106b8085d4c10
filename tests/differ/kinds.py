"""The kinds of steps that a misbehaviour is tried with: a recipe of `project/`, how it is asked, what stands before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Before = Literal["idle", "fresh", "closed", "noisy"]
"""The connection that the page finds.

One of a good page before, none, one that its backend has closed, or one with bytes on it that nobody asked for.
"""


@dataclass(frozen=True)
class Kind:
    """One kind of step.

    Where `others` requests of the page run beside the sick one, its reply waits until they have ended; where another is
    `held`, until that has arrived, and the held one is never answered. `once` behaves at the second try, `hangs_first`
    lets the first try hang. In `lines` what comes later waits for the first line. `rests` lets an open breaker rest and
    tries again.
    """

    page: str
    before: Before = "idle"
    method: str = "GET"
    query: str = ""
    body: bytes = b""
    lines: bool = False
    others: int = 0
    held: bool = False
    once: bool = False
    hangs_first: bool = False
    rests: bool = False
    tls: bool = False
    signed_in: bool = False


def _write(page: str, **more: object) -> Kind:
    return Kind(page, method="POST", body='{"title": "té 王"}'.encode(), **more)  # type: ignore[arg-type]


KINDS: dict[str, Kind] = {
    "read": Kind("plain"),
    "read, fresh connection": Kind("plain", "fresh"),
    "read, closed connection": Kind("plain", "closed"),
    "read, noisy connection": Kind("plain", "noisy"),
    "read, TLS": Kind("plain", tls=True),
    "read, TLS, fresh connection": Kind("plain", "fresh", tls=True),
    "read, TLS, closed connection": Kind("plain", "closed", tls=True),
    "fallback": Kind("fallback"),
    "take": Kind("take"),
    "on_status": Kind("on_status"),
    "ok": Kind("ok"),
    "unread body": Kind("unread"),
    "function in take": Kind("function_take"),
    "list": Kind("list"),
    "each": Kind("each", others=2),
    "each, fallback": Kind("each_fallback", others=2),
    "each, one place": Kind("each_queue"),
    "each, one place, required": Kind("each_queue_required"),
    "each, retries": Kind("each_retries", others=2),
    "batch": Kind("batch", others=1),
    "batch, fallback": Kind("batch_fallback", others=1),
    "equal reads": Kind("twice"),
    "equal reads, fresh connection": Kind("twice", "fresh"),
    "beside a held read": Kind("beside", held=True),
    "guard": Kind("guard"),
    "value that raises": Kind("raises", held=True),
    "computed": Kind("computed", query="q=%C3%A9%20b&tag=a&tag=%26"),
    "token": Kind("token", signed_in=True),
    "retries": Kind("retries"),
    "retries, once": Kind("retries", once=True),
    "retries, fresh connection": Kind("retries", "fresh"),
    "retries, fallback": Kind("retries_fallback"),
    "no breaker": Kind("unspared"),
    "breaker": Kind("touchy", rests=True),
    "breaker, fallback": Kind("touchy_fallback", rests=True),
    "old reply": Kind("stale"),
    "hedge": Kind("hedged", "fresh", hangs_first=True),
    "safe post": Kind("safe_post"),
    "pass": Kind("passing"),
    "write": _write("write"),
    "write, fresh connection": _write("write", before="fresh"),
    "write, closed connection": _write("write", before="closed"),
    "write, TLS": _write("write", tls=True),
    "write, unread body": _write("write_unread"),
    "write, key": _write("write_key"),
    "write, key, once": _write("write_key", once=True),
    "below a write": _write("below_write"),
    "around a write": _write("read_twice_around_write"),
    "undo": _write("write_undone"),
    "undo of an unknown write": _write("undone_blind"),
    "undo of some": _write("each_written"),
    "sick undo": _write("sick_undo"),
    "later": Kind("later", lines=True),
    "later, in one piece": Kind("later"),
    "before what is later": Kind("before_later", lines=True),
}
