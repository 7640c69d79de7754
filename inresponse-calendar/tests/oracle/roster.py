#!/usr/bin/env python3
"""Writes a realistic roster: roster.json and its calendar files, into a folder.

Three teams follow the sun across New York, Athens and Kolkata. By default it covers the year 2027; `--from` and `--to`
choose another span, such as a month of it.
"""

import argparse
import datetime as dt
import json
import pathlib

NEW_YORK, ATHENS, KOLKATA = "America/New_York", "Europe/Athens", "Asia/Kolkata"
WEEKDAYS, WEEKEND = ["Mon", "Tue", "Wed", "Thu", "Fri"], ["Sat", "Sun"]
PEOPLE = {
    "ann": ("Ann Archer", NEW_YORK),
    "bob": ("Bob Baker", NEW_YORK),
    "cat": ("Cat Carter", NEW_YORK),
    "dan": ("Dan Dyer", NEW_YORK),
    "eleni": ("Eleni Economou", ATHENS),
    "fanis": ("Fanis Floros", ATHENS),
    "giota": ("Giota Galani", ATHENS),
    "haris": ("Haris Hatzis", ATHENS),
    "indu": ("Indu Iyer", KOLKATA),
    "jai": ("Jai Joshi", KOLKATA),
    "kavya": ("Kavya Kumar", KOLKATA),
    "lata": ("Lata Lal", KOLKATA),
}
FEED = "https://calendar.example.org/athens/holidays.ics?token=c0ffee"


def people():
    made = {}
    for person, (name, zone) in PEOPLE.items():
        made[person] = {
            "name": name,
            "timezone": zone,
            "methods": {"mail": f"{person}@example.org"},
            "rules": {"default": [{"afterSeconds": 0, "methods": ["mail"]}]},
        }
    # Over a hand-over, a change of clocks in New York, and a weekend.
    made["bob"]["absences"] = [{"from": "2027-03-12T22:00:00Z", "to": "2027-03-24T11:30:00Z"}]
    made["kavya"]["absences"] = [{"from": "2027-10-28T00:00:00Z", "to": "2027-11-09T18:30:00Z"}]
    return made


def persons(names):
    return [f"person:{name}" for name in names.split()]


def hours(days, start, end):
    return {"days": days, "from": start, "to": end}


def new_york():
    primary = {
        "timezone": NEW_YORK,
        "layers": [
            {
                "name": "weekdays",
                "members": persons("ann bob cat dan"),
                "from": "2024-01-01T09:00",
                "turn": {"every": 1, "unit": "week", "count": "elapsed"},
                "hours": [hours(WEEKDAYS, "09:00", "17:00")],
            },
            {
                # Over midnight, and over the hour that is skipped or repeated.
                "name": "nights",
                "members": [["person:ann", "person:cat"], "person:bob", [], "person:dan"],
                "from": "2025-11-02T01:30",
                "turn": {"every": 3, "unit": "day", "count": "elapsed"},
                "hours": [hours(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], "21:00", "02:30")],
            },
            {
                # Turns are days, and only those with hours count: each gets a weekend day in turn.
                "name": "weekend",
                "members": persons("dan cat bob ann"),
                "from": "2026-06-06T08:00",
                "begins": "2027-01-02T08:00",
                "turn": {"every": 1, "unit": "day", "count": "worked"},
                "hours": [hours(WEEKEND, "08:00", "08:00")],
            },
        ],
        "overrides": {
            # Everybody, over the night on which the clock skips an hour.
            "spring": {"from": "2027-03-14T05:00:00Z", "to": "2027-03-14T15:00:00Z", "oncall": persons("cat")},
            # Instead of one who is there, and of one who is not.
            "swap": {
                "from": "2027-05-03T13:00:00Z",
                "to": "2027-05-10T13:00:00Z",
                "oncall": persons("dan"),
                "insteadOf": persons("ann bob"),
                "note": "a week for a week",
            },
            # One more.
            "shadow": {
                "from": "2027-05-05T00:00:00Z",
                "to": "2027-05-06T16:20:00Z",
                "oncall": ["mailto:trainee@example.org"],
                "insteadOf": [],
            },
            # A gap on purpose.
            "closed": {"from": "2027-07-05T04:00:00Z", "to": "2027-07-06T04:00:00Z", "oncall": []},
            # In the middle of the gap, two hours are covered.
            "open": {"from": "2027-07-05T18:00:00Z", "to": "2027-07-05T20:00:00Z", "oncall": persons("bob")},
        },
    }
    backup = {
        "timezone": NEW_YORK,
        "layers": [
            {
                "name": "always",
                "members": [
                    {"who": "person:ann", "from": "2026-01-01T00:00", "until": "2027-05-16T12:00"},
                    "person:bob",
                    {"who": "person:dan", "from": "2027-04-10T00:00"},
                ],
                "from": "2026-01-05T10:00",
                "turn": {"every": 2, "unit": "week", "count": "elapsed"},
            }
        ],
    }
    return {
        "timezone": NEW_YORK,
        "fallback": ["mailto:duty-ny@example.org"],
        "levels": [
            {"notify": ["schedule:primary"], "waitSeconds": 300},
            {"notify": ["schedule:backup", "person:cat"], "waitSeconds": 600},
        ],
        "calendar": {
            "2027-03-14": {"oncall": "person:ann", "escalation": ["person:bob"]},
            "2027-11-07": {"oncall": ["person:cat", "schedule:backup"], "escalation": ["person:dan"]},
            "2027-12-24": {"oncall": "mailto:holiday@example.org", "escalation": [["person:dan", "person:bob"]]},
        },
        "schedules": {"primary": primary, "backup": backup},
    }


def athens():
    primary = {
        "timezone": ATHENS,
        "layers": [
            {
                "name": "half-days",
                "members": persons("eleni fanis giota"),
                "from": "2026-10-20T07:00",
                "turn": {"every": 12, "unit": "hour", "count": "elapsed"},
            },
            {
                # The same rank twice: both are on call.
                "name": "weekdays",
                "rank": 5,
                "members": persons("haris giota"),
                "from": "2026-09-28T08:00",
                "turn": {"every": 1, "unit": "week", "count": "elapsed"},
                "hours": [hours(WEEKDAYS, "08:00", "16:00")],
            },
            {
                "name": "early",
                "rank": 5,
                "members": [["person:fanis", "person:eleni"], []],
                "from": "2026-09-28T00:00",
                "until": "2027-10-31T03:30",
                "turn": {"every": 1, "unit": "week", "count": "elapsed"},
                "hours": [hours(["Mon", "Wed", "Sun"], "03:30", "09:00")],
            },
        ],
        "feeds": [{"url": FEED, "as": "override"}],
        "overrides": {
            # It ends while the feed's event goes on, and overlaps the next.
            "a-long": {
                "from": "2027-08-09T05:00:00Z",
                "to": "2027-08-20T05:00:00Z",
                "oncall": persons("haris"),
                "insteadOf": persons("eleni fanis"),
            },
            "b-short": {
                "from": "2027-08-12T00:00:00Z",
                "to": "2027-08-13T00:00:00Z",
                "oncall": persons("giota"),
                "insteadOf": persons("haris"),
            },
            # The same beginning: the longer comes first.
            "z-hour": {
                "from": "2027-08-09T05:00:00Z",
                "to": "2027-08-09T06:00:00Z",
                "oncall": persons("eleni"),
            },
        },
    }
    monthly = {
        "timezone": ATHENS,
        "layers": [
            {
                "name": "months",
                "members": persons("giota haris eleni"),
                "from": "2024-01-31T03:30",
                "turn": {"every": 1, "unit": "month", "count": "elapsed"},
            }
        ],
    }
    return {
        "timezone": ATHENS,
        "fallback": ["person:haris"],
        "levels": [
            {"notify": ["schedule:primary"], "waitSeconds": 300},
            {"notify": ["schedule:monthly"], "waitSeconds": 600},
        ],
        "calendar": {"2027-03-25": {"oncall": ["person:giota", "mailto:duty-ath@example.org"], "escalation": "person:eleni"}},
        "schedules": {
            "primary": primary | {"feedFiles": {FEED: "holidays.ics"}},
            "monthly": monthly,
        },
    }


