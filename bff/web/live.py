"""A body that is still being made when the view has returned: what must happen then happens when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack


class LiveBody:
    """Chunks of an answer, made as the server asks for them.

    It ends once: with its last chunk, or when the server closes it because nobody takes it any more. Then `give_up`
    is called, and after it whatever was told to `at_end`, in that order.
    """

    def __init__(self, chunks: Iterator[bytes], give_up: Callable[[], None]) -> None:
        self._chunks = chunks
        self._at_end = [give_up]
        self._within: list[Callable[[], AbstractContextManager[object]]] = []

    def at_end(self, call: Callable[[], None]) -> None:
        """Call this when the body has ended."""
        self._at_end.append(call)

    def within(self, make: Callable[[], AbstractContextManager[object]]) -> None:
        """Make each further chunk within such a context."""
        self._within.append(make)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            with ExitStack() as contexts:
                for make in self._within:
                    contexts.enter_context(make())
                return next(self._chunks)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the body, if it has not ended."""
        calls, self._at_end = self._at_end, []
        with ExitStack() as ending:  # each is called, whatever the others do
            for call in reversed(calls):
                ending.callback(call)
