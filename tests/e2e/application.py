#!/usr/bin/python3 -IS
"""An application to be run by `dnsbuddy run` in tests, which tells what comes to it.

    application.py EVENTS [CODE] [WORD...]

EVENTS  a file to which it appends a line `TIME WHAT` for each: "app start", "app TERM"... (see running.Events)
CODE    with what it ends on SIGTERM and SIGINT (7)
WORDs   stay    SIGTERM and SIGINT do not end it
        late    they do, half a second later
"""

import os
import signal
import sys
import time


def main():
    events = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    code = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    words = sys.argv[3:]

    def say(what):
        os.write(events, f"{time.time():.6f} app {what}\n".encode())

    def take(number, _):
        try:
            say(signal.Signals(number).name.removeprefix("SIG"))
        except ValueError:
            say(str(number))
        if number in (signal.SIGTERM, signal.SIGINT) and "stay" not in words:
            if "late" in words:
                time.sleep(0.5)
            say("end")
            os._exit(code)

    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGTSTP,
                                            signal.SIGTTIN, signal.SIGTTOU}:
        signal.signal(number, take)
    say("start")
    while True:
        signal.pause()


main()
