"""What the client may send: our own schema (schema/*.json), and the official document if given.

Our own is stricter than the API: it is the contract of this one client. The official one is the
OpenAPI document named by CLOUDFLARE_OPENAPI or by the `openapi` argument.
"""

import json
import re
from pathlib import Path

import jsonschema

from cloudflare.api import BASE, route

SCHEMAS = Path(__file__).resolve().parent / "schema"
QUERY = {
    "zones": {"name", "status", "page", "per_page", "order", "direction", "match"},
    "list": {"name", "name.exact", "type", "page", "per_page", "order", "direction", "match",
             "comment.exact", "comment.contains"},
}


class Contract:
    """The schemas of this folder and the rules about headers."""

    def __init__(self, settings):
        self.settings = settings
        documents = {p.name: json.loads(p.read_text()) for p in SCHEMAS.glob("*.json")}
        store = {d["$id"]: d for d in documents.values()}
        self.validators = {
            name.removesuffix(".json"): jsonschema.Draft202012Validator(
                d, resolver=jsonschema.RefResolver(d["$id"], d, store))
            for name, d in documents.items()}

    def check(self, call, hosts, zones):
        """Every breach, as texts. `hosts` are the names we answer to, `zones` {id: Zone}."""
        if not self.settings.strict:
            return []
        return [*self._headers(call, hosts), *self._query(call), *self._body(call, zones)]

    def _headers(self, call, hosts):
        counts = {}
        for name, _ in call.headers:
            counts[name] = counts.get(name, 0) + 1
        for name, count in counts.items():
            if count > 1:
                yield f"header {name} was sent {count} times"
        if call.version != "HTTP/1.1":
            yield f"version {call.version}"
        if call.header("host") not in hosts:
            yield f"Host {call.header('host')!r}, not one of {sorted(hosts)}"
        agent = call.header("user-agent") or ""
        if self.settings.user_agent and not re.match(self.settings.user_agent, agent):
            yield f"User-Agent {agent!r} does not match {self.settings.user_agent!r}"
        if (call.header("accept-encoding") or "identity") != "identity":
            yield f"Accept-Encoding {call.header('accept-encoding')!r}: we would have to decode it"
        if call.header("authorization") and call.header("x-auth-key"):
            yield "both a token and a key were sent"
        if call.header("cookie"):
            yield "a cookie was sent back"
        if call.body and call.header("content-type") != "application/json":
            yield f"Content-Type {call.header('content-type')!r} on a body"
        if call.method in ("GET", "DELETE") and call.body:
            yield f"a body on {call.method}"

    def _query(self, call):
        known = QUERY.get(call.kind, set())
        names = [name for name, _ in call.query]
        for name in sorted(set(names)):
            if name not in known:
                yield f"query parameter {name!r} on {call.kind}"
            elif names.count(name) > 1:
                yield f"query parameter {name!r} sent twice"

    def _body(self, call, zones):
        kind = call.kind.split("-")[0]
        if kind not in self.validators:
            return
        if call.json is None:
            yield "the body is not JSON"
            return
        for error in self.validators[kind].iter_errors(call.json):
            at = "/".join(map(str, error.absolute_path)) or "body"
            yield f"{kind} schema: {at}: {error.message[:200]}"
        zone = zones.get(route(call)[1].get("zone"))
        for name in _names(call.json):
            if zone and name != zone.ascii and not name.endswith("." + zone.ascii):
                yield f"name {name!r} is not a full name in {zone.ascii}"


def _names(body):
    """Record names in a request's body, whatever its shape."""
    if not isinstance(body, dict):
        return
    lists = [body.get(key) for key in ("patches", "puts", "posts")]
    for item in [body, *(op for ops in lists if isinstance(ops, list) for op in ops)]:
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            yield item["name"]


class Official:
    """Requests against the component schemas of the OpenAPI document."""

    def __init__(self, path):
        self.document = json.loads(Path(path).read_text())
        resolver = jsonschema.RefResolver("", self.document)
        # OpenAPI 3.0 has `nullable` and `discriminator` beside JSON Schema; and where it has
        # siblings of $ref, they count, as in draft 2020-12.
        keywords = {"type": _type, "anyOf": _any_of}
        kind = jsonschema.validators.extend(jsonschema.Draft202012Validator, keywords)
        formats = jsonschema.FormatChecker(("ipv4", "ipv6"))
        self.validator = kind({}, resolver=resolver, format_checker=formats)
        self.paths = [(re.compile(re.sub(r"\{[^}]+\}", r"[^/]+", p) + r"\Z"), item)
                      for p, item in sorted(self.document["paths"].items(), reverse=True)]

    def check(self, call):
        path = call.path.removeprefix(BASE)
        fits = [item for pattern, item in self.paths if pattern.match(path)]
        operation = next((i[call.method.lower()] for i in fits if call.method.lower() in i), None)
        if operation is None:
            if call.kind not in ("usage", "zone", "unknown"):  # not in the cut-down document
                yield f"OpenAPI: no operation {call.method} {path}"
            return
        yield from self._query(call, operation)
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            for error in self.validator.evolve(schema=schema).iter_errors(call.json):
                best = jsonschema.exceptions.best_match([error])
                at = "/".join(map(str, best.absolute_path)) or "body"
                yield f"OpenAPI: {at}: {best.message[:200]}"

    def _query(self, call, operation):
        known = {}
        for parameter in operation.get("parameters", []):
            if "$ref" in parameter:
                parameter = self.validator.resolver.resolve(parameter["$ref"])[1]
            if parameter["in"] == "query":
                known[parameter["name"]] = parameter.get("schema", {})
        for name, value in call.query:
            if name not in known:
                yield f"OpenAPI: no query parameter {name!r}"
                continue
            for candidate in (value, _decoded(value)):
                errors = list(self.validator.evolve(schema=known[name]).iter_errors(candidate))
                if not errors:
                    break
            else:
                yield f"OpenAPI: query {name}: {errors[0].message[:200]}"


def _decoded(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def _type(validator, types, instance, schema):
    if instance is None and schema.get("nullable"):
        return
    yield from jsonschema.Draft202012Validator.VALIDATORS["type"](
        validator, types, instance, schema)


def _any_of(validator, choices, instance, schema):
    """With a discriminator only the one alternative that it picks counts."""
    picked = schema.get("discriminator", {}).get("propertyName")
    value = instance.get(picked) if picked and isinstance(instance, dict) else None
    if value is not None:
        for choice in choices:
            target = validator.resolver.resolve(choice["$ref"])[1] if "$ref" in choice else choice
            if value in target.get("properties", {}).get(picked, {}).get("enum", ()):
                yield from validator.descend(instance, target)
                return
    yield from jsonschema.Draft202012Validator.VALIDATORS["anyOf"](
        validator, choices, instance, schema)


