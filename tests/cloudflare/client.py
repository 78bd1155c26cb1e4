"""A plain HTTP client for the tests of the stand-in itself; independent of wire.py."""

import http.client
import json
import socket
import ssl
from collections import namedtuple

Reply = namedtuple("Reply", "status json body headers")


class Client:
    """One keep-alive connection to a stand-in, as a well-behaved dnsbuddy would have it."""

    def __init__(self, server, token=None, auth=None, high=None, session=None, **headers):
        self.server = server
        self.headers = {"User-Agent": "dnsbuddy/test"}
        self.headers |= auth if auth is not None else {
            "Authorization": f"Bearer {token or server.token}"}
        self.headers |= {k.replace("_", "-"): v for k, v in headers.items()}
        self.high, self.session = high, session
        self.context = None
        self.http = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.http:
            self.http.close()

    def _connect(self):
        raw = socket.create_connection(("127.0.0.1", self.server.port), timeout=10)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.server.ca_file:
            if self.context is None:
                self.context = ssl.create_default_context(cafile=self.server.ca_file)
                if self.high:
                    self.context.maximum_version = self.high
                    self.context.options |= ssl.OP_NO_TICKET
            raw = self.context.wrap_socket(raw, server_hostname="localhost", session=self.session)
        self.http = http.client.HTTPConnection("localhost", self.server.port)
        self.http.sock = raw

    def reconnect(self):
        """A new connection that offers the session of the old one."""
        self.session = self.http.sock.session
        self.http.close()
        self.http = None

    def send(self, method, path, body=None, **headers):
        """`path` without /client/v4. After an exception the connection is gone."""
        if self.http is None:
            self._connect()
        headers = self.headers | {k.replace("_", "-"): v for k, v in headers.items()}
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, (bytes, str)) else json.dumps(body)
        try:
            self.http.putrequest(method, "/client/v4" + path, skip_accept_encoding=True,
                                 skip_host="Host" in headers)
            for name, value in headers.items():
                self.http.putheader(name, value)
            data = body.encode() if isinstance(body, str) else body
            if data is not None:
                self.http.putheader("Content-Length", str(len(data)))
            self.http.endheaders(data)
            answer = self.http.getresponse()
            data = answer.read()
        except (OSError, OverflowError, ValueError, http.client.HTTPException):
            self.http.close()
            self.http = None
            raise
        try:
            decoded = json.loads(data)
        except (ValueError, RecursionError):
            decoded = None
        return Reply(answer.status, decoded, data, answer.headers)

    # -- the calls of the API on example.com

    @property
    def base(self):
        return f"/zones/{self.server.zone_id()}/dns_records"

    def list(self, query=""):
        return self.send("GET", self.base + ("?" + query if query else ""))

    def create(self, content, name="www.example.com", type="A", ttl=60, proxied=False, **more):
        return self.send("POST", self.base, record(content, name, type, ttl, proxied, **more))

    def patch(self, record, **fields):
        body = {"type": record.type, "name": record.name, "ttl": record.ttl} | fields
        return self.send("PATCH", f"{self.base}/{record.id}", body)

    def put(self, record_id, content, **more):
        return self.send("PUT", f"{self.base}/{record_id}", _record(content, **more))

    def delete(self, record_id):
        return self.send("DELETE", f"{self.base}/{record_id}")

    def batch(self, **lists):
        return self.send("POST", self.base + "/batch", lists)


def record(content, name="www.example.com", type="A", ttl=60, proxied=False, **more):
    """A record as a client sends it."""
    return {"type": type, "name": name, "content": content, "ttl": ttl, "proxied": proxied, **more}


_record = record  # methods have parameters of that name


def codes(reply):
    """The error codes of a refusal, chains included."""
    return [c for e in reply.json["errors"]
            for c in [e["code"], *(x["code"] for x in e.get("error_chain", []))]]
