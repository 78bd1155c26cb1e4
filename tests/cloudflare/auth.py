"""Who is asking, and what may they do."""

import re
import secrets
import string
from dataclasses import dataclass, field

from cloudflare.call import ApiError

RIGHTS = frozenset(("zone_read", "dns_read", "dns_edit"))
TOKEN_FORM = re.compile(r"(cfut_|cfat_)?[A-Za-z0-9_-]{40,128}\Z")
KEY_FORM = re.compile(r"([0-9a-f]{37}|cfk_[A-Za-z0-9_-]{40,128})\Z")


def new_token(prefix="cfut_"):
    """A token in the form of 2026: prefix, 40 characters, 8 of checksum."""
    return prefix + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(48))


def new_key():
    return secrets.token_hex(19)[:37]


@dataclass
class Identity:
    """Rights per zone id; '*' stands for every zone of the account."""

    rights: dict = field(default_factory=lambda: {"*": RIGHTS})
    kind: str = "user"  # or "account": an account's token, or "key"
    id: str = field(default_factory=lambda: secrets.token_hex(16))

    def may(self, right, zone_id):
        granted = self.rights.get(zone_id, self.rights.get("*", ()))
        return right in granted or (right == "dns_read" and "dns_edit" in granted)

    def may_anywhere(self, right):
        return any(right in granted for granted in self.rights.values())


class Credentials:
    def __init__(self):
        self.tokens = {}  # token: Identity
        self.keys = {}  # (e-mail, key): Identity

    def add_token(self, token=None, rights=RIGHTS, zone_id="*", kind="user"):
        """`rights` of {zone_read, dns_read, dns_edit} on one zone, or on all. Returns the token."""
        token = token or new_token("cfat_" if kind == "account" else "cfut_")
        identity = self.tokens.setdefault(token, Identity({}, kind))
        identity.rights[zone_id] = frozenset(rights)
        return token

    def add_key(self, email, key=None):
        key = key or new_key()
        self.keys[email.lower(), key] = Identity(kind="key")
        return key

    def identify(self, call):
        bearer, email, key = (call.header(h) for h in
                              ("authorization", "x-auth-email", "x-auth-key"))
        if bearer is not None:
            return self._token(bearer)
        if not email or not key:
            raise ApiError(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers",
                           gateway=True, bare=True)
        identity = self.keys.get((email.lower(), key))
        if identity:
            return identity
        if not KEY_FORM.match(key):
            raise ApiError(400, 6003, "Invalid request headers",
                           [(6103, "Invalid format for X-Auth-Key header")], gateway=True)
        raise ApiError(403, 9103, "Unknown X-Auth-Key or X-Auth-Email", gateway=True)

    def _token(self, bearer):
        scheme, _, token = bearer.partition(" ")
        identity = self.tokens.get(token)
        if scheme == "Bearer" and identity:
            return identity
        if scheme != "Bearer" or not TOKEN_FORM.match(token):
            raise ApiError(400, 6003, "Invalid request headers",
                           [(6111, "Invalid format for Authorization header")], gateway=True)
        raise ApiError(403, 9109, "Invalid access token", gateway=True)
