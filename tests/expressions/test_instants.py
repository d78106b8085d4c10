"""Instants: what the plain reference says of all that hypothesis thinks of, at the edges of calendars and clocks."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from bff.expressions import Evaluation
from bff.expressions.functions import FUNCTIONS
from tests.expressions import times
from tests.properties import given, settings, st

NOW = datetime(2026, 11, 15, 20, 30, 1, 234567, tzinfo=UTC)
FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
UNITS = ("second", "minute", "hour", "day", "week", "month", "year")
ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Africa/Monrovia", "America/Havana"),
    # Half an hour, a minute past midnight, a day that was not
    *("Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia"),
)
# Around what clocks skip and show twice, and at the ends of what there is.
EDGES = (
    *("2026-03-29T01:00:00", "2026-10-25T00:30:00", "2026-11-01T05:30:00", "2026-03-08T07:00:00"),
    *("2026-04-04T15:00:00", "2026-10-03T15:30:00", "2011-12-30T10:00:00", "2006-10-29T02:31:00"),
    *("2024-02-29T12:00:00", "2026-12-31T23:59:59", "1883-11-18T17:00:00", "1972-01-07T00:44:30"),
    *("0001-01-01T00:00:00", "9999-12-31T23:59:59", "1970-01-01T00:00:00", "0001-01-02T03:04:05"),
)

moments = st.datetimes() | st.builds(
    lambda edge, seconds: _moved(datetime.fromisoformat(edge), seconds),
    st.sampled_from(EDGES),
    st.floats(-90_000, 90_000) | st.sampled_from([0, -1, 1, -0.001, 0.001, 1800, 3600]),
)
zones = st.sampled_from(ZONES)


def _moved(moment: datetime, seconds: float) -> datetime:
    try:
        return moment + timedelta(seconds=seconds)
    except OverflowError:
        return moment


@st.composite
def dates(draw):  # type: ignore[no-untyped-def]
    """A text that a backend could send, or nearly."""
    moment = draw(moments)
    day = f"{moment.year:04}-{moment.month:02}-{moment.day:02}"
    clock = draw(st.sampled_from(["%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%H:%M:%S,%f"]))
    fraction = draw(st.sampled_from(["", "9", "99", "000000000"]))
    offset = draw(
        st.sampled_from(
            ["", "", "Z", "z", "+00:00", "-00:00", "+05:45", "-0330", "+14", "-23:59", "+01:02:03"]
        )
        | st.from_regex(r"[+-][0-9]{2}(:?[0-9]{2})?", fullmatch=True)
    )
    form = draw(st.integers(0, 7))
    if form == 0:
        return day
    if form == 1:
        return draw(st.sampled_from([moment.strftime(one) for one in times.HTTP]))
    if form == 2:
        return (day + moment.strftime("T%H%M%S")).replace("-", "") + offset
    if form == 3:
        return f"{day}T{draw(st.sampled_from(['24:00', '24:00:00.000', '23:59:60', '12:30:60.5', '24:01']))}{offset}"
    text = day + draw(st.sampled_from("Tt ")) + moment.strftime(clock)
    return text + (fraction if text[-1] != ":" and "%f" in clock else "") + offset


values = (
    dates()
    | st.integers(-(10**13), 10**15)
    | st.floats(-1e12, 1e15)
    | st.sampled_from([0, -1, 10**11, 10**11 - 1, -(10**11), 0.1, -0.1, 1e-9, -1e-9, 1795883700.123, 10**300])
)


def call(name, *arguments):
    return FUNCTIONS[name].call(Evaluation(now=NOW), *arguments)


def agreed(name, *arguments):
    """What both say of a call."""
    made = call(name, *arguments)
    reference = getattr(times, name)
    more = {"instant": 2, "epoch": 1, "shift": 4, "start_of": 3, "local": 2}[name] - len(arguments)
    expected = reference(*arguments, *["UTC"] * more, NOW)
    assert made == expected and type(made) is type(expected), (arguments, made, expected)
    return made


@settings(max_examples=400)
@given(value=values, zone=zones)
def test_what_is_sent_is_read_as_the_rules_say(value, zone):
    made = agreed("instant", value, zone)
    assert made is None or (FORM.fullmatch(made) and call("instant", made) == made)


@given(value=values)
def test_seconds_are_those_that_passed_and_give_the_instant_again(value):
    seconds = agreed("epoch", value)
    if seconds is not None and abs(seconds) < 10**11:
        assert call("instant", seconds) == call("instant", value)


@settings(max_examples=400)
@given(
    value=values,
    amount=st.integers(-40, 40) | st.sampled_from([400 * 366, -(10**9), 2.0, 0, 10**30, 1e30]),
    unit=st.sampled_from(UNITS),
    zone=zones,
)
def test_an_instant_moves_as_the_rules_say(value, amount, unit, zone):
    agreed("shift", value, amount, unit, zone)


@settings(max_examples=400)
@given(value=values, unit=st.sampled_from(UNITS), zone=zones)
def test_a_unit_began_when_the_rules_say_and_not_later(value, unit, zone):
    begun = agreed("start_of", value, unit, zone)
    if begun is not None:
        assert begun <= call("instant", value)
        assert call("start_of", begun, unit, zone) == begun


@given(value=values, zone=zones)
def test_a_clock_shows_what_the_rules_say(value, zone):
    agreed("local", value, zone)


@given(one=values, other=values)
def test_texts_compare_as_the_instants_do(one, other):
    texts, seconds = (
        [call("instant", part) for part in (one, other)],
        [call("epoch", part) for part in (one, other)],
    )
    if None not in texts:
        assert (texts[0] < texts[1]) is (seconds[0] < seconds[1])


_tags = st.sampled_from(
    ["de", "DE", "de-AT", "en", "en-GB", "en-x-y", "zh-Hans-CN", "zh", "*", "a-b-c", "-", "é", 5]
)
_weights = st.sampled_from(
    ["", ";q=0", ";q=0.5", "; q=0.500", " ;Q=1.0", ";q=1", ";q=0.001", ";q=2", ";x", ";q="]
)


@settings(max_examples=400)
@given(
    header=st.lists(st.tuples(_tags, _weights), max_size=5).map(
        lambda parts: ", ".join(f"{tag}{weight}" for tag, weight in parts)
    ),
    languages=st.lists(_tags | st.none(), max_size=4),
)
def test_a_language_is_chosen_as_the_rules_say(header, languages):
    assert call("language", header, languages) == times.language(header, languages)


@pytest.mark.parametrize("name", ["instant", "epoch", "shift", "start_of", "local"])
def test_each_is_paid_for(name: str) -> None:
    arguments = {
        "shift": (1, "month", "Europe/Berlin"),
        "start_of": ("week", "Europe/Berlin"),
        "local": ("UTC",),
    }
    evaluation = Evaluation(work=1_000, memory=1_000, now=NOW)
    FUNCTIONS[name].call(evaluation, "2026-11-28 16:35:00Z", *arguments.get(name, ()))
    assert evaluation.work <= 984 and evaluation.memory <= 920


def test_a_long_header_is_not_read() -> None:
    evaluation = Evaluation(work=100, memory=100, now=NOW)
    assert FUNCTIONS["language"].call(evaluation, "de," * 2_000, ["de"]) is None
    assert FUNCTIONS["instant"].call(evaluation, "2026-11-28" * 100_000) is None
