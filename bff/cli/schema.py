"""`schema`: the JSON Schema of recipe files, for editors."""

from __future__ import annotations

import json

from bff.recipe.schema import recipe_schema


def schema() -> int:
    """Print the JSON Schema."""
    print(json.dumps(recipe_schema(), indent=2, ensure_ascii=False))
    return 0
