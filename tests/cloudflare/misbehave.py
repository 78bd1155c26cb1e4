"""What a fault does on the wire.

An act gets an Exchange: the call, the connection, `carry_out()` that has the API do what was asked
and returns its answer, `write(answer, ...)` that sends one. It returns whether the connection may
be used for another request. Keyword arguments are the fault's options.

`done` says whether the request is carried out; the client cannot tell either way.
"""

import inspect
import json

from cloudflare.call import Answer, encode
from cloudflare.wire import LAST_CHUNK, chunk, render_chunks

HTML = ("<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center>"
        "<h1>502 Bad Gateway</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n"
        "</html>\r\n")


def _sever(connection, how):
    """'rst', 'fin' (no close_notify) or 'close' (with it)."""
    {"rst": connection.reset, "fin": connection.cut, "close": connection.close}[how]()
    return False


def act_status(x, status=500, body=None, headers=(), content_type=None, done=False):
    """Answer `status` with `body` (text or JSON; default: what the edge would say)."""
    if done:
        x.carry_out()
    html = body is None and status >= 500
    if html:
        body = HTML.replace("502 Bad Gateway", f"{status} {Answer(status, b'').reason}")
    if isinstance(body, str):
        body = body.encode()
    elif not isinstance(body, bytes):
        body = encode({} if body is None else body)
    kind = content_type or ("text/html" if html else "application/json")
    headers = [tuple(h) for h in (headers.items() if isinstance(headers, dict) else headers)]
    return x.write(Answer(status, body, headers, kind))


def act_error(x, code=1000, status=400, message="injected", chain=(), done=False):
    """A refusal with a code of choice; `chain` of (code, message)."""
    item = {"code": code, "message": message}
    if chain:
        item["error_chain"] = [{"code": c, "message": m} for c, m in chain]
    body = {"result": None, "success": False, "errors": [item], "messages": []}
    return act_status(x, status, body, done=done)


def act_rate(x, retry_after=None, ratelimit=None, body=None):
    """429, with or without Retry-After and Ratelimit (its t in seconds)."""
    headers = []
    if retry_after is not None:
        headers.append(("Retry-After", str(retry_after)))
    if ratelimit is not None:
        headers += [("Ratelimit", f'"default";r=0;t={ratelimit}'),
                    ("Ratelimit-Policy", '"default";q=1200;w=300')]
    default = {"success": False, "errors": [{
        "code": 10100, "message": "More than 1200 requests per 300 seconds reached. Please wait "
        "and consider throttling your request speed"}], "messages": [], "result": None}
    return x.write(Answer(429, encode(default if body is None else body), headers), rate=False)


def act_reset(x, how="rst", done=False):
    """No answer at all, the connection severed."""
    if done:
        x.carry_out()
    return _sever(x.connection, how)


def act_lost(x, how="rst"):
    """The request is carried out, its answer lost: not one byte comes."""
    return act_reset(x, how, done=True)


def act_hang(x, seconds=None, done=False):
    """Never answer, until the client goes or `seconds` are over."""
    if done:
        x.carry_out()
    x.connection.hang(seconds)
    return _sever(x.connection, "fin")


def act_slow(x, ms=20, bytes=1, done=True):
    """The answer comes, `bytes` at a time, `ms` apart."""
    x.write(x.carry_out() if done else Answer(200, b"{}"), segment=bytes, pause_sec=ms / 1000)
    return True


