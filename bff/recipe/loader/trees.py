"""Nodes to trees: YAML mappings and lists are structure, texts are expressions, the rest is itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from bff.expressions.limits import MAX_LOOPS
from bff.expressions.parse import ExpressionError, is_name, parse, parse_each, parse_path
from bff.expressions.tree import (
    Constant,
    Each,
    EachClause,
    Expression,
    Let,
    Mapping,
    PathTemplate,
    Sequence,
    Tree,
)
from bff.recipe.loader.control import are_clauses, choice_key, condition_key, let_key, loop_key
from bff.recipe.loader.reading import Reading, kind_of
from bff.recipe.source import ListNode, MapNode, Node, ScalarNode, mark_of
from bff.text import nearest

Parsed = TypeVar("Parsed")
_PROSE = re.compile(r"[^\W\d_]+(['’]\w+)?(,? [^\W\d_]+)+[.!?]?")
_COMPREHENSION = re.compile(r"\bfor\s+\w+\s+in\b")
_OTHER_HOLE = re.compile(r"\$\{|(?<=/):[A-Za-z]\w*(?=/|$)")
_LOOPS_OF_A_STEP = "a step has one loop; make the list by a value step: value: {each: […], item: …}"
_KEYWORDS = re.compile(r"\b(and|or|not|if|else|in|is|for)\b")


class TreeReading(Reading):
    """Reads what holds expressions; a part that is wrong becomes null, so that the rest can still be checked."""

    def parsed(self, parser: Callable[..., Parsed], scalar: ScalarNode, **options: bool) -> Parsed | None:
        """What the parser makes of a text; its complaint lands at the place where it was written."""
        try:
            return parser(scalar.text, scalar, **options)
        except ExpressionError as error:
            hint = _yaml_cure(scalar) or _text_cure(scalar) or error.hint
            self.say(scalar.mark(error.offset, error.length), error.message, hint)
            return None

    def expression(self, name: str, node: Node) -> Expression | None:
        """One expression; a plain YAML number or boolean is one too."""
        if isinstance(node, ScalarNode) and node.value is not None:
            return self.parsed(parse, node)
        if isinstance(node, ListNode) and self._is_comprehension(node):
            return None
        self.wrong(name, node, "an expression", _whole_in_quotes(node))
        return None

    def clause(self, name: str, node: Node) -> EachClause | None:
        """`x in list if condition`; for batch without a condition."""
        wanted = "'x in list'" if name == "each" else "'ids in list'"
        if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
            self.wrong(name, node, wanted, _LOOPS_OF_A_STEP if are_clauses(node) else _whole_in_quotes(node))
            return None
        return self.parsed(parse_each, node, allow_condition=name == "each")

    def path(self, name: str, node: Node) -> PathTemplate | None:
        if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
            self.wrong(name, node, "a path such as /todos/{path.id}", _whole_in_quotes(node))
            return None
        if not node.text.startswith("/"):
            hint = "the client's base_url names the host" if "://" in node.text else f"write /{node.text}"
            self.say(node.mark(0, 1), "a path begins with '/'", hint)
            return None
        if other := _OTHER_HOLE.search(node.text):
            self.say(node.mark(other.start(), len(other[0])), "a hole is written {path.id}", "without $ or :")
            return None
        return self.parsed(parse_path, node)

    def tree(self, node: Node) -> Tree:
        if isinstance(node, MapNode):
            return self._mapping(node)
        if isinstance(node, ListNode):
            if self._is_comprehension(node):
                return Constant(None)
            return Sequence(tuple(self.tree(item) for item in node.items))
        if isinstance(node.value, str):
            return self.parsed(parse, node) or Constant(None)
        return Constant(node.value)

    def clauses(self, node: Node) -> tuple[EachClause, ...] | None:
        """The loop of a list, or its loops within each other."""
        if not isinstance(node, ListNode):
            found = self.clause("each", node)
            return None if found is None else (found,)
        if not node.items:
            self.say(mark_of(node), "a list without a loop", "write each: x in list")
            return None
        if len(node.items) > MAX_LOOPS:
            message = f"{len(node.items)} loops are nested"
            self.say(
                mark_of(node.items[MAX_LOOPS]), message, f"at most {MAX_LOOPS}; use index or value steps"
            )
        read = [self.clause("each", item) for item in node.items]
        return tuple(clause for clause in read if clause is not None) if all(read) else None

    def _mapping(self, node: MapNode) -> Tree:
        loop = loop_key(node)
        if loop is not None:
            return self._each(node, loop)
        if choice := choice_key(node):
            key, cure = choice
            self.say(key.whole, f"'{key.text}' chooses nothing here: it is a member of that name", cure)
        if let := let_key(node):
            cure = "let stands beside each and item; a member of that name is written 'let'"
            self.say(let.whole, "'let' names nothing here: it is a member of that name", cure)
        return Mapping(tuple((key.text, self.tree(value)) for key, value in node.items))

    def _each(self, node: MapNode, loop: ScalarNode) -> Tree:
        items = {key.text: value for key, value in node.items if nearest(key.text, ("item",))}
        condition = condition_key(node)
        if loop.text != "each":
            hint = "a list is made by two keys: each: x in list, item: what each x becomes"
            self.say(loop.whole, f"'{loop.text}' makes no list here", hint)
        elif condition is not None:
            hint = "write it into the clause: each: x in list if condition"
            self.say(condition.whole, f"'{condition.text}' beside 'each'", hint)
        elif not items:
            self.say(loop.whole, "this list has no 'item'", "what each x becomes stands under item")
        else:
            self.table(node, "each", "this list", loop.whole)
        clauses = self.clauses(next(value for key, value in node.items if key is loop))
        lets = self._lets(node)
        item = self.tree(items.get("item", next(iter(items.values())))) if items else None
        if clauses is None or item is None or lets is None:
            return Constant(None)
        return Each(clauses, item, lets)

    def _lets(self, node: MapNode) -> tuple[Let, ...] | None:
        """The lets of a list; None where they could not be read, so that their names would be unknown."""
        written = {key.text: value for key, value in node.items if nearest(key.text, ("let",))}
        if not written:
            return ()
        table = written.get("let", next(iter(written.values())))
        if not isinstance(table, MapNode):
            self.wrong(
                "let", table, "a mapping of names to values", "write each on a line of its own: name: value"
            )
            return None
        found = []
        for key, value in table.items:
            if not is_name(key.text):
                hint = "a letter, then letters, digits and _; no word of Python"
                self.say(key.whole, f"'{key.text}' is no name for a let", hint)
                return None
            found.append(Let(key.text, self.tree(value), key))
        return tuple(found)

    def pairs(self, name: str, node: Node) -> Mapping | Expression | None:
        """A mapping of names to values, or one expression that gives a mapping."""
        if isinstance(node, ScalarNode) and isinstance(node.value, str):
            return self.parsed(parse, node)
        if isinstance(node, MapNode):
            return self.trees(name, node, flat=True)
        self.wrong(name, node, "a mapping of names to expressions, or an expression that gives one")
        return None

    def trees(self, name: str, node: Node, flat: bool) -> Mapping | None:
        """A mapping of trees; with `flat` each is one text or a list of them (query, headers, form)."""
        if not isinstance(node, MapNode):
            self.wrong(name, node, "a mapping of names to expressions")
            return None
        items = []
        for key, value in node.items:
            if flat and isinstance(value, MapNode):
                message = f"'{key.text}' is a mapping; here a value is one text or a list of them"
                self.say(mark_of(value), message, _in_braces(value))
            else:
                items.append((key.text, self.tree(value)))
        return Mapping(tuple(items))

    def _is_comprehension(self, node: ListNode) -> bool:
        """Say so when a Python comprehension was read as a YAML list."""
        if not node.flow or len(node.items) == 0:
            return False
        first = node.items[0]
        if (
            not isinstance(first, ScalarNode)
            or first.style is not None
            or not _COMPREHENSION.search(first.text)
        ):
            return False
        written = node.source.text[node.start : node.stop]
        quoted = f'"{written}"' if '"' not in written else "'" + written.replace("'", "''") + "'"
        self.say(node.mark, "YAML reads this as a list of one text", f"put it in quotes: {quoted}")
        return True


def _yaml_cure(scalar: ScalarNode) -> str:
    """Why YAML handed over another text than the author meant; '' if it did not."""
    if scalar.style is not None:
        return ""
    if scalar.in_flow and _COMPREHENSION.search(scalar.text):
        return "YAML reads {…} as a mapping and […] as a list; put the whole expression in quotes"
    if not _is_unfinished(scalar.text):
        return ""
    if scalar.in_flow:
        return "YAML ends a value at , [ ] { } and ?; put it in quotes, or write one line per key"
    place = scalar.source.place(scalar.stop)
    if re.match(r"\s+#", scalar.source.line(place.line)[place.column - 1 :]):
        return "' #' begins a YAML comment; put the whole value in quotes"
    return ""


def _is_unfinished(text: str) -> bool:
    """Whether a text looks as if it were cut off, or begun in the middle: brackets or quotes without a partner."""
    pairs = (("(", ")"), ("[", "]"), ("{", "}"))
    if any(text.count(opening) != text.count(closing) for opening, closing in pairs):
        return True
    if text.count('"') % 2 or text.count("'") % 2:
        return True
    return re.search(r"([-+*/%=<>,.&|]|\b(and|or|not|if|else|in|for))$", text) is not None


def _whole_in_quotes(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return ""
    return f"YAML reads this as {kind_of(node)}; put the whole value in quotes"


def _text_cure(scalar: ScalarNode) -> str:
    """The cure for a text that was written without quotes of its own."""
    if not scalar.text:
        return "an empty text is written \"''\""
    if _PROSE.fullmatch(scalar.text) and not _KEYWORDS.search(scalar.text):
        quote = '"' if "'" in scalar.text else "'"
        inner = f"{quote}{scalar.text}{quote}"
        outer = "'" if quote == '"' else '"'
        return f"a text has quotes of its own: {outer}{inner}{outer}"
    return ""


def _in_braces(node: MapNode) -> str:
    """The cure where braces stand around an expression, which YAML reads as a mapping of it to nothing."""
    if len(node.items) != 1 or not isinstance(node.items[0][1], ScalarNode) or node.items[0][1].text:
        return ""
    return f"an expression has no braces: {node.items[0][0].text}"
