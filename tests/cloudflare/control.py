"""A second port by which scripts set the scene and read the journal: plain HTTP, JSON.

    GET /records?name=N     POST /records [{"name":…,"type":…,"content":…,…}]
    DELETE /records?name=N  (also type, content, id)
    GET /faults             POST /faults {"do":"lost","kind":"batch-post",…}     DELETE /faults
    GET /calls?kind=K&since=N   GET /violations   GET /stats   GET /timeline?name=N&since=N
    POST /settings {"max_per_page":2}   POST /check {"name":…,"wanted":[…],…}
    POST /poison {"content":…}          POST /drop (closes all connections)
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

from cloudflare.journal import brief


class Control:
    """Runs from construction to the end of the with statement."""

    def __init__(self, server, host="127.0.0.1", port=0):
        routes = _routes(server)

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                url = urlsplit(self.path)
                size = int(self.headers.get("Content-Length") or 0)
                try:
                    body = json.loads(self.rfile.read(size)) if size else {}
                    act = routes[self.command, url.path]
                    status, value = 200, act(body, dict(parse_qsl(url.query)))
                except KeyError as e:
                    status, value = 404, {"error": f"unknown: {e}"}
                except Exception as e:  # whatever it was, the script has to see it
                    status, value = 400, {"error": f"{type(e).__name__}: {e}"}
                data = json.dumps(value, ensure_ascii=False).encode() + b"\n"
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer((host, port), Handler)
        self.http.daemon_threads = True
        self.url = f"http://{host}:{self.http.server_address[1]}"
        self.thread = Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


def _routes(server):
    def add_records(body, _):
        items = body if isinstance(body, list) else [body]
        return [brief(record) for record in server.seed_many(items)]

    def stats(*_):
        return {"calls": server.journal.counts(), "connections": len(server.connections),
                "resumed": server.resumed, "writes": len(server.writes()),
                "violations": len(server.violations), "mark": server.mark()}

    def check(body, _):
        return {"breaches": server.breaches(**body)}

    return {
        ("GET", "/records"): lambda _, q: [brief(r) for r in server.records(q.get("name"))],
        ("POST", "/records"): add_records,
        ("DELETE", "/records"): lambda _, q: {"removed": server.remove(**q)},
        ("GET", "/faults"): lambda *_: [r.to_json() for r in server.faults.rules],
        ("POST", "/faults"): lambda body, _: server.fault(**body).to_json(),
        ("DELETE", "/faults"): lambda *_: server.faults.clear() or {},
        ("GET", "/calls"): lambda _, q: [
            c.to_json() for c in server.calls(q.get("kind"), int(q.get("since", 0)))],
        ("GET", "/timeline"): lambda _, q: [
            [brief(r) for r in records]
            for records in server.timeline(q["name"], int(q.get("since", 0)))],
        ("GET", "/violations"): lambda *_: server.violations,
        ("GET", "/stats"): stats,
        ("POST", "/settings"): lambda body, _: server.settings.change(**body) or {},
        ("POST", "/check"): check,
        ("POST", "/poison"): lambda body, _: server.poison(**body) or {},
        ("POST", "/drop"): lambda *_: server.listener.drop() or {},
    }
