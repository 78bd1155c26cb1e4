"""Zones and records in one SQLite file, laid out as PowerDNS wants it.

The table `records` is PowerDNS' own with columns of ours added; so what the API says and what
DNS answers are the same rows, and a committed write is visible to both at once.
"""

import json
import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cloudflare.records import Record, new_id, now

PDNS_SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
PLAIN_SCHEMA = """
CREATE TABLE domains (id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL);
CREATE TABLE records (id INTEGER PRIMARY KEY, domain_id INTEGER, name TEXT, type TEXT,
  content TEXT, ttl INTEGER, prio INTEGER);
CREATE INDEX records_lookup_idx ON records(name, type);
"""
OURS = """
ALTER TABLE domains ADD COLUMN cf_id TEXT;
ALTER TABLE domains ADD COLUMN cf_status TEXT;
ALTER TABLE domains ADD COLUMN cf_created_on TEXT;
ALTER TABLE records ADD COLUMN cf_id TEXT;
ALTER TABLE records ADD COLUMN cf_ttl INTEGER;
ALTER TABLE records ADD COLUMN proxied INTEGER;
ALTER TABLE records ADD COLUMN comment TEXT;
ALTER TABLE records ADD COLUMN tags TEXT;
ALTER TABLE records ADD COLUMN settings TEXT;
ALTER TABLE records ADD COLUMN created_on TEXT;
ALTER TABLE records ADD COLUMN modified_on TEXT;
ALTER TABLE records ADD COLUMN comment_modified_on TEXT;
ALTER TABLE records ADD COLUMN tags_modified_on TEXT;
CREATE UNIQUE INDEX records_cf_id_idx ON records(cf_id);
"""
AUTOMATIC_TTL = 300  # what ttl 1 means in DNS
COLUMNS = ("cf_id", "name", "type", "content", "cf_ttl", "proxied", "comment", "tags", "settings",
           "prio", "created_on", "modified_on", "comment_modified_on", "tags_modified_on")
SELECT = ("SELECT " + ", ".join("r." + c for c in COLUMNS) + ", d.cf_id FROM records r "
          "JOIN domains d ON d.id = r.domain_id WHERE r.cf_id IS NOT NULL ORDER BY r.id")


@dataclass
class Zone:
    id: str
    name: str
    status: str = "active"
    key: int = 0  # of the domains table
    created_on: str = field(default_factory=now)

    @property
    def ascii(self):
        """As the names of its records have it; `name` may be in Unicode, as the API's are."""
        return ascii_name(self.name)


def ascii_name(name):
    return name if name.isascii() else name.encode("idna").decode()


