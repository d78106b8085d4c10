"""Expressions that mean harm, and a small program that runs each in a process of its own.

`python -m tests.expressions.hostile` prints one JSON line for each: its outcome, CPU seconds and peak MiB.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time

CHECKED, NULL, BOUND = "check error", "null", "bound"

REFUSED = [
    # Ways to Python's own attributes
    "x.__class__", "x.__class__.__mro__[1].__subclasses__()", "().__class__.__bases__", "''.__class__",
    "[].__class__", "{}.__class__", "(1).__class__", "1 .__class__", "x.__dict__",
    "x.__init__.__globals__['os']",
    "f'{x.__class__}'", "f'{x.__class__.__name__!r}'", "[y.__class__ for y in x]",
    "{'a': x.__class__}['a']",
    "x[x.__class__]", "sort(x, x.__class__)", "x._id", "x.a._b", "null.__doc__",
    # Names that are the machinery's own, or Python's
    "_", "_1", "_2", "_ev", "_scope", "_loop", "_page", "_NOTHING", "_f_sort(x)", "_p_x(1)", "__name__",
    "__builtins__", "__import__('os')", "__import__('os').system('id')", "[_1 for _1 in x]",
    "[_ev for _ev in x]",
    "[__class__ for y in x]", "[1 for _ in x]", "eval('1')", "exec('1')", "open('/etc/passwd')",
    "compile('1', '', 'eval')",
    "globals()", "locals()", "vars()", "type(x)", "getattr(x, 'a')", "setattr(x, 'a', 1)", "print(x)",
    "input()",
    "breakpoint()", "object()", "bytes(x)", "repr(x)", "id(x)", "iter(x)", "super()", "os.environ", "self",
    "Ellipsis",
    "NotImplemented", "__debug__", "NaN", "Infinity", "undefined",
    # Calls of anything but a function's plain name
    "x.get('a')", "'a'.upper()", "'{0.__class__}'.format(x)", "''.join(x)", "x.items()", "[].append(1)",
    "x['get']('a')", "x[0]()", "len(x)()", "f'len'(x)", "(lambda: 1)()", "[len][0](x)",
    "{'f': len}['f'](x)",
    "(x or len)(x)", "x.y.z(1)", "null()", "1()", "''()", "len()", "len(x, x)", "sort()", "now(1, 2)",
    "len(x=1)",
    "sort(x, key='a')", "sort(x, reverse=True)", "sort(*x)", "sort(**x)", "merge(...x)",
    # Other syntax of Python, and of others
    "lambda: 1", "lambda y: y", "x ** 2", "9**9**9", "'a'*9**9", "(y := 1)", "[y := 1, y]", "*x", "[*x]",
    "{**x}",
    "await x", "yield x", "[y async for y in x]", "[a for a, b in x]", "[a for (a, b) in x]", "{1, 2}",
    "{y for y in x}", "1, 2", "(1, 2)", "()", "...", "x = 1", "x += 1", "x; x", "import os", "del x",
    "x if x",
    "x @ x", "x | x", "x & x", "x ^ x", "~x", "x << 99999999", "x >> 1", "+x", "x is x", "x is true",
    "x is not 1",
    "x < len(x) < 3", "1 < [y for y in x] < 2", "(y for y in x)", "[(y for y in x)]",
    "len(x, (y for y in x))",
    "x[1:2:3:4]", "x[]", "x[1, 2]", "x[...]", "b'a'", "R'a\\'", "u'a'", "rf'a'", "'''a'''", '"""a"""', "1j",
    "0x", "1_",
    "1__0", "0777", "1e999", "18446744073709551616", "9" * 4000, "0x" + "f" * 17, "`x`", "${x}", "x?.y",
    "x ?? 1",
    "x && x", "!x", "x => x", "#", "x # y", "\\", "x\\\n+ 1", "@x", "x!", "x$",
    # Formats
    "f'{1:999999999}'", "f'{1:>999}'", "f'{1:.999f}'", "f'{1:{x}}'", "f'{1:{x}d}'", "f'{x:%Y}'", "f'{1:n}'",
    "f'{1:c}'",
    "f'{1:>>>9}'", "f'{1:100}'", "f'{1:_>100}'", "f'{x!r}'", "f'{x!s:>10}'", "f'{x=}'", "f'{x!a}'", "f'{}'",
    "f'{ }'",
    "f'{x'", "f'x}'", "f'{x:'", "f'{{x}'", "f'{(x}'", "f'{x y}'", "f'{lambda y: 1}'", "f'{*x}'",
    "f'{x:{1:{1}}}'", "f'{x:>8}'", "f'{x:e}'", "f'{x:.3}'", "f'{x:,}'", "f'{x:x}'", "f'{x:+.2f}'", "f'{x: d}'",
    "f'{x:.100f}'", "f'{x:100f}'", "f'{x:}'", "f'{x:.f}'", "f'{x:_d}'", "f'{x:=5d}'", "f'{x:z.2f}'", "f'{x:٣d}'",
    # Names and characters that are not what they seem
    "ｘ", "x.ﬁ", "ℌ", "x.ｎame", "ｌen(x)", "[ａ for ａ in x]", "𝐱", "x.𝓃", "ªb", "x\u00b5", "x＋1", "“a”",
    "x\u00a0+ 1",
    "x\u30001", "x\u200b", "x\u00ad", "\ufeffx", "x\u2028y", "\x00", "x\x00", "'a\x07'", "x\r", "\x1b[31m",
    "x\u202ey",
    "'\u2066'", "x\ty", "\ud800", "'\ud800'", "'\\ud800'", "'\\ud83d\\ude00'", "f'\\udfff'",
    "'\\U0011ffff'",
    "'\\N{BELL}'", "'\\xz1'", "'\\q'", "'\\", "'a\nb'", "'", '"', "f'", "x['", "'a' 'b'", "x 'a'", "'a'x",
    "1x", "1.2.3",
    # Patterns
    "matches(x, x)", "matches(x, f'{x}')", "find(x, null)", "sub(x, 'a' + 'b', 'c')", "matches(x, r'(a)\\1')",
    "matches(x, r'(?=a)')", "matches(x, r'(?<=a)')", "matches(x, r'(?>a)')", "matches(x, r'(?P=n)')",
    "matches(x, r'((a{100}){100}){100}')", "matches(x, r'(.{1,999}){1,999}')", "matches(x, r'a{1001}')",
    "matches(x, r'(\\pL{1,30}){1,30}')", "find(x, r'(?i)(\\pL{1,30}){1,10}x')",
    "matches(x, r'(.{1,200})(.{1,200})(.{1,200})b')",
    "matches(x, r'" + "(" * 1_900 + "')",
    "matches(x, r'" + "[" * 900 + "')",
    "sub(x, 'a', r'\\1')", "sub(x, '(a)', f'{x}\\\\1')", "sub(x, 'a', '\\\\q')", "find(x, '" + "*" * 900 + "')",
    # Too long, too deep, too many loops
    "x" * 10_000, "'" + "a" * 10_000 + "'", "x" + "+x" * 1_990, "x" + "+x" * 5_000,
    "(" * 1_900 + "x" + ")" * 1_900,
    "[" * 1_900 + "]" * 1_900, "{1:" * 900 + "1" + "}" * 900, "-" * 3_900 + "1", "not " * 900 + "x",
    "x" + "[0]" * 1_300,
    "x" + ".a" * 1_900, "len(" * 900 + "x" + ")" * 900, "x if x else " * 300 + "x",
    "x[" * 1_300 + "0" + "]" * 1_300,
    "f'{" * 1_000, "f\"{f'{f'{" * 300, "x and (" * 500 + "x" + ")" * 500, "x < (" * 700, "(" * 3_999,
    "{" * 3_999,
    "[1 for a in x for b in x for c in x for d in x]",
    "[[[[1 for a in x] for b in x] for c in x] for d in x]",
    "[1 for a in [1 for b in [1 for c in [1 for d in x]]]]", "",  " ", "\n",
]  # fmt: skip

NULLS = [
    "'a' * 1000000000", "1000000000 * 'a'", "[1] * 1000000000", "1000000000 * [1]", "{} * 2",
    "'%999999999d' % 1",
    "'%s' % x", "1 / 0", "1 // 0", "1 % 0", "1.5 / 0", "1.5 // 0.0", "1 % 0.0", "0 / 0",
    "9223372036854775807 * 3",
    "1e308 * 10", "-1e308 * 10", "1e308 + 1e308", "18446744073709551615 + 1", "-18446744073709551615",
    "-9223372036854775808 - 1", "18446744073709551615 * 18446744073709551615", "1 < 'a'", "null < 1",
    "[1] < [2]",
    "{} < {}", "true < 2", "true + true", "-true", "-'a'", "-[]", "-null", "'a' - 1", "'a' + 1", "[] + ''",
    "{} + {}",
    "null + null", "true * 9", "xs['a']", "text[0]", "text['__class__']", "5[0]", "true['a']", "null['a']",
    "null.a.b.c", "xs[99999999999]", "xs[1.5]", "xs[true]", "xs[xs]", "xs[{}]", "xs[null]", "xs[::0]",
    "xs['a':]",
    "text[1.5:]", "xs[18446744073709551615]", "x['__class__']", "x['get']", "x['keys']['__self__']",
    "{}[xs]", "{}[{}]",
    "rows[0][rows]", "xs.append", "text.upper", "text.join", "xs.sort.a", "5.5['real']", "x.real",
    "x.imag.denominator",
    "int('9999999999999999999999')", "int('１２')", "int('0x10')", "int('1_0')", "int('nan')", "int(true)",
    "int(xs)",
    "int(1e308)", "int(big)", "float('nan')", "float('inf')", "float('1e999')", "float('-Infinity')",
    "float(big)",
    "float(true)", "round(1e308, 400)", "round('a')", "round(1, 'a')", "round(1, 1e9)", "round(true)",
    "abs('a')",
    "abs(true)", "replace(text, '', null)", "replace(5, 'a', 'b')", "split(text, '')", "split(xs, ',')",
    "join(xs, 5)",
    "join(xs, xs)", "startswith(text, xs)", "startswith(xs, 'a')", "endswith(5, 'a')", "lower(xs)",
    "upper(5)",
    "strip(null)", "date('9999-12-31T23:59:59-23:59', 'Asia/Shanghai')",
    "date('0001-01-01T00:00:00+23:59')",
    "date('2026-02-30')", "date('x')", "date(true)", "date(1e308)", "date(big)",
    "date('2026-11-15', '../../../etc/passwd')",
    "days(1, '/etc/passwd')", "days(1, '..')", "days(1, 'Nowhere/Land')", "days(1, big)", "days(1, 5)",
    "instant(big)", "instant('2026-11-28T16:35:00.' + big)", "instant('0000-01-01')", "instant('10000-01-01')",
    "instant('-001-01-01')", "instant('+2026-11-28')", "instant('2026-02-31')", "instant('2026-11-28T24:00:01Z')",
    "instant('2026-11-28T16:35+25:00')", "instant('2026-11-28T16:35+08:61')", "instant('NaN')",
    "instant('Infinity')", "instant('２０２６-11-28')", "instant('2026-11-28\\n')", "instant(1e308)",
    "instant(-1e308)", "instant(-62135596801)", "instant(253402300800000)", "instant(true)", "instant(xs)",
    "instant(0, '../../../etc/passwd')", "instant(0, big)", "instant(0, 'Europe/Berlin\\x00')", "instant(0, xs)",
    "instant('9999-12-31T23:59:60Z')", "instant('0001-01-01T00:00+23:59')", "instant('0001-01-01', 'Asia/Shanghai')",
    "instant('Sun, 99 Nov 1994 08:49:37 GMT')", "instant('Sun, 06 Nov 0000 08:49:37 GMT')",
    "instant('Sunday, 06-Nov-²² 08:49:37 GMT')", "instant(', ' + text + ' GMT')", "epoch(big)", "epoch('x')",
    "shift(now(), 99999999999999, 'year')", "shift(now(), -99999999999999, 'second')", "shift(now(), 1e308, 'day')",
    "shift(now(), 18446744073709551615, 'week')", "shift(now(), 1, big)", "shift(now(), 1, xs)",
    "shift(now(), 1, 'day', big)", "shift('9999-12-31', 1, 'day')", "shift('0001-01-01', -1, 'month')",
    "start_of(now(), big)", "start_of('0001-01-01', 'week', 'America/New_York')",
    "local('9999-12-31T23:59Z', 'Asia/Shanghai')",
    "local(big)", "language(big, ['a'])", "language(text, [big])", "language('*;q=0', bigs)", "language(xs, xs)",
    "digest(xs)",
    "digest(text, 0)", "digest(text, 65)", "digest(text, 'a')", "digest(null)", "sort(xs, 5)",
    "sort(xs, null)",
    "merge(xs, {})", "merge({}, 'a')", "pick(xs, 'a')", "omit(text, 'a')", "min(xs, 'a')", "max([1, 'a'])",
    "min([])",
    "sum(['a'])", "sum([1e308, 1e308])", "sum([true])", "sum([18446744073709551615, 1])", "len(5)",
    "len(true)",
    "str(xs)", "str(rows[0])", " < ".join(["'a'"] + ["1"] * 30), " < ".join(["x.a"] * 31),
    "[text for text in xs][0] - 'a'",
    # Patterns that others take for ever for
    "find(big, r'(a*)*b')", "find(big, r'(a+)+$b')", "find(big, r'(a|a)*b')", "find(big, r'(a|aa)+b')",
    "find(big, r'.*.*=.*')", "find(big, r'^(([a-z])+.)+[A-Z]([a-z])+$')", "find(big, r'(.*a){9}b')",
    "matches(x, r'" + "(" * 1_000 + ")" * 1_000 + "')", "find(text, r'" + "a?" * 1_800 + "a" * 300 + "')",
    # Seals of nobody
    "unseal(big)", "unseal(text)", "unseal('" + "A" * 2_048 + "')", "unseal(seal(1)[1:])", "unseal(seal(1) + 'A')",
    "unseal(seal('a')[::-1])", "unseal(rows)", "unseal('=')", "seal(null)", "[unseal(b) for b in bigs][0]",
    # Base64, JSON and addresses
    "unbase64(big + 'a')", "unbase64('====')", "unbase64(xs)", "base64(rows)", "parse_json(big)",
    "parse_json('[' + '[' * 0)", "parse_json(replace(big, 'a', '[')[:1000])", "parse_json('{\\'a\\': 1}')",
    "parse_json('1e999')", "parse_json(rows)", "url(xs, {})", "url('/a', {'b': rows})", "url(text, xs)",
    "int(big, 16)", "int('0b2', 2)", "int('1', 1)", "int('1', 99)", "int('1', '16')",
    # Integers of a thousand digits, and the ends of what a float can be
    "long + 1", "1 - long", "long * 0", "long / long", "long // long", "long % 7", "7 % long", "long * 0.5", "-long",
    "long - long", "[a - a for a in longs][0]", "[0 * a for a in longs][0]", "[a % 7 for a in longs][0]",
    "[a / a for a in longs][0]", "[a + b for a in longs for b in longs][1]", "[a * 0.0 for a in longs][0]",
    "abs(long)", "round(long)", "round(long, 2)", "round(long, -20)", "int(long)", "float(long)", "sum(longs)",
    "sum([long, -0.5])", "sum([long, 0])", "now(long)", "xs[long]", "rows[0][long]", "people[long]",
    "1.7e308 + 1.7e308", "1.7e308 * 1e-1 * 1e2", "1e308 / 1e-308", "1e308 // 5e-324", "-1e308 / 0.1",
    "sum([1.7e308, 1.7e308, 5e-324])", "round(1e308)", "round(1e20, -2) + '' or round(18446744073709551615, -1)",
    "int(f'{long:d}')", "float(f'{long:d}')", "round(0.5, long)", "digest(text, long)", "-0.0 / 0", "0.1 % 0.0",
]  # fmt: skip

_NESTED_LOOPS = "[1 for a in rows for b in rows for c in rows{}]"
_MILLION = "[1 for a in range(1000) for b in range(1000){}]"

OVER = [
    # Patterns over long texts, and hits that each look to the end
    "[find(b, r'(a+)(a+)(a+)(a+)b') for b in bigs]", "find(big, r'(.{1,100})(.{1,100})(.{1,100})b')",
    "find(big, r'[a-z]{500}([a-z]{400}).(b)')", "sub(big, r'a.*b|a', 'x')", "sub(big, r'a', 'x')", "sub(big, '', big)",
    "sub(big, 'a', big)", "sub(big, r'(a+)', r'\\1\\1\\1\\1\\1\\1\\1\\1\\1\\1\\1\\1\\1\\1\\1\\1\\1\\1')",
    "find(big, r'(?i)\\pL+ \\pL+$')",
    # Base64, JSON and addresses of long texts
    "base64(replace(big, 'a', 'aaaaaaaaaa'))", "unbase64(replace(big, 'a', 'aaaaaaaaaa'))",
    "[unbase64(b) for b in bigs for c in xs]", "[url_encode(b) for b in bigs]", "url_encode(replace(big, 'a', '待待'))",
    "parse_json('[' + replace(big[:500000], 'a', '[],') + '1]')",
    "parse_json('[' + replace(big[:300000], 'a', '{},') + '1]')",
    "parse_json('[' + replace(big, 'a', '1,') + '1]')", "[to_json(rows) for a in rows for b in xs]",
    "to_json([big for a in range(1000)])", "[to_json(bigs) for a in xs]", "url('/', {'a': bigs})",
    "[url('/', {'a': xs, 'b': xs}) for a in xs for b in xs]",
    # What is sealed and what nobody sealed
    "seal(big)", "seal(rows)", "seal(bigs)", "[seal(a) for a in range(1000) for b in range(1000)]",
    "[unseal(text) for a in range(1000) for b in range(1000)]",
    # Three loops over 300 items
    _NESTED_LOOPS.format(""), _NESTED_LOOPS.format(" if a.id == b.id and b.id == c.id"),
    _NESTED_LOOPS.format(" if false"),
    "[[[c.n for c in rows] for b in rows] for a in rows]",
    "[[[c.n * b.n + a.n for c in rows] for b in rows] for a in rows]",
    "{a.id: {b.id: {c.id: 1 for c in rows} for b in rows} for a in rows}",
    "count(a for a in rows for b in rows for c in rows)",
    "sum(a.n * b.n * c.n for a in rows for b in rows for c in rows)",
    "any(null for a in rows for b in rows for c in rows)",
    "all(a.id != c.name for a in rows for b in rows for c in rows)",
    "join(a.name for a in rows for b in rows for c in rows)",
    "[[a.id in [c.id + b.id for c in rows] for b in rows] for a in rows]",
    "[f'{a.id}{b.id}{c.id}' for a in rows for b in rows for c in rows]",
    "[1 for a in range(1000) for b in range(1000) for c in range(1000)]",
    "[[a, b] for a in range(1000) for b in range(1000)]",
    "[{'a': a, 'b': b} for a in range(1000) for b in range(1000)]",
    "[a * 1.5 + b for a in range(1000) for b in range(1000)]",
    "[f'{a}' for a in range(1000) for b in range(1000)]",
    "[a for a in range(1000) for b in range(1000) if a == b or a < b or a.x == b.x]",
    "[count(c for c in rows if c.n > a + b) for a in range(1000) for b in range(1000)]",
    # Functions in loops
    "[sort(xs + [a + b]) for a in xs for b in xs]", "[unique(xs + [a + b]) for a in xs for b in xs]",
    "[sum(xs + [a, b]) for a in xs for b in xs]", "[max(xs + [a + b]) for a in xs for b in xs]",
    "[index(rows + [a], b) for a in xs for b in xs]", "[group(rows + [a], b) for a in xs for b in xs]",
    "[merge(a, b, {'a': 1}) for a in wide for b in wide]",
    "[items(merge(wide[0], {'n': a})) for a in range(1000)]",
    "[range(a + b) for a in xs for b in xs]", "[a in (xs + [b]) for a in rows for b in rows]",
    "[instant(1000 + c) for a in xs for b in xs for c in xs]",
    "[shift(now(), a, 'month', 'Europe/Berlin') for a in xs for b in xs for c in xs]",
    "[local(now(), 'Asia/Kathmandu') for a in xs for b in xs for c in xs]",
    "[language('de, en;q=0.5, fr;q=0.1', ['en', 'fr']) for a in xs for b in xs for c in xs]",
    "[language(join(('a-' + str(c) for c in xs), ',') + str(a * b), [str(c) for c in xs]) for a in xs for b in xs]",
    "[xs[a:] for a in xs for b in xs for c in xs]", "[days(1000 - a + b) for a in xs for b in xs]",
    "[split(a.name + str(b), '') or split(a.name, ' ') for a in rows for b in range(1000)]",
    "[digest(big + str(a)) for a in range(1000)]", "[digest(big, a) for a in range(1000)]",
    "[sort(rows, f'{a}.{b}.c.d.e') for a in xs for b in xs]",
    "[group(rows, big + f'.{a}.{b}') for a in xs for b in xs]",
    "[index(rows, replace(big, 'a', f'{a}.')) for a in xs]",
    "[unique(rows, a.name + '.b.c.d') for a in rows for b in rows]",
    "[sort(a) for a in [xs + [b] for b in range(1000)] for c in range(1000)]",
    # Texts that grow
    "join([big for a in xs], '')", "join(xs, big)", "join(range(1000), big)",
    "replace(big, 'a', 'aaaaaaaaaa' + big)",
    "replace(big, '', big)", "replace(" * 8 + "text" + ", 'a', text)" * 8, "[big + big for a in xs]",
    "[big + str(a) for a in xs]", "[f'{big}{a}' for a in xs]", "[upper(big + str(a)) for a in xs]",
    "[lower(big)[a:] for a in xs]", "[big[a:] for a in xs]", "[strip(big + str(a)) for a in xs]",
    "split(big, 'a')",
    "[split(big, a) for a in ['a', 'aa', 'aaa']]", "{big + str(a): a for a in xs}",
    "f'{" + "}{".join(["big"] * 90) + "}'",
    "join([" + ", ".join(["big"] * 200) + "])", "[replace(a.name, '待', big) for a in rows]",
    "sort([big + str(a) for a in xs])", "unique([big + str(a) for a in xs])",
    "[{'a': big + str(a)} for a in xs]",
    # Numbers that take long
    "[f'{a}' for a in longs for b in xs for c in xs]", "[str(a) for a in longs for b in xs for c in xs]",
    "[{a: 1} for a in longs for b in xs for c in xs]", "[people[a] for a in longs for b in xs for c in xs]",
    "[1 for a in longs for b in xs for c in xs if a in people]", "[f'{a:,.99f}' for a in longs for b in xs]",
    "[unique(longs + [b]) for a in xs for b in xs]", "[index(rows + [a], 'id') for a in longs for b in xs]",
    "[sort(longs + longs) for a in xs for b in xs]", "[join(longs) for a in xs for b in xs]",
    "[max(longs) for a in xs for b in xs for c in range(100)]", "[digest(a) for a in longs for b in xs for c in xs]",
    "[pick(people, a, a, a, a, a) for a in longs for b in xs for c in xs]",
    "[a * 5e-324 for a in [1.7e308, 1.3e308] for b in range(1000) for c in range(1000)]",
    "[a % 5e-324 for a in [1.7e308, 1.3e308] for b in range(1000) for c in range(1000)]",
    "[a + 0.12345678 for a in [0.1234567, 1e-9] for b in range(1000) for c in range(1000)]",
    "[a / 0.30000000000000004 for a in [0.1, 0.7] for b in range(1000) for c in range(1000)]",
    "[round(a + 0.5, 20) for a in ends for b in range(1000) for c in range(1000)]",
    "[f'{a:.99f}' for a in ends for b in range(1000)]", "[f'{a:.99%}' for a in ends for b in range(1000)]",
    "[sum(ends) for b in range(1000) for c in range(1000)]", "[sum(million[b:]) for b in range(1000)]",
    "sum(tiny)",
    "[sum(prices[b:]) for b in range(1000)]",
    "[sum([a, 0.1, 5e-324]) for a in ends for b in range(1000) for c in range(1000)]",
    "index([{'id': big + str(a)} for a in xs], 'id')", "[quote(big + str(a)) for a in xs]",
    # Comparing what is long
    "[1 for a in bigs for b in bigs for c in xs if a == b]",
    "[1 for a in bigs for b in bigs for c in xs if a < b]",
    "[1 for a in bigs for b in xs for c in xs if a in bigs2]",
    "[1 for a in bigs for c in rows for d in rows if 'b' in a]",
    "[1 for a in rows for b in rows for c in xs if rows == rows2]",
    "[1 for a in rows for b in xs if [rows, b] == [rows2, b]]",
    "[1 for a in bigs for b in xs for c in xs if startswith(a, big)]",
    # Answers that explode when encoded
    "[[b for i in range(1000)] for b in [[a for j in range(1000)] for a in [xs]]]",
    "[[[xs for a in range(1000)] for b in range(100)] for c in range(1)]",
    "[[rows for a in xs] for b in xs]",
    "[b for b in [[a, a, a, a, a, a] for a in [rows]][0] for c in range(1000)]",
    "{a: rows for a in range(1000)}",
    "[[[big for a in xs] for b in [1]] for c in xs]",
]  # fmt: skip

# Lists of loops within each other, over 10,000 items each.
_THREE_LOOPS = "each: a in many\neach: b in many\neach: c in many{}\n"
_TWO_LOOPS = "each: a in many\neach: b in many{}\n"
OVER += [
    _THREE_LOOPS.format("") + "item: 1",
    _THREE_LOOPS.format("") + "item: {'a': a, 'b': b, 'c': c}",
    _THREE_LOOPS.format(" if false") + "item: 1",
    _THREE_LOOPS.format(" if a == b and b == c") + "item: a",
    "each: a in many\neach: b in many[a:]\neach: c in many[b:]\nitem: c",
    _TWO_LOOPS.format("") + "let x: [a, b]\nlet y: [x, x]\nitem: y",
    _TWO_LOOPS.format("") + "let x: many[a:]\nlet y: sort(x, '-')\nitem: y[0]",
    _TWO_LOOPS.format(" if a != b") + "let x: {'a': a, 'b': b}\nlet y: merge(x, {'c': x})\nitem: y.c.a",
    "each: a in many\nlet x: f'{big}{a}'\nitem: len(x)",
    "each: a in many\nlet x: [b for b in many if b < a]\nlet y: count(x)\nitem: y",
    "each: a in many\n"
    + "let x0: [a, a]\n"
    + "".join(f"let x{n}: [x{n - 1}, x{n - 1}]\n" for n in range(1, 40))
    + "item: x39",
    "each: a in rows\neach: b in rows\neach: c in rows\nlet x: [c.name for d in rows]\nitem: x",
]

VALUES = {
    "sum(million)": "499995000.0",
    "sum(million) == sum(a for a in prices) * 10": "true",
    "sum(prices[:1000] + [1e-9])": "4995.000000001",
    "max(longs) == long and min(longs) < long and long in longs and 1.7e308 < long": "true",
    "len(str(long))": "1000",
    "sum(ends[:2] + [-1.7e308, -1.2345678901234567e308, 0.1])": "null",
    "sum([1.7e308, 1e308, -1e308, -1.7e308, 5e-324])": "5e-324",
    "[0.0 * -1, -0.0 + 0, -0.0, round(-0.4, 0)]": "[-0.0,0.0,-0.0,-0.0]",
    "[round(2.5, 20), round(0.5, -20), round(1e300, 20), round(123456789.1, -8)]": "[2.5,0.0,1e300,100000000.0]",
    "f'{long:d}' == str(long) and f'{long:.2f}' == str(long) + '.00'": "true",
}
"""What takes its time and gives this JSON."""

# Value steps, each over the one before it: `v` is the last one's value.
STEPS = {
    "lists in lists": (["[1]"] + ["[v, v]"] * 60, BOUND),
    "mappings in mappings": (["1"] + ["{'a': v, 'b': v}"] * 60, BOUND),
    "lists compared": (["[1]"] + ["[v, v]"] * 40 + ["[v == w, w == v]"], BOUND),
    "mappings compared": (["{}"] + ["{'a': v, 'b': v}"] * 40 + ["v != w"], BOUND),
    "lists looked for": (["[1]"] + ["[v, v]"] * 40 + ["v in [1, w]"], BOUND),
    "lists doubled": (["[1]"] + ["v + v"] * 60, BOUND),
    "texts doubled": (["'a'"] + ["v + v"] * 60, BOUND),
    "wide texts doubled": (["'待'"] + ["v + v"] * 60, BOUND),
    "f-strings doubled": (["'a'"] + ["f'{v}{v}'"] * 60, BOUND),
    "texts joined": (["'a'"] + ["join([v, v], v)"] * 60, BOUND),
    "texts replaced": (["'aa'"] + ["replace(v, 'a', v)"] * 20, BOUND),
    "texts replaced by nothing": (["'ab'"] + ["replace(v, '', v)"] * 20, BOUND),
    "capitals": (["'ΐ'"] + ["upper(v) + v"] * 60, BOUND),
    "mappings merged": (["{}"] + ["merge({digest(f'{len(v)}'): v}, v, {digest('a'): v})"] * 60, BOUND),
    "deep lists": (["1"] + ["[v]"] * 500, BOUND),
    "deep lists compared": (["[v]"] * 5_000 + ["(v == w) - 1"], NULL),
    "deep lists made unique": (["[v]"] * 5_000 + ["unique([v, w])"], BOUND),
    "a long key looked up": (["{big: 1}", "v[big] - 'a'"], NULL),
    "nested keys": (["{'a': 1}"] + ["{v: v}"] * 50 + ["v.a"], NULL),
    "ranges of ranges": (["range(1000)"] + ["[v for a in v]"] * 3, BOUND),
    "ranges flattened": (["range(1000)"] + ["[a for a in v for b in v]"] * 3, BOUND),
    "ranges joined": (["range(1000)"] + ["v + v + v + v"] * 20, BOUND),
    "ranges sorted": (["range(1000)"] + ["sort(v + v, '-')"] * 20, BOUND),
    "texts of texts": (["'a'"] + ["join(split(replace(v, 'a', 'aa,'), ','), v)"] * 20, BOUND),
}


def cases() -> list[tuple[str, list[str], str]]:
    """Each case's name, its expressions and the outcome that it must have."""
    single = [
        (text, [text], outcome)
        for texts, outcome in ((REFUSED, CHECKED), (NULLS, NULL), (OVER, BOUND))
        for text in texts
    ]
    single += [
        (text, [text], NULL if made == "null" else f"value {made.encode()[:60]!r}")
        for text, made in VALUES.items()
    ]
    return single + [(name, texts, outcome) for name, (texts, outcome) in STEPS.items()]


