"""HTTP/1.1 as bytes: reading a request, writing an answer the way the edge does."""

import random
import secrets
from datetime import datetime, timedelta, timezone

HEADER_MAX = 65536
BODY_MAX = 32 << 20


class BadRequest(Exception):
    """What came in is not HTTP/1.1 as we accept it; the connection is closed after a 400."""


def read_request(connection):
    """(method, target, version, headers, body), or None when the client has gone."""
    head = connection.read_until(b"\r\n\r\n", HEADER_MAX)
    if head is None:
        return None
    lines = head.decode("latin-1").split("\r\n")
    try:
        method, target, version = lines[0].split(" ")
        headers = []
        for line in lines[1:-2]:
            name, colon, value = line.partition(":")
            if not colon or not name or name != name.strip():
                raise ValueError(line)
            headers.append((name.lower(), value.strip(" \t")))
    except ValueError:
        raise BadRequest(f"malformed header in {head[:200]!r}") from None
    if version not in ("HTTP/1.1", "HTTP/1.0") or not target.startswith("/"):
        raise BadRequest(f"request line {lines[0][:200]!r}")
    return method, target, version, headers, _read_body(connection, dict(headers))


def _read_body(connection, headers):
    if "transfer-encoding" in headers:
        raise BadRequest("Transfer-Encoding in a request")
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > BODY_MAX:
        raise BadRequest(f"Content-Length {length!r}")
    if headers.get("expect", "").lower() == "100-continue" and int(length):
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = connection.read_exactly(int(length))
    if body is None:
        raise BadRequest("the body ended early")
    return body


def edge_headers(dice):
    """The 1.2 kB that come with each answer: cookies, ray, cache status."""
    now = datetime.now(timezone.utc)

    def at(minutes):
        return (now + timedelta(minutes=minutes)).strftime("%a, %d-%b-%y %H:%M:%S GMT")

    def token(size):
        return "".join(dice.choices("ABCDEFabcdefghijklmnopqrstuvwxyz0123456789.-_", k=size))

    api = "domain=.api.cloudflare.com; HttpOnly; Secure; SameSite=None"
    return [
        ("Server", "cloudflare"),
        ("CF-RAY", f"{secrets.token_hex(8)}-{dice.choice(('FRA', 'SLC', 'AMS', 'VIE'))}"),
        ("CF-Cache-Status", "DYNAMIC"),
        ("Vary", "Accept-Encoding"),
        ("Cache-Control", "no-store, no-cache, must-revalidate, post-check=0, pre-check=0"),
        ("Expires", "Sun, 25 Jan 1981 05:00:00 GMT"),
        ("Pragma", "no-cache"),
        ("Strict-Transport-Security", "max-age=31536000"),
        ("X-Content-Type-Options", "nosniff"),
        ("api-version", now.strftime("%Y-%m-%d")),
        ("cf-auditlog-id", "%08x-%04x-7%03x-8%03x-%012x" % tuple(
            dice.getrandbits(bits) for bits in (32, 16, 12, 12, 48))),
        ("Set-Cookie", f"__cflb={token(43)}; SameSite=Lax; path=/; expires={at(150)}; HttpOnly"),
        ("Set-Cookie", f"__cf_bm={token(150)}; path=/; expires={at(30)}; {api}"),
        ("Set-Cookie", f"_cfuvid={token(60)}; path=/; {api}"),
    ]


def render_head(answer, headers, chunked=True, close=False):
    """Status line and headers, with the empty line."""
    date = datetime.now(timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
    framing = ("Transfer-Encoding", "chunked") if chunked else (
        "Content-Length", str(len(answer.body)))
    lines = [f"HTTP/1.1 {answer.status} {answer.reason}"] + [f"{k}: {v}" for k, v in [
        ("Date", date), ("Content-Type", answer.content_type), framing,
        ("Connection", "close" if close else "keep-alive"), *headers, *answer.headers]]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"


def render_chunks(body, size=0, dice=random):
    """The body in chunks of `size`; 0 varies, from one byte each to all in one."""
    if size:
        sizes = iter(lambda: size, 0)
    else:
        most = dice.choice((len(body), 1369, 512, 112, 39, 1))
        if len(body) > 4096 * most:
            most = 1369
        sizes = iter(lambda: dice.randint(max(1, most // 2), max(1, most)), 0)
    out, at = [], 0
    while at < len(body):
        step = next(sizes)
        out.append(chunk(body[at:at + step]))
        at += step
    return b"".join(out) + LAST_CHUNK
