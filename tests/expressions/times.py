"""Instants and languages once more, plain and slow, for the reference evaluator.

Times of a zone are found by asking what the clock shows at every moment that could be meant.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from zoneinfo import ZoneInfo, available_timezones

NAMES = available_timezones()
EPOCH = datetime(1970, 1, 1)
"""Moments are in UTC, and say nothing of it: there is no other kind here."""
OFFSET = r"(?P<offset>[zZ]|(?P<sign>[+-])(?P<oh>\d\d)(?::?(?P<om>\d\d)(?::?(?P<os>\d\d))?)?)?"
TIME = r"(?P<H>\d\d){0}(?P<M>\d\d)(?:{0}(?P<S>\d\d)(?:[.,](?P<f>\d+))?)?"
ISO = [
    re.compile(
        rf"(?P<Y>\d{{4}}){dash}(?P<m>\d\d){dash}(?P<d>\d\d)(?:{between}{TIME.format(colon)}{OFFSET})?",
        re.ASCII,
    )
    for dash, between, colon in (("-", "[Tt ]", ":"), ("", "[Tt]", ""))
]
HTTP = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")
DAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
LONG_DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
HTTP_FORMS = [
    re.compile(text, re.ASCII)
    for text in (
        rf"(?:{DAYS}), (?P<d>\d\d) (?P<b>{MONTHS}) (?P<Y>\d{{4}}) (?P<T>\d\d:\d\d:\d\d) GMT",
        rf"(?:{LONG_DAYS}), (?P<d>\d\d)-(?P<b>{MONTHS})-(?P<y>\d\d) (?P<T>\d\d:\d\d:\d\d) GMT",
        rf"(?:{DAYS}) (?P<b>{MONTHS}) (?P<d>[ \d]\d) (?P<T>\d\d:\d\d:\d\d) (?P<Y>\d{{4}})",
    )
]


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def zone_named(name):
    if not isinstance(name, str) or not (name == "UTC" or name in NAMES):
        return None
    return ZoneInfo(name)


def written(moment):
    cut = moment.microsecond // 1000
    return f"{moment.year:04}-{moment.month:02}-{moment.day:02}T{moment:%H:%M:%S}.{cut:03}Z"


def clock_at(moment, zone):
    """What the clock of a zone shows at a moment."""
    return moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None, fold=0)


def ahead_around(clock, zone):
    """How far a zone is ahead of UTC, hour by hour around a time, the earliest first."""
    found = []
    for hours in range(-50, 51):
        try:
            asked = clock + timedelta(hours=hours)
            found.append(clock_at(asked, zone) - asked)
        except OverflowError:
            continue
    return found


def moments_showing(clock, zone):
    """Every moment at which the clock of a zone shows this."""
    found = []
    for ahead in set(ahead_around(clock, zone)):
        try:
            if clock_at(clock - ahead, zone) == clock:
                found.append(clock - ahead)
        except OverflowError:
            continue
    return found


def moment_at(clock, zone):
    """The first moment at which the clock shows this; in a gap that which it would be without one."""
    if zone.key == "UTC":
        return clock
    found = moments_showing(clock, zone)
    return min(found) if found else clock - ahead_around(clock, zone)[0]


def read(value, zone, now):
    """The moment of a value, or None."""
    where = zone_named(zone)
    if where is None:
        return None
    try:
        if is_number(value):
            return number(value)
        return text(value, where, now) if isinstance(value, str) and len(value) < 100 else None
    except (ValueError, OverflowError):
        return None


def number(value):
    exact = Decimal(repr(value))
    milliseconds = exact * 1000 if abs(exact) < 10**11 else exact
    if abs(milliseconds) > 10**15:
        return None
    return EPOCH + timedelta(milliseconds=int(milliseconds.to_integral_value(ROUND_FLOOR)))


def text(value, where, now):
    for form in ISO:
        found = form.fullmatch(value)
        if found is not None:
            return iso(found, where)
    for form in HTTP_FORMS:
        found = form.fullmatch(value)
        if found is not None:
            return http(found.groupdict(), now)
    return None


def iso(found, where):
    day = datetime(int(found["Y"]), int(found["m"]), int(found["d"]))
    if found["H"] is None:
        return moment_at(day, where)
    hour, minute, second = int(found["H"]), int(found["M"]), int(found["S"] or 0)
    fraction = int((found["f"] or "").ljust(3, "0")[:3])
    ends_day = hour == 24
    if hour > 24 or minute > 59 or second > 60 or (ends_day and (minute or second or int(found["f"] or 0))):
        return None
    clock = day + timedelta(hours=hour, minutes=minute, seconds=min(second, 59), milliseconds=fraction)
    leap = timedelta(seconds=second == 60)
    if found["offset"] is None:
        return moment_at(clock, where) + leap
    if found["sign"] is None:
        return clock + leap
    parts = [int(found[name] or 0) for name in ("oh", "om", "os")]
    if parts[0] > 23 or parts[1] > 59 or parts[2] > 59:
        return None
    ahead = timedelta(hours=parts[0], minutes=parts[1], seconds=parts[2])
    return (clock + ahead if found["sign"] == "-" else clock - ahead) + leap


def http(found, now):
    month = MONTHS.split("|").index(found["b"]) + 1
    hour, minute, second = map(int, found["T"].split(":"))
    parts = (month, int(found["d"]), hour, minute, second)
    if found.get("y") is not None:
        today = now.astimezone(UTC)
        limit = (today.year + 50, today.month, today.day, today.hour, today.minute, today.second)
        year = max(
            year for year in range(1, 10_000) if year % 100 == int(found["y"]) and (year, *parts) <= limit
        )
    else:
        year = int(found["Y"])
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second)):
        return None
    day = datetime(year, month, int(found["d"]))
    return day + timedelta(hours=hour, minutes=minute, seconds=second)


def instant(value, zone, now):
    moment = read(value, zone, now)
    return None if moment is None else written(moment)


def epoch(value, now):
    moment = read(value, "UTC", now)
    if moment is None:
        return None
    milliseconds = (moment - EPOCH) // timedelta(milliseconds=1)
    return milliseconds // 1000 if milliseconds % 1000 == 0 else float(Decimal(milliseconds) / 1000)


def shift(value, amount, unit, zone, now):
    moment, where = read(value, "UTC", now), zone_named(zone)
    if moment is None or where is None or not is_number(amount) or amount != int(amount):
        return None
    try:
        if isinstance(unit, str) and unit in ("second", "minute", "hour"):
            return written(moment + int(amount) * timedelta(**{f"{unit}s": 1}))
        if not isinstance(unit, str) or unit not in ("day", "week", "month", "year"):
            return None
        clock = clock_at(moment, where)
        if amount == 0:
            return written(moment)
        if unit in ("day", "week"):
            return written(moment_at(clock + int(amount) * timedelta(**{f"{unit}s": 1}), where))
        count = (clock.year * 12 + clock.month - 1) + int(amount) * (12 if unit == "year" else 1)
        year, month = count // 12, count % 12 + 1
        last = calendar.monthrange(year, month)[1]
        return written(moment_at(clock.replace(year=year, month=month, day=min(clock.day, last)), where))
    except (ValueError, OverflowError):
        return None


def start_of(value, unit, zone, now):
    """The last moment, at or before one, at which the unit that the clock shows began."""
    moment, where = read(value, "UTC", now), zone_named(zone)
    if moment is None or where is None:
        return None
    try:
        clock = clock_at(moment, where)
        midnight = datetime(clock.year, clock.month, clock.day)
        begun = {
            "day": midnight,
            "week": midnight - timedelta(days=calendar.weekday(clock.year, clock.month, clock.day)),
            "month": midnight.replace(day=1),
            "year": midnight.replace(month=1, day=1),
        }
        if isinstance(unit, str) and unit in begun:
            return written(moment_at(begun[unit], where))
        if unit not in ("second", "minute", "hour"):
            return None
        cut = {
            "second": clock.replace(microsecond=0),
            "minute": clock.replace(second=0, microsecond=0),
            "hour": clock.replace(minute=0, second=0, microsecond=0),
        }[unit]
        # The last moment at which the clock showed that; where none did, the unit began with a gap.
        shown = [one for one in moments_showing(cut, where) if one <= moment]
        return written(max(shown) if shown else moment_at(cut, where))
    except (ValueError, OverflowError):
        return None


def local(value, zone, now):
    moment, where = read(value, "UTC", now), zone_named(zone)
    if moment is None or where is None:
        return None
    try:
        clock = clock_at(moment, where)
    except OverflowError:
        return None
    return {
        "date": written(clock)[:10],
        "time": f"{clock:%H:%M:%S}",
        "weekday": calendar.weekday(clock.year, clock.month, clock.day) + 1,
        "year": clock.year,
        "month": clock.month,
        "day": clock.day,
        "hour": clock.hour,
        "minute": clock.minute,
    }


def language(header, languages):
    if not isinstance(header, str) or not isinstance(languages, list) or len(header) > 4096:
        return None
    ranges = []
    for part in header.split(","):
        found = re.fullmatch(
            r"([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)(?:\s*;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?",
            part.strip(" \t"),
            re.IGNORECASE | re.ASCII,
        )
        if found:
            ranges.append((found[1].lower(), Decimal(found[2] or "1")))
    tags = [tag for tag in languages if isinstance(tag, str) and len(tag) < 100]

    def weight(tag):
        """What the narrowest range that a tag begins with says of it; None where none does."""
        named = [one for one, _ in ranges if one in ways(tag)]
        if not named:
            return None
        narrowest = max(named, key=len)
        return next(q for one, q in ranges if one == narrowest)

    open_to = [tag for tag in tags if weight(tag) != 0]
    for asked, q in sorted(ranges, key=lambda one: one[1], reverse=True):
        if q == 0:
            continue
        if asked == "*":
            fitting = [tag for tag in open_to if weight(tag) is None]
        else:
            fitting = [tag for way in ways(asked) for tag in open_to if tag.lower() == way]
            fitting += [tag for tag in open_to if asked in ways(tag)]
        if fitting:
            return fitting[0]
    return None


def ways(tag):
    """A tag and what it begins with, the narrowest first; what would end in a single letter is none."""
    parts = tag.lower().split("-")
    found = ["-".join(parts[:end]) for end in range(len(parts), 0, -1)]
    return [way for at, way in enumerate(found) if at == 0 or not re.search(r"(^|-)[^-]$", way)]