def kolkata():
    primary = {
        "timezone": KOLKATA,
        "layers": [
            {
                "name": "weeks",
                "members": ["person:indu", "person:jai", "person:kavya", {"who": "person:lata", "from": "2027-02-15T09:00"}],
                "from": "2026-02-02T09:00",
                "turn": {"every": 1, "unit": "week", "count": "elapsed"},
                "hours": [hours(WEEKDAYS, "09:00", "09:00")],
            },
            {
                # Every fourth day somebody else, and only days with hours count.
                "name": "evenings",
                "members": persons("lata jai indu"),
                "from": "2027-01-01T12:00",
                "until": "2027-12-01T12:00",
                "turn": {"every": 2, "unit": "day", "count": "worked"},
                "hours": [hours(["Tue", "Sat"], "18:00", "22:00"), hours(["Sun"], "23:00", "01:00")],
            },
        ],
        "overrides": {
            "diwali": {
                "from": "2027-10-29T03:30:00Z",
                "to": "2027-10-30T03:30:00Z",
                "oncall": ["schedule:athens/monthly"],
            },
            "hand-off": {
                "from": "2027-06-01T06:00:00Z",
                "to": "2027-06-01T06:45:00Z",
                "oncall": [],
                "insteadOf": persons("indu kavya"),
            },
        },
    }
    # Each place has its day; the zones' clocks change at different times, so now and then two places overlap, and where
    # none has hours the lowest layer holds.
    sun = {
        "timezone": "UTC",
        "layers": [
            {
                "name": "rest",
                "members": ["team:athens", "person:lata"],
                "from": "2026-12-28T00:00",
                "turn": {"every": 5, "unit": "day", "count": "elapsed"},
            },
            {
                "name": "india",
                "members": ["schedule:primary"],
                "from": "2026-12-28T00:00",
                "turn": {"every": 1, "unit": "week", "count": "elapsed"},
                "hours": [hours(WEEKDAYS + WEEKEND, "03:30", "09:00")],
            },
            {
                "name": "europe",
                "members": ["schedule:athens/primary"],
                "from": "2026-12-28T00:00",
                "turn": {"every": 1, "unit": "week", "count": "elapsed"},
                "hours": [hours(WEEKDAYS, "08:30", "16:00")],
            },
            {
                "name": "america",
                "members": ["schedule:new-york/primary"],
                "from": "2026-12-28T00:00",
                "turn": {"every": 1, "unit": "week", "count": "elapsed"},
                "hours": [hours(WEEKDAYS, "15:30", "01:00")],
            },
        ],
    }
    return {
        "timezone": KOLKATA,
        "fallback": ["person:indu", "mailto:duty-in@example.org"],
        "levels": [{"notify": ["schedule:sun"], "waitSeconds": 600}, {"notify": ["team:new-york"], "waitSeconds": 600}],
        "calendar": {},
        "schedules": {"primary": primary, "sun": sun},
    }


VTIMEZONE = """BEGIN:VTIMEZONE
TZID:Europe/Athens
BEGIN:DAYLIGHT
TZOFFSETFROM:+0200
TZOFFSETTO:+0300
TZNAME:EEST
DTSTART:19700329T030000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0300
TZOFFSETTO:+0200
TZNAME:EET
DTSTART:19701025T040000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
"""

