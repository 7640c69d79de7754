"""Cases computed by hand. Run with `python -m unittest test_oracle`."""

import pathlib
import unittest

import zones

import oracle
import random_rosters
import roster

NY = "America/New_York"
PEOPLE = {
    name: {"name": name.title(), "timezone": "UTC", "methods": {"mail": f"{name}@example.org"}}
    for name in ("ann", "bob", "cat", "dan")
}
ALL_DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def schedule(*layers, zone=NY, overrides=None, feed=None, feed_as="override"):
    body = {"timezone": zone, "layers": list(layers), "overrides": overrides or {}}
    if feed is not None:
        body["feeds"] = [{"url": "u", "as": feed_as}]
        body["feedTexts"] = {"u": feed}
    return body


def layer(members, start, every=1, unit="day", **more):
    count = more.pop("count", "elapsed")
    members = [f"person:{m}" if isinstance(m, str) and ":" not in m else m for m in members]
    return {"name": "x", "members": members, "from": start, "turn": {"every": every, "unit": unit, "count": count}} | more


def document(start, end, schedules, people=None, **team):
    team = {"timezone": NY, "fallback": ["mailto:last@example.org"], "schedules": schedules} | team
    return {"teams": {"t": team}, "people": people or PEOPLE, "from": start, "to": end}


def runs(doc, name="t/s", kind="schedule"):
    """The runs of one schedule: when each begins, and the names."""
    found = [line for line in oracle.Roster(doc, pathlib.Path()).runs() if line.get(kind) == name]
    for before, after in zip(found, found[1:]):
        assert before["to"] == after["from"], "runs tile time"
    assert found[0]["from"] == doc["from"] and found[-1]["to"] == doc["to"]
    return [(line["from"][5:16], " ".join(who.removeprefix("person:") for who in line["oncall"])) for line in found]


def of(start, end, *args, people=None, **more):
    return runs(document(start, end, {"s": schedule(*args, **more)}, people))


