"""Blocking queries on a scripted Consul: FakeConsul with an index, and with headers of one's choice."""

import threading
import time

from fake_consul import FakeConsul, Reply, instance


CATALOG, CHECKS = "/v1/catalog/services", "/v1/health/state/any"


class BlockingConsul:
    """Lists one set of instances for every service. What is set() wakes who waits."""

    def __init__(self):
        self.changed = threading.Condition()
        self.index, self.states, self.more = 10, {}, {}
        self.headers, self.consistent_headers = {}, {}
        self.consistent_reply = None
        self.services = []  # of which the two queries tell that are about all
        self.wide_status = 200  # of their answers
        self.index_header = None  # a text in place of the index
        self.fake = FakeConsul()
        self.fake.script = self._answer

    @property
    def address(self):
        return self.fake.address

    @property
    def requests(self):
        return self.fake.requests

    def stop(self):
        with self.changed:
            self.fake.stopping.set()
            self.changed.notify_all()
        self.fake.stop()

    def blocking(self):
        """The queries that are no consistent reads."""
        return [r for r in self.requests if "/health/" in r.path and not r.is_consistent]

    def set(self, states, index=None):
        with self.changed:
            self.states = dict(states)
            self.index = self.index + 1 if index is None else index
            self.changed.notify_all()

    # -- as watching.Site wants it

    def add(self, service, address, state="passing", **_):
        self.set({**self.states, address: state})

    def remove(self, service, address):
        self.set({a: s for a, s in self.states.items() if a != address})

    def _answer(self, request):
        if request.path in (CATALOG, CHECKS) and self.wide_status != 200:
            return Reply(self.wide_status, b"")
        if "/health/" not in request.path and request.path != CATALOG:
            return Reply(404, b"")
        with self.changed:
            asked = int(request.query.get("index", 0))
            if asked:
                until = time.monotonic() + int(request.query["wait"].removesuffix("s"))
                while (asked == self.index and not self.fake.stopping.is_set()
                       and time.monotonic() < until):
                    self.changed.wait(0.5)
            if request.is_consistent and self.consistent_reply:
                return self.consistent_reply
            headers = {"X-Consul-Index": self.index_header or str(self.index), **self.headers}
            if request.is_consistent:
                headers |= self.consistent_headers
            else:
                headers["X-Consul-Effective-Consistency"] = headers.get(
                    "X-Consul-Effective-Consistency", "leader")
            return Reply(body=self._body(request.path), headers=headers)

    def _body(self, path):
        listed = [instance(a, s) for a, s in self.states.items()]
        if path == CATALOG:
            return {"consul": [], **{s: [] for s in self.services}}
        if path == CHECKS:
            return [{**check, "ServiceName": s} for s in self.services for i in listed for check in i["Checks"]]
        return listed
