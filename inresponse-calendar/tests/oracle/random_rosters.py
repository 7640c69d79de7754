#!/usr/bin/env python3
"""Writes small random rosters, one JSON document a line: the same ones for the same seed.

Most spans hold a change of clocks between 2024 and 2035 in a zone of the roster, and most local times lie near it.
"""

import argparse
import datetime as dt
import json
import random

import zones

PEOPLE = ["ann", "bob", "cat", "dan", "eve", "fay"]
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
# Zones by name, beside those drawn from all: common ones, half hours, changes at midnight, changes on odd days.
FAVOURITES = [
    "America/New_York", "Europe/Athens", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana", "Africa/Cairo",
    "America/Santiago", "Asia/Beirut", "Atlantic/Azores", "America/Nuuk", "Africa/Casablanca", "Pacific/Chatham",
    "America/St_Johns", "Asia/Jerusalem", "Europe/Dublin", "America/Asuncion", "Antarctica/Troll", "Pacific/Easter",
    "America/Vancouver", "Pacific/Apia", "UTC",
]
BEGIN, END = dt.datetime(2024, 1, 1), dt.datetime(2035, 12, 1)


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.zone = self.pick(FAVOURITES if self.chance(0.7) else zones.zone_names())
        self.near = self._instant_of_interest()
        self.span = self.random.choice([2, 3, 4, 6, 9])
        self.start = self.near - dt.timedelta(minutes=self.random.randrange(self.span * 1440))
        self.end = self.start + dt.timedelta(days=self.span)

    def pick(self, options):
        return self.random.choice(options)

    def chance(self, probability):
        return self.random.random() < probability

    def some(self, options, low, high):
        return self.random.sample(options, self.random.randint(low, min(high, len(options))))

    def _instant_of_interest(self):
        """A change of the zone's clock if it has one, in UTC without zone."""
        changes = zones.transitions(self.zone, BEGIN.year, END.year)
        if changes:
            return dt.datetime.fromtimestamp(self.pick(changes), zones.UTC).replace(tzinfo=None)
        return BEGIN + dt.timedelta(minutes=self.random.randrange(int((END - BEGIN).total_seconds()) // 60))

    def zone_name(self):
        return self.zone if self.chance(0.75) else self.pick(FAVOURITES)

    def utc(self, when):
        return when.strftime("%Y-%m-%dT%H:%M:00Z")

    def instant(self):
        """An instant in or near the span, often at a change of clocks or a whole hour."""
        if self.chance(0.3):
            return self.near + dt.timedelta(minutes=self.pick([-90, -60, -30, 0, 0, 30, 60, 90]))
        minutes = self.random.randrange(-1440, self.span * 1440 + 1440)
        return self.start + dt.timedelta(minutes=minutes // 15 * 15 if self.chance(0.7) else minutes)

    def two_instants(self):
        one = self.instant()
        return one, one + dt.timedelta(minutes=self.pick([15, 60, 90, 720, 1440, 1440, 2880, self.random.randrange(1, 9000)]))

    def local_near(self, zone):
        """A local time near the change of clocks: sometimes one that is skipped or comes twice."""
        at = int(self.near.replace(tzinfo=zones.UTC).timestamp())
        before = zones.local(at - 1, zones.zone(zone)).replace(second=0) + dt.timedelta(minutes=1)
        return before + dt.timedelta(minutes=self.pick([-60, -45, -30, -15, 0, 0, 10, 15, 30, 45, 59, 60, 120]))

    def time(self, zone):
        """A time of day."""
        if self.chance(0.6):
            return self.local_near(zone).strftime("%H:%M")
        return f"{self.random.randrange(24):02}:{self.pick([0, 0, 30, 15]):02}"

    def anchor(self, zone):
        near = self.local_near(zone)
        back = self.pick([0, 1, 2, 5, 7, 14, 30, 31, 60, 200, 400, 900, 2000])
        when = near - dt.timedelta(days=back)
        if self.chance(0.15):
            # The 29th to the 31st, for turns of months.
            month_end = when.replace(day=1) - dt.timedelta(days=self.random.randrange(1, 3))
            when = when.replace(year=month_end.year, month=month_end.month, day=month_end.day)
        hour, minute = map(int, self.time(zone).split(":"))
        return when.replace(hour=hour, minute=minute)

    def turn(self):
        unit = self.pick(["hour", "day", "day", "week", "week", "month"])
        every = {"hour": [1, 5, 6, 8, 12, 24, 36], "day": [1, 1, 2, 3, 7], "week": [1, 1, 2], "month": [1, 1, 2, 3]}[unit]
        return {"every": self.pick(every), "unit": unit, "count": "worked" if self.chance(0.35) else "elapsed"}

    def hours(self, zone):
        rules = []
        for _ in range(self.random.randint(1, 3)):
            days = sorted(self.some(DAYS, 1, 7), key=DAYS.index)
            rules.append({"days": days, "from": self.time(zone), "to": self.time(zone)})
        return rules

    def targets(self, others, low, high):
        return [self.target(others) for _ in range(self.random.randint(low, high))]

    def target(self, others):
        if others and self.chance(0.15):
            return self.pick(others)
        if self.chance(0.07):
            return self.pick(["mailto:ops@example.net", "https://hooks.example.net/duty", "tel:+302101234567"])
        return "person:" + self.pick(PEOPLE)

    def group(self, others):
        """A list of different targets."""
        return list(dict.fromkeys(self.targets(others, 1, 3)))

    def member(self, zone, others):
        if self.chance(0.1):
            return []
        who = self.group(others) if self.chance(0.2) else self.target(others)
        if isinstance(who, str) and self.chance(0.25):
            member = {"who": who}
            dates = sorted([self.local_near(zone) + dt.timedelta(days=self.random.randint(-5, 5)) for _ in range(2)])
            if self.chance(0.6):
                member["from"] = self.local_text(dates[0])
            if dates[0] < dates[1] and (self.chance(0.6) or "from" not in member):
                member["until"] = self.local_text(dates[1])
            return member
        return who

    def local_text(self, when):
        return when.strftime("%Y-%m-%dT%H:%M")

    def layer(self, place, zone, others, ranked):
        anchor = self.anchor(zone)
        body = {
            "name": f"layer-{place}",
            "members": [self.member(zone, others) for _ in range(self.random.randint(1, 5))],
            "from": self.local_text(anchor),
            "turn": self.turn(),
        }
        near = self.local_near(zone) + dt.timedelta(days=self.random.randint(-2, 2))
        begins = anchor
        if self.chance(0.2) and near > anchor:
            begins = near
            body["begins"] = self.local_text(near)
        until = self.local_near(zone) + dt.timedelta(days=self.random.randint(-1, 4))
        if self.chance(0.2) and until > begins:
            body["until"] = self.local_text(until)
        if self.chance(0.65) or body["turn"]["count"] == "worked":
            body["hours"] = self.hours(zone)
        if ranked:
            body["rank"] = self.random.randint(0, 2)
        return body

    def override(self, others):
        start, end = self.two_instants()
        body = {"from": self.utc(start), "to": self.utc(end), "oncall": self.group(others) if self.chance(0.8) else []}
        if self.chance(0.6):
            body["insteadOf"] = self.group(others) if self.chance(0.75) else []
        return body

    def summary(self):
        """How an event names somebody: lines of the event."""
        person = self.pick(PEOPLE)
        how = self.random.randrange(5)
        if how == 0:
            return ["SUMMARY:on call", f"ATTENDEE;CN=x:mailto:{person.upper()}@Example.org"]
        if how == 1 and self.chance(0.3):
            return ["SUMMARY:nobody we know"]
        return [f"SUMMARY:{[person, person, person.title() + ' Example', person + '@example.org', person][how]}"]

    def event(self, number, zone):
        """The events of one UID."""
        start = self.local_near(zone) + dt.timedelta(days=self.random.randint(-4, 4))
        head = [f"UID:{number}@example.org", "DTSTAMP:20240101T000000Z"]
        if self.chance(0.2):
            day = start.strftime("%Y%m%d")
            lines = [*head, *self.summary(), f"DTSTART;VALUE=DATE:{day}"]
            if self.chance(0.7):
                after = start + dt.timedelta(days=self.random.randint(1, 3))
                lines.append(f"DTEND;VALUE=DATE:{after.strftime('%Y%m%d')}")
            if self.chance(0.3):
                lines.append("RRULE:FREQ=WEEKLY;COUNT=3")
            return [lines]
        length = dt.timedelta(minutes=self.pick([15, 30, 60, 90, 480, 720, 1440, 2160]))
        form = self.pick(["zone", "zone", "zone", "utc", "floating"])

        def at(name, *times):
            texts = [time.strftime("%Y%m%dT%H%M%S") + ("Z" if form == "utc" else "") for time in times]
            return f"{name}{f';TZID={zone}' if form == 'zone' else ''}:{','.join(texts)}"

        kind = self.pick(["once", "daily", "daily", "weekly", "monthly"])
        if kind == "once":
            return [[*head, *self.summary(), at("DTSTART", start), at("DTEND", start + length)]]
        step = dt.timedelta(days=1)
        if kind == "daily":
            every = self.pick([1, 1, 2, 3])
            rule, step = f"FREQ=DAILY;INTERVAL={every}", dt.timedelta(days=every)
        elif kind == "weekly":
            # The first day's name is among them, so that the first event is of the rule.
            days = {start.strftime("%a")} | set(self.some(DAYS, 0, 4))
            rule = "FREQ=WEEKLY;BYDAY=" + ",".join(day[:2].upper() for day in DAYS if day in days)
            step = dt.timedelta(days=7)
        else:
            rule = f"FREQ=MONTHLY;BYMONTHDAY={start.day}"
            step = None
        first = start
        if step is not None:
            first = start - step * self.random.randint(0, 12)
            if self.chance(0.3):
                rule += f";COUNT={self.random.randint(2, 20)}"
            elif self.chance(0.3):
                # At the end of a day of UTC: no event begins in that minute.
                until = start + dt.timedelta(days=self.random.randint(0, 4))
                if form == "floating":
                    rule += until.strftime(";UNTIL=%Y%m%dT235959")
                else:
                    rule += until.strftime(";UNTIL=%Y%m%dT235959Z")
        main = [*head, "SEQUENCE:1", *self.summary(), at("DTSTART", first), at("DTEND", first + length), f"RRULE:{rule}"]
        if step is None:
            return [main]
        events = [main]
        changed = [first + step * count for count in range(1, 20)]
        changed = [when for when in changed if abs(when - start) < dt.timedelta(days=8)]
        self.random.shuffle(changed)
        if changed and self.chance(0.3):
            main.append(at("EXDATE", changed.pop()))
        if changed and self.chance(0.3):
            when = changed.pop()
            moved = when + dt.timedelta(minutes=self.pick([-1500, -60, 30, 60, 240, 1440]))
            events.append([*head, "SEQUENCE:1", *self.summary(), at("RECURRENCE-ID", when), at("DTSTART", moved),
                           at("DTEND", moved + length)])
        if changed and self.chance(0.3):
            when = changed.pop()
            events.append([*head, "SEQUENCE:1", *self.summary(), "STATUS:CANCELLED", at("RECURRENCE-ID", when),
                           at("DTSTART", when), at("DTEND", when + length)])
        if self.chance(0.2):
            main.append(at("RDATE", start + dt.timedelta(hours=30)))
        return events

    def feed(self, zone):
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//example//random//EN"]
        for number in range(self.random.randint(0, 4)):
            for event in self.event(number, zone):
                lines += ["BEGIN:VEVENT", *event, "END:VEVENT"]
        return "\r\n".join([*lines, "END:VCALENDAR", ""])

    def schedule(self, others):
        zone = self.zone_name()
        ranked = self.chance(0.4)
        layers = [self.layer(place, zone, others, ranked) for place in range(self.random.randint(0, 4))]
        body = {"timezone": zone, "layers": layers}
        kinds = [kind for kind in ("base", "override") if self.chance(0.25)]
        if kinds:
            urls = {kind: f"https://calendar.example.org/{kind}.ics" for kind in kinds}
            body["feeds"] = [{"url": urls[kind], "as": kind} for kind in kinds]
            body["feedTexts"] = {urls[kind]: self.feed(self.zone_name()) for kind in kinds}
        overrides = [self.override(others) for _ in range(self.pick([0, 0, 1, 2, 3, 5]))]
        body["overrides"] = {f"o{number}": override for number, override in enumerate(overrides)}
        return body

    def people(self):
        made = {}
        for name in PEOPLE:
            made[name] = {
                "name": f"{name.title()} Example",
                "timezone": self.zone_name(),
                "methods": {"mail": f"{name}@example.org"},
                "rules": {"default": [{"afterSeconds": 0, "methods": ["mail"]}]},
            }
            if self.chance(0.2):
                start, end = self.two_instants()
                made[name]["absences"] = [{"from": self.utc(start), "to": self.utc(end)}]
        return made

    def document(self):
        """Everything is made in an order, and names only what was made before it: so there are no cycles."""
        people = self.people()
        teams, others = {}, []
        for team in ["red", "blue"][: self.random.randint(1, 2)]:
            schedules = {}
            for name in ["one", "two"][: self.random.randint(1, 2)]:
                schedules[name] = self.schedule(others)
                others = [*others, f"schedule:{team}/{name}"]
            own = [f"schedule:{name}" for name in schedules]
            zone = self.zone_name()
            levels = [
                {"notify": list(dict.fromkeys(self.targets([*others, *own], 1, 2))), "waitSeconds": 300}
                for _ in range(self.random.randint(0, 2))
            ]
            days = [self.local_near(zone).date() + dt.timedelta(days=self.random.randint(-2, 2)) for _ in range(2)]
            entries = {
                day.isoformat(): {"oncall": self.group(others), "escalation": [self.target([])]}
                for day in days
                if self.chance(0.4)
            }
            teams[team] = {
                "timezone": zone,
                "fallback": [f"mailto:{team}@example.net"],
                "levels": levels,
                "calendar": entries,
                "schedules": schedules,
            }
            others = [*others, f"team:{team}"]
        return {"teams": teams, "people": people, "from": self.utc(self.start), "to": self.utc(self.end)}


def case(seed, number):
    return {"case": f"{seed}-{number}"} | Maker(f"{seed}-{number}").document()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    given = parser.parse_args()
    for number in range(given.count):
        print(json.dumps(case(given.seed, number)))


if __name__ == "__main__":
    main()