def act_truncate(x, where="body", how="fin", done=True):
    """Sever in the middle: of the 'header', 'chunk-size', 'chunk', 'body' (between two chunks) or
    before the 'last' chunk."""
    answer = x.carry_out() if done else Answer(200, b"{}")
    head = x.head(answer)
    half = answer.body[:max(1, len(answer.body) // 2)]
    data = {
        "header": head[:len(head) // 2],
        "chunk-size": head + chunk(half) + b"%x" % max(16, len(answer.body) - len(half)),
        "chunk": head + chunk(answer.body)[:-len(answer.body) // 2],
        "body": head + chunk(half),
        "last": head + chunk(answer.body),
    }[where]
    x.connection.send(data)
    return _sever(x.connection, how)


def act_garbage(x, what="text", done=False):
    """A whole answer that means nothing: see WHAT_GARBAGE."""
    answer = x.carry_out() if done else None
    return x.write(Answer(*_garbage(what, answer)))


def _garbage(what, answer):
    good = json.loads(answer.body) if answer else {
        "result": [], "success": True, "errors": [], "messages": [],
        "result_info": {"page": 1, "per_page": 100, "count": 0, "total_count": 0, "total_pages": 1}}
    if what in ("success-500", "failure-200"):
        failed = good | {"success": False, "errors": [{"code": 1000, "message": "injected"}]}
        return (500, encode(good)) if what == "success-500" else (200, encode(failed))
    return 200, WHAT_GARBAGE[what](good)


WHAT_GARBAGE = {
    "text": lambda good: b"it works!",
    "empty": lambda good: b"",
    "half": lambda good: encode(good)[:-len(encode(good)) // 2],
    "trailing": lambda good: encode(good) + b"}",
    "array": lambda good: encode([good]),
    "types": lambda good: encode(good | {"result": {"id": 7}, "success": "yes", "errors": {}}),
    "record-types": lambda good: encode(good | {"result": [
        {"id": 1, "name": None, "type": 2, "content": {}, "ttl": "x", "proxied": 0}]}),
    "strings": lambda good: encode(good | {"result": ["a", "b"]}),
    "no-result": lambda good: encode({k: v for k, v in good.items() if k != "result"}),
    "null-result": lambda good: encode(good | {"result": None}),
    "deep": lambda good: b'{"result":' + b"[" * 50000 + b"]" * 50000 + b',"success":true}',
    "binary": lambda good: bytes(range(256)) * 16,
    "bad-utf8": lambda good: b'{"result":[],"success":true,"errors":[],"messages":["\xff\xfe"]}',
    "nul": lambda good: encode(good).replace(b'"messages":[]', b'"messages":["\\u0000"]'),
    "success-500": None,
    "failure-200": None,
}


def act_endless(x, what="body", done=False, mb=1024):
    """A 'body' of white space, an 'array' of records, one 'string' or a 'header' that do not end
    (or after `mb`)."""
    if done:
        x.carry_out()
    head = x.head(Answer(200, b""))
    record = encode({"id": "0" * 32, "name": "x.example.com", "type": "TXT", "content": "y" * 200,
                     "ttl": 1, "proxied": False}) + b","
    start, piece = {
        "body": (head + chunk(b'{"result":['), chunk(b" " * 16384)),
        "array": (head + chunk(b'{"result":['), chunk(record * 64)),
        "string": (head + chunk(b'{"result":["'), chunk(b"z" * 16384)),
        "header": (head[:-2], b"X-Endless: " + b"e" * 1000 + b"\r\n"),
    }[what]
    x.connection.send(start)
    for _ in range(mb * (1 << 20) // len(piece)):
        if x.connection.stopping.is_set():
            break
        x.connection.send(piece)
    return _sever(x.connection, "fin")


def act_huge_header(x, bytes=65536, lines=0, done=True):
    """One header of so many bytes, or as many `lines`."""
    answer = x.carry_out() if done else Answer(200, b"{}")
    extra = [("X-Line", str(n)) for n in range(lines)] or [("X-Huge", "h" * bytes)]
    return x.write(Answer(answer.status, answer.body, answer.headers + extra, answer.content_type))


def act_close_after(x, how="close"):
    """A good answer with keep-alive, and the connection is closed all the same."""
    x.write(x.carry_out())
    return _sever(x.connection, how)


def act_stale(x):
    """A list (or one record) as it was before the last change."""
    return x.write(x.carry_out(stale=True))


def act_unfiltered(x):
    """A list that pays no heed to its filters: records of every name and type."""
    x.call.query = [(k, v) for k, v in x.call.query if k in ("page", "per_page")]
    return x.write(x.carry_out())


def act_raw(x, data="", done=False, how="close"):
    """These very bytes (text in latin-1), then the end."""
    if done:
        x.carry_out()
    x.connection.send(data if isinstance(data, bytes) else data.encode("latin-1"))
    return _sever(x.connection, how)


def act_framing(x, what="both-lengths", done=True):
    """A faulty frame: 'both-lengths', 'two-lengths', 'bad-chunk', 'negative-chunk', 'huge-chunk',
    and four that HTTP allows: 'no-length' (until the end), 'trailers', 'extension', '100'."""
    answer = x.carry_out() if done else Answer(200, b"{}")
    head, body = x.head(answer), answer.body
    plain = head.replace(b"Transfer-Encoding: chunked\r\n", b"")
    size = b"Content-Length: %d\r\n" % len(body)
    data = {
        "both-lengths": head[:-2] + size + b"\r\n" + chunk(body) + LAST_CHUNK,
        "two-lengths": plain[:-2] + size + b"Content-Length: 1\r\n\r\n" + body,
        "bad-chunk": head + b"xyz\r\n" + body + b"\r\n" + LAST_CHUNK,
        "negative-chunk": head + b"-5\r\n" + body + b"\r\n" + LAST_CHUNK,
        "huge-chunk": head + b"f" * 17 + b"\r\n" + body + b"\r\n" + LAST_CHUNK,
        "no-length": plain.replace(b"keep-alive", b"close") + body,
        "trailers": head + chunk(body) + b"0\r\nX-Trailer: yes\r\n\r\n",
        "extension": head + render_chunks(body, 64).replace(b"40\r\n", b"40;a=b\r\n"),
        "100": b"HTTP/1.1 100 Continue\r\n\r\n" + head + chunk(body) + LAST_CHUNK,
    }[what]
    x.connection.send(data)
    return True if what in ("trailers", "extension", "100") else _sever(x.connection, "close")


ACTS = {
    "status": act_status, "error": act_error, "rate": act_rate, "reset": act_reset,
    "lost": act_lost, "hang": act_hang,
    "slow": act_slow, "truncate": act_truncate, "garbage": act_garbage, "endless": act_endless,
    "huge-header": act_huge_header, "close-after": act_close_after, "stale": act_stale,
    "unfiltered": act_unfiltered, "raw": act_raw, "framing": act_framing,
}


# -- before the handshake: these get the connection alone and return whether to go on

def connect_reset(connection, how="rst"):
    return _sever(connection, how)


def connect_hang(connection, seconds=None):
    connection.hang(seconds)
    return _sever(connection, "fin")


def connect_raw(connection, data="SSH-2.0-none\r\n"):
    connection.send(data if isinstance(data, bytes) else data.encode("latin-1"))
    return _sever(connection, "fin")


CONNECT_ACTS = {"reset": connect_reset, "hang": connect_hang, "raw": connect_raw}


def options_of(act):
    """The names of an act's options."""
    return set(list(inspect.signature(act).parameters)[1:])