def scope() -> dict[str, object]:
    """300 rows and some long texts."""
    rows = [{"id": number, "name": f"待办 {number}", "n": number % 7} for number in range(300)]
    from cryptography.fernet import Fernet

    from bff.identity import Visitor
    from bff.identity.seals import Seals

    rows_again = [dict(row) for row in rows]
    big = "a" * 1_000_000
    prices = [number / 100 for number in range(100_000)]
    return {
        "_seals": Seals([Fernet.generate_key().decode()], "page").of(Visitor()),
        "x": None, "text": "a" * 10, "big": big, "rows": rows, "rows2": rows_again, "xs": list(range(300)),
        "wide": [{str(key): key for key in range(200)} for _ in range(300)],
        "bigs": [(big + str(number))[:1_000_000] for number in range(4)] * 75,
        "bigs2": [(big + str(number))[:1_000_000] for number in range(4)],
        "many": list(range(10_000)),
        "long": 10**1_000 - 1, "longs": [10**1_000 - number for number in range(1, 301)], "people": {"1": 1},
        "ends": [1.7e308, 1.2345678901234567e308, -1.7e308, 5e-324, 2.2250738585072014e-308, 1e308] * 50,
        "prices": prices, "million": prices * 10, "tiny": [0.1234567, 1e-9] * 500_000,
    }  # fmt: skip


