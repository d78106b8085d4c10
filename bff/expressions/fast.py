"""The operators inline, for the values that pages have; what they do not fit raises, or goes to the calls.

Right whenever it does not raise: a look-up into what is no mapping raises `AttributeError`, and the whole function
is run again in its safe version. What pages have every day (nulls, numbers beside texts) never raises.
"""

from __future__ import annotations

from bff.expressions.code import Code, constant, uses_of
from bff.expressions.operators import NEAR, calculates
from bff.expressions.safe import _SCALARS, Safe
from bff.expressions.values import MEMBER

# Integers within these have 64 bits, and so has whatever makes one within them with another of them.
_LEAST, _MOST = -NEAR, NEAR
_SHORT_ENOUGH_TO_REPEAT = 100


class Fast(Safe):
    """Writes operators for speed, inside loops; outside of them a call is quick enough."""

    def key(self, base: Code, name: str, *, of_struct: bool = False) -> Code:
        if base.kind in _SCALARS:
            return constant(None)
        if of_struct and name.isidentifier():  # nothing else may stand behind a dot
            if base.kind == "item":
                return Code(f"{base.text}.{MEMBER}{name}", base.uses)
            first, then = self.once(base)
            return Code(f"(None if {first} is None else {then}.{MEMBER}{name})", base.uses)
        if base.kind == "item":
            return Code(f"{base.text}.get({name!r})", base.uses)
        found, care = base.found_by or (base.text, "_NOTHING")
        return Code(f"({found} or {care}).get({name!r})", base.uses)

    def item(self, base: Code, key: Code) -> Code:
        if base.level >= key.level or base.kind in _SCALARS:
            return super().item(base, key)
        get = self.blocks.named(Code(f"_getter(_ev, {base.text})", base.uses)).text
        taken, used = self.once(key)
        found = f"{get}({taken})"
        value = self.blocks.fresh()
        return Code(
            f"({value} if ({value} := {found}) is not None else _missed(_ev, {base.text}, {used}))",
            uses_of([base, key]),
            found_by=(found, f"_missing(_ev, {base.text}, {used})"),
        )

    def once(self, code: Code) -> tuple[str, str]:
        """How to write a code at its first place, and at its later ones."""
        if code.atom:
            return code.text, code.text
        name = self.blocks.fresh()
        return f"({name} := {code.text})", name

    def hoisted(self, template: str, code: Code) -> str:
        """What is asked of a value outside of the loop, once."""
        return self.blocks.named(Code(template.format(code.text), code.uses, kind="boolean")).text

    def equal(self, left: Code, right: Code) -> Code:
        uses = uses_of([left, right])
        if uses == 0:
            return super().equal(left, right)
        if left.level < right.level:
            left, right = right, left
        slow = super().equal
        if right.is_constant:  # 0 and 1, which Python takes for false and true
            first, then = self.once(left)
            return Code(f"({first} == {right.text} and {then}.__class__ is not _bool)", uses, kind="boolean")
        if right.level < left.level:
            plainly = self.hoisted("_equals_plainly({})", right)
            if ":=" in left.text or len(left.text) > _SHORT_ENOUGH_TO_REPEAT:
                name = self.blocks.fresh()
                test, left = f"(({name} := {left.text}), {plainly})[1]", Code(name, uses)
            else:
                test = plainly
            text = f"({left.text} == {right.text} if {test} else {slow(left, right).text})"
            return Code(text, uses, kind="boolean")
        one, one_again = self.once(left)
        other, other_again = self.once(right)
        again = slow(Code(one_again), Code(other_again)).text
        test = f"({one}.__class__ is _str) & ({other}.__class__ is _str) and _len({one_again}) < 4096"
        return Code(f"({one_again} == {other_again} if {test} else {again})", uses, kind="boolean")

    def membership(self, left: Code, right: Code) -> Code:
        if right.level < left.level:
            return Code(
                f"{self.hoisted('_membership(_ev, {})', right)}({left.text})", left.uses, kind="boolean"
            )
        return super().membership(left, right)

    def ordering(self, sign: str, name: str, left: Code, right: Code) -> Code:
        uses = uses_of([left, right])
        if uses == 0:
            return super().ordering(sign, name, left, right)
        one, one_again = self.once(left)
        other, other_again = self.once(right)
        quick, slow = f"{one_again} {sign} {other_again}", f"{name}(_ev, {one_again}, {other_again})"
        if left.level == right.level:
            test = f"({one}.__class__ in _NUMBERS) & ({other}.__class__ in _NUMBERS)"
        else:
            inner, outer = (one, right) if right.level < left.level else (other, left)
            test = f"{inner}.__class__ is {self.hoisted('_orders_with({})', outer)}"
            if outer.is_constant:
                test, slow = _fits_constant(inner, outer), "None"
        return Code(f"({quick} if {test} else {slow})", uses)

    def addition(self, left: Code, right: Code) -> Code:
        uses = uses_of([left, right])
        if uses == 0 or {left.kind, right.kind} & {"text", "list"}:
            return super().addition(left, right)
        return self.inline("+", "_add", left, right)

    def calculation(self, sign: str, name: str, left: Code, right: Code) -> Code:
        if uses_of([left, right]) == 0:
            return super().calculation(sign, name, left, right)
        return self.inline(sign, name, left, right)

    def inline(self, sign: str, name: str, left: Code, right: Code) -> Code:
        """Integers that are not far from zero, before and behind; floats and all else are left to the call."""
        if any(code.is_constant and code.kind != "number" for code in (left, right)):
            return constant(None)
        uses = uses_of([left, right])
        if any(code.is_constant and not calculates(code.constant) for code in (left, right)):
            return Code(f"{name}(_ev, {left.text}, {right.text})", uses)
        one, one_again = self.once(left)
        other, other_again = self.once(right)
        tests = [self.is_integer(one, left, uses), self.is_integer(other, right, uses)]
        if left.level == right.level:
            tests = [f"({tests[0]}) & ({tests[1]})"]
        elif left.level < right.level:
            # The inner one is evaluated by its test: that comes first.
            tests.reverse()
        tests += self.are_near(sign, [(left, one_again), (right, other_again)], uses)
        result = self.blocks.fresh()
        tests.append(f"{_LEAST} <= ({result} := {one_again} {sign} {other_again}) <= {_MOST}")
        test = " and ".join(filter(None, tests))
        return Code(f"({result} if {test} else {name}(_ev, {one_again}, {other_again}))", uses)

    def is_integer(self, written: str, code: Code, uses: int) -> str:
        if code.is_constant:
            return ""
        if code.level < uses.bit_length():
            return self.hoisted("_calculates({})", code)
        return f"{written}.__class__ is _int"

    def are_near(self, sign: str, codes: list[tuple[Code, str]], uses: int) -> list[str]:
        """What more to ask of integers: where the result is near, those that are hoisted tell much of the other."""
        unknown = [again for code, again in codes if code.level == uses.bit_length() and not code.is_constant]
        if sign in {"+", "-", "*"} and len(unknown) < 2:
            return []
        tests = [f"{_LEAST} <= {again} <= {_MOST}" for again in unknown]
        if sign in {"+", "-"}:
            return tests[:1]
        if sign != "*" and codes[1][1] in unknown:
            tests.append(codes[1][1])
        return tests

    def mapping_key(self, code: Code) -> str:
        if code.is_constant:
            return super().mapping_key(code)
        first, then = self.once(code)
        return f"({then} if {first}.__class__ is _str and _len({then}) <= 4096 else _key(_ev, {then}))"


def _fits_constant(written: str, code: Code) -> str:
    if code.kind == "number":
        return f"{written}.__class__ in _NUMBERS"
    return f"{written}.__class__ is _str" if code.kind == "text" else f"{written}.__class__ is None"
