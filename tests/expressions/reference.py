"""The language once more, plain and slow: walks the nodes of an expression and follows the rules to the letter.

Shares nothing with the compiled form but the parser; budgets are not kept.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cmp_to_key
from zoneinfo import ZoneInfo

import msgspec

from bff.expressions.tree import Constant, Each, Expression, Mapping, Sequence
from tests.expressions import times


def evaluate(tree, scope, now=None, quotes=None):
    return _Reference(now or datetime.now(UTC), quotes or {}).tree(tree, scope)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_text(value):
    return isinstance(value, str)


def fitting(value):
    """A number as JSON can hold it, else null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if -(2**63) <= value < 2**64 else None


def text(value):
    if value is None or isinstance(value, (list, dict)):
        return None
    return value if is_text(value) else json.dumps(value)


def fits(value):
    return isinstance(value, float) or -(2**63) <= value < 2**64


def shown(value):
    """The decimal that a number shows, as a fraction, and how many digits are significant in it."""
    decimal = Decimal(json.dumps(value))
    digits = "".join(map(str, decimal.as_tuple().digits)).strip("0")
    return Fraction(decimal), len(digits)


def nearest(exact):
    """The float that is nearest to a fraction; of two the one whose last bit is 0; null if it is too far."""
    size = abs(exact)
    if not size:
        return 0.0
    if size >= Fraction(2) ** 1024 - Fraction(2) ** 970:
        return None
    exponent = max(-1074, size.numerator.bit_length() - size.denominator.bit_length() - 53)
    while size >= Fraction(2) ** (exponent + 53):
        exponent += 1
    while exponent > -1074 and size < Fraction(2) ** (exponent + 52):
        exponent -= 1
    units = size / Fraction(2) ** exponent
    whole, rest = divmod(units, 1)
    if rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole % 2):
        whole += 1
    return math.copysign(math.ldexp(float(whole), exponent), exact)


def half_away(exact, digits):
    """A fraction rounded to so many digits behind the point, halves away from zero."""
    units = abs(exact) * Fraction(10) ** digits
    whole = math.floor(units + Fraction(1, 2))
    return (whole if exact >= 0 else -whole) / Fraction(10) ** digits


def written(exact, negative, spec):
    """A number in a format, digit by digit."""
    zero, width, comma, digits, kind = re.fullmatch(r"(0?)([0-9]*)(,?)(?:\.([0-9]+))?([df%])", spec).groups()
    behind = 0 if kind == "d" else 6 if digits is None else int(digits)
    units = abs(half_away(exact * (100 if kind == "%" else 1), behind)) * 10**behind
    both = str(units.numerator).rjust(behind + 1, "0")
    front, back = both[: len(both) - behind], both[len(both) - behind :]

    def whole(front):
        grouped = re.sub(r"(?<=.)(?=(...)+$)", ",", front) if comma else front
        return f"{'-' * negative}{grouped}{'.' * bool(back)}{back}{'%' * (kind == '%')}"

    while zero and len(whole(front)) < int(width or 0):
        front = "0" + front
    return whole(front).rjust(int(width or 0))


def key(value):
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    found = text(value)
    return None if found is None or len(found) > 4096 else found


def equal(left, right):
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(equal(*pair) for pair in zip(left, right, strict=True))
    if isinstance(left, dict) and isinstance(right, dict):
        return set(left) == set(right) and all(equal(left[name], right[name]) for name in left)
    return left == right


def look_up(value, name):
    if isinstance(value, dict):
        return value.get(key(name)) if key(name) is not None else None
    if isinstance(value, list) and isinstance(name, int) and not isinstance(name, bool):
        return value[name] if -len(value) <= name < len(value) else None
    return None


def items(value):
    return value if isinstance(value, list) else []


SEALED = "~sealed"


class PlainSeals:
    """Seals nothing, so that a text is the same each time."""

    def seal(self, plain):
        return f"{plain.decode()}{SEALED}"

    def open(self, text):
        return text.removesuffix(SEALED).encode() if text.endswith(SEALED) else None


def percent(value):
    plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~"
    return "".join(one if one in plain else "".join(f"%{byte:02X}" for byte in one.encode()) for one in value)


