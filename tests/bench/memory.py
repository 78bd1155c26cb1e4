#!/usr/bin/python3
"""memory.py COMMAND ARG...: run it and print the peak memory of it and of every process it starts, as JSON.

    {"code": 0, "tasks": 7, "largest_kib": 5120, "sum_kib": 12800}

tasks         processes and threads
largest_kib   the largest peak of any one process (VmHWM, as the kernel kept it for the program last executed)
sum_kib       the most for all at once: at each process's end the peaks of those then alive are added up

ru_maxrss would not do: it also counts what the forking parent had before exec, here a whole Python. So each process is
stopped at its very end (ptrace) and its peak read. That makes it slow: times are measured in other runs.
"""

import ctypes
import json
import os
import signal
import sys

TRACEME, CONT, SETOPTIONS = 0, 7, 0x4200
OPTIONS = 0x02 | 0x04 | 0x08 | 0x40 | 0x100000  # fork, vfork, clone, exit; and they die with us
EVENT_EXIT = 6
WALL = 0x40000000

ptrace = ctypes.CDLL(None, use_errno=True).ptrace
ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
ptrace.restype = ctypes.c_long


def status_kib(pid, field):
    """A line of /proc/PID/status; 0 where there is none (no memory any more) and for a thread, whose process has it."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as lines:
            values = dict(line.split(":", 1) for line in lines)
    except OSError:
        return 0
    if int(values["Tgid"]) != pid or field not in values:
        return 0
    return int(values[field].split()[0])


def start(argv):
    pid = os.fork()
    if pid == 0:
        try:
            if ptrace(TRACEME, 0, None, None) != 0:
                os._exit(126)
            os.kill(os.getpid(), signal.SIGSTOP)
            os.execvpe(argv[0], argv, os.environ)
        finally:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    if not os.WIFSTOPPED(status) or ptrace(SETOPTIONS, pid, None, OPTIONS) != 0:
        sys.exit("memory.py: this machine does not allow ptrace")
    ptrace(CONT, pid, None, None)
    return pid


def watch(first):
    alive, largest, most, seen, code = {first}, 0, 0, 1, 1
    while alive:
        pid, status = os.waitpid(-1, WALL)
        if not os.WIFSTOPPED(status):
            alive.discard(pid)
            if pid == first:
                code = os.waitstatus_to_exitcode(status)
            continue
        if pid not in alive:
            alive.add(pid)
            seen += 1
        event, number = status >> 16, os.WSTOPSIG(status)
        if event == EVENT_EXIT:
            largest = max(largest, status_kib(pid, "VmHWM"))
            most = max(most, sum(status_kib(p, "VmHWM") for p in alive))
        # A new child's first stop and exec's SIGTRAP are ours; any other signal is handed on.
        ours = event or number in (signal.SIGSTOP, signal.SIGTRAP)
        ptrace(CONT, pid, None, None if ours else number)
    return {"code": code, "tasks": seen, "largest_kib": largest, "sum_kib": most}


if __name__ == "__main__":
    print(json.dumps(watch(start(sys.argv[1:]))))
