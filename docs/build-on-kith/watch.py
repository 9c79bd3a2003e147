"""Watches one record: prints each thing as it changes, and goes on where it was after a break.

python3 watch.py FHIR_BASE TOKEN [LAST_EVENT_ID]    (kith sandbox prints the first two)
"""

import json
import sys
import time
import urllib.error
import urllib.request

base, token = sys.argv[1:3]
last = sys.argv[3] if len(sys.argv) > 3 else None


def get(path, **headers):
    headers["Authorization"] = "Bearer " + token
    return urllib.request.urlopen(urllib.request.Request(base + path, headers=headers))


def told(reference):
    """What a resource says now, in a line; it may have been taken back meanwhile."""
    try:
        with get("/" + reference) as answer:
            resource = json.load(answer)
    except urllib.error.HTTPError as error:
        return f"{reference}: not to be had ({error.code})"
    code = resource.get("code") or resource.get("medicationCodeableConcept") or {}
    words = code.get("text") or next((c.get("display") for c in code.get("coding", [])), "")
    return f"{reference}: {words or resource['resourceType']}"


def follow():
    """Reads server-sent events until the connection ends."""
    global last
    with get("/$events", **({"Last-Event-ID": last} if last else {})) as stream:
        event_id = None
        for line in stream:
            name, _, value = line.decode().rstrip("\r\n").partition(":")
            if name == "id":
                event_id = value.strip()
            elif name == "data":
                for reference in json.loads(value)["changed"]:
                    print(told(reference), flush=True)
                last = event_id


while True:
    try:
        follow()
    except urllib.error.HTTPError as error:
        sys.exit(f"The share has ended or the token is wrong ({error.code}).")
    except OSError as error:
        print(f"Not connected ({error}); trying again.", file=sys.stderr)
    time.sleep(1)
