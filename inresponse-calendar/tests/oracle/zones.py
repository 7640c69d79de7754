"""Local times and instants, by the zones of PyPI's tzdata and never by the system's.

An instant is whole seconds since 1970 UTC. Import this module before `icalendar`, which makes zones of its own.
"""

import datetime as dt
import functools
import importlib.resources
import zoneinfo

# An empty search path leaves zoneinfo only the package tzdata.
zoneinfo.reset_tzpath(to=[])
zoneinfo.ZoneInfo.clear_cache()
UTC = dt.timezone.utc


def release():
    """The release of the zone database in use, such as "2026f"."""
    import tzdata

    return tzdata.IANA_VERSION


@functools.cache
def zone(name):
    return zoneinfo.ZoneInfo(name)


def zone_names():
    with importlib.resources.files("tzdata").joinpath("zones").open("r") as lines:
        return sorted(line.strip() for line in lines if line.strip())


def local(instant, tz):
    """The local date and time of an instant, without its zone."""
    return dt.datetime.fromtimestamp(instant, tz).replace(tzinfo=None)


def _both(wall, tz):
    """The two instants that Python offers for a local time. They are equal where the time exists once. They are in order
    where it exists twice, and the wrong way round where the clock skips it."""
    return tuple(int(wall.replace(tzinfo=tz, fold=fold).timestamp()) for fold in (0, 1))


def _after_the_gap(below, above, tz):
    """The first instant of the new offset: the clock changes after `below` and no later than `above`."""
    old = dt.datetime.fromtimestamp(below, tz).utcoffset()
    while above - below > 1:
        middle = (below + above) // 2
        if dt.datetime.fromtimestamp(middle, tz).utcoffset() == old:
            below = middle
        else:
            above = middle
    return above


def first(wall, tz):
    """The first occurrence of a local time; the first instant after it if the clock skips it."""
    earlier, later = _both(wall, tz)
    return _after_the_gap(later, earlier, tz) if later < earlier else earlier


def last(wall, tz):
    """The last occurrence of a local time; the first instant after it if the clock skips it."""
    earlier, later = _both(wall, tz)
    return _after_the_gap(later, earlier, tz) if later < earlier else later


def instant(text):
    """An RFC 3339 instant."""
    when = dt.datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return int(when.timestamp())


def wall(text):
    """A local time without zone, or a date, which is its midnight."""
    when = dt.datetime.fromisoformat(text)
    if when.tzinfo is not None:
        raise ValueError(f"{text} has an offset, but local times have none")
    return when


def text(instant):
    return dt.datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@functools.cache
def transitions(name, first_year, last_year):
    """The instants from first_year to last_year at which the zone's offset changes."""
    tz, found = zone(name), []
    at = int(dt.datetime(first_year, 1, 1, tzinfo=UTC).timestamp())
    end = int(dt.datetime(last_year + 1, 1, 1, tzinfo=UTC).timestamp())
    step = 7 * 86_400
    while at < end:
        if dt.datetime.fromtimestamp(at, tz).utcoffset() != dt.datetime.fromtimestamp(at + step, tz).utcoffset():
            found.append(_after_the_gap(at, at + step, tz))
        at += step
    return found