def parsed(text: str) -> object:
    """An expression, or the tree of a list whose keys stand in lines."""
    from bff.expressions.parse import parse, parse_each
    from bff.expressions.tree import Each, Let

    if not text.startswith("each: "):
        return parse(text)
    lines = [line.split(": ", 1) for line in text.split("\n")]
    clauses = tuple(parse_each(rest) for key, rest in lines if key == "each")
    lets = tuple(Let(key[4:], parse(rest)) for key, rest in lines if key.startswith("let "))
    return Each(clauses, parse(lines[-1][1]), lets)


def outcome(texts: list[str], values: dict[str, object]) -> str:
    """Does with the expressions what a page does: check, compile, evaluate, measure and encode."""
    from bff import jsontext
    from bff.errors import BoundError
    from bff.expressions import Evaluation, ExpressionError, compile_tree
    from bff.expressions.functions import FUNCTIONS
    from bff.expressions.inspect import inspect_tree

    evaluation = Evaluation()
    values = {**values, "v": None, "w": None}
    known = {}
    try:
        for step, text in enumerate(texts, 1):
            for name in ("v", "w"):
                if text not in known:
                    expression = parsed(text)
                    found = inspect_tree(expression)
                    if {use.name for use in found.names} - values.keys() or {
                        use.name for use in found.functions
                    } - FUNCTIONS.keys():
                        return CHECKED
                    known[text] = compile_tree(expression, quotes={"quote": lambda text: f"'{text}'"})
                made = known[text]({**values, "v": values[name]}, evaluation)
                if step == len(texts):
                    jsontext.measure(made, 200_000, 8 * 2**20, 100)
                    return NULL if made is None else f"value {jsontext.encode(made)[:60]!r}"
                values["next " + name] = made
            values["v"], values["w"] = values["next v"], values["next w"]
    except ExpressionError as error:
        assert error.message and 0 <= error.offset <= len(texts[0])
        return CHECKED
    except (BoundError, jsontext.TooLarge):
        return BOUND
    return "nothing"


def run(texts: list[str], values: dict[str, object]) -> dict[str, object]:
    """The outcome of one case in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
        try:
            result = outcome(texts, values)
        except BaseException as error:
            result = f"{type(error).__name__}: {error}"
        os.write(writing, result.encode()[:4000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        result = pipe.read().decode()
    _, status, usage = os.wait4(child, 0)
    seconds = usage.ru_utime + usage.ru_stime
    return {
        "outcome": result or f"ended by {status}",
        "seconds": seconds,
        "mebibytes": usage.ru_maxrss / 1024,
    }


def main() -> None:
    values = scope()
    outcome(["[sort(rows, 'n') for a in rows]"], values)
    for name, texts, _ in cases():
        print(json.dumps({"name": name, **run(texts, values)}), flush=True)


if __name__ == "__main__":
    start = time.monotonic()
    main()
    print(f"{time.monotonic() - start:.1f} s", file=sys.stderr)
