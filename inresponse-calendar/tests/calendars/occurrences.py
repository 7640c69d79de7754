"""What `recurring-ical-events` says about calendars, as instants.

Called with `--serve`, it reads a JSON object in each line of its input (`ics`, `zone`, `from`, `to`) and prints the
occurrences of each in a line.
"""

import json
import os
import sys
import zoneinfo
from datetime import date, datetime, timedelta, timezone

zoneinfo.reset_tzpath([])  # The machine's zones may be years old: those of PyPI are used.

import icalendar
import recurring_ical_events


def is_shown(local, instant):
    """Whether the clocks show that local time at the instant."""
    return instant.astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None)


def instant(local, fold):
    """The first or last instant of a local time, or the first after it if it is skipped."""
    at = local.replace(fold=fold).astimezone(timezone.utc)
    if is_shown(local, at):
        return at
    # With either fold one of the two lies before the gap and one behind it: between them the clocks change.
    low, high = sorted(local.replace(fold=f).astimezone(timezone.utc) for f in (0, 1))
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low).total_seconds() // 2)
        after = middle.astimezone(local.tzinfo).replace(tzinfo=None) > local.replace(tzinfo=None)
        low, high = (low, middle) if after else (middle, high)
    return high


def utc(value, zone, fold, whole_day=False):
    if not isinstance(value, datetime):
        return instant(datetime(value.year, value.month, value.day, tzinfo=zone), 0)
    if value.tzinfo is None:
        value = value.replace(tzinfo=zone)
    return instant(value, fold)


def occurrences(text, zone, begin, end):
    zone = zoneinfo.ZoneInfo(zone)
    calendar = icalendar.Calendar.from_ical(text)
    elapsed = {}
    for event in calendar.walk("VEVENT"):
        duration = event.get("DURATION")
        if duration is not None and duration.dt % timedelta(days=1):
            elapsed[(str(event.get("UID")), str(event.get("SUMMARY")))] = duration.dt
    found = []
    wide = timedelta(days=2)
    for event in recurring_ical_events.of(calendar).between(begin - wide, end + wide):
        if str(event.get("STATUS")) == "CANCELLED":
            continue
        start, stop = event["DTSTART"].dt, event["DTEND"].dt
        begins = utc(start, zone, 0)
        length = elapsed.get((str(event.get("UID")), str(event.get("SUMMARY"))))
        ends = begins + length if length else utc(stop, zone, 1)
        if begins < end and ends > begin and begins < ends:
            found.append([begins.strftime("%Y-%m-%dT%H:%M:%SZ"), ends.strftime("%Y-%m-%dT%H:%M:%SZ"), str(event.get("SUMMARY", ""))])
    return sorted(found)


def serve():
    for line in sys.stdin:
        asked = json.loads(line)
        begin, end = (datetime.fromisoformat(asked[key].replace("Z", "+00:00")) for key in ("from", "to"))
        print(json.dumps(occurrences(asked["ics"], asked["zone"], begin, end)), flush=True)


if __name__ == "__main__" and "--serve" in sys.argv:
    serve()
