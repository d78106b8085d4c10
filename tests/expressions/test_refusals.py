"""Every refusal, with its whole message, place and cure.

`refusals.txt` holds them as people see them: the text, carets, what was found and what to write instead.
"""

from pathlib import Path

import pytest

from bff.expressions.parse import ExpressionError, parse, parse_each, parse_path

READ = {"expression": parse, "clause": parse_each, "path": parse_path}


def seen(read, text):
    with pytest.raises(ExpressionError) as caught:
        read(text)
    error = caught.value
    return f"{text}\n{' ' * error.offset}{'^' * error.length}\n{error.message}: {error.hint}"


def refusals():
    kind = ""
    for part in Path(__file__).with_name("refusals.txt").read_text("utf-8").strip().split("\n\n"):
        if part.startswith("# "):
            kind = part[2:]
        else:
            yield pytest.param(READ[kind], part, id=part.split("\n")[0])


@pytest.mark.parametrize("read, refusal", list(refusals()))
def test_it_is_refused_with_its_place_and_cure(read, refusal):
    assert seen(read, refusal.split("\n")[0]) == refusal


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "the expression is empty: write null for nothing"),
        ("  ", "the expression is empty: write null for nothing"),
        ("a\tb", "a control character (U+0009) stands here: write \\t in a text, a space elsewhere"),
        ("a\x00", "a control character (U+0000) stands here: remove it"),
        ("'\u202e'", "a control character (U+202E) stands here: remove it"),
        ("'\ud800'", "half a character (U+D800) stands here: remove it"),
        ("a\xa0b", "'\\xa0' (no-break space) has no meaning here: write a plain space"),
        ("\u3000a", "'\\u3000' (ideographic space) has no meaning here: write a plain space"),
        ("'a\nb'", "the text has no closing quote: it ends with ' on the same line"),
        ("a\n&& b", "'&&' is not an operator here: write and"),
        (
            "x" * 4_001,
            "the expression is 4,001 characters long: at most 4,000 are allowed; split it into value steps",
        ),
        ("-" * 61 + "1", "the expression nests more than 60 deep: split it into value steps"),
        ("(" * 61, "the expression nests more than 60 deep: split it into value steps"),
        ("a" + ".b" * 60, "the expression nests more than 60 deep: split it into value steps"),
        ("a" + "+ b" * 60, "the expression nests more than 60 deep: split it into value steps"),
    ],
)
def test_what_cannot_be_shown_is_refused_too(text, message):
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert str(caught.value) == message


def test_what_is_just_within_the_limits_is_read():
    parse("'" + "x" * 3_998 + "'")
    parse("-" * 59 + "1")
    parse("(" * 59 + "a" + ")" * 59)
    parse("a" + ".b" * 59)
    parse("[a for a in x for b in x for c in x]")


@pytest.mark.parametrize("text", ["", "todos", "//host/x", "http://x/y"])
def test_a_path_begins_with_one_slash(text):
    with pytest.raises(
        ExpressionError, match="a path begins with one '/': the client's base_url names the host"
    ):
        parse_path(text)


def test_a_batch_takes_no_condition():
    cure = "put it into a generator: ids in (x.id for x in list if x.id)"
    found = seen(lambda text: parse_each(text, allow_condition=False), "ids in a if b")
    assert found == f"ids in a if b\n         ^^\nbatch takes no condition: {cure}"


@pytest.mark.parametrize(
    "before", ["待办 + ", "f'待办{x}' + ", "'😀' + ", 'f\'{f"{x}"}{', "{'待': ", "f'待{x:.2f}{"]
)
def test_offsets_count_characters_wherever_they_stand(before):
    text = before + "a && b"
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert text[caught.value.offset :][: caught.value.length] == "&&"
