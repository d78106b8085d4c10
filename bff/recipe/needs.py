"""What the replies of a step must have, so that a page is no page of empties.

A page needs what it reads through or goes over: without `found.items` there is no `found.items[0].title`. A step may
say more with `needs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from bff.expressions.paths import Path
from bff.recipe.model import Recipe


class Need(Struct, frozen=True):
    """What must hold at a path below a step's value (after `take`, before `key_by`, of each reply).

    Wherever the value around it is there, the last key of the path is, too; () is the value itself. What is there may
    be null where the need is `nullable`, and is of the `form` where it is not null.
    """

    path: Path
    nullable: bool = True
    form: Literal["any", "list", "object"] = "any"


def needs_of(recipe: Recipe) -> Mapping[str, tuple[Need, ...]]:
    """What each request step of a recipe needs of its replies."""
    return {}
