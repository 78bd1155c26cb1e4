"""A record: how the API reads, normalises, refuses and shows it. No storage here.

Codes whose numbers were never seen in an answer are marked "supposed".
"""

import ipaddress
import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cache

from cloudflare.call import ApiError, invalid

ADDRESS_TYPES = ("A", "AAAA", "CNAME")
TYPES = ADDRESS_TYPES + (
    "CAA", "CERT", "DNSKEY", "DS", "HTTPS", "LOC", "MX", "NAPTR", "NS", "OPENPGPKEY", "PTR",
    "SMIMEA", "SRV", "SSHFP", "SVCB", "TLSA", "TXT", "URI",
)
LABEL = re.compile(r"(\*|[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)\Z")
TAG = re.compile(r"[A-Za-z0-9_-]{1,32}(:.{0,100})?\Z", re.DOTALL)


def now():
    """RFC 3339 with 4 to 6 digits of fraction, as the API writes it."""
    text = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return re.sub(r"0{1,2}$", "", text) + "Z"


def new_id():
    return secrets.token_hex(16)


@dataclass(frozen=True)
class Record:
    id: str
    zone_id: str
    name: str
    type: str
    content: str
    ttl: int = 1
    proxied: bool = False
    comment: str | None = None
    tags: tuple = ()
    settings: tuple = ()  # of (name, value)
    priority: int | None = None
    created_on: str = field(default_factory=now, compare=False)
    modified_on: str = field(default_factory=now, compare=False)
    comment_modified_on: str | None = field(default=None, compare=False)
    tags_modified_on: str | None = field(default=None, compare=False)

    @property
    def proxiable(self):
        return self.type in ADDRESS_TYPES and not is_private(self)

    def to_json(self, zone_name=None):
        """Keys in the order of recorded answers; `zone_name` asks for the shape of until 2024."""
        out = {"id": self.id}
        if zone_name:
            out.update(zone_id=self.zone_id, zone_name=zone_name)
        out.update(
            name=self.name, type=self.type, content=self.content, proxiable=self.proxiable,
            proxied=self.proxied, ttl=self.ttl,
        )
        if zone_name:
            out["locked"] = False
        settings = {"flatten_cname": False} if self.type == "CNAME" else {}
        out.update(
            settings=settings | dict(self.settings), meta={}, comment=self.comment,
            tags=list(self.tags), created_on=self.created_on, modified_on=self.modified_on,
        )
        if self.comment_modified_on:
            out["comment_modified_on"] = self.comment_modified_on
        if self.tags_modified_on:
            out["tags_modified_on"] = self.tags_modified_on
        if self.priority is not None:
            out["priority"] = self.priority
        return out

    def key(self):
        return self.type, self.name, self.content


def is_private(record):
    """Whether the target is one that Cloudflare's edge could not reach."""
    return record.type in ("A", "AAAA") and _is_private(record.content)


@cache
def _is_private(content):
    address = ipaddress.ip_address(content)
    if any(address in net for net in DOCUMENTATION if net.version == address.version):
        return False  # tests live on these; recorded and documented answers call them proxiable
    return not address.is_global


