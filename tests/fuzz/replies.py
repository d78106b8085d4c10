"""Throws bytes at what reads replies: `make fuzz` (FUZZ_SECONDS=300).

With atheris, which sees what the bytes reach, else with hypothesis, which does not. Whatever comes, a reply is read or
refused, within its bounds, and the same in one piece as in many. What breaks that is written to .local/fuzz/.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

SECONDS = int(os.environ.get("FUZZ_SECONDS", "300"))
CORPUS = ROOT / ".local" / "fuzz"
MOST = 4096

try:
    import atheris
except ImportError:
    atheris = None

if atheris is None:
    from bff.http.decoding import decoded
    from bff.http.faults import BadReplyError
    from bff.http.sockets.parser import ReplyParser
else:
    with atheris.instrument_imports(include=["bff.http.sockets", "httptools", "urllib3.response"]):
        from bff.http.decoding import decoded
        from bff.http.faults import BadReplyError
        from bff.http.sockets.parser import ReplyParser

from tests.http.sockets.replies import ALL  # noqa: E402


def read(pieces: list[bytes], method: str) -> object:
    """What is made of a reply that comes in these pieces and then ends."""
    parser = ReplyParser(method, MOST)
    try:
        done = any(parser.feed(piece) for piece in pieces if piece)
        if parser.too_large:
            return "too large"
        if not done and not parser.end():
            return "refused"
        body = decoded(parser.raw, parser.headers.get("content-encoding", ""), MOST)
    except BadReplyError:
        return "refused"
    if body is None:
        return "too large"
    assert len(body) <= MOST and 200 <= parser.status <= 999
    assert not any(bad in value for value in parser.headers.values() for bad in "\r\n\0")
    assert not {"set-cookie", "set-cookie2"} & parser.headers.keys()
    return parser.status, tuple(parser.headers.items()), body


def try_one(fuzzed: bytes) -> None:
    """One reply; its first byte says how it is asked for and cut."""
    if not fuzzed:
        return
    method, step, wire = "HEAD" if fuzzed[0] & 1 else "GET", 1 + (fuzzed[0] >> 1) % 32, fuzzed[1:]
    whole = read([wire], method)
    cut = read([wire[at : at + step] for at in range(0, len(wire), step)], method)
    assert whole == cut, (whole, cut)


def with_atheris() -> None:
    corpus = CORPUS / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for at, scripted in enumerate(ALL.values()):
        (corpus / f"reply-{at}").write_bytes(b"\0" + scripted.wire)
    options = [
        f"-max_total_time={SECONDS}",
        "-max_len=4096",
        f"-artifact_prefix={CORPUS}/",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, *sys.argv[1:], str(corpus)], try_one)
    atheris.Fuzz()


def with_hypothesis() -> None:
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st

    print("atheris is not installed: hypothesis tries, which does not see what it reaches", file=sys.stderr)
    end = time.monotonic() + SECONDS
    wires = st.sampled_from([scripted.wire for scripted in ALL.values()])
    changed = st.tuples(wires, st.binary(max_size=20), st.integers(0, 400), st.integers(0, 20)).map(
        lambda drawn: drawn[0][: drawn[2]] + drawn[1] + drawn[0][drawn[2] + drawn[3] :]
    )

    @settings(max_examples=2000, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.binary(min_size=1, max_size=1), st.one_of(st.binary(), changed))
    def tries(first: bytes, wire: bytes) -> None:
        try_one(first + wire)

    rounds = 0
    while time.monotonic() < end:
        tries()
        rounds += 1
    print(f"{2000 * rounds} replies were read or refused as they should be")


if __name__ == "__main__":
    with_hypothesis() if atheris is None else with_atheris()
