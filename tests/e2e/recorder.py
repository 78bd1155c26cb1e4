"""Two small servers: an HTTP proxy before Consul that keeps the calls, and one that answers health checks."""

import http.client
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fake_consul import Target


@dataclass
class Call(Target):
    t: float
    method: str
    target: str
    body: bytes
    status: int | None = None  # of the answer; None: there was none yet

    @property
    def what(self):
        if self.path == "/v1/agent/service/register":
            return "register"
        if self.path.startswith("/v1/agent/service/deregister/"):
            return "deregister"
        if self.path.startswith("/v1/agent/service/maintenance/"):
            return f"maintenance {'on' if self.query.get('enable') == 'true' else 'off'}"
        if self.path.startswith("/v1/agent/check/"):
            return "heartbeat"
        return f"{self.method} {self.path}"


class Recorder:
    """An HTTP proxy from a free port to 127.0.0.1:port. Keeps `calls`, and writes them into `events`, too.

    script(call): a status (int) or (status, bytes) to answer with, None to pass it on; it may take its time.
    """

    def __init__(self, port, events=None):
        self.to, self.events, self.calls, self.script = port, events, [], None
        self.connections = 0
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                recorder.connections += 1
                self.behind = None
                super().setup()

            def log_message(self, *_):
                pass

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True  # one side has gone

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                call = Call(time.time(), self.command, self.path, body)
                recorder.calls.append(call)
                if recorder.events:
                    recorder.events.add(call.what)
                made = recorder.script and recorder.script(call)
                if made is None:
                    self.pass_on(call)
                else:
                    self.give(call, *(made if isinstance(made, tuple) else (made, b"")))

            do_GET = do_PUT = do_POST = do_DELETE = answer

            def give(self, call, status, text, headers=()):
                call.status = status
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def pass_on(self, call):
                hop = http.client.HTTPConnection("127.0.0.1", recorder.to, timeout=700)
                try:
                    headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
                    hop.request(call.method, call.target, call.body or None, headers)
                    answer = hop.getresponse()
                    self.give(call, answer.status, answer.read(), answer.getheaders())
                finally:
                    hop.close()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def of(self, what):
        return [c for c in self.calls if c.what == what]


class Healthy:
    """An HTTP server whose /health.txt has the status that is set; counts the requests."""

    def __init__(self, status=200):
        self.status, self.delay, self.requests = status, 0.0, []
        self.headers = {}
        healthy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                healthy.requests.append((time.monotonic(), self.path))
                time.sleep(healthy.delay)
                self.send_response_only(healthy.status)
                for name, value in healthy.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "3")
                self.end_headers()
                self.wfile.write(b"ok\n")

            def handle(self):
                try:
                    super().handle()
                except OSError:
                    pass  # it does not wait any more

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/health.txt"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
