"""A scripted server in Consul's place, for answers that a real one does not give.

    fake = FakeConsul(instances=[instance("192.0.2.1")])
    fake.consistent = Reply(do="hang")        # what reads with ?consistent get; plain: the others
    fake.script = lambda request: Reply(500)  # or a function that decides; None: the usual answer
"""

import json
import os
import select
import socket
import struct
import threading
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

GOOD = {"X-Consul-KnownLeader": "true", "X-Consul-LastContact": "0", "X-Consul-Index": "42",
        "X-Consul-Effective-Consistency": "consistent"}
MEGABYTE = 1 << 20


def instance(address, state="passing", *, id=None, node="10.0.0.1", tags=(), checks=None, **more):
    """One entry of /v1/health/service, with the fields that Consul gives."""
    id = id or f"web-{address}"
    checks = {"serfHealth": "passing", "service:" + id: state} if checks is None else checks
    return {
        "Node": {"ID": "", "Node": "n-" + id, "Address": node, "Datacenter": "dc1",
                 "TaggedAddresses": {"lan": node, "wan": node}, "Meta": {}},
        "Service": {"ID": id, "Service": "web", "Tags": list(tags), "Address": address,
                    "TaggedAddresses": {}, "Meta": None, "Port": 80,
                    "Weights": {"Passing": 1, "Warning": 1}, **more},
        "Checks": [{"Node": "n-" + id, "CheckID": check, "Name": check, "Status": status,
                    "Notes": "", "Output": "", "ServiceID": id, "Definition": {}}
                   for check, status in checks.items()]}


@dataclass
class Reply:
    status: int = 200
    body: object = None  # bytes, or anything JSON; None: the instances
    headers: dict = field(default_factory=dict)  # over the usual ones; None as value: left out
    do: str | None = None  # hang eof reset truncate big flood endless, see _misbehave


class Target:
    """What `target` asks for."""

    @property
    def path(self):
        return unquote(self.target.partition("?")[0])

    @property
    def query(self):
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))


@dataclass
class Request(Target):
    method: str
    target: str
    headers: dict  # lower-case names

    @property
    def is_consistent(self):
        return "consistent" in self.query


class FakeConsul:
    """On a free loopback port, or at the path `unix`; with TLS if there is a `context`."""

    def __init__(self, instances=(), unix=None, context=None):
        self.instances = list(instances)
        self.plain = self.consistent = Reply()
        self.script = None
        self.requests, self.connections = [], 0
        self.unix, self.context = unix, context
        self.stopping = threading.Event()
        if unix:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.bind(str(unix))
            self.socket.listen(128)
        else:
            self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
            self.port = self.socket.getsockname()[1]
        self.wake = os.pipe()
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    @property
    def address(self):
        if self.unix:
            return f"unix://{self.unix}"
        return f"{'https' if self.context else 'http'}://localhost:{self.port}"

    def stop(self):
        self.stopping.set()
        os.write(self.wake[1], b".")
        for thread in self.threads:
            thread.join()
        self.socket.close()
        for fd in self.wake:
            os.close(fd)

    def _accept(self):
        while not self.stopping.is_set():
            if self.socket not in select.select([self.socket, self.wake[0]], [], [])[0]:
                return
            connection, _ = self.socket.accept()
            self.connections += 1
            self.threads.append(threading.Thread(target=self._serve, args=(connection,),
                                                 daemon=True))
            self.threads[-1].start()

    def _serve(self, sock):
        try:
            sock.settimeout(20)
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
            stream = sock.makefile("rb")
            while not self.stopping.is_set() and self._serve_one(sock, stream):
                pass
        except (OSError, ValueError):
            pass  # the client has gone
        finally:
            sock.close()

    def _serve_one(self, sock, stream):
        while not select.select([sock], [], [], 0.1)[0]:
            if self.stopping.is_set():
                return False
        line = stream.readline().decode("latin-1").split()
        if len(line) != 3:
            return False
        headers = {}
        while (text := stream.readline().decode("latin-1").strip()):
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        request = Request(line[0], line[1], headers)
        self.requests.append(request)
        reply = self.script(request) if self.script else None
        if reply is None:
            reply = self.consistent if request.is_consistent else self.plain
        return self._answer(sock, reply)

    def _answer(self, sock, reply):
        body = reply.body
        if body is None:
            body = self.instances
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        fields = {**GOOD, "Content-Type": "application/json", **reply.headers}
        lines = [f"{k}: {v}" for k, v in fields.items() if v is not None]
        head = f"HTTP/1.1 {reply.status} Status\r\n" + "".join(line + "\r\n" for line in lines)
        if reply.do:
            return self._misbehave(sock, reply.do, head, body)
        sock.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return True

    def _misbehave(self, sock, do, head, body):
        if do == "hang":
            sock.settimeout(0.1)
            while not self.stopping.is_set():
                try:
                    if not sock.recv(1024):
                        break
                except TimeoutError:
                    pass
        elif do == "eof":
            pass
        elif do == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif do == "truncate":
            sock.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-3])
        elif do == "big":  # 300 MB that are no list of instances until the last byte
            sock.sendall(f"{head}Content-Length: {300 * MEGABYTE}\r\n\r\n[".encode())
            for _ in range(300):
                sock.sendall(b" " * MEGABYTE)
        elif do == "flood":  # the same without saying so beforehand
            sock.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n".encode())
            for _ in range(300):
                sock.sendall(b"%x\r\n%s\r\n" % (MEGABYTE, b" " * MEGABYTE))
        elif do == "endless":
            sock.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n".encode())
            piece = json.dumps(instance("192.0.2.1")).encode() + b","
            while not self.stopping.is_set():
                sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        else:
            raise AssertionError(f"no fault {do!r}")
        return False
