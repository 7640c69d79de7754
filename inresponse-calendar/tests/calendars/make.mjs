// A calendar by ical-generator: shifts of two people, with a moved and a cancelled occurrence.
import ical from "ical-generator";

const calendar = ical({ name: "Primary on call", timezone: "Europe/Athens", prodId: "//example.org//roster//EN" });
const stamp = new Date("2026-08-01T00:00:00Z");
const weekly = calendar.createEvent({
  id: "weekly@example.org",
  stamp,
  start: "2026-09-07T09:00:00",
  end: "2026-09-14T09:00:00",
  timezone: "Europe/Athens",
  summary: "[L1] Ann, Lee; Kim \\ Jo",
  description: "ann@example.org\nsecond line, of a description that is so long that it has to be folded: αβγδεζηθικλμνξοπρστυφχψω",
  repeating: {
    freq: "WEEKLY",
    interval: 2,
    until: "2027-04-01T00:00:00Z",
    exclude: ["2026-10-05T09:00:00", "2026-12-14T09:00:00"],
    excludeTimezone: "Europe/Athens",
  },
});
weekly.createAttendee({ email: "ann@example.org", name: "Ann, the first" });
calendar.createEvent({
  id: "weekly@example.org",
  stamp,
  recurrenceId: "2026-11-02T09:00:00",
  sequence: 2,
  start: "2026-11-03T09:00:00",
  end: "2026-11-09T18:30:00",
  timezone: "Europe/Athens",
  summary: "Lee, moved",
});
calendar.createEvent({
  id: "nights@example.org",
  stamp,
  start: new Date("2026-10-20T20:00:00Z"),
  end: new Date("2026-10-21T06:00:00Z"),
  timezone: "UTC",
  summary: "Nights",
  repeating: { freq: "DAILY", count: 12 },
});
calendar.createEvent({
  id: "holiday@example.org",
  stamp,
  start: new Date("2026-12-24T00:00:00Z"),
  end: new Date("2026-12-27T00:00:00Z"),
  timezone: "UTC",
  allDay: true,
  summary: "Kim over the holidays",
});
calendar.createEvent({
  id: "month@example.org",
  stamp,
  start: "2026-09-25T17:00:00",
  end: "2026-09-28T08:00:00",
  timezone: "America/New_York",
  summary: "Jo, last weekend of the month",
  repeating: { freq: "MONTHLY", byDay: ["FR"], bySetPos: [-1], count: 8 },
});
process.stdout.write(calendar.toString() + "\r\n");
