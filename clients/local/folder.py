"""The folder `.local`: used by one `make run` at a time, with secrets that are made once."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from clients.local.binary import BackendError

try:
    import fcntl
except ImportError:  # Windows: there a second start ends at the taken port
    fcntl = None  # type: ignore[assignment]

_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keeps others out of a folder; raises BackendError when somebody is in it.

    The system gives the lock back when its process ends, however it ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if fcntl is None:
        yield
        return
    with (folder / "lock").open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise BackendError(
                f"{folder} is in use by another `make run` or `make backend` (process {file.read().strip()}): "
                "stop that one, or run this one in another clone"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def kept(path: Path, make: Callable[[], str]) -> str:
    """The secret in a file, made when there is none; only the owner of the file may read it."""
    with contextlib.suppress(FileNotFoundError):
        if secret := path.read_text(encoding="ascii").strip():
            return secret
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    secret = make()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(f"{secret}\n")
    return secret


def long_password() -> str:
    """A password for programs: 192 random bits."""
    return secrets.token_urlsafe(24)


def password_to_type() -> str:
    """A password for people, such as `lova-tiru-gemo-fapi`: 49 random bits."""
    syllables = [secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in range(8)]
    return "-".join("".join(pair) for pair in zip(syllables[::2], syllables[1::2], strict=True))
