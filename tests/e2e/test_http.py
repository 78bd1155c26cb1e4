"""The program itself against a Consul that breaks HTTP: an error that says how, exit 1, and no hang.

Every rule of the reader is tested in tests/unit (test_head, test_chunk, test_http); this shows that
they hold in the binary that is shipped.
"""

import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def scripted():
    """scripted(bytes): the port of a server that says just this to everyone."""
    listeners = []

    def serve(listener, said):
        while True:
            try:
                connection, _ = listener.accept()
                connection.recv(65536)
                connection.sendall(said)
                connection.close()
            except OSError:
                if listener.fileno() < 0:
                    return

    def begin(said):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threading.Thread(target=serve, args=(listener, said), daemon=True).start()
        return listener.getsockname()[1]

    yield begin
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def plan(port, *options):
    program = os.environ.get("DNSBUDDY", str(ROOT / "build/dnsbuddy"))
    done = subprocess.run(
        [program, "plan", "--consul", f"127.0.0.1:{port}", "--retry-for", "0", *options, "web", "www.example.com"],
        env={"CF_API_TOKEN": "x" * 40, "CF_API_URL": "https://127.0.0.1:1", "CF_ZONE_ID": "0" * 32},
        capture_output=True, text=True, timeout=60, check=False)
    assert "x" * 40 not in done.stderr + done.stdout
    return done


@pytest.mark.parametrize(("said", "words"), [
    (b"", "without an answer"),
    (b"\x15\x03\x03\x00\x02\x02\x28", "answer's head"),
    (b"SSH-2.0-OpenSSH_9\r\n", "not HTTP"),
    (OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n[]", "two different values of Content-Length"),
    (OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "both Content-Length and Transfer-Encoding"),
    (OK + b"Transfer-Encoding: gzip\r\n\r\n", "Transfer-Encoding"),
    (OK + b"Content-Encoding: gzip\r\n\r\n", "Content-Encoding is not"),
    (b"HTTP/1.1 301 x\r\nLocation: https://u:p@h.test/v1/?token=t\r\n\r\n", "HTTP 301: redirected to h.test/v1/, which"),
    (OK + b"X: y\n\r\n", "LF without CR"),
    (OK + b"X : y\r\n\r\n", "forbidden character"),
    (OK + b"X: y\r\n folded\r\n\r\n", "folded"),
    (OK + b"X: " + b"a" * 9000 + b"\r\n\r\n", "longer than 8192 bytes"),
    (OK + b"X: y\r\n" * 129 + b"\r\n", "more than 128 fields"),
    (OK + b"Content-Length: 300000000\r\n\r\n", "longer than 268435456 bytes"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "chunk"),
    (OK + b"Content-Length: 10\r\n\r\n[]", "before the end of the answer's body"),
    (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "101"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_broken_answer(scripted, said, words):
    port = scripted(said)
    done = plan(port)
    assert done.returncode == 1, done.stderr
    assert f"127.0.0.1:{port}" in done.stderr and words in done.stderr, done.stderr
