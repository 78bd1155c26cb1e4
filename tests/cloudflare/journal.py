"""What happened: every call, and the whole record set after each change."""

import json
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass

from cloudflare.call import Call


@dataclass(frozen=True)
class Snapshot:
    """The record set of all zones from `t` on."""

    n: int  # 0, 1, ...
    t: float
    call: Call | None  # the write that made it; None: the test itself (seed, hook)
    records: tuple

    def of(self, name, types=None):
        return [r for r in self.records
                if r.name == name.lower() and (types is None or r.type in types)]


class Journal:
    """Safe from any thread. With a path each event is also a line of JSON in that file."""

    def __init__(self, path=None):
        self.lock = threading.RLock()
        self.calls = []
        self.snapshots = [Snapshot(0, time.monotonic(), None, ())]
        self.violations = []  # of (call or None, text)
        self.file = open(path, "a", encoding="utf-8", buffering=1) if path else None

    def close(self):
        with self.lock:
            if self.file:
                self.file.close()
                self.file = None

    def _write(self, event):
        if self.file:
            self.file.write(json.dumps(event, ensure_ascii=False) + "\n")

    def begin(self, call):
        with self.lock:
            self.calls.append(call)
            call.n = len(self.calls)

    def end(self, call):
        """The call is over, for better or worse."""
        with self.lock:
            self._write(call.to_json())

    def violation(self, call, text):
        with self.lock:
            self.violations.append((call, text))
            if call:
                call.violations.append(text)
            self._write({"event": "violation", "n": call.n if call else None, "text": text})

    def change(self, call, records):
        """The records are now these. Returns whether they were others before."""
        with self.lock:
            before = self.snapshots[-1].records
            records = tuple(records)
            if records == before:
                return False
            snapshot = Snapshot(len(self.snapshots), time.monotonic(), call, records)
            self.snapshots.append(snapshot)
            if self.file:
                names = sorted({r.name for r in set(before) ^ set(records)})
                self._write({
                    "event": "records", "n": snapshot.n, "t": round(snapshot.t, 6),
                    "call": call.n if call else None, "names": names,
                    "records": [brief(r) for r in records if r.name in names]})
            return True

    def find(self, kind=None, since=0):
        """Calls of a kind (see Call.is_kind) after the first `since` ones."""
        with self.lock:
            return [c for c in self.calls[since:] if c.is_kind(kind)]

    def counts(self):
        with self.lock:
            return dict(Counter(c.kind for c in self.calls))


def brief(record):
    return {k: v for k, v in asdict(record).items()
            if k in ("id", "name", "type", "content", "ttl", "proxied", "comment")}
