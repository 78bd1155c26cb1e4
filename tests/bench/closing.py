"""A Consul that closes the connection after every answer: so each read of a watch is a new one.

For any service it lists one passing instance, and one that is not, which changes its state with every answer: news each
time, and nothing to write. Each answer comes at once: the watch itself rests before the next query.

hold(True) keeps every query waiting but a service's first, so that the descriptors of a watch can be counted at rest.
"""

import asyncio
import json
import sys
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from fake_consul import GOOD, instance

STATES = ("warning", "critical")


class ClosingConsul:
    """On a free loopback port, from construction to stop()."""

    def __init__(self, passing):
        self.passing, self.connections, self.held = passing, 0, 0
        self.loop = asyncio.new_event_loop()
        self.going = asyncio.Event()
        self.server = self.loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024))
        self.address = "127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.server.close()
        self.loop.close()

    def hold(self, on):
        self.loop.call_soon_threadsafe(self.going.clear if on else self.going.set)

    async def _serve(self, reader, writer):
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            index = int(parse_qs(urlsplit(head.split(" ", 2)[1]).query).get("index", ["0"])[0])
            if index:
                self.held += 1
                await self.going.wait()
                self.held -= 1
            writer.write(self._answer(index + 1))
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has gone
        finally:
            writer.close()

    def _answer(self, index):
        body = json.dumps([instance(self.passing), instance("192.0.2.250", STATES[index % 2])]).encode()
        fields = {**GOOD, "X-Consul-Index": index, "Content-Type": "application/json",
                  "Content-Length": len(body), "Connection": "close"}
        lines = "".join(f"{k}: {v}\r\n" for k, v in fields.items())
        return f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode() + body
