#!/usr/bin/env python3
"""Sends an alert of InResponse to a URL of Apprise. For `[command.NAME] program`, with the URL as its argument."""

import json
import sys

ACCEPTED, UNAVAILABLE, UNKNOWN = 0, 1, 4


def main():
    try:
        import apprise

        message = json.load(sys.stdin)
        data, incident = message["data"], message["data"]["incident"]
        word = {"inresponse.claimed": "Claimed: ", "inresponse.resolved": "Resolved: "}.get(message["type"], "")
        title = f"{word}[{incident['severity']}] #{incident['incidentId']} {incident['service']}: {incident['title']}"
        lines = [incident["message"], data.get("claimUrl"), f"alert {data['deliveryId']}"]
        service = apprise.Apprise()
        if not service.add(sys.argv[1]):
            print("Apprise does not know this URL", file=sys.stderr)
            return UNAVAILABLE
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return UNAVAILABLE
    # Apprise says only that it failed. The message may have arrived.
    if service.notify(title=title, body="\n".join(line for line in lines if line)):
        return ACCEPTED
    print("the service did not confirm the message", file=sys.stderr)
    return UNKNOWN


sys.exit(main())
