"""What the API does with a request: routes, rights, lists, writes. Knows nothing of sockets."""

import math
import re

from cloudflare.call import Answer, ApiError, encode, invalid, ok
from cloudflare.listing import exact_name, record_fits, zone_json, zone_name_fits
from cloudflare.records import ADDRESS_TYPES, build

BASE = "/client/v4"
ROUTES = [  # (kind without batch's suffix, method, path)
    ("zones", "GET", r"/zones/?"),
    ("zone", "GET", r"/zones/(?P<zone>[^/]*)"),
    ("list", "GET", r"/zones/(?P<zone>[^/]*)/dns_records/?"),
    ("create", "POST", r"/zones/(?P<zone>[^/]*)/dns_records/?"),
    ("usage", "GET", r"/zones/(?P<zone>[^/]*)/dns_records/usage"),
    ("batch", "POST", r"/zones/(?P<zone>[^/]*)/dns_records/batch"),
    ("get", "GET", r"/zones/(?P<zone>[^/]*)/dns_records/(?P<record>[^/]+)"),
    ("patch", "PATCH", r"/zones/(?P<zone>[^/]*)/dns_records/(?P<record>[^/]+)"),
    ("put", "PUT", r"/zones/(?P<zone>[^/]*)/dns_records/(?P<record>[^/]+)"),
    ("delete", "DELETE", r"/zones/(?P<zone>[^/]*)/dns_records/(?P<record>[^/]+)"),
    ("verify", "GET", r"/user/tokens/verify"),
]
ROUTES = [(kind, method, re.compile(BASE + path + r"\Z")) for kind, method, path in ROUTES]
HEX32 = re.compile(r"[0-9a-f]{32}\Z")


def route(call):
    """(kind, path parts), or ('unknown', {})."""
    for kind, method, pattern in ROUTES:
        match = pattern.match(call.path)
        if match and method == call.method:
            return kind, match.groupdict()
    return "unknown", {}


def kind_of(call):
    """The name faults and journal know a call by.

    A batch is 'batch-delete' (deletes alone), 'batch-post' (no deletes) or 'batch-mixed'.
    """
    kind, _ = route(call)
    if kind != "batch":
        return kind
    body = call.json if isinstance(call.json, dict) else {}
    if not body.get("deletes"):
        return "batch-post"
    mixed = any(body.get(name) for name in ("patches", "puts", "posts"))
    return "batch-mixed" if mixed else "batch-delete"


