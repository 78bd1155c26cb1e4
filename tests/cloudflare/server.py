"""The stand-in put together: class Cloudflare, what tests hold in their hands."""

import os
import random
import shutil
import ssl
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

from cloudflare import invariants, tls
from cloudflare.api import BASE, Api, kind_of
from cloudflare.auth import Credentials
from cloudflare.call import ApiError, Call, codes_of
from cloudflare.dns import PowerDNS
from cloudflare.exchange import Exchange, RateLimit
from cloudflare.faults import Faults
from cloudflare.journal import Journal
from cloudflare.misbehave import CONNECT_ACTS
from cloudflare.records import build
from cloudflare.settings import Settings
from cloudflare.store import Store
from cloudflare.transport import Listener
from cloudflare.validate import Contract, Official
from cloudflare.wire import BadRequest, read_request


class Cloudflare:
    """A server on a free loopback port, from construction to stop(); also a context manager.

    zones      names (ids are made up) or {name: id}
    dns        run PowerDNS on the records, at `host`; without it they live in memory
    dns_port   0: a free one
    database   where the records live; default: in memory, or in `folder` with dns
    folder     for certificates, database, logs, journal.jsonl; default: a temporary one
    https      speak TLS with a certificate of `authority` (default: one made for this server)
    host       address to listen on, for containers another than loopback
    names      further names and addresses that we are called by (certificate, Host)
    low, high  TLS versions (ssl.TLSVersion)
    openapi    path of the official document; None: as CLOUDFLARE_OPENAPI says; '': none
    journal_file  write folder/journal.jsonl, too
    seed       of the dice for chunk sizes and cookies
    settings   anything in settings.py
    """

    def __init__(self, zones=("example.com",), *, dns=False, dns_port=0, database=None, folder=None,
                 https=True, authority=None, host="127.0.0.1", port=0, low=ssl.TLSVersion.TLSv1_2,
                 high=ssl.TLSVersion.MAXIMUM_SUPPORTED, tickets=True, openapi=None,
                 names=(), journal_file=False, seed=0, **settings):
        self.settings = Settings()
        self.settings.change(**settings)
        self.temporary = folder is None
        self.folder = Path(folder or tempfile.mkdtemp(prefix="cloudflare-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        if dns and database is None:
            database = self.folder / "records.sqlite3"
        self.store = Store(database)
        self.journal = Journal(self.folder / "journal.jsonl" if journal_file else None)
        self.credentials = Credentials()
        self.token = self.credentials.add_token()
        self.api = Api(self.store, self.settings, self.credentials)
        self.faults = Faults()
        self.contract = Contract(self.settings)
        document = os.environ.get("CLOUDFLARE_OPENAPI") if openapi is None else openapi
        self.official = Official(document) if document else None
        self.rate = RateLimit(self.settings)
        self.dice = random.Random(seed)
        known = {zone.name for zone in self.store.zones.values()}
        for name in zones:
            if name not in known:
                self.add_zone(name, zones[name] if isinstance(zones, dict) else None)
        self.journal.change(None, self.store.records())
        self.scheme = "https" if https else "http"
        self.host = "localhost" if host == "127.0.0.1" else host
        self.names = tuple(dict.fromkeys((*tls.NAMES, host, *names)))
        self.forwarders = []  # ports that lead to ours
        self.authority = context = None
        if https:
            self.authority = authority or tls.Authority(self.folder / "tls")
            context = tls.server_context(*self.authority.issue(self.names), low, high, tickets)
        self.stopped = threading.Lock()
        self.listener = Listener(self._serve, context, host, port, self._greet,
                                 lambda: self.settings.idle_timeout_sec)
        self.port = self.listener.port
        self.dns = None
        if dns:
            self.dns = PowerDNS(database, self.folder / "pdns", host, dns_port)
            try:
                self.dns.start()
            except BaseException:
                self.stop()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """End every connection, thread and child; the journal stays readable."""
        if not self.stopped.acquire(blocking=False):
            return
        self.listener.stop()
        if self.dns:
            self.dns.stop()
        self.store.close()
        self.journal.close()
        if self.temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    # -- where it is

    @property
    def url(self):
        """For CF_API_URL."""
        return f"{self.scheme}://{self.host}:{self.port}{BASE}"

    @property
    def ca_file(self):
        """For SSL_CERT_FILE."""
        return str(self.authority.ca_file) if self.authority else None

    def env(self):
        """The environment variables with which the program under test finds us."""
        out = {"CF_API_URL": self.url, "CLOUDFLARE_API_TOKEN": self.token}
        return out | ({"SSL_CERT_FILE": self.ca_file} if self.ca_file else {})

    def zone_id(self, name="example.com"):
        return next(z.id for z in self.store.zones.values() if z.name == name)

    # -- setting the scene

    def add_zone(self, name, zone_id=None, status="active"):
        return self.store.add_zone(name, zone_id, status)

    def remove_zone(self, name="example.com"):
        """It is gone, with its records; its id is none any more."""
        self.store.remove_zone(self.zone_id(name))
        self.journal.change(None, self.store.records())

    def add_token(self, token=None, rights=("zone_read", "dns_read", "dns_edit"), zone="*",
                  kind="user"):
        """A further token with rights on one zone (name or id) or on all; one that is there has
        these on that zone from now on. Returns it."""
        zone_id = zone if zone == "*" or zone in self.store.zones else self.zone_id(zone)
        return self.credentials.add_token(token, rights, zone_id, kind)

    def add_key(self, email="ops@example.com", key=None):
        return self.credentials.add_key(email, key)

    def seed(self, name, type, content, ttl=60, **more):
        """Put a record there behind the client's back and return it.

        `more`: id (any text), proxied, comment, tags, priority. Neither plan, quota nor the rules
        between records apply.
        """
        item = {"name": name, "type": type, "content": content, "ttl": ttl, **more}
        return self.seed_many([item])[0]

    def seed_many(self, items):
        """As seed(), for many dicts of its arguments at once."""
        free = Settings(min_ttl=1, comment_max=10**6, tag_quota=10**6)
        records = []
        with self.store.transaction():
            for item in items:
                zone = self.store.zone_of(item["name"].lower().removesuffix("."))
                record = build(zone, {"ttl": 60, **item}, free)
                records.append(replace(record, id=item.get("id") or record.id))
                self.store.insert(records[-1])
            self.journal.change(None, self.store.records())
        return records

    def remove(self, name=None, type=None, content=None, id=None):
        """Take records away behind the client's back. Returns how many."""
        with self.store.transaction():
            gone = [r for r in self.store.records()
                    if (name in (None, r.name)) and (type in (None, r.type))
                    and (content in (None, r.content)) and (id in (None, r.id))]
            for record in gone:
                self.store.delete(record.id)
            self.journal.change(None, self.store.records())
        return len(gone)

    def fault(self, do, **keys):
        """Inject a fault, see README.md. Returns the rule; its `hits` counts."""
        return self.faults.add(do, **keys)

    def poison(self, content=None, message="injected refusal", name=None):
        """Any record with this content, at this name if both are given, is refused (1004, the
        message in its chain)."""
        self.api.poison[content, name] = message

    # -- what came of it

    def records(self, name=None):
        """Records now, oldest first; of one name if given."""
        return [r for r in self.store.records() if name is None or r.name == name.lower()]

    def contents(self, name, type=None):
        """Sorted contents now at a name."""
        return sorted(r.content for r in self.records(name) if type in (None, r.type))

    def calls(self, kind=None, since=0):
        return self.journal.find(kind, since)

    def writes(self, since=0):
        """Calls that wanted to change something, refused ones too."""
        return self.journal.find("write", since)

    @property
    def connections(self):
        """Connections that got as far as a handshake (or a request, without TLS)."""
        return [s for s in self.listener.seen if s.handshaken or s.requests]

    @property
    def resumed(self):
        return sum(s.resumed for s in self.connections)

    @property
    def violations(self):
        """Breaches of the request schemas, as texts."""
        return [f"{call!r}: {text}" if call else text for call, text in self.journal.violations]

    def mark(self):
        """A point in time, for check_invariants(since=) and timeline(since=)."""
        return len(self.journal.snapshots) - 1

    def timeline(self, name, since=0):
        """The record sets of a name over time: a list of lists of records."""
        return [s.of(name) for s in self.journal.snapshots[since:]]

    def breaches(self, name, wanted=None, since=0, **options):
        """See invariants.check()."""
        return invariants.check(self.journal.snapshots[since:], name, wanted, **options)

    def check_invariants(self, name, wanted=None, since=0, **options):
        """Assert that no rule was broken; options as for invariants.check()."""
        found = self.breaches(name, wanted, since, **options)
        assert not found, "\n".join(found)

    # -- serving

    def _greet(self, connection):
        rule = self.faults.pick_connect()
        return CONNECT_ACTS[rule.do](connection, **rule.options) if rule else True

    def _serve(self, connection):
        try:
            parts = read_request(connection)
        except BadRequest as e:
            self.journal.violation(None, f"connection {connection.seen.id}: {e}")
            connection.seen.error = str(e)
            connection.send(b"HTTP/1.1 400 Bad Request\r\nServer: cloudflare\r\n"
                            b"Content-Length: 0\r\nConnection: close\r\n\r\n")
            return False
        if parts is None:
            return False
        method, target, version, headers, body = parts
        call = Call(method, target, version, headers, body, time.monotonic(), connection.seen.id,
                    connection.seen.resumed)
        call.kind = kind_of(call)
        connection.seen.requests += 1
        self.journal.begin(call)
        try:
            for text in self._breaches_of(call):
                self.journal.violation(call, text)
            return self._answer(Exchange(self, call, connection))
        except Exception as e:
            if not isinstance(e, OSError):  # that one: the client has gone
                self.journal.violation(call, f"the stand-in failed: {type(e).__name__}: {e}")
            raise
        finally:
            self.journal.end(call)

    def _breaches_of(self, call):
        hosts = {f"{name}:{port}" for name in self.names for port in (self.port, *self.forwarders)}
        hosts.add(tls.NAMES[-1])  # without a port: by way of a proxy that has us there on 443
        yield from self.contract.check(call, hosts, self.store.zones)
        if self.official:
            yield from self.official.check(call)

    def _answer(self, exchange):
        call = exchange.call
        if call.violations:
            refusal = ApiError(400, 9999, "stand-in: " + "; ".join(call.violations)[:1000])
            return exchange.write(refusal.answer())
        rule, companions = self.faults.pick(call)
        call.fault = " ".join(r.do for r in [*companions, rule] if r) or None
        exchange.companions = companions
        exchange.run_hooks("before")
        again = exchange.perform(rule)
        exchange.run_hooks("sent")
        limit = self.settings.requests_per_connection
        return again and not (limit and exchange.connection.seen.requests >= limit)

    def carry_out(self, call, stale=False):
        """Have the API do what the call asks; the records and the journal change together."""
        with self.store.lock:
            if stale and call.kind == "list":
                answer = self.api.handle(call, self._before_last_change())
            else:
                answer = self.api.handle(call)
            call.applied = call.is_write and self.journal.change(call, self.store.records())
        call.status, call.codes = answer.status, codes_of(answer) if answer.status >= 400 else []
        return answer

    def _before_last_change(self):
        snapshots = self.journal.snapshots
        return snapshots[max(0, len(snapshots) - 2)].records
