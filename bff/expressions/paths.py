"""Access paths: which part of which value, such as `todos[*].helper_id`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from msgspec import Struct


@final
class Any_:
    """Any element of a list, or any key of a mapping."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[*]"

    def __reduce__(self) -> str:
        return "ANY"  # also where it is read back there is but one


ANY: Final = Any_()
Path = tuple[str | Any_, ...]
Bindings = Mapping[str, Path]


def path_text(path: Path) -> str:
    """A path as people write it; it begins with a name, which of a step in another recipe is `shell.me`."""
    root, *keys = path
    parts = [
        "[*]" if isinstance(part, Any_) else f".{part}" if part.isidentifier() else f"[{part!r}]"
        for part in keys
    ]
    return "".join([str(root), *parts])


def field_path(name: str) -> tuple[str, ...]:
    """The keys that lead to a field of an item: `owner.id` is the id of its owner."""
    return tuple(name.split("."))


class Use(Struct, frozen=True):
    """A name and where it stands, in characters of the expression's text."""

    name: str
    offset: int
    length: int


class Alias(Struct, frozen=True):
    """A path that a value stands for; the next `wraps` look-ups only open what is built around it.

    Of one that is `tested` a choice depends on whether it is empty: of a mapping, on every member.
    """

    path: Path
    wraps: int = 0
    tested: bool = False

    def at(self, key: str | Any_) -> Alias:
        """What a look-up of the key stands for."""
        if self.wraps:
            return Alias(self.path, self.wraps - 1, self.tested)
        return self if self.tested and isinstance(key, str) else Alias((*self.path, key))

    def at_field(self, name: str) -> Alias:
        """What the field of an item stands for."""
        alias = self
        for key in field_path(name):
            alias = alias.at(key)
        return alias

    def wrapped(self, times: int = 1) -> Alias:
        """A list or mapping that holds the value."""
        return Alias(self.path, self.wraps + times, self.tested)

    def chosen(self) -> Alias:
        """The value where it has been tested; what is built around one is never empty."""
        return self if self.wraps else Alias(self.path, 0, tested=True)


Aliases = frozenset[Alias]
Scope = Mapping[str, Aliases]


def scope_of(bindings: Bindings | None) -> Scope:
    """The loop variables around an expression, with what they stand for."""
    return {name: frozenset({Alias(path)}) for name, path in (bindings or {}).items()}
