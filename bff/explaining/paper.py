"""Where the characters of a text stand that is in no file."""

from __future__ import annotations

from msgspec import Struct

from bff.errors import Place
from bff.recipe.model import Mark


class Paper(Struct, frozen=True):
    """A text under a name that stands for a file; the `origin` of what is parsed from it."""

    name: str
    text: str

    def mark(self, offset: int, length: int) -> Mark:
        """The mark of so many characters, cut at the end of their line."""
        begin = self.text.rfind("\n", 0, offset) + 1
        line = self.text[begin:].partition("\n")[0]
        place = Place(self.name, self.text.count("\n", 0, offset) + 1, offset - begin + 1)
        return Mark(place, line, max(1, min(length, len(line) - (offset - begin))))
