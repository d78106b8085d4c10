"""Reads that are made again: `pages` and `until`."""

from __future__ import annotations

import keyword

from bff.recipe.keys import key_of
from bff.recipe.loader.trees import TreeReading
from bff.recipe.model import Pages, Until
from bff.recipe.source import Node, ScalarNode, mark_of

_CONSTANTS = ("true", "false", "null")


class RepeatReading(TreeReading):
    """Reads how a request is made again; without what it cannot do without there is None."""

    def pages(self, name: str, node: Node) -> Pages | None:
        """How a read goes through all pages of a list."""
        found = self.table(node, name, name)
        if found is None:
            return None
        following = self.expression("next", found["next"][1]) if "next" in found else None
        cursor = self._cursor(found["as"][1]) if "as" in found else None
        first = self.expression("first", found["first"][1]) if "first" in found else None
        most = self.integer(key_of("pages", "most"), found["most"][1]) if "most" in found else None
        then = self.choice(key_of("pages", "then"), found["then"][1]) if "then" in found else None
        within = self.duration("within", found["within"][1]) if "within" in found else None
        if following is None:
            return None
        return Pages(
            following, cursor, first, most or int(key_of("pages", "most").default), then == "stop", within
        )

    def _cursor(self, node: Node) -> str | None:
        text = node.text if isinstance(node, ScalarNode) and isinstance(node.value, str) else ""
        if keyword.iskeyword(text) or text in _CONSTANTS:
            hint = "the word means something in expressions"
            self.say(mark_of(node), f"a cursor cannot be named '{text}'", hint)
        elif not (text.isascii() and text.isidentifier()) or text.startswith("_"):
            safe = text.replace("-", "_").lstrip("_")
            hint = f"write {safe}" if safe.isidentifier() and safe.isascii() else ""
            self.wrong("as", node, "a name: a letter, then letters, digits and _", hint)
        else:
            return text
        return None

    def until(self, name: str, node: Node) -> Until | None:
        """How a read is asked again until it is done."""
        found = self.table(node, name, name)
        if found is None:
            return None
        done = self.expression("done", found["done"][1]) if "done" in found else None
        every = self.duration("every", found["every"][1]) if "every" in found else None
        within = self.duration("within", found["within"][1]) if "within" in found else None
        if done is None or every is None or within is None:
            return None
        return Until(done, every, within)
