"""What people who come from other languages write, and what to write instead: (message, cure)."""

from __future__ import annotations

OPERATORS = {
    "&&": ("'&&' is not an operator here", "write and"),
    "||": ("'||' is not an operator here", "write or; default(a, b) keeps false, 0 and ''"),
    "!": ("'!' is not an operator here", "write not"),
    "===": ("'===' is not an operator here", "write =="),
    "!==": ("'!==' is not an operator here", "write !="),
    "<>": ("'<>' is not an operator here", "write !="),
    "??": ("'??' is not an operator here", "write default(a, b)"),
    "?.": ("'?.' is not an operator here", "write a plain dot: reading from null gives null"),
    "?": ("'?' is not an operator here", "write a if condition else b"),
    "=>": ("'=>' makes a function, and expressions have none", "write [item.name for item in list]"),
    "->": ("'->' is not an operator here", "a key is read with a dot"),
    ":=": ("':=' is not allowed", "an expression names nothing; write a value step"),
    "=": ("'=' is not an operator here", "write == to compare; an expression names nothing"),
    "**": ("'**' is not allowed", "write x * x; mappings are joined by merge(a, b)"),
    "*": ("'*' has nothing to multiply here", "lists are joined by +"),
    "+": ("'+' has nothing to add to here", "a number is made of a text by int(x) or float(x)"),
    "/": ("'/' has nothing to divide here", "a path is a text: f'/todos/{id}'"),
    "...": ("'...' is not allowed", "lists are joined by +, mappings by merge(a, b)"),
    "|": ("'|' is not an operator here", "write or; mappings are joined by merge(a, b)"),
    "&": ("'&' is not an operator here", "write and"),
    "^": ("'^' is not an operator here", "write x * x to multiply"),
    "~": ("'~' is not an operator here", "write not"),
    "<<": ("'<<' is not an operator here", "write * to multiply"),
    ">>": ("'>>' is not an operator here", "write // to divide"),
    "@": ("'@' is not an operator here", "an address or name stands in quotes"),
    "`": ("'`' does not begin a text", "write f'…{name}…'"),
    "${": ("'${' does not begin a hole", "write f'…{name}…'"),
    "$": ("'$' has no meaning here", "names are plain: query.page"),
    ";": ("';' has no meaning here", "an expression is one value"),
    "#": ("'#' has no meaning here", "an expression has no comments; a text stands in quotes"),
    "\\": ("'\\' has no meaning here", "it may stand in a text only"),
    ":": ("':' cannot stand here", "a text stands in quotes; a condition is written a if condition else b"),
    ",": ("',' cannot stand here", "a list is written [a, b]"),
} | {
    f"{sign}=": (f"'{sign}=' is not allowed", "an expression changes nothing; write a value step")
    for sign in "+-*/%|&"
}

KEYWORDS = {
    "if": ("'if' cannot stand here", "write a if condition else b"),
    "else": ("'else' stands without its if", "write a if condition else b"),
    "for": ("'for' cannot stand here", "a list is made by [item.name for item in list]"),
    "lambda": ("'lambda' is not allowed", "write [item.name for item in list], or a function of the project"),
    "await": ("'await' is not allowed", "steps wait for each other by themselves"),
    "async": ("'async' is not allowed", "steps wait for each other by themselves"),
    "yield": ("'yield' is not allowed", "an expression is one value"),
    "return": ("'return' is not allowed", "an expression is its value"),
    "import": ("'import' is not allowed", "write a function of the project in orchestrations/functions.py"),
}

# Words that mean something elsewhere when another value follows them.
WORDS = {
    "typeof": ("'typeof' is not an operator here", "an expression cannot ask for a type; compare with null"),
    "new": ("'new' is not an operator here", "expressions make no objects"),
    "delete": ("'delete' is not an operator here", "write omit(mapping, 'key')"),
    "void": ("'void' is not an operator here", "write null"),
    "function": (
        "'function' is not allowed",
        "write a function of the project in orchestrations/functions.py",
    ),
    "const": ("'const' is not allowed", "an expression names nothing; write a value step"),
    "let": ("'let' is not allowed", "an expression names nothing; write a value step"),
    "var": ("'var' is not allowed", "an expression names nothing; write a value step"),
    "instanceof": ("'instanceof' is not an operator here", "an expression cannot ask for a type"),
}

_EACH = "[item.name for item in list]"
_WHERE = "[item for item in list if item.done]"

