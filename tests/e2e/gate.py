"""A TCP forwarder that can be shut: connections are refused, or accepted and never answered."""

import select
import socket
import threading


class Gate:
    """From 127.0.0.1, a free port, to 127.0.0.1:port. Open at first."""

    def __init__(self, port, room=None):
        """room: bytes that it takes and does not pass on while it is frozen; more stay with the sender."""
        self.to, self.stopping, self.is_frozen = port, threading.Event(), False
        self.room = room
        self.lock, self.pairs, self.threads = threading.Lock(), [], []
        self.socket = None
        self.port = None
        self.open()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.close()
        for thread in self.threads:
            thread.join()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def open(self):
        """Listen; on the same port as before."""
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.room:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.room)
        self.socket.bind(("127.0.0.1", self.port or 0))
        self.socket.listen()
        self.port = self.socket.getsockname()[1]
        self._run(self._accept, self.socket)

    def close(self):
        """Refuse connections and reset those that are."""
        if self.socket:
            self.socket.shutdown(socket.SHUT_RDWR)
            self.socket.close()
            self.socket = None
        self.cut()

    def cut(self):
        with self.lock:
            for pair in self.pairs:
                for end in pair:
                    try:
                        end.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass

    def freeze(self, frozen=True):
        """Nothing passes any more, and nobody is told. "up": nothing towards the port."""
        self.is_frozen = frozen

    def _run(self, what, *args):
        self.threads.append(threading.Thread(target=what, args=args, daemon=True))
        self.threads[-1].start()

    def _accept(self, server):
        while True:
            try:
                near, _ = server.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                near.close()
                continue
            with self.lock:
                self.pairs.append((near, far))
            self._run(self._forward, near, far)

    def _forward(self, near, far):
        try:
            while not self.stopping.is_set():
                ready = select.select([near, far], [], [], 0.05)[0]
                if self.is_frozen:
                    self.stopping.wait(0.02)
                    ready = [far] if self.is_frozen == "up" and far in ready else []
                for end in ready:
                    data = end.recv(65536)
                    if not data:
                        return
                    (far if end is near else near).sendall(data)
        except OSError:
            pass
        finally:
            with self.lock:
                self.pairs.remove((near, far))
            near.close()
            far.close()
