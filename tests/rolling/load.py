#!/usr/bin/python3
"""A load of so many requests a second, each made as an ordinary HTTP client without retries makes it.

Each request asks the resolver for the name, takes the first address of the answer (the resolver rotates them), opens a new
connection to it and fetches /. It is not repeated, and no second address is tried: whatever goes wrong is a failure. They
begin at a fixed rate however long they take. Runs until SIGTERM; a line of --out for each:

    seconds since the epoch, ms it took, address ("-": none), "ok" or what went wrong, addresses of the answer with "+"
"""

import argparse
import asyncio
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import question  # noqa: E402

TIMEOUT_SEC = 5.0  # for all of a request
ANSWER_CAP = 65536


class Asking(asyncio.DatagramProtocol):
    """One query and its answer, on a port of their own as a stub resolver does it."""

    def __init__(self, query, answer):
        self.query, self.answer = query, answer

    def datagram_received(self, data, _):
        if data[:2] == self.query[:2] and not self.answer.done():
            self.answer.set_result(data)

    def error_received(self, error):
        if not self.answer.done():
            self.answer.set_exception(error)


class Request:
    def __init__(self, resolver, name):
        self.resolver, self.name = resolver, name
        self.began, self.start = time.time(), time.monotonic()
        self.address, self.answer, self.stage = "-", [], "dns"

    async def run(self):
        """The line that tells what became of it."""
        try:
            result = await asyncio.wait_for(self._fetch(), TIMEOUT_SEC)
        except asyncio.TimeoutError:
            result = f"{self.stage}: timeout"
        except ConnectionRefusedError:
            result = f"{self.stage}: refused"
        except ConnectionError:
            result = f"{self.stage}: reset"
        except (OSError, ValueError) as error:
            result = f"{self.stage}: {getattr(error, 'strerror', None) or error}".lower()
        took_ms = (time.monotonic() - self.start) * 1000
        return (f"{self.began:.3f}\t{took_ms:.1f}\t{self.address}\t{result}"
                f"\t{'+'.join(sorted(self.answer))}\n")

    async def _fetch(self):
        self.answer = await self._resolve()
        if not self.answer:
            return "dns: no address"
        self.address, self.stage = self.answer[0], "connect"
        reader, writer = await asyncio.open_connection(self.address, 80)
        try:
            self.stage = "read"
            writer.write(f"GET / HTTP/1.1\r\nHost: {self.name}\r\nUser-Agent: load\r\n"
                         "Accept: */*\r\nConnection: close\r\n\r\n".encode())
            return self._verdict(await reader.read(-1))
        finally:
            writer.close()

    def _verdict(self, data):
        head, _, body = data[:ANSWER_CAP].partition(b"\r\n\r\n")
        status = head.split(b" ", 2)[1:2]
        if status != [b"200"]:
            return f"read: status {status[0].decode('ascii', 'replace')}" if status else "read: cut"
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:") and int(line[15:]) != len(body):
                return "read: cut"
        return "ok" if body else "read: empty"

    async def _resolve(self):
        query = question.ask(self.name)
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: Asking(query, answer), remote_addr=self.resolver)
        try:
            transport.sendto(query)
            return [address for address, _ in question.read(await answer, query)]
        finally:
            transport.close()


async def run(args):
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    host, _, port = args.resolver.rpartition(":")
    running = set()
    with open(args.out, "w", buffering=1, encoding="ascii") as out:
        def finished(task):
            running.discard(task)
            out.write(task.result())

        due = loop.time()
        while not stop.is_set():
            task = loop.create_task(Request((host, int(port)), args.name).run())
            running.add(task)
            task.add_done_callback(finished)
            due += 1 / args.rate
            try:
                await asyncio.wait_for(stop.wait(), max(0.0, due - loop.time()))
            except asyncio.TimeoutError:
                pass
        await asyncio.gather(*running)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--resolver", required=True, metavar="ADDRESS:PORT")
    p.add_argument("--name", required=True)
    p.add_argument("--rate", type=float, default=60, help="requests a second")
    p.add_argument("--out", required=True)
    asyncio.run(run(p.parse_args()))


if __name__ == "__main__":
    main()
