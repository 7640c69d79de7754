#!/usr/bin/env python3
"""Who is on call at each minute: an independent answer, from the words of DESIGN.md.

It asks every schedule about every minute, one by one, and merges equal neighbours only when it prints. README.md has
the shapes of what it reads and writes, and what it takes ambiguous words to mean.
"""

import argparse
import bisect
import calendar
import datetime as dt
import functools
import json
import pathlib
import sys

import zones

import feeds

MINUTE = 60
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
NOBODY = frozenset()

def as_list(value):
    return value if isinstance(value, list) else [value]


@functools.cache
def contact(address):
    """A contact as it is printed: with a scheme, the host of a mail address in A-labels."""
    scheme, colon, rest = address.partition(":")
    if not colon:
        scheme, rest = "mailto", address
    if scheme == "mailto":
        name, _, host = rest.rpartition("@")
        rest = f"{name}@{host.encode('idna').decode().lower()}"
    return f"{scheme}:{rest}"


class Layer:
    """A layer: who has the turn at an instant."""

    def __init__(self, body, place, tz, end):
        self.tz = tz
        rank = body.get("rank")
        self.rank = rank if rank is not None else place
        anchor = zones.wall(body["from"])
        self.begins = zones.first(zones.wall(body.get("begins") or body["from"]), tz)
        self.until = zones.first(zones.wall(body["until"]), tz) if body.get("until") else None
        self.hours, self.hours_of, self.near_day = body.get("hours") or None, {}, {}
        self.members = []
        for member in body["members"]:
            dated = member if isinstance(member, dict) else {"who": member}
            joins = zones.first(zones.wall(dated["from"]), tz) if dated.get("from") else None
            leaves = zones.first(zones.wall(dated["until"]), tz) if dated.get("until") else None
            self.members.append((as_list(dated["who"]), joins, leaves))
        self.worked = body["turn"].get("count", "elapsed") == "worked"
        self.boundaries = self._boundaries(anchor, body["turn"], end)
        self.holders = self._holders()

    def _boundaries(self, anchor, turn, end):
        """Every instant from the anchor to the end at which a turn begins, and one after it."""
        boundaries, number = [], 0
        every, unit = turn["every"], turn["unit"].removesuffix("s")
        while not boundaries or boundaries[-1] <= end:
            if unit == "hour":
                at = zones.first(anchor, self.tz) + number * every * 3600
            elif unit in ("day", "week"):
                days = number * every * (7 if unit == "week" else 1)
                at = zones.first(anchor + dt.timedelta(days=days), self.tz)
            elif unit == "month":
                month = anchor.month - 1 + number * every
                year, month = anchor.year + month // 12, month % 12 + 1
                day = min(anchor.day, calendar.monthrange(year, month)[1])
                at = zones.first(anchor.replace(year=year, month=month, day=day), self.tz)
            else:
                raise ValueError(f"unit {unit}")
            boundaries.append(at)
            number += 1
        return boundaries

    def _hours_of(self, day):
        """The spans of the weekly hours that begin on a local day."""
        spans = self.hours_of.get(day)
        if spans is not None:
            return spans
        spans = self.hours_of[day] = []
        for rule in self.hours:
            if DAYS[day.weekday()] in rule["days"]:
                opens, closes = dt.time.fromisoformat(rule["from"]), dt.time.fromisoformat(rule["to"])
                ends_on = day + dt.timedelta(days=1) if closes <= opens else day
                start = zones.first(dt.datetime.combine(day, opens), self.tz)
                spans.append((start, zones.last(dt.datetime.combine(ends_on, closes), self.tz)))
        return spans

    def _works_at(self, at):
        if self.hours is None:
            return True
        # By the day of UTC, every span that may touch it in any zone.
        near = self.near_day.get(at // 86_400)
        if near is None:
            day = dt.date(1970, 1, 1) + dt.timedelta(days=at // 86_400)
            near = [span for off in range(-3, 3) for span in self._hours_of(day + dt.timedelta(days=off))]
            self.near_day[at // 86_400] = near
        for start, end in near:
            if start <= at < end:
                return True
        return False

    def _contains_hours(self, start, end):
        """Whether there is an instant of the layer's hours in [start, end)."""
        if self.hours is None:
            return True
        day = zones.local(start, self.tz).date() - dt.timedelta(days=2)
        stop = zones.local(end, self.tz).date() + dt.timedelta(days=1)
        while day <= stop:
            for opens, closes in self._hours_of(day):
                if max(opens, start) < min(closes, end):
                    return True
            day += dt.timedelta(days=1)
        return False

    def _is_member(self, place, at):
        _, joins, leaves = self.members[place]
        return (joins is None or joins <= at) and (leaves is None or at < leaves)

    def _next_member(self, after, at):
        """The place of the first member behind place `after`, round the list, who is one at the instant."""
        for step in range(1, len(self.members) + 1):
            place = (after + step) % len(self.members)
            if self._is_member(place, at):
                return place
        return None

    def _holders(self):
        """For every turn, who gets it at its start. Where turns are counted by work, a turn without hours goes to
        nobody and is not counted."""
        holders, last = [], -1
        for start, end in zip(self.boundaries, self.boundaries[1:]):
            if not self.members or (self.worked and not self._contains_hours(start, end)):
                holders.append(None)
                continue
            holder = self._next_member(last, start)
            holders.append(holder)
            last = last if holder is None else holder
        return holders

    def _holder_at(self, holder, at):
        """Who has a turn's rest at an instant, if `holder` had its start."""
        while holder is not None and not self._is_member(holder, at):
            holder = self._next_member(holder, self.members[holder][2])
        return holder

    def targets_at(self, at):
        """The targets whose turn it is, if the layer works at that instant."""
        turn = bisect.bisect_right(self.boundaries, at) - 1
        if turn < 0 or at < self.begins or (self.until is not None and at >= self.until) or not self.members:
            return []
        if not self._works_at(at):
            return []
        holder = self._holder_at(self.holders[turn], at)
        return [] if holder is None else self.members[holder][0]


class Override:
    def __init__(self, name, body):
        self.name, self.start, self.end = name, zones.instant(body["from"]), zones.instant(body["to"])
        self.oncall, self.instead_of = body.get("oncall", []), body.get("insteadOf")

    def order(self):
        return (self.start, self.start - self.end, self.name)


class Schedule:
    def __init__(self, roster, team, name, body, start, end):
        self.roster, self.team, self.name = roster, team, name
        tz = zones.zone(body["timezone"])
        layers = [Layer(layer, place, tz, end) for place, layer in enumerate(body.get("layers", []))]
        self.ranks = [[layer for layer in layers if layer.rank == rank] for rank in sorted({x.rank for x in layers})]
        self.overrides = [Override(name, override) for name, override in body.get("overrides", {}).items()]
        self.overrides.sort(key=Override.order)
        self.feeds = {"base": [], "override": []}
        for feed in body.get("feeds", []):
            found = feeds.events(roster.feed_text(body, feed["url"]), tz, start, end, roster.who_is)
            by_day = {}
            for event in found:
                for day in range(event[0] // 86_400, event[1] // 86_400 + 1):
                    by_day.setdefault(day, []).append(event)
            self.feeds[feed["as"]].append(by_day)

    def _feeds_at(self, kind, at):
        if not self.feeds[kind]:
            return NOBODY
        found = []
        for by_day in self.feeds[kind]:
            named = set()
            for start, end, persons in by_day.get(at // 86_400, ()):
                if start <= at < end:
                    named.update(f"person:{person}" for person in persons)
            found.append(frozenset(named) - self.roster.absent(at))
        return NOBODY.union(*found)

    def _people(self, targets, at):
        """Whom a layer or an override yields: without those who are absent."""
        if not targets:
            return NOBODY
        people = set()
        absent = self.roster.absent(at)
        for target in targets:
            people |= self.roster.resolve(target, self.team, at) - absent
        return frozenset(people)

    def on_call(self, at):
        now = self._feeds_at("base", at)
        for layers in self.ranks:
            together = set()
            for layer in layers:
                together |= self._people(layer.targets_at(at), at)
            now = frozenset(together) or now
        now = self._feeds_at("override", at) or now
        for override in self.overrides:
            if override.start <= at < override.end:
                now = self._apply(override, now, at)
        return now

    def _apply(self, override, now, at):
        people = self._people(override.oncall, at)
        if override.instead_of is None:
            return people
        if not override.instead_of:
            return now | people
        named = NOBODY.union(*(self.roster.resolve(target, self.team, at) for target in override.instead_of))
        return (now - named) | people if now & named else now


class Roster:
    def __init__(self, document, folder):
        self.folder = folder
        self.start, self.end = zones.instant(document["from"]), zones.instant(document["to"])
        self.people, self.teams = document["people"], document["teams"]
        self.absences = [
            (f"person:{name}", zones.instant(absence["from"]), zones.instant(absence["to"]))
            for name, person in self.people.items()
            for absence in person.get("absences", [])
        ]
        self.zones = {name: zones.zone(team["timezone"]) for name, team in self.teams.items()}
        self.schedules = {
            (team, name): Schedule(self, team, name, body, self.start, self.end)
            for team, content in self.teams.items()
            for name, body in content.get("schedules", {}).items()
        }
        self.asked_at, self.answers = None, {}

    def feed_text(self, body, url):
        if url in body.get("feedTexts", {}):
            return body["feedTexts"][url]
        return (self.folder / body["feedFiles"][url]).read_bytes()

    def who_is(self, words):
        """The one person of that id, display name or mail address."""
        if not words:
            return None
        if words in self.people:
            return words
        named = [name for name, person in self.people.items() if person.get("name") == words]
        if len(named) == 1:
            return named[0]
        address = words.removeprefix("mailto:").removeprefix("MAILTO:").lower()
        having = []
        for name, person in self.people.items():
            mails = {method.removeprefix("mailto:").lower() for method in person.get("methods", {}).values()}
            if address in mails:
                having.append(name)
        return having[0] if len(having) == 1 else None

    def absent(self, at):
        """Those who are absent at an instant."""
        if not self.absences:
            return NOBODY
        return frozenset(person for person, start, end in self.absences if start <= at < end)

    def resolve(self, target, team, at):
        """Whom a target stands for at an instant, if something of that team names it."""
        kind, colon, name = target.partition(":")
        if kind == "person" and colon:
            return frozenset([target]) if name in self.people else NOBODY
        if kind == "schedule" and colon:
            owner, slash, rest = name.partition("/")
            return self.on_call((owner, rest) if slash else (team, name), at)
        if kind == "team" and colon:
            return self.level_one(name, at) if name in self.teams else NOBODY
        return frozenset([contact(target)])

    def on_call(self, key, at):
        """Who is on call in a schedule: asked once for each minute."""
        if at != self.asked_at:
            self.asked_at, self.answers = at, {}
        if key not in self.answers:
            schedule = self.schedules.get(key)
            self.answers[key] = schedule.on_call(at) if schedule else NOBODY
        return self.answers[key]

    def level_one(self, name, at):
        """Whom a team alerts first: by the day's entry, else by its levels, else by its fallback."""
        team = self.teams[name]
        entry = None
        if team.get("calendar"):
            entry = team["calendar"].get(zones.local(at, self.zones[name]).date().isoformat())
        if entry is not None:
            targets = as_list(entry["oncall"])
        elif team.get("levels"):
            targets = team["levels"][0]["notify"]
        else:
            targets = as_list(team["fallback"])
        return NOBODY.union(*(self.resolve(target, name, at) for target in targets))

    def runs(self):
        """Lines for all schedules, then all teams: spans of minutes with one answer each."""
        subjects = [("schedule", f"{t}/{s}", functools.partial(self.on_call, (t, s))) for t, s in self.schedules]
        subjects += [("team", team, functools.partial(self.level_one, team)) for team in self.teams]
        subjects.sort(key=lambda subject: subject[:2])
        lines = [[] for _ in subjects]
        # Each subject's run so far: its beginning and its people.
        open_runs = [None] * len(subjects)

        def close(place, end):
            kind, name, _ = subjects[place]
            start, people = open_runs[place]
            line = {kind: name, "from": zones.text(start), "to": zones.text(end), "oncall": sorted(people)}
            lines[place].append(line)

        for at in range(self.start, self.end, MINUTE):
            for place, (_, _, ask) in enumerate(subjects):
                people = ask(at)
                if open_runs[place] is None or open_runs[place][1] != people:
                    if open_runs[place] is not None:
                        close(place, at)
                    open_runs[place] = (at, people)
        for place, run in enumerate(open_runs):
            if run is not None:
                close(place, self.end)
        return [line for of_subject in lines for line in of_subject]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("document", nargs="?", default="-", help="a JSON file; - is the standard input")
    parser.add_argument("--lines", action="store_true", help="read one document a line, write one line for each")
    given = parser.parse_args()
    folder = pathlib.Path() if given.document == "-" else pathlib.Path(given.document).parent
    source = sys.stdin if given.document == "-" else open(given.document, encoding="utf-8")
    with source:
        if not given.lines:
            for line in Roster(json.load(source), folder).runs():
                print(json.dumps(line))
            return
        for number, text in enumerate(source):
            document = json.loads(text)
            answer = {"case": document.get("case", number), "runs": Roster(document, folder).runs()}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
