"""A headless Chromium under test, driven over its pipe in the DevTools protocol: no driver, no port.

    with Browser(width=390, height=844) as page:
        page.go("http://127.0.0.1:8080/")
        assert page.value("document.title") == "Healthy - dnsbuddy"

Pages run no script of theirs: what works here works without one.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time

PROGRAM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
SECONDS = 30.0  # for an answer
# It reads what it is told at 3 and answers at 4.
MOVE = """import fcntl, os, sys
pipes = [fcntl.fcntl(int(n), fcntl.F_DUPFD_CLOEXEC, 10) for n in sys.argv[1:3]]
os.dup2(pipes[0], 3)
os.dup2(pipes[1], 4)
os.execv(sys.argv[3], sys.argv[3:])"""


class Browser:
    def __init__(self, width, height, dark=False):
        self.home = tempfile.TemporaryDirectory()
        theirs, self.to = os.pipe()
        self.of, theirs_too = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-c", MOVE, str(theirs), str(theirs_too), PROGRAM, "--headless", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe",
             f"--user-data-dir={self.home.name}", "about:blank"],
            pass_fds=(theirs, theirs_too), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(theirs)
        os.close(theirs_too)
        self.number, self.left, self.events, self.session = 0, b"", [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Emulation.setScriptExecutionDisabled", value=True)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.to)  # it ends with its pipe
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.of)
        self.home.cleanup()

    def _read(self, deadline):
        while b"\0" not in self.left:
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.of], [], [], left)[0], "the browser does not answer"
            piece = os.read(self.of, 1 << 20)
            assert piece, "the browser has ended"
            self.left += piece
        text, _, self.left = self.left.partition(b"\0")
        return json.loads(text)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + SECONDS
        while True:
            answer = self._read(deadline)
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer.get("method"))

    def loaded(self, act):
        """Do what brings another page, and wait until it is there."""
        self.events.clear()
        act()
        deadline = time.monotonic() + SECONDS
        while "Page.loadEventFired" not in self.events:
            self.events.append(self._read(deadline).get("method"))

    def go(self, url):
        self.loaded(lambda: self.call("Page.navigate", url=url))

    def value(self, expression):
        """Of our expression; the page's own scripts are off."""
        got = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in got, got
        return got["result"].get("value")

    def box(self, selector, i=0):
        """Where the i-th element is that the selector finds: left, top, right, bottom in the window."""
        return self.value(f"(r=>r&&[r.left,r.top,r.right,r.bottom])(document.querySelectorAll("
                          f"{json.dumps(selector)})[{i}]?.getBoundingClientRect())")

    def click(self, selector, i=0):
        left, top, right, bottom = self.box(selector, i)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=(left + right) / 2, y=(top + bottom) / 2,
                      button="left", clickCount=1)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def screenshot(self):
        """A PNG, of the window."""
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])
