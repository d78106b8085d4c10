"""What of an enforced promise replies are held to: kinds, required members and null, but not which constant it is."""

from __future__ import annotations

from bff.types.model import Array, Literal, Member, Named, Record, Type, Union, Unverified, union_of


def as_held(one: Type) -> Type:
    """A promised type as far as replies are held to it: its constants are expected, and no more."""
    return _as_held(one, {})


def _as_held(one: Type, named: dict[int, dict[str, Type]]) -> Type:
    match one:
        case Literal():
            return Unverified(one)
        case Array(element=element):
            return Array(_as_held(element, named))
        case Union(options=parts):
            return union_of(*(_as_held(part, named) for part in parts))
        case Record(members=members, other=other, source=source):
            held = tuple(
                (name, Member(_as_held(member.type, named), member.required)) for name, member in members
            )
            return Record(held, None if other is None else _as_held(other, named), source)
        case Named(name=name, definitions=definitions):
            known = named.setdefault(id(definitions), {})
            if name not in known:
                known[name] = one  # what it contains of itself finds this
                known[name] = _as_held(one.type, named)
            return Named(name, known)
    return one
