"""The library: what expressions can call."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Function:
    """One function; `least` and `most` count its arguments (`most` None: any number)."""

    name: str
    signature: str
    doc: str
    least: int
    most: int | None


_TABLE = """
len(x) 1 1
count(list) 1 1
sum(list) 1 1
min(list) 1 n
max(list) 1 n
any(list) 1 1
all(list) 1 1
round(x, digits) 1 2
abs(x) 1 1
str(x) 1 1
int(x) 1 1
float(x) 1 1
sort(list, 'due', '-title') 1 n
unique(list, 'id') 1 2
index(list, 'id') 2 2
group(list, 'status') 2 2
keys(mapping) 1 1
values(mapping) 1 1
items(mapping) 1 1
merge(a, b) 1 n
pick(mapping, 'a', 'b') 2 n
omit(mapping, 'a', 'b') 2 n
default(x, y) 2 2
join(list, ', ') 1 2
split(text, ',') 1 2
replace(text, 'old', 'new') 3 3
lower(text) 1 1
upper(text) 1 1
strip(text) 1 1
startswith(text, 'start') 2 2
endswith(text, 'end') 2 2
range(n) 1 1
now() 0 0
days(n, 'Asia/Shanghai') 1 2
date(t, 'Asia/Shanghai') 1 2
digest(text, length) 1 2
quote(text) 1 1
"""


def _stub(line: str) -> Function:
    signature, least, most = line.rsplit(" ", 2)
    return Function(signature.split("(")[0], signature, "", int(least), None if most == "n" else int(most))


FUNCTIONS = {function.name: function for function in map(_stub, _TABLE.strip().splitlines())}
