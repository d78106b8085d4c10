def broken(value):
    raise RuntimeError("words that must not show")


def title_of(row):
    return row["title"].upper()
