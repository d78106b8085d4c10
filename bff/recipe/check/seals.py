"""What a page seals: as far as it is written out, whether it fits."""

from __future__ import annotations

import ast

from bff.recipe.check.page import Page


def check_seals(page: Page) -> None:
    """Say a constant that is longer than what is sealed may be."""
    for spot in page.spots:
        for node in spot.nodes:
            match node:
                case ast.Call(func=ast.Name(id="seal"), args=[ast.Constant(value=str(text)) as given]):
                    from bff.identity.seals import MAX_PLAIN  # few pages seal

                    if len(text.encode()) > MAX_PLAIN - 2:
                        mark = spot.mark_of(given)
                        page.say(
                            mark, "what is sealed is longer than 2 kB", "seal what names it, such as an id"
                        )