class _Reference:
    def __init__(self, now, quotes):
        self.now = now
        self.quotes = quotes

    def tree(self, tree, scope):
        if isinstance(tree, Expression):
            return self.value(tree.node, scope)
        if isinstance(tree, Constant):
            return tree.value
        if isinstance(tree, Mapping):
            return {name: self.tree(value, scope) for name, value in tree.items}
        if isinstance(tree, Sequence):
            return [self.tree(value, scope) for value in tree.items]
        assert isinstance(tree, Each)
        return [self.item(tree, inner) for inner in self.rows(tree.clauses, scope)]

    def rows(self, clauses, scope):
        if not clauses:
            yield scope
            return
        for item in items(self.value(clauses[0].source.node, scope)):
            inner = {**scope, clauses[0].variable: item}
            if clauses[0].condition is None or self.value(clauses[0].condition.node, inner):
                yield from self.rows(clauses[1:], inner)

    def item(self, tree, scope):
        for let in tree.lets:
            scope = {**scope, let.name: self.tree(let.value, scope)}
        return self.tree(tree.item, scope)

    def value(self, node, scope):
        return getattr(self, type(node).__name__)(node, scope)

    def values(self, nodes, scope):
        return [self.value(node, scope) for node in nodes]

    def Constant(self, node, scope):
        return node.value

    def Name(self, node, scope):
        return scope[node.id]

    def Attribute(self, node, scope):
        return look_up(self.value(node.value, scope), node.attr)

    def Subscript(self, node, scope):
        value = self.value(node.value, scope)
        if not isinstance(node.slice, ast.Slice):
            return look_up(value, self.value(node.slice, scope))
        bounds = [
            None if part is None else self.value(part, scope)
            for part in (node.slice.lower, node.slice.upper, node.slice.step)
        ]
        if not isinstance(value, (list, str)) or bounds[2] == 0:
            return None
        if not all(part is None or (isinstance(part, int) and not isinstance(part, bool)) for part in bounds):
            return None
        return value[slice(*bounds)]

    def BoolOp(self, node, scope):
        for part in node.values[:-1]:
            value = self.value(part, scope)
            if bool(value) is isinstance(node.op, ast.Or):
                return value
        return self.value(node.values[-1], scope)

    def IfExp(self, node, scope):
        return self.value(node.body if self.value(node.test, scope) else node.orelse, scope)

    def UnaryOp(self, node, scope):
        value = self.value(node.operand, scope)
        if isinstance(node.op, ast.Not):
            return not value
        return fitting(-value) if is_number(value) and fits(value) else None

    def BinOp(self, node, scope):
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        if isinstance(node.op, ast.Add):
            for kind in (str, list):
                if isinstance(left, kind) and isinstance(right, kind):
                    return left + right
        if not is_number(left) or not is_number(right) or not fits(left) or not fits(right):
            return None
        (one, few), (two, few_too) = shown(left), shown(right)
        if float in {type(left), type(right)} and few <= 15 and few_too <= 15 and left and right:
            match node.op:
                case ast.Add():
                    return nearest(one + two)
                case ast.Sub():
                    return nearest(one - two)
                case ast.Mult():
                    return nearest(one * two)
                case ast.Div():
                    return nearest(one / two)
                case ast.FloorDiv():
                    return nearest(Fraction(one // two))
                case ast.Mod():
                    return nearest(one % two) or math.copysign(0.0, right)
        try:
            match node.op:
                case ast.Add():
                    return fitting(left + right)
                case ast.Sub():
                    return fitting(left - right)
                case ast.Mult():
                    return fitting(left * right)
                case ast.Div():
                    return fitting(left / right)
                case ast.FloorDiv():
                    return fitting(left // right)
                case ast.Mod():
                    return fitting(left % right)
        except (ZeroDivisionError, OverflowError):
            return None

    def Compare(self, node, scope):
        left = node.left
        for sign, right in zip(node.ops, node.comparators, strict=True):
            result = self.pair(sign, self.value(left, scope), self.value(right, scope))
            if not result:
                return result
            left = right
        return result

    def pair(self, sign, left, right):
        match sign:
            case ast.Eq():
                return equal(left, right)
            case ast.NotEq():
                return not equal(left, right)
            case ast.Is():
                return left is None
            case ast.IsNot():
                return left is not None
            case ast.In():
                return self.contains(left, right)
            case ast.NotIn():
                return not self.contains(left, right)
        if not (is_number(left) and is_number(right)) and not (is_text(left) and is_text(right)):
            return None
        match sign:
            case ast.Lt():
                return left < right
            case ast.LtE():
                return left <= right
            case ast.Gt():
                return left > right
            case ast.GtE():
                return left >= right

    def contains(self, value, container):
        if isinstance(container, list):
            return any(equal(value, item) for item in container)
        if isinstance(container, dict):
            return key(value) is not None and key(value) in container
        return is_text(container) and is_text(value) and value in container

    def JoinedStr(self, node, scope):
        return "".join(self.value(part, scope) for part in node.values)

    def FormattedValue(self, node, scope):
        value = self.value(node.value, scope)
        if node.format_spec is None:
            return text(value) or ""
        spec = node.format_spec.values[0].value
        if not is_number(value) or (
            spec.endswith("d") and isinstance(value, float) and key(value) == text(value)
        ):
            return ""
        negative = math.copysign(1, value) < 0 if isinstance(value, float) else value < 0
        return written(shown(value)[0], negative and not (value == 0 and spec.endswith("d")), spec)

    def List(self, node, scope):
        return self.values(node.elts, scope)

    def Dict(self, node, scope):
        pairs = zip(self.values(node.keys, scope), self.values(node.values, scope), strict=True)
        return {key(name): value for name, value in pairs if key(name) is not None}

    def ListComp(self, node, scope):
        return [self.value(node.elt, inner) for inner in self.turns(node.generators, scope)]

    GeneratorExp = ListComp

    def DictComp(self, node, scope):
        pairs = [
            (key(self.value(node.key, inner)), self.value(node.value, inner))
            for inner in self.turns(node.generators, scope)
        ]
        return {name: value for name, value in pairs if name is not None}

    def turns(self, loops, scope):
        if not loops:
            yield scope
            return
        for item in items(self.value(loops[0].iter, scope)):
            inner = {**scope, loops[0].target.id: item}
            if all(self.value(condition, inner) for condition in loops[0].ifs):
                yield from self.turns(loops[1:], inner)

    def Call(self, node, scope):
        name, arguments = node.func.id, self.values(node.args, scope)
        if name in self.quotes:
            return self.quotes[name](text(arguments[0]) or "")
        self.is_constant = isinstance(node.args[-1], ast.Constant) if node.args else False
        return getattr(self, f"f_{name}")(*arguments)

    # The library

    def f_len(self, value):
        return len(value) if isinstance(value, (list, dict, str)) else None

    def f_count(self, value):
        return len(items(value))

    def f_sum(self, value):
        found = [item for item in items(value) if item is not None]
        if not all(map(is_number, found)) or not all(map(fits, found)):
            return None
        if not any(isinstance(item, float) for item in found):
            return fitting(sum(found))
        if all(shown(item)[1] <= 15 for item in found):
            return nearest(sum(shown(item)[0] for item in found))
        try:
            return fitting(math.fsum(found))
        except OverflowError:
            return None

    def extreme(self, choose, values):
        found = [item for item in (items(values[0]) if len(values) == 1 else values) if item is not None]
        if found and (all(map(is_number, found)) or all(map(is_text, found))):
            return choose(found)
        return None

    def f_min(self, *values):
        return self.extreme(min, values)

    def f_max(self, *values):
        return self.extreme(max, values)

    def f_any(self, value):
        return any(items(value))

    def f_all(self, value):
        return all(items(value))

    def f_round(self, value, *digits):
        if not is_number(value):
            return None
        if not fits(value):
            return None
        if not digits:
            return fitting(int(value) if value == int(value) else int(half_away(shown(value)[0], 0)))
        if not isinstance(digits[0], int) or isinstance(digits[0], bool) or abs(digits[0]) > 20:
            return None
        exact = half_away(shown(value)[0], digits[0])
        if isinstance(value, int):
            return fitting(int(exact))
        found = nearest(exact)
        return None if found is None else math.copysign(found, value)

    def f_abs(self, value):
        return abs(value) if is_number(value) and fits(value) else None

    def f_str(self, value):
        return "" if value is None else text(value)

    def f_int(self, value, *base):
        if base:
            return self.in_base(value, base[0])
        if is_text(value):
            return fitting(int(value)) if re.fullmatch(r" *[+-]?[0-9]{1,25} *", value) else None
        return fitting(int(value)) if is_number(value) else None

    def in_base(self, value, base):
        fits = isinstance(base, int) and not isinstance(base, bool) and 2 <= base <= 36
        if not is_text(value) or not fits or not re.fullmatch(r" *[+-]?[0-9a-zA-Z]+ *", value):
            return None
        try:
            return fitting(int(value, base))
        except ValueError:
            return None

    # Patterns are those that Python's own library and RE2 read alike

    def f_matches(self, value, pattern):
        return re.search(pattern, value, re.ASCII) is not None if is_text(value) else None

    def f_find(self, value, pattern):
        hit = re.search(pattern, value, re.ASCII) if is_text(value) else None
        return None if hit is None else [hit[0], *hit.groups()]

    def f_sub(self, value, pattern, new):
        if not is_text(value) or not is_text(new):
            return None

        def stands_in(hit):
            if not self.is_constant:
                return new
            return re.sub(r"\\(.)", lambda part: "\\" if part[1] == "\\" else hit[int(part[1])] or "", new)

        return re.sub(pattern, stands_in, value, flags=re.ASCII)

    def f_url_encode(self, value):
        found = text(value)
        return None if found is None else percent(found)

    def f_url(self, base, parameters):
        if not is_text(base) or not (parameters is None or isinstance(parameters, dict)):
            return None
        pairs = []
        for name, value in (parameters or {}).items():
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, (list, dict)):
                    return None
                if one is not None:
                    pairs.append((percent(name), percent(text(one))))
        address, hash_, fragment = base.partition("#")
        for name, value in pairs:
            sign = "" if address[-1:] in ("?", "&") else "&" if "?" in address else "?"
            address += f"{sign}{name}={value}"
        return address + hash_ + fragment

    def f_seal(self, value):
        return None if value is None else f"{self.f_to_json(value)}{SEALED}"

    def f_unseal(self, value):
        if is_text(value) and value.endswith(SEALED):
            return json.loads(value.removesuffix(SEALED))
        return None

    def f_base64(self, value):
        return base64.b64encode(value.encode()).decode() if is_text(value) else None

    def f_unbase64(self, value):
        if not is_text(value):
            return None
        plain = "".join(one for one in value.replace("-", "+").replace("_", "/") if one not in " \t\r\n")
        if not re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", plain):
            return None
        plain = plain.rstrip("=")
        try:
            return base64.b64decode(plain + "=" * (-len(plain) % 4)).decode()
        except ValueError:
            return None

    def f_parse_json(self, value):
        try:
            return json.loads(value, parse_constant=lambda _: None) if is_text(value) else None
        except ValueError:
            return None

    def f_to_json(self, value):
        if isinstance(value, float):
            return msgspec.json.encode(value).decode()
        if isinstance(value, list):
            return f"[{','.join(map(self.f_to_json, value))}]"
        if isinstance(value, dict):
            pairs = (f"{self.f_to_json(name)}:{self.f_to_json(value[name])}" for name in sorted(value))
            return f"{{{','.join(pairs)}}}"
        return json.dumps(value, ensure_ascii=False)

    def f_float(self, value):
        if is_text(value) and re.fullmatch(r" *[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)? *", value):
            return fitting(float(value))
        return (
            nearest(Fraction(value))
            if is_number(value) and value
            else float(value)
            if is_number(value)
            else None
        )

    def f_sort(self, value, *names):
        if not all(map(is_text, names)):
            return None
        result = list(items(value))
        for name in reversed(names or ("",)):
            field, sign = (name[1:], -1) if name.startswith("-") else (name, 1)
            column = (lambda item, field=field: at_field(item, field)) if field else (lambda item: item)

            def compare(left, right, column=column, sign=sign):
                left, right = column(left), column(right)
                if left is None or right is None:
                    return (left is None) - (right is None)
                if rank(left) != rank(right):
                    return sign * (rank(left) - rank(right))
                if rank(left) == 3 or left == right:
                    return 0
                return sign if left > right else -sign

            result.sort(key=cmp_to_key(compare))
        return result

    def f_unique(self, value, *names):
        result, seen = [], []
        for item in items(value):
            by = at_field(item, names[0]) if names else item
            if not any(equal(by, other) for other in seen):
                seen.append(by)
                result.append(item)
        return result

    def f_index(self, value, name):
        return {
            key(at_field(item, name)): item for item in items(value) if key(at_field(item, name)) is not None
        }

    def f_group(self, value, name):
        names = [key(at_field(item, name)) for item in items(value)]
        return {
            group: [item for item, other in zip(items(value), names, strict=True) if other == group]
            for group in names
            if group is not None
        }

    def f_keys(self, value):
        return list(value) if isinstance(value, dict) else []

    def f_values(self, value):
        return list(value.values()) if isinstance(value, dict) else []

    def f_items(self, value):
        return [{"key": name, "value": value[name]} for name in self.f_keys(value)]

    def f_merge(self, *values):
        result = {}
        for value in values:
            if value is not None and not isinstance(value, dict):
                return None
            result.update(value or {})
        return result

    def f_pick(self, value, *names):
        if not isinstance(value, dict):
            return None
        return {key(name): value[key(name)] for name in names if key(name) in value}

    def f_omit(self, value, *names):
        if not isinstance(value, dict):
            return None
        return {name: value[name] for name in value if name not in [key(other) for other in names]}

    def f_default(self, value, otherwise):
        return otherwise if value is None else value

    def f_join(self, value, separator=""):
        return separator.join(text(item) or "" for item in items(value)) if is_text(separator) else None

    def f_split(self, value, *separator):
        if not is_text(value) or (separator and (not is_text(separator[0]) or separator[0] == "")):
            return None
        return value.split(*separator)

    def f_replace(self, value, old, new):
        return value.replace(old, new) if is_text(value) and is_text(old) and is_text(new) else None

    def f_lower(self, value):
        return value.lower() if is_text(value) else None

    def f_upper(self, value):
        return value.upper() if is_text(value) else None

    def f_strip(self, value):
        return value.strip() if is_text(value) else None

    def f_startswith(self, value, start):
        return value.startswith(start) if is_text(value) and is_text(start) else None

    def f_endswith(self, value, end):
        return value.endswith(end) if is_text(value) and is_text(end) else None

    def f_range(self, amount):
        if not isinstance(amount, int) or isinstance(amount, bool) or not 0 <= amount <= 1000:
            return []
        return list(range(amount))

    def f_now(self, *seconds):
        instant = self.now.astimezone(UTC)
        if seconds and (isinstance(seconds[0], bool) or not isinstance(seconds[0], (int, float))):
            return None
        try:
            instant += timedelta(seconds=sum(seconds))
        except OverflowError:
            return None
        return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"

    def f_days(self, amount, zone="UTC"):
        if not is_text(zone) or zone not in {"UTC", "Asia/Shanghai", "America/New_York"}:
            return None
        today = self.now.astimezone(ZoneInfo(zone)).date()
        return [str(today - timedelta(days=before)) for before in self.f_range(amount)[::-1]]

    def f_instant(self, value, zone="UTC"):
        return times.instant(value, zone, self.now)

    def f_epoch(self, value):
        return times.epoch(value, self.now)

    def f_shift(self, value, amount, unit, zone="UTC"):
        return times.shift(value, amount, unit, zone, self.now)

    def f_start_of(self, value, unit, zone="UTC"):
        return times.start_of(value, unit, zone, self.now)

    def f_local(self, value, zone="UTC"):
        return times.local(value, zone, self.now)

    def f_language(self, header, languages):
        return times.language(header, languages)

    def f_digest(self, value, length=64):
        if (
            text(value) is None
            or not isinstance(length, int)
            or isinstance(length, bool)
            or not 0 < length <= 64
        ):
            return None
        return hashlib.sha256(text(value).encode()).hexdigest()[:length]


def at_field(value, name):
    """By a text what stands at a path of keys, whatever the dots are between."""
    if not is_text(name):
        return look_up(value, name)
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) and len(part) <= 4096 else None
    return value


def rank(value):
    if isinstance(value, bool):
        return 0
    return 1 if is_number(value) else 2 if is_text(value) else 3
