"""What every client program here has in common: options in one JSON argument, one JSON object a line
on standard output for each thing that happens, and an end when standard input ends."""

import json
import sys
import threading

options = json.loads(sys.argv[1])
stopping = threading.Event()
_printing = threading.Lock()


def say(event, **facts):
    with _printing:
        sys.stdout.write(json.dumps({"event": event, **facts}) + "\n")
        sys.stdout.flush()


def values(prefix="record"):
    """The numbered values that a program is to send."""
    first = options.get("first", 0)
    return [f"{prefix}-{number}" for number in range(first, first + options["count"])]


def _wait_for_end_of_input():
    while sys.stdin.readline():
        pass
    stopping.set()


def run(verbs):
    threading.Thread(target=_wait_for_end_of_input, daemon=True).start()
    verbs[options["verb"]]()
    say("done")