DOCUMENTATION = [ipaddress.ip_network(n) for n in (
    "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]


def normal_name(name, zone):
    """The full lower-case name without trailing dot; '@' and relative names get the zone."""
    if not isinstance(name, str) or not name:
        raise invalid(9000, "DNS name is invalid.")
    name = name.lower().removesuffix(".")
    if name == "@":
        return zone
    if name != zone and not name.endswith("." + zone):
        name = f"{name}.{zone}"
    labels = name.split(".")
    if len(name) > 253 or not all(LABEL.match(label) for label in labels):
        raise invalid(9000, "DNS name is invalid.")
    return name


def normal_content(kind, content):
    if not isinstance(content, str) or not content:
        raise invalid(9207, "Content must be a non-empty string.")  # supposed
    if kind == "A":
        try:
            return str(ipaddress.IPv4Address(content))
        except ValueError:
            raise invalid(9005, "Content for A record must be a valid IPv4 address.") from None
    if kind == "AAAA":
        try:
            if "%" in content:
                raise ValueError("scope")
            address = ipaddress.IPv6Address(content)
        except ValueError:
            raise invalid(9006, "Content for AAAA record must be a valid IPv6 address.") from None
        mapped = address.ipv4_mapped
        return f"::ffff:{mapped}" if mapped else str(address)
    if kind == "CNAME":
        host = content.lower().removesuffix(".")
        if len(host) > 253 or not all(LABEL.match(label) for label in host.split(".")):
            raise invalid(9007, "Content for CNAME record is invalid.")
        return host
    if kind == "TXT":
        return content if content.startswith('"') else '"%s"' % content.replace('"', '\\"')
    return content.removesuffix(".")


def normal_ttl(ttl, settings):
    if isinstance(ttl, bool) or not isinstance(ttl, (int, float)) or ttl != int(ttl):
        raise invalid(9020, "TTL must be a number.")  # supposed
    if ttl != 1 and not settings.min_ttl <= ttl <= 86400:
        raise invalid(9021, f"Invalid TTL. Must be between {settings.min_ttl} and 86,400 seconds, "
                            "or 1 for Automatic.")
    return int(ttl)


def normal_comment(comment, settings):
    if comment is None or comment == "":
        return None
    if not isinstance(comment, str):
        raise invalid(9312, "The comment must be a string.")  # supposed
    if len(comment.encode()) > settings.comment_max:
        raise invalid(9313, f"DNS record comment is {len(comment.encode())} characters, exceeding "
                            f"the limit of {settings.comment_max}.")  # supposed
    if "\n" in comment or "\r" in comment:
        raise invalid(9314, "The comment must not contain line breaks.")  # supposed
    return comment


def normal_tags(tags, settings):
    if not isinstance(tags, list) or not all(isinstance(t, str) and TAG.match(t) for t in tags):
        raise invalid(9301, "DNS record has an invalid tag.")  # supposed
    if len(tags) > settings.tag_quota:
        raise invalid(9300, f"DNS record has {len(tags)} tags, exceeding the quota of "
                            f"{settings.tag_quota}.")
    return tuple(tags)


def normal_bool(value, name):
    if not isinstance(value, bool):
        raise invalid(9207, f"{name} must be a boolean.")  # supposed
    return value


def build(zone, fields, settings, base=None, reset=False):
    """A new record from a request's fields, or `base` changed by them.

    `reset` is PUT: what was not sent goes back to its default. Raises ApiError.
    """
    if not isinstance(fields, dict):
        raise invalid(9207, "Request body is invalid.")
    kind = fields.get("type", base.type if base else None)
    if kind not in TYPES:
        raise invalid(9001, "DNS record type is invalid.")  # supposed
    if base and kind != base.type:
        raise invalid(9002, "The type of a DNS record cannot be changed.")  # supposed
    keep = base if base and not reset else Record("", zone.id, "", kind, "")
    record = replace(
        keep, id=base.id if base else new_id(),
        name=normal_name(fields["name"], zone.ascii) if "name" in fields or not keep.name
        else keep.name,
        content=normal_content(kind, fields.get("content")) if "content" in fields
        or not keep.content else keep.content,
        ttl=normal_ttl(fields.get("ttl", keep.ttl), settings),
        proxied=normal_bool(fields.get("proxied", keep.proxied), "proxied"),
        comment=normal_comment(fields.get("comment", keep.comment), settings),
        tags=normal_tags(fields["tags"], settings) if "tags" in fields else keep.tags,
        settings=tuple(sorted((fields.get("settings") or dict(keep.settings)).items())),
        priority=fields.get("priority", keep.priority),
        created_on=base.created_on if base else now(),
    )
    return stamp(check_proxy(record), base)


def check_proxy(record):
    if not record.proxied:
        return record
    if record.type not in ADDRESS_TYPES:
        raise invalid(9004, "This DNS record type cannot be proxied.")
    if is_private(record):
        raise ApiError(400, 9003, f"Target {record.content} is not allowed for a proxied record.")
    return replace(record, ttl=1)


def stamp(record, base):
    """Set the dates of a changed record."""
    at = now()
    commented, tagged = (base.comment_modified_on, base.tags_modified_on) if base else (None, None)
    if record.comment != (base.comment if base else None):
        commented = at if record.comment else None
    if record.tags != (base.tags if base else ()):
        tagged = at if record.tags else None
    return replace(record, modified_on=at, comment_modified_on=commented, tags_modified_on=tagged)
