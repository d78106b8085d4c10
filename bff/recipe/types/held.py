"""What of an enforced promise replies are held to: kinds, required members and null, but not which constant it is."""

from __future__ import annotations

from bff.types.model import Array, Literal, Member, Named, Record, Type, Union, Unverified, union_of


def as_held(one: Type) -> Type:
    """A promised type as far as replies are held to it: its constants are expected, and no more."""
    names: dict[int, dict[str, Type]] = {}
    waiting: list[Named] = []
    found = _as_held(one, names, waiting)
    while waiting:
        named = waiting.pop()
        names[id(named.definitions)][named.name] = _as_held(named.type, names, waiting)
    return found


def _as_held(one: Type, names: dict[int, dict[str, Type]], waiting: list[Named]) -> Type:
    """The same, but for what stands behind names: those that are new wait."""
    match one:
        case Literal():
            return Unverified(one)
        case Array(element=element):
            return Array(_as_held(element, names, waiting))
        case Union(options=parts):
            return union_of(*(_as_held(part, names, waiting) for part in parts))
        case Record(members=members, other=other, source=source):
            held = tuple(
                (name, Member(_as_held(member.type, names, waiting), member.required))
                for name, member in members
            )
            return Record(held, None if other is None else _as_held(other, names, waiting), source)
        case Named(name=name, definitions=definitions):
            known = names.setdefault(id(definitions), {})
            if name not in known:
                known[name] = one
                waiting.append(one)
            return Named(name, known)
    return one
