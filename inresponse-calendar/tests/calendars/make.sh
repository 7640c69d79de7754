#!/bin/sh
# Makes the calendars of this folder that libraries make, and what is expected of all.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tools=${1:-$(mktemp -d)}
python3 -m venv "$tools/python"
"$tools/python/bin/python" -m pip install --quiet icalendar==7.3.2 ics==0.7.3 recurring-ical-events==3.8.2 tzdata==2026.6
npm install --no-save --no-audit --no-fund --loglevel=error --prefix "$tools/node" ical-generator@10.2.0
cp "$here/make.mjs" "$tools/node/make.mjs"
TZ=UTC node "$tools/node/make.mjs" > "$here/ical-generator.ics"
"$tools/python/bin/python" "$here/make.py"
