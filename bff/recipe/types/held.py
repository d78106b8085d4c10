"""What of an enforced promise replies are held to: kinds, required members and null, but not which constant it is."""

from __future__ import annotations

from bff.types.model import Array, Literal, Member, Named, Record, Type, Union, Unverified, union_of


def as_held(one: Type) -> Type:
    """A promised type as far as replies are held to it: its constants are expected, and no more."""
    return _Holding().whole(one)


class _Holding:
    """Makes types held; what stands in many places is made once, and what stands behind a new name waits."""

    def __init__(self) -> None:
        self._names: dict[int, dict[str, Type]] = {}
        self._waiting: list[Named] = []
        self._made: dict[int, Type] = {}

    def whole(self, one: Type) -> Type:
        found = self._of(one)
        while self._waiting:
            named = self._waiting.pop()
            self._names[id(named.definitions)][named.name] = self._of(named.type)
        return found

    def _of(self, one: Type) -> Type:
        if id(one) not in self._made:
            self._made[id(one)] = self._make(one)
        return self._made[id(one)]

    def _make(self, one: Type) -> Type:
        match one:
            case Literal():
                return Unverified(one)
            case Array(element=element):
                return Array(self._of(element))
            case Union(options=parts):
                return union_of(*map(self._of, parts))
            case Record(members=members, other=other, source=source):
                held = tuple(
                    (name, Member(self._of(member.type), member.required)) for name, member in members
                )
                return Record(held, None if other is None else self._of(other), source)
            case Named(name=name, definitions=definitions):
                known = self._names.setdefault(id(definitions), {})
                if name not in known:
                    known[name] = one
                    self._waiting.append(one)
                return Named(name, known)
        return one