class Store:
    """All methods are safe from any thread; a transaction holds the lock to its end.

    Reading is done from memory, writing to memory and file; a rollback reads the file again.
    """

    def __init__(self, path=None):
        self.lock = threading.RLock()
        self.zones = {}
        self.by_zone = {}  # zone id: {record id: record}
        self.by_name = {}  # (zone id, name): {record id: record}
        self.depth = 0
        fresh = path is None or not Path(path).exists()
        self.db = sqlite3.connect(path or ":memory:", isolation_level=None,
                                  check_same_thread=False, timeout=10)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=OFF")
        if fresh:
            packaged = path is not None and PDNS_SCHEMA.exists()
            self.db.executescript(PDNS_SCHEMA.read_text() if packaged else PLAIN_SCHEMA)
            self.db.executescript(OURS)
        self._load()

    def close(self):
        with self.lock:
            self.db.close()

    def _load(self):
        self.zones = {cf_id: Zone(cf_id, name, status, key, created) for key, name, cf_id, status,
                      created in self.db.execute(
                          "SELECT id, name, cf_id, cf_status, cf_created_on FROM domains")}
        self.by_zone = {zone_id: {} for zone_id in self.zones}
        self.by_name = {}
        for row in self.db.execute(SELECT):
            self._keep(_record(row))

    def _keep(self, record):
        self.by_zone[record.zone_id][record.id] = record
        self.by_name.setdefault((record.zone_id, record.name), {})[record.id] = record

    def _drop(self, record):
        del self.by_zone[record.zone_id][record.id]
        del self.by_name[record.zone_id, record.name][record.id]

    @contextmanager
    def transaction(self):
        """All or nothing. Inside another one it is part of that."""
        with self.lock:
            if self.depth == 0:
                self.db.execute("BEGIN IMMEDIATE")
            self.depth += 1
            try:
                yield
            except BaseException:
                self.depth -= 1
                if self.depth == 0:
                    self.db.execute("ROLLBACK")
                    self._load()
                raise
            self.depth -= 1
            if self.depth == 0:
                self.db.execute("COMMIT")

    def add_zone(self, name, zone_id=None, status="active"):
        name = name.lower().removesuffix(".")
        with self.transaction():
            zone = Zone(zone_id or new_id(), name, status)
            zone.key = self.db.execute(
                "INSERT INTO domains(name, type, cf_id, cf_status, cf_created_on) "
                "VALUES(?,?,?,?,?)", (name, "NATIVE", zone.id, status, zone.created_on)).lastrowid
            soa = f"ns.{name} hostmaster.{name} 1 3600 600 604800 60"
            for kind, content in (("SOA", soa), ("NS", f"ns.{name}")):
                self.db.execute("INSERT INTO records(domain_id, name, type, content, ttl) "
                                "VALUES(?,?,?,?,?)", (zone.key, name, kind, content, 3600))
            self.zones[zone.id] = zone
            self.by_zone[zone.id] = {}
            return zone

    def remove_zone(self, zone_id):
        with self.transaction():
            zone = self.zones.pop(zone_id)
            self.db.execute("DELETE FROM records WHERE domain_id = ?", (zone.key,))
            self.db.execute("DELETE FROM domains WHERE id = ?", (zone.key,))
            for record in self.by_zone.pop(zone_id).values():
                del self.by_name[zone_id, record.name][record.id]

    def zone_of(self, name):
        """The zone with the longest name that ends `name`."""
        fits = [z for z in self.zones.values() if name == z.ascii or name.endswith("." + z.ascii)]
        if not fits:
            raise KeyError(f"{name} is in none of the zones")
        return max(fits, key=lambda z: len(z.name))

    def records(self, zone_id=None, name=None):
        """Records, oldest first; of one zone, or of one name in it."""
        with self.lock:
            if zone_id and name:
                return list(self.by_name.get((zone_id, name.lower()), {}).values())
            zones = [zone_id] if zone_id else self.by_zone
            return [r for z in zones for r in self.by_zone[z].values()]

    def get(self, record_id):
        with self.lock:
            return next((z[record_id] for z in self.by_zone.values() if record_id in z), None)

    def count(self, zone_id):
        return len(self.by_zone[zone_id])

    def insert(self, record):
        row = _row(record)
        names = ", ".join(row)
        marks = ", ".join("?" * len(row))
        with self.transaction():
            self.db.execute(f"INSERT INTO records({names}, domain_id) VALUES({marks}, ?)",
                            (*row.values(), self.zones[record.zone_id].key))
            self._keep(record)

    def update(self, record):
        row = _row(record)
        names = ", ".join(f"{name} = ?" for name in row)
        with self.transaction():
            self.db.execute(f"UPDATE records SET {names} WHERE cf_id = ?",
                            (*row.values(), record.id))
            old = self.by_zone[record.zone_id][record.id]
            if old.name != record.name:
                del self.by_name[old.zone_id, old.name][old.id]
            self._keep(record)

    def delete(self, record_id):
        with self.transaction():
            self.db.execute("DELETE FROM records WHERE cf_id = ?", (record_id,))
            self._drop(self.get(record_id))


def _row(record):
    return {
        "cf_id": record.id, "name": record.name, "type": record.type, "content": record.content,
        "ttl": AUTOMATIC_TTL if record.ttl == 1 else record.ttl, "cf_ttl": record.ttl,
        "prio": record.priority, "proxied": int(record.proxied), "comment": record.comment,
        "tags": json.dumps(record.tags), "settings": json.dumps(record.settings),
        "created_on": record.created_on, "modified_on": record.modified_on,
        "comment_modified_on": record.comment_modified_on,
        "tags_modified_on": record.tags_modified_on,
    }


def _record(row):
    (cf_id, name, kind, content, ttl, proxied, comment, tags, settings, priority, created,
     modified, commented, tagged, zone_id) = row
    return Record(
        id=cf_id, zone_id=zone_id, name=name, type=kind, content=content, ttl=ttl,
        proxied=bool(proxied), comment=comment, tags=tuple(json.loads(tags)),
        settings=tuple(map(tuple, json.loads(settings))), priority=priority, created_on=created,
        modified_on=modified, comment_modified_on=commented, tags_modified_on=tagged)
