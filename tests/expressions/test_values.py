"""Values as text and as plain JSON."""

import pytest

from bff.expressions.values import key_text, plain, to_text

# Values


@pytest.mark.parametrize(
    "given, text",
    [
        ("a", "a"),
        (True, "true"),
        (False, "false"),
        (1, "1"),
        (1.0, "1.0"),
        (None, None),
        ([], None),
        ({}, None),
    ],
)
def test_the_text_of_a_value(given, text):
    assert to_text(given) == text


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("1.0", "1.0"),
        (1, "1"),
        (1.0, "1"),
        (-0.0, "0"),
        (-7.0, "-7"),
        (2.0**53 - 1, "9007199254740991"),
        (2.0**53, "9007199254740992.0"),
        (1e300, "1e+300"),
        (0.5, "0.5"),
        (10**400, "1" + "0" * 400),
        (True, "true"),
        (None, None),
    ],
)
def test_the_key_of_a_value(given, text):
    """A whole float has that of the integer, as far as each is one."""
    assert key_text(given) == text


def test_a_long_text_is_no_key():
    assert key_text("a" * 4_096) is not None
    assert key_text("a" * 4_097) is None


def test_a_value_that_holds_itself_is_not_json():
    value: list = []
    value.append(value)
    with pytest.raises(ValueError, match="nested over 100 deep"):
        plain(value)


def test_what_occurs_twice_is_copied_once():
    inner = (1, 2)
    value = inner
    for _ in range(60):
        value = [value, value]
    made = plain(value)
    assert made[0] is made[1]
