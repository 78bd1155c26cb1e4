"""Injected faults: which calls they meet, in which order, how often. misbehave.py does the rest."""

import random
import re
import threading
from dataclasses import dataclass, field

from cloudflare import misbehave

# These only look on or wait; they go together with any other fault.
COMPANIONS = ("delay", "hook")
KINDS = ("any", "write", "zones", "zone", "list", "get", "usage", "verify", "create", "patch",
         "put", "delete", "batch", "batch-post", "batch-delete", "batch-mixed", "unknown",
         "connect")


@dataclass(eq=False)
class Rule:
    """One fault. `options` are those of the action, see misbehave.py."""

    do: str
    kind: str = "any"
    method: str | None = None
    path: str | None = None  # regular expression, searched in path and query
    contains: str | None = None  # text in the body
    nth: int = 1  # from the nth matching call on
    times: int = 1  # for so many calls; 0: for ever
    chance: float = 1.0  # of each matching call, with dice of its own
    seed: int = 0
    options: dict = field(default_factory=dict)
    seen: int = 0  # matching calls
    hits: int = 0  # of them met

    def __post_init__(self):
        known = misbehave.CONNECT_ACTS if self.kind == "connect" else misbehave.ACTS
        if self.do not in known and self.do not in COMPANIONS:
            raise ValueError(f"no fault {self.do!r}; there are {', '.join(sorted(known))}")
        if self.kind not in KINDS:
            raise ValueError(f"no kind {self.kind!r}; there are {', '.join(KINDS)}")
        act = known.get(self.do)
        allowed = misbehave.options_of(act) if act else {"before", "after", "sent", "seconds"}
        if unknown := set(self.options) - allowed:
            raise ValueError(f"fault {self.do!r} knows {sorted(allowed)}, not {sorted(unknown)}")
        self.dice = random.Random(self.seed)

    def fits(self, call):
        if self.kind == "connect" or not call.is_kind(self.kind):
            return False
        return ((self.method is None or call.method == self.method)
                and (self.path is None or re.search(self.path, call.target) is not None)
                and (self.contains is None or self.contains.encode() in call.body))

    def meets(self):
        """Whether this matching call is one to be met; counts it."""
        self.seen += 1
        if self.seen < self.nth or (self.times and self.hits >= self.times):
            return False
        if self.dice.random() >= self.chance:
            return False
        self.hits += 1
        return True

    def to_json(self):
        return {"do": self.do, "kind": self.kind, "nth": self.nth, "times": self.times,
                "seen": self.seen, "hits": self.hits}


class Faults:
    """Rules in the order of adding. Of those that fit the first is carried out, and every hook and
    delay besides."""

    def __init__(self):
        self.lock = threading.Lock()
        self.rules = []

    def add(self, do, **keys):
        names = set(Rule.__dataclass_fields__) - {"options", "seen", "hits"}
        fixed = {k: v for k, v in keys.items() if k in names}
        rule = Rule(do, options={k: v for k, v in keys.items() if k not in fixed}, **fixed)
        with self.lock:
            self.rules.append(rule)
        return rule

    def clear(self):
        with self.lock:
            self.rules.clear()

    def pick(self, call):
        """(rule or None, companions) for a call."""
        with self.lock:
            fitting = [r for r in self.rules if r.fits(call)]
            companions = [r for r in fitting if r.do in COMPANIONS and r.meets()]
            others = (r for r in fitting if r.do not in COMPANIONS)
            return next((r for r in others if r.meets()), None), companions

    def pick_connect(self):
        with self.lock:
            return next((r for r in self.rules if r.kind == "connect" and r.meets()), None)
