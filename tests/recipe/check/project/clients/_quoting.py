def text(value: str) -> str:
    return f"'{value}'"
