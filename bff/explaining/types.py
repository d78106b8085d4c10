"""The types of pages as texts, and how much of them is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from bff.errors import AuthorError, OperatorError
from bff.recipe.check import check_folder
from bff.recipe.model import Recipe
from bff.recipe.types.page import PageTypes
from bff.recipe.types.project import type_of_visitors, types_of_page
from bff.text import counted, meant
from bff.types.leaves import Leaf, leaves_of
from bff.types.text import definitions_of, text_of


class PageText(Struct, frozen=True):
    """One page with its types."""

    recipe: Recipe
    types: PageTypes

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """The fields of what the page answers; none where it answers nothing, or a body that nobody reads."""
        return () if self.recipe.shape is None else leaves_of(self.types.shape)


def pages_of(root: Path, names: Sequence[str]) -> list[PageText]:
    """Pages of a project, all where none is named; raises AuthorError for mistakes, OperatorError for a wrong name."""
    project, findings = check_folder(root)
    if findings:
        raise AuthorError(findings)
    for name in names:
        if name not in project.pages:
            cure = meant(name, project.pages)
            raise OperatorError(f"no page '{name}'; {cure}there are: {', '.join(project.pages)}")
    signed_in = type_of_visitors(project)
    return [
        PageText(project.recipes[name], types_of_page(project, name, signed_in))
        for name in project.pages
        if not names or name in names
    ]


def types_text(pages: Sequence[PageText]) -> str:
    """The type of what each page answers, and of the names in it."""
    return "\n\n".join("\n".join(_lines(page)) for page in pages) + "\n"


def _lines(page: PageText) -> Iterator[str]:
    recipe = page.recipe
    yield f"{recipe.name}  {recipe.method} {recipe.path}"
    if recipe.passes:
        yield "a body that goes through as it is"
        return
    if recipe.shape is None:
        yield "no body"
        return
    if recipe.format is not None:
        yield f"CSV with the columns {', '.join(title for title, _ in recipe.format.columns)}; its rows:"
    yield text_of(page.types.shape)
    if page.types.deferred:
        yield f"comes later where lines are asked for: {', '.join(sorted(page.types.deferred))}"
    for name, one in definitions_of(page.types.shape).items():
        yield f"{name}: {text_of(one)}"


def stats_text(pages: Sequence[PageText]) -> str:
    """How many fields of each page are typed, and of each other why it is not."""
    lines: list[str] = []
    for page in pages:
        lines.append(f"{page.recipe.name}: {_typed(page.leaves)}")
        lines += _whys(page.leaves)
    if len(pages) != 1:
        lines.append(
            f"all {counted(len(pages), 'page')}: {_typed([leaf for page in pages for leaf in page.leaves])}"
        )
    return "\n".join(lines) + "\n"


def _typed(leaves: Sequence[Leaf]) -> str:
    typed = sum(leaf.typed for leaf in leaves)
    loose = sum(leaf.typed and leaf.unverified for leaf in leaves)
    found = f"{typed} of {counted(len(leaves), 'field')} typed"
    return f"{found}, {loose} of them unverified" if loose else found


def _whys(leaves: Sequence[Leaf]) -> Iterator[str]:
    """Why fields are unknown, those of one cause together."""
    found: dict[tuple[str, str], list[str]] = {}
    for leaf in leaves:
        if leaf.unknown is not None:
            why = (leaf.unknown.cause or "nobody says what it is", leaf.unknown.cure)
            found.setdefault(why, []).append(leaf.path or "all of it")
    for (cause, cure), paths in found.items():
        yield f"  {', '.join(paths)}"
        yield f"    {cause}"
        if cure:
            yield f"    cure: {cure}"


def unknown_in(pages: Sequence[PageText]) -> int:
    """How many fields of pages are unknown."""
    return sum(not leaf.typed for page in pages for leaf in page.leaves)
