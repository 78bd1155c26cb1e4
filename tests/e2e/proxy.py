"""A CONNECT proxy of the tests' own, which leads every target to one local port."""

import select
import socket
import threading


class Proxy:
    def __init__(self, port, status="200 Connection established"):
        self.port_behind, self.status = port, status
        self.requests = []  # heads, as text
        self.open = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, user=""):
        return f"http://{user}127.0.0.1:{self.port}"

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for s in self.open:
            s.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            if not (byte := client.recv(1)):
                return
            head += byte
        self.requests.append(head.decode("latin-1"))
        client.sendall(f"HTTP/1.1 {self.status}\r\n\r\n".encode())
        if not self.status.startswith("200"):
            client.close()
            return
        server = socket.create_connection(("127.0.0.1", self.port_behind))
        self.open.append(server)
        try:
            self._pass_on(client, server)
        except OSError:
            pass  # one side has gone
        finally:
            client.close()
            server.close()

    @staticmethod
    def _pass_on(client, server):
        while True:
            for source in select.select([client, server], [], [])[0]:
                data = source.recv(65536)
                if not data:
                    return
                (server if source is client else client).sendall(data)
