"""PocketBase's filter language: how a text is written in it so that it stands for itself.

A filter such as `title ~ '50%'` is read twice: the filter's own quotes and backslashes first, then, behind
`~` and `!~`, the wildcards of SQL's LIKE. Each of the two functions here covers all that its operators need.
"""

from __future__ import annotations

import re

_ESCAPES = str.maketrans(
    {
        "\\": "\\\\",
        "'": "\\'",
        # The filter's reader takes NUL for the end of the filter; a text with one finds nothing instead.
        "\0": "\N{REPLACEMENT CHARACTER}",
    }
)
# To visitors PocketBase refuses a whole filter with these words in it, also inside a text. Behind an escape LIKE
# takes any character for itself, so one in their middle changes nothing but that.
_REFUSED_WORDS = re.compile(r"@(?=(?:request|collection)\.)", re.IGNORECASE)
_WILDCARDS = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def pocketbase_text(text: str) -> str:
    """The text as a quoted operand of `=`, `!=`, `<` and the like."""
    return f"'{text.translate(_ESCAPES)}'"


def pocketbase_like(text: str) -> str:
    """The text as a quoted operand of `~` and `!~`: found anywhere in a field, `%` and `_` as they are.

    The surrounding `%` are written here: left to itself PocketBase adds them only to operands without a `%`.
    """
    pattern = _REFUSED_WORDS.sub(r"@\\", text.translate(_WILDCARDS))
    return pocketbase_text(f"%{pattern}%")
