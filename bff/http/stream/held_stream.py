"""A reply that goes through to the visitor, with the place that it holds until its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from bff.http.transport import Stream


class HeldStream:
    """What a page hands on: the head of a reply and its body as it comes."""

    def __init__(self, stream: Stream, leave: Callable[[], None]) -> None:
        self._stream = stream
        self._leave: Callable[[], None] | None = leave

    @property
    def status(self) -> int:
        return self._stream.status

    @property
    def headers(self) -> Mapping[str, str]:
        """By name in lower case."""
        return self._stream.headers

    def chunks(self) -> Iterator[bytes]:
        """The body as it comes, to be asked for once; raises StreamBroke where it ends before its end."""
        return self._stream.chunks()

    def close(self) -> None:
        """Ends it where it stands and gives its place back; may be called more than once."""
        leave, self._leave = self._leave, None
        if leave is not None:
            try:
                self._stream.close()
            finally:
                leave()
