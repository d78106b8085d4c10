"""Instants: read of what backends send, moved, cut down to a unit, and told by the clock of a zone. A room.

An instant is a text of one form, `2026-11-28T16:35:00.000Z`, so that texts compare as the instants do. Every function
takes what `instant(x)` takes; what is no instant, an unknown zone or unit, and what would be outside of the years 1 to
9999 give null.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import partial
from typing import Any

from bff.expressions.evaluation import Evaluation
from bff.expressions.library import Function, library
from bff.expressions.zones import zone_of

FUNCTIONS: dict[str, Function] = {}
_declare = partial(library, FUNCTIONS)

_OFFSET = r"([Zz]|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9](?::?[0-5][0-9])?)?)?"
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    rf"(?:[Tt ]([0-9]{{2}}):([0-9]{{2}})(?::([0-9]{{2}})(?:[.,]([0-9]+))?)?{_OFFSET})?"
)
_BASIC = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})"
    rf"(?:[Tt]([0-9]{{2}})([0-9]{{2}})(?:([0-9]{{2}})(?:[.,]([0-9]+))?)?{_OFFSET})?"
)
_DAY_ALONE = len("2026-11-28")
"""No text that has a time is so short."""
_LONGEST = 99
"""Characters of a text that may be an instant."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_BELOW = 10**11
"""Numbers from here on are milliseconds: they are in 1973, and as seconds they would be in the year 5138."""
_MOST_SECONDS = 400_000_000_000
"""More than from the year 1 to 9999: nothing is moved so far."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHORT = tuple(name[:3] for name in _WEEKDAYS)

ELAPSED = {"second": 1, "minute": 60, "hour": 3600}
"""The units that last so many seconds, whatever a clock on the wall shows."""
BY_THE_CLOCK = ("day", "week", "month", "year")
"""The units that go by the clock and the calendar of a zone."""
_WORK, _ZONED_WORK, _SIZE = 16, 24, 80


@_declare("instant(x, 'Asia/Shanghai')", 1, 2, "string | null of any, any")
def instant(evaluation: Evaluation, value: Any, *zone: Any) -> str | None:
    """The instant of an ISO or HTTP date (in a zone, UTC if not said), or of seconds or milliseconds since 1970;
    null gives null."""
    moment = _read(evaluation, value, *zone)
    return None if moment is None else _written(moment)


@_declare("epoch(t)", 1, 1, "number | null of any")
def epoch(evaluation: Evaluation, value: Any) -> int | float | None:
    """The seconds from 1970 to an instant, whole or with three digits; null gives null."""
    moment = _read(evaluation, value)
    if moment is None:
        return None
    passed = moment - _EPOCH
    seconds = passed.days * 86_400 + passed.seconds
    milliseconds = passed.microseconds // 1000
    return (seconds * 1000 + milliseconds) / 1000 if milliseconds else seconds


@_declare("shift(t, n, 'day', 'Asia/Shanghai')", 3, 4, "string | null of any, any, any, any")
def shift(evaluation: Evaluation, value: Any, amount: Any, unit: Any, *zone: Any) -> str | None:
    """The instant n units later: seconds, minutes and hours that pass, days to years by the clock of a zone;
    null gives null."""
    moment = _read(evaluation, value)
    evaluation.charge(_ZONED_WORK)
    where = zone_of(zone[0] if zone else "UTC")
    count = _whole(amount)
    if moment is None or where is None or count is None or unit.__class__ is not str:
        return None
    try:
        if unit in ELAPSED:
            return _written(moment + timedelta(seconds=count * ELAPSED[unit]))
        if unit not in BY_THE_CLOCK:
            return None
        if count == 0:  # also in the second of two hours that are the same by the clock
            return _written(moment)
        return _written(_at(_later(moment.astimezone(where).replace(tzinfo=None), count, unit), where))
    except (ValueError, OverflowError):
        return None


@_declare("start_of(t, 'day', 'Asia/Shanghai')", 2, 3, "string | null of any, any, any")
def start_of(evaluation: Evaluation, value: Any, unit: Any, *zone: Any) -> str | None:
    """The instant at which the second, minute, hour, day, week (from Monday), month or year of a zone began;
    null gives null."""
    moment = _read(evaluation, value)
    evaluation.charge(_ZONED_WORK)
    where = zone_of(zone[0] if zone else "UTC")
    if moment is None or where is None or unit.__class__ is not str:
        return None
    try:
        clock = moment.astimezone(where)
        if unit in ELAPSED:
            # Of two hours that are the same by the clock it is the one that the instant is in: `fold` stays.
            minute = 0 if unit == "hour" else clock.minute
            second = clock.second if unit == "second" else 0
            return _written(clock.replace(minute=minute, second=second, microsecond=0).astimezone(UTC))
        begun = _begun(clock.date(), unit)
        return None if begun is None else _written(_at(datetime(begun.year, begun.month, begun.day), where))
    except (ValueError, OverflowError):
        return None


@_declare("local(t, 'Asia/Shanghai')", 1, 2, "the parts of a time")
def local(evaluation: Evaluation, value: Any, *zone: Any) -> dict[str, Any] | None:
    """What calendar and clock of a zone show: {date, time, weekday, year, month, day, hour, minute}, Monday is 1;
    null gives null."""
    moment = _read(evaluation, value)
    evaluation.charge(_ZONED_WORK)
    where = zone_of(zone[0] if zone else "UTC")
    if moment is None or where is None:
        return None
    try:
        clock = moment.astimezone(where)
    except (ValueError, OverflowError):
        return None
    evaluation.take(800)
    return {
        "date": clock.date().isoformat(),
        "time": clock.time().isoformat("seconds"),
        "weekday": clock.isoweekday(),
        "year": clock.year,
        "month": clock.month,
        "day": clock.day,
        "hour": clock.hour,
        "minute": clock.minute,
    }


@_declare("date(t, 'Asia/Shanghai')", 1, 2, "string | null of any, any")
def day(evaluation: Evaluation, value: Any, *zone: Any) -> str | None:
    """The day of an instant in a time zone (UTC if not said), '2026-11-15'; a day alone stays; null gives null."""
    moment = _read(evaluation, value)
    evaluation.charge(_ZONED_WORK)
    where = zone_of(zone[0] if zone else "UTC")
    if moment is None or where is None:
        return None
    if value.__class__ is str and len(value) <= _DAY_ALONE:
        return moment.date().isoformat()
    try:
        return moment.astimezone(where).date().isoformat()
    except (ValueError, OverflowError):
        return None


def _written(moment: datetime) -> str:
    """The one form of instants, of one in UTC."""
    return f"{moment.isoformat(timespec='milliseconds')[:23]}Z"


def _at(clock: datetime, where: tzinfo) -> datetime:
    """The instant at which the clock of a zone shows this: the first of two, and past a gap as far as it is into it."""
    return clock.replace(tzinfo=where, fold=0).astimezone(UTC)


# --- reading -----------------------------------------------------------------------------------------------------


def _read(evaluation: Evaluation, value: Any, *zone: Any) -> datetime | None:
    """The moment that a value stands for, in UTC; what is made of it is paid for here, too."""
    evaluation.charge(_WORK)
    evaluation.take(_SIZE)
    where = zone_of(zone[0] if zone else "UTC")
    if where is None:
        return None
    kind = value.__class__
    try:
        if kind is str:
            return _of_text(evaluation, value, where) if len(value) <= _LONGEST else None
        return _of_number(value) if kind is int or kind is float else None
    except (ValueError, OverflowError):
        return None


def _of_number(value: float) -> datetime | None:
    if not -_MOST_SECONDS * 1000 <= value <= _MOST_SECONDS * 1000:
        return None
    if not -_SECONDS_BELOW < value < _SECONDS_BELOW:
        return _EPOCH + timedelta(milliseconds=math.floor(value))
    if value.__class__ is int:
        return _EPOCH + timedelta(seconds=value)
    # A float stands for the number that it is written as: 0.001 of it is a millisecond, though it is a little less.
    written = repr(abs(value))
    whole, _, fraction = ("0", "", "0001") if "e" in written else written.partition(".")
    thousandths = int(whole) * 1000 + int(fraction[:3].ljust(3, "0"))
    more = any(digit != "0" for digit in fraction[3:])
    return _EPOCH + timedelta(milliseconds=-thousandths - more if value < 0 else thousandths)


def _of_text(evaluation: Evaluation, text: str, where: tzinfo) -> datetime | None:
    found = _ISO.fullmatch(text) or _BASIC.fullmatch(text)
    if found is None:
        again = _as_iso(text, evaluation.now)
        return None if again is None else _of_text(evaluation, again, where)
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    if hour is None:
        return _moment(datetime(int(year), int(month), int(day)), None, where)
    thousandths = (fraction or "")[:3].ljust(3, "0")
    days = seconds = 0
    if second == "60":  # a leap second counts as the one after it, as clocks of computers have it
        second, seconds = "59", 1
    if hour == "24":  # the end of a day
        if f"{minute}{second or ''}{fraction or ''}".strip("0"):
            return None
        hour, days = "00", 1
    clock = datetime.fromisoformat(f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}.{thousandths}")
    if days or seconds:
        return _moment(clock + timedelta(days), offset, where) + timedelta(seconds=seconds)
    return _moment(clock, offset, where)


def _moment(clock: datetime, offset: str | None, where: tzinfo) -> datetime:
    """When a clock shows this that is so far ahead of UTC, or that of a zone."""
    if offset is None:
        return _at(clock, where)
    if len(offset) > 1:
        digits = offset[1:].replace(":", "").ljust(6, "0")
        ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:]))
        clock = clock + ahead if offset[0] == "-" else clock - ahead
    return clock.replace(tzinfo=UTC)


def _as_iso(text: str, now: datetime) -> str | None:
    """The three forms of RFC 9110 as the one of ISO, which says whether the digits are right."""
    if text[-4:] == " GMT":
        weekday, _, rest = text[:-4].partition(", ")
        if len(rest) == 20 and weekday in _SHORT and rest[2] == rest[6] == rest[11] == " ":
            return _iso(rest[7:11], rest[3:6], rest[:2], rest[12:])
        if len(rest) == 18 and weekday in _WEEKDAYS and rest[2] == rest[6] == "-" and rest[9] == " ":
            year = _year_of(rest[7:9], rest[3:6], rest[:2], rest[10:], now)
            return None if year is None else _iso(year, rest[3:6], rest[:2], rest[10:])
    elif len(text) == 24 and text[:3] in _SHORT and text[3] == text[7] == text[10] == text[19] == " ":
        day = f"0{text[9]}" if text[8] == " " else text[8:10]
        return _iso(text[20:], text[4:7], day, text[11:19])
    return None


def _iso(year: str, month: str, day: str, time: str) -> str | None:
    return f"{year}-{_MONTHS.index(month) + 1:02}-{day}T{time}Z" if month in _MONTHS else None


def _year_of(digits: str, month: str, day: str, time: str, now: datetime) -> str | None:
    """The year of two digits: the last that is not over fifty years to come."""
    if month not in _MONTHS or not (digits.isascii() and digits.isdigit()):
        return None
    latest = now.year + 50
    year = latest - (latest - int(digits)) % 100
    if year == latest and f"{_MONTHS.index(month) + 1:02}-{day} {time}" > f"{now:%m-%d %H:%M:%S}":
        year -= 100
    return f"{year:04}"


# --- counting ----------------------------------------------------------------------------------------------------


def _whole(amount: Any) -> int | None:
    """How many units; a part of one is none."""
    if amount.__class__ is float and amount.is_integer():
        amount = int(amount)
    return amount if amount.__class__ is int and -_MOST_SECONDS <= amount <= _MOST_SECONDS else None


def _later(clock: datetime, count: int, unit: str) -> datetime:
    """What a clock and a calendar show so many units later; a day that a month has not is its last."""
    if unit in ("day", "week"):
        return clock + timedelta(days=count if unit == "day" else 7 * count)
    months = clock.year * 12 + clock.month - 1 + count * (1 if unit == "month" else 12)
    year, month = months // 12, months % 12
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    last = 29 if month == 1 and is_leap else _LENGTHS[month]
    return clock.replace(year=year, month=month + 1, day=min(clock.day, last))


def _begun(day: date, unit: str) -> date | None:
    """The first day of the day, week, month or year that a day is in."""
    if unit == "week":
        return day - timedelta(day.weekday())
    if unit == "month":
        return day.replace(day=1)
    if unit == "year":
        return day.replace(month=1, day=1)
    return day if unit == "day" else None
