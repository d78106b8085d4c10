"""Functions that the recipes of the tests may call."""


def initials(name: str, most: int = 2) -> str:
    return "".join(part[0] for part in name.split())[:most]


def _not_public() -> None: ...