EVENTS = """BEGIN:VEVENT
UID:tuesday-nights@example.org
DTSTAMP:20261201T000000Z
SEQUENCE:0
SUMMARY:haris
DTSTART;TZID=Europe/Athens:20270105T220000
DTEND;TZID=Europe/Athens:20270106T040000
RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU
EXDATE;TZID=Europe/Athens:20270216T220000,20270608T220000
END:VEVENT
BEGIN:VEVENT
UID:tuesday-nights@example.org
DTSTAMP:20261201T000000Z
SEQUENCE:1
SUMMARY:giota
RECURRENCE-ID;TZID=Europe/Athens:20270302T220000
DTSTART;TZID=Europe/Athens:20270304T200000
DTEND;TZID=Europe/Athens:20270305T013000
END:VEVENT
BEGIN:VEVENT
UID:tuesday-nights@example.org
DTSTAMP:20261201T000000Z
SEQUENCE:1
STATUS:CANCELLED
SUMMARY:haris
RECURRENCE-ID;TZID=Europe/Athens:20270413T220000
DTSTART;TZID=Europe/Athens:20270413T220000
DTEND;TZID=Europe/Athens:20270414T040000
END:VEVENT
BEGIN:VEVENT
UID:sunday-hour@example.org
DTSTAMP:20261201T000000Z
SUMMARY:Giota Galani
DTSTART;TZID=Europe/Athens:20270103T033000
DTEND;TZID=Europe/Athens:20270103T034500
RRULE:FREQ=WEEKLY;BYDAY=SU;UNTIL=20271231T000000Z
END:VEVENT
BEGIN:VEVENT
UID:orthodox-easter@example.org
DTSTAMP:20261201T000000Z
SUMMARY:Easter
DESCRIPTION:The people who stay in town during the holidays look after the service and the plants.
ATTENDEE;CN=Eleni Economou;PARTSTAT=ACCEPTED:mailto:Eleni@Example.org
DTSTART;VALUE=DATE:20270430
DTEND;VALUE=DATE:20270504
END:VEVENT
BEGIN:VEVENT
UID:clock-day@example.org
DTSTAMP:20261201T000000Z
SUMMARY:giota@example.org
DTSTART;VALUE=DATE:20270328
END:VEVENT
BEGIN:VEVENT
UID:last-friday@example.org
DTSTAMP:20261201T000000Z
SUMMARY:eleni
DTSTART:20270129T210000Z
DURATION:PT2H
RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=10
END:VEVENT
BEGIN:VEVENT
UID:fifteenth@example.org
DTSTAMP:20261201T000000Z
SUMMARY:fanis
DTSTART;TZID=Europe/Athens:20270115T120000
DTEND;TZID=Europe/Athens:20270115T140000
RRULE:FREQ=MONTHLY;BYMONTHDAY=15
RDATE;TZID=Europe/Athens:20270120T120000,20270620T120000
END:VEVENT
BEGIN:VEVENT
UID:stranger@example.org
DTSTAMP:20261201T000000Z
SUMMARY:somebody whom nobody here knows
DTSTART;TZID=Europe/Athens:20270610T100000
DTEND;TZID=Europe/Athens:20270611T100000
END:VEVENT
"""


def folded(text):
    """Lines as RFC 5545 wants them: ended by CR LF, and broken before 75 octets."""
    lines = []
    for line in text.splitlines():
        while len(line) > 74:
            lines.append(line[:74])
            line = " " + line[74:]
        lines.append(line)
    return "\r\n".join(lines) + "\r\n"


def feed():
    return folded(
        f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example//holidays//EN\n{VTIMEZONE}{EVENTS}END:VCALENDAR\n"
    )


def roster(start, end):
    return {
        "teams": {"new-york": new_york(), "athens": athens(), "kolkata": kolkata()},
        "people": people(),
        "from": start,
        "to": end,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--from", dest="start", default="2027-01-01T00:00:00Z")
    parser.add_argument("--to", dest="end", default="2028-01-01T00:00:00Z")
    given = parser.parse_args()
    for text in (given.start, given.end):
        dt.datetime.fromisoformat(text)
    given.folder.mkdir(parents=True, exist_ok=True)
    (given.folder / "roster.json").write_text(json.dumps(roster(given.start, given.end), indent=1) + "\n")
    (given.folder / "holidays.ics").write_bytes(feed().encode())


if __name__ == "__main__":
    main()
