"""The filters of lists, and how a zone is shown."""

import re

TESTS = {
    "exact": lambda value, want: value == want,
    "contains": lambda value, want: want in value,
    "startswith": lambda value, want: value.startswith(want),
    "endswith": lambda value, want: value.endswith(want),
}
ZONE_TESTS = {
    "equal": lambda value, want: value == want,
    "not_equal": lambda value, want: value != want,
    "starts_with": lambda value, want: value.startswith(want),
    "ends_with": lambda value, want: value.endswith(want),
    "contains": lambda value, want: want in value,
}


def zone_name_fits(name, wanted):
    """`wanted` may begin with an operator, as in 'ends_with:.org'."""
    operator, colon, value = wanted.partition(":")
    if colon and operator in ZONE_TESTS:
        return ZONE_TESTS[operator](name, value.lower())
    return name == wanted.lower()


def exact_name(call):
    """The one name a list is about, if it says so and no other condition could widen it."""
    if call.param("match") == "any":
        return None
    name = call.param("name.exact", call.param("name"))
    return name.lower() if name is not None else None


def record_fits(call, record):
    results = [_test(key, value, record) for key, value in call.query]
    results = [r for r in results if r is not None]
    if not results:
        return True
    return any(results) if call.param("match") == "any" else all(results)


def _test(key, value, record):
    """Whether the record passes one filter; None if `key` is not a filter."""
    if key == "type":
        return record.type == value
    if key == "proxied":
        return record.proxied == (value == "true")
    if key == "search":
        words = (record.name, record.content, record.comment or "")
        return any(value.lower() in word.lower() for word in words)
    field, _, operator = key.partition(".")
    if field in ("name", "content", "comment"):
        return _test_text(getattr(record, field) or "", operator or "exact", value)
    if field == "tag":
        return _test_tag(record.tags, operator, value.lower())
    return None


def _test_text(text, operator, value):
    if operator in ("present", "absent"):
        return bool(text) == (operator == "present")
    return TESTS[operator](text.lower(), value.lower()) if operator in TESTS else None


def _test_tag(tags, operator, value):
    tags = [tag.lower() for tag in tags]
    names = [tag.partition(":")[0] for tag in tags]
    if operator == "present" or (operator == "" and ":" not in value):
        return value in names
    if operator == "absent":
        return value not in names
    name, _, wanted = value.partition(":")
    test = TESTS.get(operator or "exact")
    if test is None:
        return None
    return any(test(tag.partition(":")[2], wanted) for tag in tags
               if re.match(re.escape(name) + r"(:|\Z)", tag))


def zone_json(zone, identity):
    """Keys and nulls as in a recorded answer."""
    rights = {"dns_edit": "#dns_records:edit", "dns_read": "#dns_records:read",
              "zone_read": "#zone:read"}
    servers = ["bob.ns.cloudflare.com", "lola.ns.cloudflare.com"]
    return {
        "id": zone.id, "name": zone.name, "status": zone.status, "paused": False, "type": "full",
        "development_mode": 0, "name_servers": servers, "original_name_servers": None,
        "original_registrar": None, "original_dnshost": None, "modified_on": zone.created_on,
        "created_on": zone.created_on, "activated_on": zone.created_on, "vanity_name_servers": [],
        "vanity_name_servers_ips": None,
        "meta": {"step": 4, "custom_certificate_quota": 0, "page_rule_quota": 3,
                 "phishing_detected": False},
        "owner": {"id": None, "type": "user", "email": None},
        "account": {"id": "5e1f0c2ab3d94f6788c0d1e2f3a4b5c6", "name": "Tester's Account"},
        "tenant": {"id": None, "name": None}, "tenant_unit": {"id": None},
        "permissions": [text for right, text in rights.items() if identity.may(right, zone.id)],
        "plan": {"id": "0feeeeeeeeeeeeeeeeeeeeeeeeeeeeee", "name": "Free Website", "price": 0,
                 "currency": "USD", "frequency": "", "is_subscribed": False,
                 "can_subscribe": False, "legacy_id": "free", "legacy_discount": False,
                 "externally_managed": False},
    }
