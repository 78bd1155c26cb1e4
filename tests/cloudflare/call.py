"""One request and what became of it; one answer; one refusal. No I/O here."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

WRITES = ("create", "patch", "put", "delete", "batch")


@dataclass(eq=False)
class Call:
    """A request as it came in. The lower half is filled in while it is served."""

    method: str
    target: str  # as sent: path and query
    version: str
    headers: list  # of (lower-case name, value), in order
    body: bytes
    t: float  # monotonic seconds when the last byte of the request was read
    connection: int  # 1, 2, ... in the order of accepting
    resumed: bool  # TLS session resumed
    n: int = 0  # 1, 2, ... in the order of arrival

    kind: str = "unknown"  # see api.kind_of()
    status: int | None = None
    codes: list = field(default_factory=list)  # of the errors in the answer, chains included
    applied: bool = False  # records were changed by it
    sent: bool = False  # the answer left us whole
    fault: str | None = None  # what was injected
    violations: list = field(default_factory=list)

    @cached_property
    def path(self):
        return unquote(self.target.partition("?")[0])

    @cached_property
    def query(self):
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)

    @cached_property
    def json(self):
        """The body decoded, None if there is none or it is not JSON."""
        try:
            return json.loads(self.body) if self.body else None
        except (ValueError, RecursionError):
            return None

    def header(self, name):
        """The first header of that name, or None."""
        return next((value for key, value in self.headers if key == name.lower()), None)

    def param(self, name, default=None):
        return next((value for key, value in self.query if key == name), default)

    @property
    def is_write(self):
        return self.kind.split("-")[0] in WRITES

    def is_kind(self, kind):
        """Whether `kind` names this call: exact, 'batch' for any batch, 'write', or 'any'."""
        if kind in (None, "any"):
            return True
        if kind == "write":
            return self.is_write
        return self.kind == kind or self.kind.startswith(kind + "-")

    def to_json(self):
        """What the journal's file holds. Credentials are replaced by their kind."""
        shown = {k: v for k, v in self.headers if k not in ("authorization", "x-auth-key")}
        if self.header("authorization"):
            shown["authorization"] = self.header("authorization").split(" ")[0] + " ***"
        if self.header("x-auth-key"):
            shown["x-auth-key"] = "***"
        return {
            "event": "call", "n": self.n, "t": round(self.t, 6), "kind": self.kind,
            "method": self.method, "path": self.path, "query": self.query, "headers": shown,
            "body": self.json if self.json is not None else self.body.decode("latin-1"),
            "connection": self.connection, "resumed": self.resumed, "status": self.status,
            "codes": self.codes, "applied": self.applied, "sent": self.sent, "fault": self.fault,
            "violations": self.violations,
        }

    def __repr__(self):
        return f"<call {self.n} {self.kind} {self.method} {self.target} -> {self.status}>"


@dataclass
class Answer:
    status: int
    body: bytes
    headers: list = field(default_factory=list)  # added to those of the edge
    content_type: str = "application/json"

    @property
    def reason(self):
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return "Unknown"


def encode(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def ok(result, info=None):
    """The envelope of a success, keys in the order of recorded answers."""
    envelope = {"result": result, "success": True, "errors": [], "messages": []}
    if info is not None:
        envelope["result_info"] = info
    return Answer(200, encode(envelope))


class ApiError(Exception):
    """A refusal as the API words it."""

    def __init__(self, status, code, message, chain=(), gateway=False, headers=(), bare=False):
        super().__init__(f"{status} {code} {message} {list(chain)}")
        self.status, self.code, self.message = status, code, message
        self.chain = list(chain)  # of (code, message)
        self.gateway = gateway  # made in front of the DNS service: other key order
        self.headers = list(headers)
        self.bare = bare  # neither messages nor result

    def answer(self):
        error = {"code": self.code, "message": self.message}
        if self.chain:
            error["error_chain"] = [{"code": c, "message": m} for c, m in self.chain]
        if self.bare:
            envelope = {"success": False, "errors": [error]}
        elif self.gateway:
            envelope = {"success": False, "errors": [error], "messages": [], "result": None}
        else:
            envelope = {"result": None, "success": False, "errors": [error], "messages": []}
        return Answer(self.status, encode(envelope), self.headers)


def invalid(code, message):
    """1004 says nothing by itself; the reason is in its chain."""
    return ApiError(400, 1004, "DNS Validation Error", [(code, message)])


def codes_of(answer):
    """The error codes in an answer's body, chains included."""
    try:
        return [code for error in json.loads(answer.body)["errors"]
                for code in [error["code"], *(e["code"] for e in error.get("error_chain", []))]]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []
