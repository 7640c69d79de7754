"""Makes calendars with two libraries, and what is expected of every calendar of this folder."""

import json
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar
import ics

from occurrences import occurrences

HERE = Path(__file__).parent
ATHENS, NEW_YORK = ZoneInfo("Europe/Athens"), ZoneInfo("America/New_York")
STAMP = datetime(2026, 8, 1, tzinfo=timezone.utc)


def by_icalendar():
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//example.org//roster//EN")
    calendar.add("version", "2.0")

    def event(uid, summary, start, **properties):
        made = icalendar.Event()
        made.add("uid", uid + "@example.org")
        made.add("dtstamp", STAMP)
        made.add("summary", summary)
        made.add("dtstart", start)
        for name, value in properties.items():
            for one in value if isinstance(value, list) else [value]:
                made.add(name.replace("_", "-"), one)
        calendar.add_component(made)
        return made

    start = datetime(2026, 9, 7, 9, tzinfo=ATHENS)
    event("weekdays", "Ann", start, dtend=start + timedelta(days=1),
          rrule={"freq": "weekly", "byday": ["MO", "WE", "FR"], "wkst": "SU", "interval": 1},
          exdate=[[datetime(2026, 9, 9, 9, tzinfo=ATHENS), datetime(2026, 12, 25, 9, tzinfo=ATHENS)]])
    event("weekdays", "Ann, by Lee", datetime(2026, 10, 24, 12, tzinfo=ATHENS), sequence=1,
          dtend=datetime(2026, 10, 25, 12, tzinfo=ATHENS), recurrence_id=datetime(2026, 10, 23, 9, tzinfo=ATHENS))
    event("weekdays", "Ann, never", datetime(2026, 11, 2, 9, tzinfo=ATHENS), sequence=1, status="CANCELLED",
          dtend=datetime(2026, 11, 3, 9, tzinfo=ATHENS), recurrence_id=datetime(2026, 11, 2, 9, tzinfo=ATHENS))
    event("ends", "Kim; with a semicolon, a comma, a \\ and a long name that is folded: " + "ξένος " * 20,
          datetime(2026, 9, 1, 22, tzinfo=NEW_YORK), duration=timedelta(hours=8),
          rrule={"freq": "monthly", "byday": ["1TU", "-1SU"], "until": datetime(2027, 3, 1, tzinfo=timezone.utc)})
    event("days", "Lee", date(2026, 9, 30), dtend=date(2026, 10, 2),
          rrule={"freq": "monthly", "bymonthday": [-1], "count": 6})
    event("year", "Jo", date(2024, 12, 24), rrule={"freq": "yearly"}, exdate=[[date(2025, 12, 24)]])
    event("dates", "Pat", datetime(2026, 9, 3, 8, tzinfo=timezone.utc), dtend=datetime(2026, 9, 3, 16, tzinfo=timezone.utc),
          rdate=[[datetime(2026, 9, 5, 8, tzinfo=timezone.utc), datetime(2026, 10, 31, 8, tzinfo=timezone.utc)]])
    event("floating", "Sam", datetime(2026, 10, 25, 2, 30), dtend=datetime(2026, 10, 25, 3, 30))
    event("position", "Max", datetime(2026, 9, 30, 17, tzinfo=ATHENS), dtend=datetime(2026, 10, 1, 9, tzinfo=ATHENS),
          rrule={"freq": "monthly", "byday": ["MO", "TU", "WE", "TH", "FR"], "bysetpos": -1, "count": 5})
    calendar.add_missing_timezones()
    return calendar.to_ical()


def by_ics():
    calendar = ics.Calendar()
    made = [
        ("Ann", datetime(2026, 9, 7, 9, tzinfo=ATHENS), datetime(2026, 9, 14, 9, tzinfo=ATHENS)),
        ("Lee: a, b; c", datetime(2026, 10, 24, 9, tzinfo=ATHENS), datetime(2026, 10, 26, 9, tzinfo=ATHENS)),
        ("Jörg Müller, ein langer Name mit Umlauten: äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü äöü",
         datetime(2026, 11, 1, 1, tzinfo=NEW_YORK), datetime(2026, 11, 1, 9, tzinfo=NEW_YORK)),
    ]
    for number, (name, begin, end) in enumerate(made):
        calendar.events.add(ics.Event(name=name, begin=begin, end=end, uid=f"{number}@example.org", created=STAMP,
                                      description="line one\nline two"))
    days = ics.Event(name="Kim", begin="2026-12-24", uid="days@example.org", created=STAMP)
    days.make_all_day()
    calendar.events.add(days)
    lines = calendar.serialize()
    # The library keeps events in a set, in any order.
    head, *events = lines.split("BEGIN:VEVENT")
    *events, last = events
    last, tail = last.split("END:VCALENDAR")
    return "BEGIN:VEVENT".join([head, *sorted([*events, last])]) + "END:VCALENDAR" + tail


(HERE / "python-icalendar.ics").write_bytes(by_icalendar())
(HERE / "python-ics.ics").write_bytes(by_ics().encode())
for path in sorted(HERE.glob("*.ics")):
    begin, end = (datetime(year, month, 1, tzinfo=timezone.utc) for year, month in ((2026, 9), (2027, 5)))
    # The library unfolds what is decoded already, and would lose a character that is folded.
    unfolded = path.read_bytes().replace(b"\r\n ", b"")
    found = occurrences(unfolded, "Europe/Athens", begin, end)
    lines = ",\n".join("  " + json.dumps(one, ensure_ascii=False) for one in found)
    path.with_suffix(".json").write_text(f"[\n{lines}\n]\n")