# What a method of another language is here; `{0}` is what stands before its dot.
METHODS = {
    "map": f"write {_EACH}",
    "filter": f"write {_WHERE}",
    "find": f"write {_WHERE}[0]",
    "some": "write any(item.done for item in list)",
    "every": "write all(item.done for item in list)",
    "reduce": "write sum(item.hours for item in list)",
    "forEach": f"write {_EACH}",
    "flatMap": "write [x for item in list for x in item.tags]",
    "includes": "write x in {0}",
    "has": "write 'key' in {0}",
    "hasOwnProperty": "write 'key' in {0}",
    "indexOf": "write x in {0}",
    "slice": "write {0}[1:3]",
    "substring": "write {0}[1:3]",
    "concat": "write {0} + other",
    "at": "write {0}[-1]",
    "get": "write {0}['key']: a missing key is null",
    "push": "write {0} + [x]",
    "append": "write {0} + [x]",
    "group": "write {0}[1] of what find gives; group(list, 'owner.id') of a list",
    "json": "write {0}.body: it is decoded",
    "toFixed": "write f'{{0}:.2f}'",
    "toString": "write str({0})",
    "toLowerCase": "write lower({0})",
    "toUpperCase": "write upper({0})",
    "trim": "write strip({0})",
    "startsWith": "write startswith({0}, 'x')",
    "endsWith": "write endswith({0}, 'x')",
    "replaceAll": "write replace({0}, 'old', 'new')",
    "format": "write f'…{name}…'",
    "join": "write join(list, ', ')",
    "split": "write split({0}, ',')",
    "replace": "write replace({0}, 'old', 'new')",
    "match": "write find({0}, r'([0-9]+)')",
    "test": "write matches({0}, r'^[a-z]+$')",
    "sort": "write sort({0}, 'key')",
    "getTime": "write epoch({0}): seconds since 1970",
    "toISOString": "write instant({0})",
    "isoformat": "write instant({0})",
    "strftime": "write local({0}, zone) for the parts of a time",
    "size": "write len({0})",
    "length": "write len({0})",
}

# What a function of another language is here.
FUNCTIONS = {
    **dict.fromkeys(("env", "getenv"), "settings are read in clients/*.py: env('NAME')"),
    **dict.fromkeys(("format", "sprintf", "printf"), "write f'…{x:.2f}…'"),
    **dict.fromkeys(("map", "list", "enumerate"), f"write {_EACH}"),
    "filter": f"write {_WHERE}",
    **dict.fromkeys(("concat", "zip", "extend"), "lists are joined by +"),
    **dict.fromkeys(("contains", "includes", "has"), "write x in list"),
    "first": "write list[0]",
    "last": "write list[-1]",
    **dict.fromkeys(("slice", "substr", "substring", "mid", "left"), "write x[1:3]"),
    **dict.fromkeys(("reversed", "reverse"), "write list[::-1]"),
    **dict.fromkeys(("size", "length"), "write len(x)"),
    **dict.fromkeys(("match", "test", "regex", "re_match"), "write matches(text, r'^[a-z]+$')"),
    **dict.fromkeys(("search", "exec"), "write find(text, r'([0-9]+)')"),
    **dict.fromkeys(("gsub", "re_sub", "regex_replace"), "write sub(text, r'[0-9]+', 'n')"),
    **dict.fromkeys(("encodeURIComponent", "encodeURI", "urlencode", "quote_plus"), "write url_encode(x)"),
    **dict.fromkeys(("btoa", "b64encode"), "write base64(text)"),
    **dict.fromkeys(("atob", "b64decode"), "write unbase64(text)"),
    **dict.fromkeys(("parseInt", "hex"), "write int(text, 16)"),
    **dict.fromkeys(("from_json", "fromJson"), "write parse_json(text)"),
    **dict.fromkeys(("toJson", "tojson", "stringify", "json"), "write to_json(x)"),
    **dict.fromkeys(("trim", "trimmed"), "write strip(text)"),
    **dict.fromkeys(("coalesce", "ifnull", "nvl"), "write default(a, b)"),
    **dict.fromkeys(("avg", "mean", "average"), "write sum(list) / len(list)"),
    **dict.fromkeys(("today", "current_date"), "write date(now(), 'Asia/Shanghai')"),
    **dict.fromkeys(("time", "datetime", "timestamp"), "write now()"),
    **dict.fromkeys(
        ("parse_date", "to_date", "strptime", "parseISO", "fromisoformat"), "write instant(text)"
    ),
    **dict.fromkeys(("timedelta", "date_add", "dateadd", "addDays"), "write shift(t, 1, 'day')"),
    **dict.fromkeys(("date_trunc", "startOf", "startOfDay"), "write start_of(t, 'day', zone)"),
    **dict.fromkeys(("unix_timestamp", "mktime", "date_diff"), "write epoch(t): seconds since 1970"),
    **dict.fromkeys(
        ("strftime", "format_date", "date_format"), "write local(t, zone) for the parts of a time"
    ),
    **dict.fromkeys(("dict", "object"), "write {'key': value}"),
    "now": "write now()",
    "quote": "write url_encode(x)",
    **dict.fromkeys(("floor", "trunc"), "write int(x // 1)"),
    "ceil": "write -int(-x // 1)",
    **dict.fromkeys(("parse", "loads"), "write parse_json(text), or instant(text) of a time"),
    "dumps": "write to_json(x)",
    "entries": "write items(mapping)",
    "fromtimestamp": "write instant(seconds)",
}

# What stands before the dot of a function of another language.
LIBRARIES = frozenset(
    {
        "Array",
        "Date",
        "JSON",
        "Math",
        "Number",
        "Object",
        "String",
        "base64",
        "date",
        "datetime",
        "datetime.datetime",
    }
    | {"json", "math", "re", "time", "urllib.parse"}
)

NOT_KEYS = {
    "length": "write len({0}); a key of this name is {0}['length']",
}