class Api:
    def __init__(self, store, settings, credentials):
        self.store, self.settings, self.credentials = store, settings, credentials
        self.poison = {}  # (content, name), either may be None: message; always refused

    def handle(self, call, old=None):
        """The answer to a call, the records changed accordingly; a list is of `old`, if given."""
        try:
            identity = self.credentials.identify(call)
            kind, parts = route(call)
            if kind == "unknown":
                raise ApiError(404, 7003, f"Could not route to {call.path}, perhaps your object "
                                          "identifier is invalid?")
            zone = self._find_zone(call, kind, parts, identity) if "zone" in parts else None
            if kind == "list" and old is not None:
                return self._page_of_records(call, zone, [r for r in old if r.zone_id == zone.id])
            return getattr(self, "_" + kind)(call, identity, zone, parts.get("record"))
        except ApiError as refusal:
            return refusal.answer()

    def _find_zone(self, call, kind, parts, identity):
        if not HEX32.match(parts["zone"]):
            raise ApiError(404, 7003, f"Could not route to {call.path}, perhaps your object "
                                      "identifier is invalid?")
        right = {"zone": "zone_read", "list": "dns_read", "get": "dns_read", "usage": "dns_read"}
        zone = self.store.zones.get(parts["zone"])
        if zone is None or not identity.may(right.get(kind, "dns_edit"), zone.id):
            raise ApiError(403, 10000, "Authentication error", gateway=True)
        return zone

    # -- reading

    def _verify(self, call, identity, zone, record_id):
        if identity.kind != "user":
            raise ApiError(401, 1000, "Invalid API Token", gateway=True)
        result = {"id": identity.id, "status": "active"}
        return Answer(200, encode({"success": True, "errors": [], "messages": [],
                                     "result": result}))

    def _zones(self, call, identity, zone, record_id):
        if not identity.may_anywhere("zone_read"):
            raise ApiError(403, 9109, "Unauthorized to access requested resource", gateway=True)
        zones = [z for z in self.store.zones.values() if identity.may("zone_read", z.id)]
        if call.param("name") is not None:
            zones = [z for z in zones if zone_name_fits(z.name, call.param("name"))]
        if call.param("status"):
            zones = [z for z in zones if z.status == call.param("status")]
        page, info = self._page(call, zones, 20, self.settings.zones_max_per_page)
        order = ("page", "per_page", "total_pages", "count", "total_count")
        if not zones:
            info["total_pages"] = 0
        result = [zone_json(z, identity) for z in page]
        return Answer(200, encode({
            "result": result, "result_info": {k: info[k] for k in order if k in info},
            "success": True, "errors": [], "messages": []}))

    def _zone(self, call, identity, zone, record_id):
        return ok(zone_json(zone, identity))

    def _list(self, call, identity, zone, record_id):
        return self._page_of_records(call, zone, self.store.records(zone.id, exact_name(call)))

    def _page_of_records(self, call, zone, records):
        """A page of those of `records` that the call's filters let through."""
        found = [r for r in records if record_fits(call, r)]
        order = call.param("order", "type")
        if order not in ("type", "name", "content", "ttl", "proxied"):
            raise invalid(9207, "order is invalid.")  # supposed
        found.sort(key=lambda r: getattr(r, order), reverse=call.param("direction") == "desc")
        page, info = self._page(call, found, 100, self.settings.max_per_page)
        return ok([self._show(zone, r) for r in page], info)

    def _usage(self, call, identity, zone, record_id):
        return ok({"record_quota": self.settings.record_quota,
                   "record_usage": self.store.count(zone.id)})

    def _get(self, call, identity, zone, record_id):
        return ok(self._show(zone, self._known(zone, record_id)))

    def _page(self, call, items, default, most):
        try:
            page = int(call.param("page", 1))
            per_page = min(int(call.param("per_page", default)), most)
        except ValueError:
            raise ApiError(400, 1001, "page and per_page must be numbers") from None  # supposed
        if page < 1 or per_page < 1:
            raise ApiError(400, 1001, "page and per_page must be positive")  # supposed
        part = items[(page - 1) * per_page:page * per_page]
        info = {"page": page, "per_page": per_page, "count": len(part), "total_count": len(items),
                "total_pages": max(1, math.ceil(len(items) / per_page))}
        if self.settings.omit_total_pages:
            del info["total_pages"]
        return part, info

    def _show(self, zone, record):
        return record.to_json(zone.name if self.settings.old_shape else None)

    def _known(self, zone, record_id):
        record = self.store.get(record_id) if isinstance(record_id, str) else None
        if record is None or record.zone_id != zone.id:
            raise ApiError(404, 81044, "Record does not exist.")
        return record

    # -- writing: each is one transaction of the store

    def _create(self, call, identity, zone, record_id):
        with self.store.transaction():
            return ok(self._show(zone, self._add(zone, call.json)))

    def _patch(self, call, identity, zone, record_id):
        with self.store.transaction():
            return ok(self._show(zone, self._change(zone, record_id, call.json, reset=False)))

    def _put(self, call, identity, zone, record_id):
        with self.store.transaction():
            return ok(self._show(zone, self._change(zone, record_id, call.json, reset=True)))

    def _delete(self, call, identity, zone, record_id):
        with self.store.transaction():
            return ok({"id": self._remove(zone, record_id).id})

    def _batch(self, call, identity, zone, record_id):
        body = call.json
        names = ("deletes", "patches", "puts", "posts")
        if not isinstance(body, dict) or not all(
                isinstance(op, dict) for name in names for op in body.get(name) or []):
            raise invalid(9207, "Request body is invalid.")
        size = sum(len(body.get(name) or []) for name in names)
        if size > self.settings.batch_limit:
            raise ApiError(400, 9208, f"The batch has {size} operations, exceeding the limit of "
                                      f"{self.settings.batch_limit}.")  # supposed
        act = {
            "deletes": lambda op: self._remove(zone, op.get("id")),
            "patches": lambda op: self._change(zone, op.get("id"), op, reset=False),
            "puts": lambda op: self._change(zone, op.get("id"), op, reset=True),
            "posts": lambda op: self._add(zone, op),
        }
        with self.store.transaction():
            done = {name: [act[name](op) for op in body.get(name) or []] for name in names}
        return ok({name: [self._show(zone, r) for r in records]
                   for name, records in done.items()
                   if records or not self.settings.batch_omit_empty})

    def _add(self, zone, fields):
        record = build(zone, fields, self.settings)
        if self.store.count(zone.id) >= self.settings.record_quota:
            raise ApiError(400, 81045, "Record quota exceeded.")
        self.check(record)
        self.store.insert(record)
        return record

    def _change(self, zone, record_id, fields, reset):
        base = self._known(zone, record_id)
        record = build(zone, fields, self.settings, base, reset)
        self.check(record)
        self.store.update(record)
        return record

    def _remove(self, zone, record_id):
        record = self._known(zone, record_id)
        self.store.delete(record.id)
        return record

    def check(self, record):
        """The rules between records of one name."""
        for (content, name), message in self.poison.items():
            if content in (None, record.content) and name in (None, record.name):
                raise invalid(9999, message)
        others = [r for r in self.store.records(record.zone_id, record.name) if r.id != record.id]
        if any(r.key() == record.key() for r in others):
            old = self.settings.identical_code == 81057
            raise ApiError(400, self.settings.identical_code, "The record already exists." if old
                           else "An identical record already exists.", gateway=old)
        if record.type == "CNAME" and any(r.type in ADDRESS_TYPES for r in others):
            raise ApiError(400, 81053,
                           "An A, AAAA, or CNAME record with that host already exists.")
        if record.type in ("A", "AAAA") and any(r.type == "CNAME" for r in others):
            raise ApiError(
                400, 81054, "A CNAME record with that host already exists. For more details, refer "
                "to <https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/"
                "records-with-same-name/>.")
        total = len(record.content) + sum(len(r.content) for r in others if r.type == record.type)
        if 0 < self.settings.content_total < total:
            raise invalid(9209, "The content of the records of this name and type exceeds "
                                f"{self.settings.content_total} characters.")  # supposed