def calendar(*events, zone=None):
    named = f"X-WR-TIMEZONE:{zone}\r\n" if zone else ""
    body = "".join("BEGIN:VEVENT\r\n" + "\r\n".join(event) + "\r\nEND:VEVENT\r\n" for event in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\n{named}{body}END:VCALENDAR\r\n"


class Zones(unittest.TestCase):
    def test_the_zones_are_those_of_the_package(self):
        import tzdata

        self.assertEqual((zones.release(), zones.zoneinfo.TZPATH), (tzdata.IANA_VERSION, ()))

    def test_a_repeated_time_has_two_instants_and_a_skipped_one_the_end_of_the_gap(self):
        tz = zones.zone(NY)
        wall = zones.wall("2026-11-01T01:30")
        self.assertEqual(zones.text(zones.first(wall, tz)), "2026-11-01T05:30:00Z")
        self.assertEqual(zones.text(zones.last(wall, tz)), "2026-11-01T06:30:00Z")
        for skipped in ("2026-03-08T02:00", "2026-03-08T02:30", "2026-03-08T02:59"):
            for which in (zones.first, zones.last):
                self.assertEqual(zones.text(which(zones.wall(skipped), tz)), "2026-03-08T07:00:00Z")
        # Half an hour, in the other half of the year.
        lord = zones.zone("Australia/Lord_Howe")
        self.assertEqual(zones.text(zones.first(zones.wall("2026-10-04T02:10"), lord)), "2026-10-03T15:30:00Z")
        self.assertEqual(zones.text(zones.first(zones.wall("2026-04-05T01:40"), lord)), "2026-04-04T14:40:00Z")
        self.assertEqual(zones.text(zones.last(zones.wall("2026-04-05T01:40"), lord)), "2026-04-04T15:10:00Z")

    def test_transitions_are_found(self):
        found = [zones.text(at) for at in zones.transitions(NY, 2026, 2026)]
        self.assertEqual(found, ["2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"])


class Turns(unittest.TestCase):
    def test_days_follow_the_wall_clock(self):
        got = of("2026-03-07T00:00:00Z", "2026-03-10T00:00:00Z", layer(["ann", "bob"], "2026-03-06T02:30"))
        self.assertEqual(
            got, [("03-07T00:00", "ann"), ("03-07T07:30", "bob"), ("03-08T07:00", "ann"), ("03-09T06:30", "bob")]
        )

    def test_a_repeated_boundary_is_its_first_occurrence(self):
        got = of("2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z", layer(["ann", "bob"], "2026-10-31T01:30"))
        self.assertEqual(got, [("10-31T12:00", "ann"), ("11-01T05:30", "bob"), ("11-02T06:30", "ann")])

    def test_hours_are_elapsed(self):
        got = of("2026-03-08T00:00:00Z", "2026-03-08T20:00:00Z", layer(["ann", "bob"], "2026-03-07T20:00", 6, "hour"))
        self.assertEqual(
            got, [("03-08T00:00", ""), ("03-08T01:00", "ann"), ("03-08T07:00", "bob"), ("03-08T13:00", "ann"),
                  ("03-08T19:00", "bob")]
        )

    def test_months_end_on_their_last_day(self):
        got = of(
            "2028-01-30T00:00:00Z", "2028-05-02T00:00:00Z",
            layer(["ann", "bob", "cat"], "2027-12-31T00:00", 1, "month"), zone="UTC",
        )
        self.assertEqual(
            got, [("01-30T00:00", "ann"), ("01-31T00:00", "bob"), ("02-29T00:00", "cat"), ("03-31T00:00", "ann"),
                  ("04-30T00:00", "bob")]
        )

    def test_groups_and_turns_off(self):
        got = of(
            "2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z",
            layer([["person:bob", "person:ann"], [], "cat"], "2026-01-01T00:00"), zone="UTC",
        )
        self.assertEqual(
            got, [("01-01T00:00", "ann bob"), ("01-02T00:00", ""), ("01-03T00:00", "cat"), ("01-04T00:00", "ann bob")]
        )

    def test_worked_turns_count_only_days_with_hours(self):
        # 2026-01-05 is a Monday. Saturdays and Sundays only: elapsed days would give ann and bob parts of weekends only.
        hours = [{"days": ["Sat", "Sun"], "from": "10:00", "to": "12:00"}]
        args = ("2026-01-09T00:00:00Z", "2026-01-18T00:00:00Z")
        got = of(*args, layer(["ann", "bob", "cat"], "2026-01-05T00:00", hours=hours, count="worked"), zone="UTC")
        self.assertEqual([who for _, who in got], ["", "ann", "", "bob", "", "cat", ""])
        got = of(*args, layer(["ann", "bob", "cat"], "2026-01-05T00:00", hours=hours), zone="UTC")
        self.assertEqual([who for _, who in got], ["", "cat", "", "ann", "", "ann", ""])

    def test_a_layer_may_begin_later_than_its_anchor(self):
        got = of(
            "2026-01-01T00:00:00Z", "2026-01-06T00:00:00Z",
            layer(["ann", "bob"], "2026-01-01T00:00", begins="2026-01-02T12:00", until="2026-01-04T06:00"), zone="UTC",
        )
        self.assertEqual(
            got, [("01-01T00:00", ""), ("01-02T12:00", "bob"), ("01-03T00:00", "ann"), ("01-04T00:00", "bob"),
                  ("01-04T06:00", "")]
        )

    def test_joins_and_leaves(self):
        members = [
            "ann",
            {"who": "person:bob", "until": "2026-01-05T12:00"},
            {"who": "person:cat", "from": "2026-01-03T00:00"},
        ]
        args = ("2026-01-01T00:00:00Z", "2026-01-09T00:00:00Z", layer(members, "2026-01-01T00:00"))
        # Day by day: ann, bob (cat is no member yet), ann... the next behind bob is cat, a member from the 3rd on; ann,
        # bob until noon and then cat; the turn was bob's, so the next is cat's.
        self.assertEqual(
            of(*args, zone="UTC"),
            [("01-01T00:00", "ann"), ("01-02T00:00", "bob"), ("01-03T00:00", "cat"), ("01-04T00:00", "ann"),
             ("01-05T00:00", "bob"), ("01-05T12:00", "cat"), ("01-07T00:00", "ann"), ("01-08T00:00", "cat")],
        )


class Hours(unittest.TestCase):
    def test_hours_over_midnight_and_a_whole_day(self):
        hours = [{"days": ["Mon"], "from": "22:00", "to": "06:00"}, {"days": ["Wed"], "from": "08:00", "to": "08:00"}]
        got = of(
            "2026-01-05T00:00:00Z", "2026-01-09T00:00:00Z",
            layer(["ann"], "2026-01-01T00:00", hours=hours), zone="UTC",
        )
        self.assertEqual(
            got, [("01-05T00:00", ""), ("01-05T22:00", "ann"), ("01-06T06:00", ""), ("01-07T08:00", "ann"),
                  ("01-08T08:00", "")]
        )

    def test_hours_overlap_where_the_clock_repeats_and_leave_no_hole_where_it_skips(self):
        early = layer(["ann"], "2026-01-01T00:00", hours=[{"days": ALL_DAYS, "from": "00:00", "to": "01:30"}], rank=1)
        later = layer(["bob"], "2026-01-01T00:00", hours=[{"days": ALL_DAYS, "from": "01:30", "to": "03:00"}], rank=1)
        got = of("2026-11-01T04:00:00Z", "2026-11-01T09:00:00Z", early, later)
        self.assertEqual(
            got, [("11-01T04:00", "ann"), ("11-01T05:30", "ann bob"), ("11-01T06:30", "bob"), ("11-01T08:00", "")]
        )
        early["hours"][0]["to"] = later["hours"][0]["from"] = "02:30"
        got = of("2026-03-08T05:00:00Z", "2026-03-08T08:00:00Z", early, later)
        self.assertEqual(got, [("03-08T05:00", "ann"), ("03-08T07:00", "")])


class Order(unittest.TestCase):
    def base(self, **more):
        return layer(["ann"], "2026-01-01T00:00", **more)

    def test_the_higher_rank_hides_and_equal_ranks_are_together(self):
        noon = [{"days": ALL_DAYS, "from": "12:00", "to": "13:00"}]
        args = ("2026-01-02T11:00:00Z", "2026-01-02T14:00:00Z")
        got = of(*args, self.base(), layer(["bob"], "2026-01-01T00:00", hours=noon), zone="UTC")
        self.assertEqual([who for _, who in got], ["ann", "bob", "ann"])
        got = of(*args, self.base(rank=9), layer(["bob"], "2026-01-01T00:00", hours=noon, rank=8), zone="UTC")
        self.assertEqual([who for _, who in got], ["ann"])
        got = of(*args, self.base(rank=9), layer(["bob"], "2026-01-01T00:00", hours=noon, rank=9), zone="UTC")
        self.assertEqual([who for _, who in got], ["ann", "ann bob", "ann"])

    def test_who_is_absent_is_taken_out_and_the_layer_hides_nothing(self):
        people = PEOPLE | {"bob": PEOPLE["bob"] | {"absences": [{"from": "2026-01-02T06:00:00Z", "to": "2026-01-02T18:00:00Z"}]}}
        above = layer(["bob", "cat"], "2026-01-02T00:00")
        got = of("2026-01-02T00:00:00Z", "2026-01-03T12:00:00Z", self.base(), above, zone="UTC", people=people)
        self.assertEqual(
            got, [("01-02T00:00", "bob"), ("01-02T06:00", "ann"), ("01-02T18:00", "bob"), ("01-03T00:00", "cat")]
        )

    def override(self, start, end, oncall, **more):
        return {"from": f"2026-01-02T{start}:00Z", "to": f"2026-01-02T{end}:00Z",
                "oncall": [f"person:{who}" for who in oncall.split()]} | more

    def answer(self, **overrides):
        return of("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", self.base(), zone="UTC", overrides=overrides)

    def test_overrides(self):
        self.assertEqual(
            self.answer(a=self.override("01:00", "02:00", "bob"), b=self.override("03:00", "04:00", "bob", insteadOf=[]),
                        c=self.override("05:00", "06:00", "bob", insteadOf=["person:ann", "person:cat"]),
                        d=self.override("07:00", "08:00", "bob", insteadOf=["person:cat"]),
                        e=self.override("09:00", "10:00", ""),
                        f=self.override("11:00", "12:00", "", insteadOf=["person:ann"])),
            [("01-02T00:00", "ann"), ("01-02T01:00", "bob"), ("01-02T02:00", "ann"), ("01-02T03:00", "ann bob"),
             ("01-02T04:00", "ann"), ("01-02T05:00", "bob"), ("01-02T06:00", "ann"), ("01-02T09:00", ""),
             ("01-02T10:00", "ann"), ("01-02T11:00", ""), ("01-02T12:00", "ann")],
        )

    def test_overrides_apply_by_beginning_then_the_longer_then_by_id(self):
        self.assertEqual(
            self.answer(z=self.override("01:00", "05:00", "bob"),
                        a=self.override("02:00", "04:00", "cat", insteadOf=["person:bob"])),
            [("01-02T00:00", "ann"), ("01-02T01:00", "bob"), ("01-02T02:00", "cat"), ("01-02T04:00", "bob"),
             ("01-02T05:00", "ann")],
        )
        # The longer first, though its id is later: so the shorter has the last word.
        self.assertEqual(
            self.answer(z=self.override("01:00", "05:00", "bob"), a=self.override("01:00", "04:00", "cat")),
            [("01-02T00:00", "ann"), ("01-02T01:00", "cat"), ("01-02T04:00", "bob"), ("01-02T05:00", "ann")],
        )
        self.assertEqual(
            self.answer(b=self.override("01:00", "05:00", "bob"), a=self.override("01:00", "05:00", "cat"))[1],
            ("01-02T01:00", "bob"),
        )


class Feeds(unittest.TestCase):
    def test_events_start_first_and_end_last(self):
        feed = calendar(
            ["UID:1", "DTSTAMP:20260101T000000Z", "SUMMARY:bob", f"DTSTART;TZID={NY}:20261031T013000",
             f"DTEND;TZID={NY}:20261031T014500", "RRULE:FREQ=DAILY;COUNT=3"],
        )
        got = of("2026-10-31T00:00:00Z", "2026-11-03T00:00:00Z", layer(["ann"], "2026-01-01T00:00"), feed=feed)
        self.assertEqual(
            got, [("10-31T00:00", "ann"), ("10-31T05:30", "bob"), ("10-31T05:45", "ann"), ("11-01T05:30", "bob"),
                  ("11-01T06:45", "ann"), ("11-02T06:30", "bob"), ("11-02T06:45", "ann")]
        )

    def test_moved_cancelled_and_left_out_occurrences(self):
        head = ["UID:1", "DTSTAMP:20260101T000000Z"]
        feed = calendar(
            [*head, "SUMMARY:bob", "DTSTART:20260101T100000Z", "DTEND:20260101T110000Z", "RRULE:FREQ=DAILY;COUNT=5",
             "EXDATE:20260102T100000Z"],
            [*head, "SUMMARY:cat", "RECURRENCE-ID:20260103T100000Z", "DTSTART:20260103T150000Z", "DTEND:20260103T160000Z"],
            [*head, "SUMMARY:bob", "STATUS:CANCELLED", "RECURRENCE-ID:20260104T100000Z", "DTSTART:20260104T100000Z",
             "DTEND:20260104T110000Z"],
        )
        got = of("2026-01-01T00:00:00Z", "2026-01-07T00:00:00Z", zone="UTC", feed=feed, feed_as="base")
        self.assertEqual(
            [run for run in got if run[1]], [("01-01T10:00", "bob"), ("01-03T15:00", "cat"), ("01-05T10:00", "bob")]
        )

    def test_whole_days_are_days_of_the_schedules_zone_and_others_are_of_their_own(self):
        feed = calendar(
            ["UID:1", "DTSTAMP:20260101T000000Z", "SUMMARY:Bob", "DTSTART;VALUE=DATE:20260308"],
            ["UID:2", "DTSTAMP:20260101T000000Z", "SUMMARY:x", "ATTENDEE:mailto:CAT@example.org", "DTSTART:20260310T120000",
             "DTEND:20260310T130000"],
            ["UID:3", "DTSTAMP:20260101T000000Z", "SUMMARY:dan", "DTSTART:20260311T120000Z", "DTEND:20260311T130000Z"],
            zone="Europe/Athens",
        )
        got = of("2026-03-08T00:00:00Z", "2026-03-12T00:00:00Z", feed=feed)
        self.assertEqual(
            got, [("03-08T00:00", ""), ("03-08T05:00", "bob"), ("03-09T04:00", ""), ("03-10T10:00", "cat"),
                  ("03-10T11:00", ""), ("03-11T12:00", "dan"), ("03-11T13:00", "")]
        )

    def test_an_event_of_nobody_hides_nothing(self):
        feed = calendar(["UID:1", "DTSTAMP:20260101T000000Z", "SUMMARY:zoe", "DTSTART:20260310T120000Z", "DTEND:20260310T130000Z"])
        got = of("2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z", layer(["ann"], "2026-01-01T00:00"), feed=feed)
        self.assertEqual(got, [("03-10T00:00", "ann")])


class Teams(unittest.TestCase):
    def test_the_day_comes_first_then_levels_then_the_fallback(self):
        schedules = {"s": schedule(layer(["ann", "bob"], "2026-03-01T12:00"))}
        days = {"2026-03-08": {"oncall": ["person:cat", "ops@Example.ORG"], "escalation": []}}
        span = ("2026-03-07T12:00:00Z", "2026-03-10T00:00:00Z")
        levels = [{"notify": ["schedule:s", "person:dan"], "waitSeconds": 60}]
        doc = document(*span, schedules, calendar=days, levels=levels)
        self.assertEqual(
            runs(doc, "t", kind="team"),
            [("03-07T12:00", "bob dan"), ("03-07T17:00", "ann dan"), ("03-08T05:00", "mailto:ops@example.org cat"),
             ("03-09T04:00", "bob dan"), ("03-09T16:00", "ann dan")],
        )
        doc = document(*span, schedules)
        self.assertEqual(runs(doc, "t", kind="team"), [("03-07T12:00", "mailto:last@example.org")])

    def test_an_absence_leaves_levels_alone(self):
        people = PEOPLE | {"ann": PEOPLE["ann"] | {"absences": [{"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}]}}
        doc = document(
            "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", {"s": schedule(layer(["ann"], "2026-01-01T00:00"))}, people,
            levels=[{"notify": ["person:ann"], "waitSeconds": 60}],
        )
        self.assertEqual(runs(doc, "t", kind="team"), [("03-01T00:00", "ann")])
        self.assertEqual(runs(doc), [("03-01T00:00", "")])

    def test_nested_schedules_are_resolved(self):
        inner = schedule(layer(["ann", "bob"], "2026-01-01T00:00"), zone="UTC")
        outer = schedule(layer(["schedule:inner", "schedule:t/inner", "cat"], "2026-01-01T06:00"), zone="UTC")
        doc = document("2026-01-01T06:00:00Z", "2026-01-04T06:00:00Z", {"inner": inner, "s": outer})
        self.assertEqual(
            runs(doc), [("01-01T06:00", "ann"), ("01-02T00:00", "bob"), ("01-03T00:00", "ann"), ("01-03T06:00", "cat")]
        )


class Roster(unittest.TestCase):
    def test_the_realistic_roster_has_what_it_promises(self):
        made = roster.roster("2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z")
        schedules = [s for team in made["teams"].values() for s in team["schedules"].values()]
        self.assertEqual(len(made["teams"]), 3)
        self.assertEqual(sum(len(s.get("overrides", {})) for s in schedules), 10)
        self.assertEqual(sum(len(p.get("absences", [])) for p in made["people"].values()), 2)
        self.assertEqual(sum(len(s.get("feeds", [])) for s in schedules), 1)
        self.assertTrue(all(len(line.encode()) <= 75 for line in roster.feed().split("\r\n")))

    def test_random_rosters_follow_their_seed(self):
        once = [random_rosters.case(7, number) for number in range(3)]
        self.assertEqual(once, [random_rosters.case(7, number) for number in range(3)])
        self.assertNotEqual(once, [random_rosters.case(8, number) for number in range(3)])


if __name__ == "__main__":
    unittest.main()
