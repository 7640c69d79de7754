"""Calendar feeds: the text of an iCalendar file, to events with an instant each for start and end."""

import datetime as dt

import zones  # before icalendar: it forces the zone database

import icalendar
import recurring_ical_events

DAY = dt.timedelta(days=1)
# How far beyond the span events are looked for, so that long and moved ones are seen.
MARGIN = 40 * DAY
# Where an event's own DURATION is kept while the library expands it.
DURATION = "X-ORACLE-DURATION"


def events(text, schedule_zone, start, end, who_is):
    """(start, end, persons) of every occurrence near the span from `start` to `end`. Who it names that is nobody's name
    is left out."""
    calendar = icalendar.Calendar.from_ical(text)
    named = calendar.get("X-WR-TIMEZONE")
    floating = zones.zone(str(named)) if named else schedule_zone
    low = dt.datetime.fromtimestamp(start, zones.UTC) - MARGIN
    high = dt.datetime.fromtimestamp(end, zones.UTC) + MARGIN
    for event in calendar.walk("VEVENT"):
        if "DURATION" in event:
            # The expansion keeps what it does not know, and turns durations into ends.
            event[DURATION] = f"{event['DURATION'].dt // dt.timedelta(seconds=1)}"
    found = []
    for event in recurring_ical_events.of(calendar).between(low, high):
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        began, ended = event["DTSTART"].dt, event["DTEND"].dt
        if not isinstance(began, dt.datetime):
            # Days of the schedule's zone, from midnight to midnight.
            midnight = dt.time()
            span = (
                zones.first(dt.datetime.combine(began, midnight), schedule_zone),
                zones.last(dt.datetime.combine(_date(ended), midnight), schedule_zone),
            )
        else:
            span = (_bound(zones.first, began, floating), _bound(zones.last, ended, floating))
            if DURATION in event:
                # Days of a duration are days of the calendar; its hours are elapsed.
                length = dt.timedelta(seconds=int(event[DURATION]))
                after_days = began.replace(tzinfo=None) + dt.timedelta(days=length.days)
                tz = began.tzinfo or floating
                begin_of_rest = span[0] if length.days == 0 else zones.first(after_days, tz)
                span = (span[0], begin_of_rest + length.seconds)
        if span[0] < span[1]:
            found.append((*span, frozenset(persons(event, who_is))))
    return sorted(found, key=lambda event: (event[0], event[1], sorted(event[2])))


def _date(value):
    return value.date() if isinstance(value, dt.datetime) else value


def _bound(which, when, floating):
    return which(when.replace(tzinfo=None), when.tzinfo or floating)


def persons(event, who_is):
    """Whom an event names: by its summary, else by its description, else by its only attendee."""
    said = [str(event.get("SUMMARY", "")), str(event.get("DESCRIPTION", ""))]
    attendees = event.get("ATTENDEE", [])
    attendees = attendees if isinstance(attendees, list) else [attendees]
    if len(attendees) == 1:
        said.append(str(attendees[0]))
    for words in said:
        person = who_is(words.strip())
        if person is not None:
            return {person}
    return set()
