"""A coding is taken off a body only where the body reaches its end."""

from __future__ import annotations

import random
import types
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from bff.http.decoding import decoded
from bff.http.faults import BadReplyError
from tests.fakes import gzipped
from tests.http.sockets.replies import deflated

BODY = b"plain text " * 99
PLENTY = 2**20


class StandIn:
    """A decoder as urllib3 has it, here for zlib; each library has a way of its own to say that it has ended."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj()
        self._obj = self

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max(max_length, 0))

    @property
    def has_unconsumed_tail(self) -> bool:
        return bool(self._zlib.unconsumed_tail)


class Brotli(StandIn):
    def is_finished(self) -> bool:
        return self._zlib.eof


class Zstd(StandIn):
    @property
    def eof(self) -> bool:
        return self._zlib.eof


@pytest.fixture(autouse=True)
def libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoders that urllib3 has where libraries for them are installed."""
    monkeypatch.setattr("urllib3.response.BrotliDecoder", Brotli, raising=False)
    monkeypatch.setattr("urllib3.response.ZstdDecoder", Zstd, raising=False)


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzipped,
    "x-gzip": gzipped,
    "deflate": lambda content: deflated(content, raw=False),
    "br": zlib.compress,
    "zstd": zlib.compress,
    "gzip, deflate": lambda content: deflated(gzipped(content), raw=False),
    "br, gzip": lambda content: gzipped(zlib.compress(content)),
    "identity, zstd": zlib.compress,
}


@pytest.mark.parametrize("coding", PACKERS)
def test_a_whole_body_is_unpacked(coding: str) -> None:
    packed = PACKERS[coding](BODY)
    assert decoded(packed, coding, len(BODY)) == BODY
    assert decoded(packed, coding.upper(), len(BODY)) == BODY
    assert decoded(packed, coding, len(BODY) - 1) is None


@pytest.mark.parametrize("coding", PACKERS)
def test_a_body_that_is_cut_anywhere_is_cut_short(coding: str) -> None:
    packed = PACKERS[coding](BODY)
    for at in range(1, len(packed)):
        with pytest.raises(BadReplyError) as caught:
            decoded(packed[:at], coding, PLENTY)
        assert caught.value.reason == "cut-short"


def test_deflate_without_its_frame_that_is_cut_anywhere_is_no_body() -> None:
    packed = deflated(BODY, raw=True)
    assert decoded(packed, "deflate", PLENTY) == BODY
    for at in range(1, len(packed)):
        with pytest.raises(BadReplyError):
            decoded(packed[:at], "deflate", PLENTY)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, br"])
def test_a_body_that_is_not_in_its_coding_is_refused(coding: str) -> None:
    with pytest.raises(BadReplyError) as caught:
        decoded(b"\xff no coding at all", coding, PLENTY)
    assert caught.value.reason == "coding"


@pytest.mark.parametrize("coding", ["other", "gzip, other", "other, gzip", "compress"])
def test_a_coding_that_nobody_knows_stays_on(coding: str) -> None:
    assert decoded(b"\x1f\x8b", coding, PLENTY) == b"\x1f\x8b"


def test_a_coding_whose_library_is_not_there_stays_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("urllib3.response.BrotliDecoder")
    assert decoded(b"abc", "br", PLENTY) == b"abc"


@pytest.mark.parametrize("behind", [b"\0", b"\0" * 100, b"no member", gzipped(b"")])
def test_what_stands_behind_gzip_and_is_no_member_is_nothing(behind: bytes) -> None:
    assert decoded(gzipped(BODY) + behind, "gzip", PLENTY) == BODY


@pytest.mark.parametrize("between", [b"", b"\0", b"\0" * 5_000])
def test_every_member_is_unpacked(between: bytes) -> None:
    noise = random.Random(1).randbytes(20_000)
    members = [b"", BODY, noise, b"", b"a" * 100_000, *[b"b"] * 500, noise]
    packed = between.join(map(gzipped, members))
    whole = b"".join(members)
    assert decoded(packed, "gzip", len(whole)) == whole
    assert decoded(packed, "gzip", len(whole) - 1) is None
    with pytest.raises(BadReplyError) as caught:
        decoded(packed[:-1], "gzip", PLENTY)
    assert caught.value.reason == "cut-short"


def test_members_without_end_are_refused() -> None:
    assert decoded(gzipped(b"") * 10_000, "gzip", PLENTY) == b""
    with pytest.raises(BadReplyError) as caught:
        decoded(gzipped(b"") * 10_001, "gzip", PLENTY)
    assert caught.value.reason == "coding"


def test_what_stands_behind_a_member_is_copied_once_and_then_in_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[int] = []

    class Counting:
        def __init__(self, bits: int) -> None:
            self.real = zlib.decompressobj(bits)

        def decompress(self, data: bytes, most: int) -> bytes:
            given.append(len(data))
            return self.real.decompress(data, most)

        def __getattr__(self, name: str) -> object:
            return getattr(self.real, name)

    packed = gzipped(b"") * 2_000
    monkeypatch.setattr(
        "bff.http.decoding.zlib", types.SimpleNamespace(decompressobj=Counting, error=zlib.error)
    )
    assert decoded(packed, "gzip", PLENTY) == b""
    assert given[0] == len(packed)
    assert max(given[1:]) <= 1024


def test_no_more_is_unpacked_than_may_be() -> None:
    class Watched(Brotli):
        most = 0

        def decompress(self, data: bytes, max_length: int = -1) -> bytes:
            part = super().decompress(data, max_length)
            Watched.most = max(Watched.most, len(part))
            return part

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("urllib3.response.BrotliDecoder", Watched, raising=False)
        assert decoded(zlib.compress(b"\0" * 10**7), "br", 1000) is None
    assert Watched.most == 1001


def test_an_empty_body_has_no_coding() -> None:
    codings: tuple[Any, ...] = ("gzip", "br", "gzip, gzip")
    assert [decoded(b"", coding, PLENTY) for coding in codings] == [b"", b"", b""]
