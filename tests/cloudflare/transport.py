"""Sockets and TLS: a thread per connection, every byte under our control.

Knows HTTP only as "call `serve` until it says to stop"; wire.py reads and writes the messages.
"""

import select
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass

HANDSHAKE_SEC = 10.0


@dataclass
class Seen:
    """What the journal keeps of a connection."""

    id: int
    t: float
    tls: str | None = None  # TLSv1.2, ...
    cipher: str | None = None
    resumed: bool = False
    requests: int = 0
    error: str | None = None  # why the handshake failed, or the request was refused
    closed: float | None = None  # when it was over

    @property
    def handshaken(self):
        return self.tls is not None


class Connection:
    """One accepted socket. Sending to a client that has gone raises OSError."""

    def __init__(self, sock, seen, stopping):
        self.sock, self.seen, self.stopping = sock, seen, stopping
        self.buffer = bytearray()
        self.open = True

    def handshake(self, context):
        self.sock.settimeout(HANDSHAKE_SEC)
        self.sock = context.wrap_socket(self.sock, server_side=True)
        self.seen.tls, self.seen.cipher = self.sock.version(), self.sock.cipher()[0]
        self.seen.resumed = bool(self.sock.session_reused)

    def _more(self):
        data = self.sock.recv(65536)
        self.buffer += data
        return bool(data)

    def read_until(self, mark, most):
        """The bytes up to and with `mark`; None at the end of the stream."""
        while (at := self.buffer.find(mark)) < 0:
            if len(self.buffer) > most or not self._more():
                return None
        return self._take(at + len(mark))

    def read_exactly(self, size):
        while len(self.buffer) < size:
            if not self._more():
                return None
        return self._take(size)

    def _take(self, size):
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    def send(self, data, segment=0, pause_sec=0.0):
        """All of `data`, in pieces of `segment` bytes if that is given."""
        for at in range(0, len(data), segment or len(data) or 1):
            if pause_sec and self.stopping.wait(pause_sec):
                raise ConnectionAbortedError("stopping")
            self.sock.sendall(data[at:at + segment] if segment else data)

    def hang(self, seconds=None):
        """Do nothing until the client goes, `seconds` are over, or the server stops."""
        until = time.monotonic() + (seconds if seconds is not None else 3600.0)
        while time.monotonic() < until and not self.stopping.is_set():
            if select.select([self.sock], [], [], 0.05)[0]:
                try:
                    if not self._more():
                        return
                except OSError:
                    return

    def reset(self):
        """RST instead of FIN."""
        self.open = False
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass  # the client was faster
        self.sock.close()

    def cut(self):
        """FIN without TLS's close_notify."""
        self.open = False
        self.sock.close()

    def close(self):
        """The proper end: close_notify under TLS, then FIN."""
        if not self.open:
            return
        self.open = False
        try:
            if isinstance(self.sock, ssl.SSLSocket):
                self.sock.settimeout(0)
                self.sock.unwrap()
        except (OSError, ValueError):
            pass  # close_notify is sent; we do not wait for the client's
        self.sock.close()

    def abort(self):
        """From another thread: wake whoever waits on the socket."""
        try:
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)
        except OSError:
            pass  # not connected any more


class Listener:
    """Accepts on a free loopback port until stop().

    serve(connection) is called in the connection's thread until it returns False.
    greet(connection), if given, comes before the handshake; False ends the connection there.
    """

    def __init__(self, serve, context=None, host="127.0.0.1", port=0, greet=None, idle=None):
        self.serve, self.context, self.greet = serve, context, greet
        self.idle = idle or (lambda: None)  # seconds until an idle connection is closed
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.seen = []
        self.live = {}  # Connection: Thread
        self.socket = socket.create_server((host, port), backlog=512)
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, name="accept", daemon=True)
        self.thread.start()

    def _accept(self):
        while not self.stopping.is_set():
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                seen = Seen(len(self.seen) + 1, time.monotonic())
                self.seen.append(seen)
                connection = Connection(sock, seen, self.stopping)
                thread = threading.Thread(target=self._run, args=(connection,), daemon=True,
                                          name=f"connection-{seen.id}")
                self.live[connection] = thread
            thread.start()

    def _run(self, connection):
        try:
            if self.greet and not self.greet(connection):
                return
            if self.context:
                connection.handshake(self.context)
            connection.sock.settimeout(self.idle())
            while not self.stopping.is_set() and self.serve(connection):
                pass
        except OSError as e:  # the client went, or stop() cut it off
            if not connection.seen.handshaken and self.context:
                connection.seen.error = f"handshake: {e}"
        finally:
            connection.close()
            connection.seen.closed = time.monotonic()
            with self.lock:
                self.live.pop(connection, None)

    def drop(self):
        """Close every connection at once, idle ones too; listening goes on."""
        with self.lock:
            live = list(self.live)
        for connection in live:
            connection.abort()

    def stop(self):
        self.stopping.set()
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # a listening socket need not support it; closing wakes accept() elsewhere
        self.socket.close()
        self.thread.join(5)
        with self.lock:
            threads = list(self.live.values())
        self.drop()
        for thread in threads:
            thread.join(5)
