"""One request being answered: the ground that faults act on."""

import threading
import time

from cloudflare.call import ApiError, codes_of
from cloudflare.misbehave import ACTS
from cloudflare.wire import edge_headers, render_chunks, render_head


class RateLimit:
    """A fixed window per account: past the limit all calls are refused for a whole window."""

    def __init__(self, settings):
        self.settings, self.lock = settings, threading.Lock()
        self.start, self.used, self.blocked_until = time.monotonic(), 0, 0.0

    def count(self):
        """Count a call. Returns (calls left, seconds to the end of the window, refused)."""
        with self.lock:
            now, window = time.monotonic(), self.settings.rate_window_sec
            if now - self.start >= window:
                self.start, self.used = now, 0
            self.used += 1
            left = self.settings.rate_limit - self.used
            if not self.settings.rate_enforce:
                return max(1, left), self.start + window - now, False
            if left < 0 and now >= self.blocked_until:
                self.blocked_until = now + window
            if now < self.blocked_until:
                return 0, self.blocked_until - now, True
            return max(0, left), self.start + window - now, False


class Exchange:
    def __init__(self, server, call, connection):
        self.server, self.call, self.connection = server, call, connection
        self.companions = []
        self.left, self.seconds, self.refused = server.rate.count()

    def run_hooks(self, moment):
        """`before` the call is served, `after` it was carried out, once the answer was `sent`."""
        for rule in self.companions:
            if rule.do == "delay" and moment == "before":
                self.connection.stopping.wait(rule.options.get("seconds", 0.1))
            elif moment in rule.options and rule.do == "hook":
                rule.options[moment](self.call)

    def perform(self, rule):
        """Answer, as `rule` has it. Returns whether the connection may go on."""
        if rule:
            return ACTS[rule.do](self, **rule.options)
        return self.write(self.carry_out())

    def carry_out(self, stale=False):
        if self.refused:
            wait = [("Retry-After", str(int(self.seconds) + 1))]
            settings = self.server.settings
            return ApiError(
                429, 10100, f"More than {settings.rate_limit} requests per "
                f"{settings.rate_window_sec:.0f} seconds reached. Please wait and consider "
                "throttling your request speed", gateway=True,
                headers=wait if settings.rate_retry_after else []).answer()
        answer = self.server.carry_out(self.call, stale)
        self.run_hooks("after")
        return answer

    def head(self, answer, rate=True, chunked=True, close=False):
        settings = self.server.settings
        headers = edge_headers(self.server.dice)
        if rate and settings.rate_headers:
            headers += [
                ("Ratelimit", f'"default";r={self.left};t={int(self.seconds) + 1}'),
                ("Ratelimit-Policy",
                 f'"default";q={settings.rate_limit};w={settings.rate_window_sec:.0f}')]
        return render_head(answer, headers, chunked, close)

    def write(self, answer, segment=0, pause_sec=0.0, rate=True):
        """Send a whole answer. Returns whether the connection may go on."""
        settings = self.server.settings
        close = self.call.version == "HTTP/1.0" or "close" in (
            self.call.header("connection") or "").lower()
        self.call.status = answer.status
        if answer.status >= 400:
            self.call.codes = codes_of(answer)
        head = self.head(answer, rate, self.call.version != "HTTP/1.0", close)
        if self.call.version == "HTTP/1.0":
            body = answer.body
        else:
            body = render_chunks(answer.body, settings.chunk_size, self.server.dice)
        self.connection.send(head + body, segment or settings.segment_size, pause_sec)
        self.call.sent = True
        return not close
