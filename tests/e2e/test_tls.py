"""Whom src/net believes, and what it says of those it does not. The client is tests/net/http_probe.c."""

import os
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest
from certificates import Authority

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", ROOT / "build")).resolve()
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.fixture(scope="session")
def probe(tmp_path_factory):
    """The probe under AddressSanitizer, linked with the objects `make asan` left."""
    asan = BUILD / "asan"
    sources = [path.relative_to(ROOT) for part in ("net", "base") for path in sorted((ROOT / "src" / part).rglob("*.c"))]
    objects = [asan / "obj" / path.with_suffix(".o") for path in sources]
    assert all(path.exists() for path in objects), "run `make asan` first"
    program = tmp_path_factory.mktemp("probe") / "http_probe"
    subprocess.run(
        ["gcc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-D_DEFAULT_SOURCE", "-fsanitize=address,undefined", "-g",
         f"-I{ROOT}/src", f"-I{BUILD}/gen", "-isystem", f"{BUILD}/third_party/bearssl/inc",
         f"{ROOT}/tests/net/http_probe.c", *objects, asan / "obj/gen/trust_anchors.o", asan / "libbearssl.a",
         "-o", program], check=True)

    def run(*args):
        done = subprocess.run([program, *map(str, args)], capture_output=True, text=True, timeout=60, check=False)
        assert "Sanitizer" not in done.stderr, done.stderr
        return done.stdout

    return run


class Server:
    """One thread, one connection after the other; answer(connection) is called for each request."""

    def __init__(self, context, answer=None):
        self.context = context
        self.answer = answer or (lambda c: c.sendall(HELLO))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.names = []
        self.peers = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            raw.settimeout(10)
            try:
                with self.context.wrap_socket(raw, server_side=True) as connection:
                    self.peers.append(connection.getpeercert())
                    while self.read(connection):
                        self.answer(connection)
            except (OSError, ValueError):
                raw.close()

    @staticmethod
    def read(connection):
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(4096)
            if not more:
                return False
            data += more
        return True

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)


def context_of(pair, version=ssl.TLSVersion.TLSv1_2):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(pair.chain, pair.key)
    return context


@pytest.fixture
def serve():
    """serve(pair, answer=, **of context_of): the port."""
    servers = []

    def begin(pair, answer=None, context=None, **keys):
        servers.append(Server(context or context_of(pair, **keys), answer))
        return servers[-1]

    yield begin
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("root"), "Test-Root")


@pytest.fixture(scope="session")
def pairs(root, tmp_path_factory):
    """Everything that is served, by name; made once."""
    folder = tmp_path_factory.mktemp("other")
    middle = Authority(folder, "Middle", issuer=root)
    return {
        "ec": root.issue("ec"),
        "p384": root.issue("p384", kind="p384"),
        "rsa": root.issue("rsa", kind="rsa"),
        "rsa4096": root.issue("rsa4096", kind="rsa4096"),
        "middle": middle.issue("below"),
        "wildcard": root.issue("wildcard", "DNS:*.server.test"),
        "address": root.issue("address", "IP:127.0.0.1"),
        "both": root.issue("both", "DNS:server.test,IP:127.0.0.1,IP:::1"),
        "expired": root.issue("expired", start="20200101000000Z", end="20200201000000Z"),
        "future": root.issue("future", start="20900101000000Z", end="20910101000000Z"),
        "other": root.issue("other", "DNS:other.test,DNS:*.more.test,IP:10.0.0.1"),
        "cn": root.issue("server.test", None),
        "cn-address": root.issue("127.0.0.1", None),
        "top": root.issue("top", "DNS:*.test"),
        "dns-address": root.issue("dns-address", "DNS:127.0.0.1"),
        "client-only": root.issue("client-only", extensions=["extendedKeyUsage=clientAuth"]),
        "server-use": root.issue("server-use", extensions=["extendedKeyUsage=serverAuth"]),
        "short": root.issue("short", kind="rsa1024"),
        "self": root.self_signed("self", extensions=["subjectAltName=DNS:server.test"]),
        "unknown": Authority(folder, "Stranger").issue("unknown"),
        "client": root.issue("client", None, kind="ec", extensions=["extendedKeyUsage=clientAuth"]),
        "client-rsa": root.issue("client-rsa", None, kind="rsa"),
        "critical-use": root.issue("critical-use", extensions=["extendedKeyUsage=critical,serverAuth"]),
        "mail": Authority(folder, "Mail", issuer=root, more=["extendedKeyUsage=emailProtection"]).issue("below-mail"),
        "bound": Authority(folder, "Bound", issuer=root,
                           more=["nameConstraints=critical,permitted;DNS:server.test"]).issue("bound"),
        "unbound": Authority(folder, "Elsewhere", issuer=root,
                             more=["nameConstraints=permitted;DNS:other.test"]).issue("unbound"),
        "mixed": mixed_up(middle.issue("mixed"), root, Authority(folder, "Stray")),
        "not-ca": Authority.issue(_leaf_as_issuer(folder, root), "under-leaf"),
    }


def mixed_up(pair, root, stray):
    """Its chain as no server should send it: a stray, the root, then the issuer, twice."""
    own, above = pair.chain.read_text().split("-----END CERTIFICATE-----\n", 1)
    own += "-----END CERTIFICATE-----\n"
    pair.chain.write_text(own + stray.pair.cert.read_text() + root.pair.cert.read_text() + above + above)
    return pair


def _leaf_as_issuer(folder, root):
    """A certificate that is no CA, and issues all the same."""
    leaf = Authority(folder, "Leaf", issuer=root)
    leaf.pair = root.issue("leaf", "DNS:leaf.test", extensions=["basicConstraints=CA:FALSE"])
    return leaf


# What is served, how it is asked for, the error's kind or "ok", and words of the message.
CASES = [
    ("ec", ["--name", "server.test"], "ok", ""),
    ("ec", ["--name", "SERVER.test"], "ok", ""),
    ("ec", ["--name", "server.test."], "ok", ""),
    ("p384", ["--name", "server.test"], "ok", ""),
    ("rsa", ["--name", "server.test"], "ok", ""),
    ("rsa4096", ["--name", "server.test"], "ok", ""),
    ("middle", ["--name", "server.test"], "ok", ""),
    ("server-use", ["--name", "server.test"], "ok", ""),
    ("critical-use", ["--name", "server.test"], "ok", ""),
    ("bound", ["--name", "server.test"], "ok", ""),
    ("mixed", ["--name", "server.test"], "ok", ""),
    ("mail", ["--name", "server.test"], "tls", 'extendedKeyUsage of issuer "Mail" is not for TLS servers'),
    ("unbound", ["--name", "server.test"], "tls", 'nameConstraints of issuer "Elsewhere" do not permit server.test'),
    ("wildcard", ["--name", "www.server.test"], "ok", ""),
    ("wildcard", ["--name", "server.test"], "tls", "for another name: *.server.test, not server.test"),
    ("wildcard", ["--name", "a.b.server.test"], "tls", "for another name"),
    ("top", ["--name", "server.test"], "tls", "for another name"),
    ("address", [], "ok", ""),
    ("both", [], "ok", ""),
    ("both", ["--name", "server.test"], "ok", ""),
    ("dns-address", [], "tls", "for another name"),
    ("cn-address", [], "tls", "names no host"),
    ("ec", [], "tls", "for another name: server.test, not 127.0.0.1"),
    ("ec", ["--name", "evil.test"], "tls", "for another name: server.test, not evil.test"),
    ("other", ["--name", "server.test"], "tls", "other.test, *.more.test, 10.0.0.1, not server.test"),
    ("cn", ["--name", "server.test"], "tls", "a common name alone does not count"),
    ("expired", ["--name", "server.test"], "tls", "certificate expired "),
    ("future", ["--name", "server.test"], "tls", "becomes valid in "),
    ("client-only", ["--name", "server.test"], "tls", "not for TLS servers"),
    ("short", ["--name", "server.test"], "tls", "too short"),
    ("self", ["--name", "server.test"], "tls", "self-signed and not among the 1 trusted roots"),
    ("unknown", ["--name", "server.test"], "tls", 'issuer "Stranger" is not among the 1 trusted roots'),
    ("not-ca", ["--name", "server.test"], "tls", "not one of a CA"),
    ("unknown", ["--name", "server.test", "--no-verify"], "ok", ""),
    ("expired", ["--no-verify"], "ok", ""),
]


@pytest.mark.parametrize(("served", "options", "result", "words"), CASES)
def test_chain(probe, serve, root, pairs, served, options, result, words):
    server = serve(pairs[served])
    out = probe("--ca", root.pair.cert, *options, f"https://127.0.0.1:{server.port}")
    if result == "ok":
        assert "status 200\nhello\nok\n" in out
        assert "handshakes 1 " in out
    else:
        assert out.startswith(f"error {result}: https://127.0.0.1:{server.port}: TLS: "), out
        assert words in out, out


def test_built_in_roots(probe, serve, pairs):
    out = probe("--name", "server.test", f"https://127.0.0.1:{serve(pairs['ec']).port}")
    assert out.startswith("error tls: ") and 'issuer "Test-Root" is not among the 1' in out, out


def test_self_signed_trusted_for_itself(probe, serve, pairs):
    ca = ["--ca", pairs["self"].cert, "--name", "server.test"]
    assert "\nok\n" in probe(*ca, f"https://127.0.0.1:{serve(pairs['self']).port}")
    assert "error tls: " in probe(*ca, f"https://127.0.0.1:{serve(pairs['ec']).port}")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_version(probe, serve, root, pairs):
    server = serve(pairs["ec"], version=ssl.TLSVersion.TLSv1_1)
    out = probe("--ca", root.pair.cert, "--name", "server.test", f"https://127.0.0.1:{server.port}")
    assert out.startswith("error proto: ") and "no TLS 1.2" in out, out


def test_only_new_version(probe, serve, root, pairs):
    server = serve(pairs["ec"], version=ssl.TLSVersion.TLSv1_3)
    out = probe("--ca", root.pair.cert, "--name", "server.test", f"https://127.0.0.1:{server.port}")
    assert out.startswith("error proto: ") and "no TLS 1.2" in out, out


@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-GCM-SHA256",
                                   "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305",
                                   "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"])
@pytest.mark.parametrize("curve", ["X25519", "prime256v1", "secp384r1", "secp521r1"])
def test_suites(probe, serve, root, pairs, suite, curve):
    context = context_of(pairs["rsa" if "RSA-" in suite.split("ECDHE-")[1][:4] else "ec"])
    context.set_ciphers(suite)
    if curve != "X25519":  # the default of the server
        context.set_ecdh_curve(curve)
    server = serve(None, context=context)
    assert "\nok\n" in probe("--ca", root.pair.cert, "--name", "server.test", f"https://127.0.0.1:{server.port}")


@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-AES128-SHA256", "AES128-GCM-SHA256"])
def test_no_suite_in_common(probe, serve, root, pairs, suite):
    context = context_of(pairs["rsa" if suite.startswith("AES") else "ec"])
    context.set_ciphers(suite)
    server = serve(None, context=context)
    out = probe("--ca", root.pair.cert, "--name", "server.test", f"https://127.0.0.1:{server.port}")
    assert out.startswith("error proto: ") and "no TLS 1.2 with a cipher suite of ours" in out, out


def until_close(orderly):
    def answer(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhel")
        raw = connection.unwrap() if orderly else connection
        raw.shutdown(socket.SHUT_RDWR)
        raw.close()

    return answer


def test_cut_off(probe, serve, root, pairs):
    server = serve(pairs["ec"], until_close(orderly=False))
    out = probe("--ca", root.pair.cert, "--name", "server.test", f"https://127.0.0.1:{server.port}")
    assert "error proto: " in out and "without TLS's close_notify" in out, out


def test_orderly_end(probe, serve, root, pairs):
    server = serve(pairs["ec"], until_close(orderly=True))
    out = probe("--ca", root.pair.cert, "--name", "server.test", f"https://127.0.0.1:{server.port}")
    assert "status 200\nhel\nok\n" in out, out


def closing(connection):
    connection.sendall(HELLO.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"))
    connection.unwrap().close()


def end_of(cert):
    done = subprocess.run(["openssl", "x509", "-noout", "-enddate", "-in", cert], capture_output=True, text=True, check=True)
    return ssl.cert_time_to_seconds(done.stdout.strip().partition("=")[2])


def test_resumption(probe, serve, root, pairs):
    """What is known of the chain that was verified is known of who resumes."""
    server = serve(pairs["ec"], closing)
    ask = ("--name", "server.test", "--times", 3, f"https://127.0.0.1:{server.port}")
    out = probe("--ca", root.pair.cert, *ask)
    assert out.count("\nok\n") == 3
    assert f"connections 3 handshakes 1 resumed 2 requests 3 root end {end_of(root.pair.cert)}\n" in out, out
    assert "handshakes 1 resumed 2 requests 3 root end 0\n" in probe("--no-verify", *ask)


def test_without_tickets(probe, serve, root, pairs):
    context = context_of(pairs["ec"])
    context.options |= ssl.OP_NO_TICKET
    server = serve(None, closing, context=context)
    out = probe("--ca", root.pair.cert, "--name", "server.test", "--times", 2, f"https://127.0.0.1:{server.port}")
    assert out.count("\nok\n") == 2, out


@pytest.mark.parametrize("kind", ["client", "client-rsa"])
@pytest.mark.parametrize("form", ["pkcs8", "traditional"])
def test_client_certificate(probe, serve, root, pairs, tmp_path, kind, form):
    context = context_of(pairs["both"])
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(root.pair.cert)
    server = serve(None, context=context)
    url = f"https://127.0.0.1:{server.port}"
    key = pairs[kind].key
    if form == "traditional":
        key = tmp_path / "key"
        subprocess.run(["openssl", "pkey", "-in", pairs[kind].key, "-traditional", "-out", key], check=True)
    assert "\nok\n" in probe("--ca", root.pair.cert, "--cert", pairs[kind].chain, "--key", key, url)
    assert server.peers[0]["subject"] == ((("commonName", kind),),)
    assert "\nok\n" not in probe("--ca", root.pair.cert, url)


@pytest.mark.parametrize("bits", [2047, 4094, 4095, 4096])
def test_long_client_key(probe, serve, root, pairs, bits):
    context = context_of(pairs["both"])
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(root.pair.cert)
    server = serve(None, context=context)
    client = root.issue(f"client-{bits}", None, kind=f"rsa:{bits}")
    assert "\nok\n" in probe("--ca", root.pair.cert, "--cert", client.chain, "--key", client.key,
                             f"https://127.0.0.1:{server.port}")
    assert server.peers[0]["subject"] == ((("commonName", f"client-{bits}"),),)


@pytest.mark.parametrize("bits", [4104, 5120])
def test_too_long_client_key(probe, root, bits):
    client = root.issue(f"client-{bits}", None, kind=f"rsa:{bits}")
    out = probe("--cert", client.cert, "--key", client.key, "https://127.0.0.1:1")
    assert out.startswith(f"error config: {client.key}: ") and f"the RSA key has {bits} bits, more than 4096" in out, out


def test_renegotiation(probe, root, pairs, tmp_path):
    """A server that asks for another handshake once it has the request: told as that."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-tls1_2", "-cert", pairs["ec"].cert, "-key",
         pairs["ec"].key], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def ask_again():
        for line in server.stdout:
            if line.startswith("Host:"):
                server.stdin.write("R\n")
                server.stdin.flush()

    thread = threading.Thread(target=ask_again, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            out = probe("--ca", root.pair.cert, "--name", "server.test", f"https://127.0.0.1:{port}")
            if "connection refused" not in out:
                break
        assert out.startswith("error proto: ") and "another handshake (HelloRequest" in out, out
    finally:
        server.kill()
        server.wait()
        thread.join(10)


def test_client_files(probe, root, pairs, tmp_path):
    def said(cert, key):
        out = probe("--cert", cert, "--key", key, "https://127.0.0.1:1")
        assert out.startswith("error config: "), out
        return out

    encrypted = tmp_path / "encrypted"
    subprocess.run(["openssl", "pkey", "-in", pairs["client"].key, "-aes128", "-passout", "pass:x", "-out", encrypted],
                   check=True)
    empty = tmp_path / "empty"
    empty.touch()
    assert "does not belong to the key" in said(pairs["client"].cert, pairs["ec"].key)
    assert "does not belong to the key" in said(pairs["client-rsa"].cert, pairs["rsa"].key)
    assert "does not belong to the key" in said(pairs["client"].cert, pairs["rsa"].key)
    assert "encrypted with a passphrase" in said(pairs["client"].cert, encrypted)
    assert f"{empty}: no certificate" in said(empty, pairs["client"].key)
    assert f"{empty}: no private key" in said(pairs["client"].cert, empty)
    assert "No such file" in said(tmp_path / "none", pairs["client"].key)


def test_trust_files(probe, root, pairs, tmp_path):
    def said(text):
        path = tmp_path / "trust"
        path.write_text(text)
        out = probe("--ca", path, "https://127.0.0.1:1")
        assert str(path) in out or "connection refused" in out, out
        return out

    ca = root.pair.cert.read_text()
    assert "error config: " in said("") and "no usable CA certificate" in said("")
    assert "no usable CA certificate" in said("# nothing\n")
    assert "no usable CA certificate" in said(pairs["ec"].cert.read_text())
    assert "no usable CA certificate" in said(pairs["ec"].key.read_text())
    assert "damaged" in said(ca.replace("MII", "M*I", 1))
    assert "has no end" in said(ca[: ca.index("-----END")])
    assert "connection refused" in said("text\n" + pairs["ec"].key.read_text() + ca + pairs["ec"].cert.read_text())
    assert "connection refused" in said(ca.rstrip("\n").replace("\n", "\r\n"))
    assert "connection refused" in said("\ufeff" + ca)
    assert "connection refused" in said("\ufeff" + ca.replace("\n", "\r\n") + "\ufeff" + ca)
    assert "more than 512 certificates" in said(ca * 513)
    assert "connection refused" in said(ca * 512)


def test_through_a_proxy(probe, serve, root, pairs):
    server = serve(pairs["ec"])
    proxy = socket.create_server(("127.0.0.1", 0))
    seen = []

    def tunnel():
        client, _ = proxy.accept()
        seen.append(client.recv(4096).decode())
        client.sendall(b"HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n")
        upstream = socket.create_connection(("127.0.0.1", server.port))
        threading.Thread(target=copy, args=(upstream, client), daemon=True).start()
        copy(client, upstream)

    def copy(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    threading.Thread(target=tunnel, daemon=True).start()
    out = probe("--ca", root.pair.cert, "--proxy", f"http://me:secret@127.0.0.1:{proxy.getsockname()[1]}",
                f"https://server.test:{server.port}", "/", "/")
    proxy.close()
    assert out.count("\nok\n") == 2, out
    assert seen[0].startswith(f"CONNECT server.test:{server.port} HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n" in seen[0]


@pytest.mark.parametrize("said", [b"", b"\x15\x03\x03\x00\x02\x02\x28", b"HTTP/1.1 400 Bad\r\n\r\n", b"\x16\x03\x03\x40\x00",
                                  b"\x16\x03\x03\x00\x04\x02\xff\xff\xff", b"\x16\x03\x03\xff\xff" + b"a" * 70000,
                                  b"\x17\x03\x03\x00\x05hello", b"\x00" * 100])
def test_no_handshake(probe, root, said):
    """A peer that says something else, then ends: an error of a sensible kind, and no hang."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer():
        connection, _ = listener.accept()
        connection.recv(4096)
        connection.sendall(said)
        connection.close()

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    out = probe("--ca", root.pair.cert, "--deadline", 20000, f"https://127.0.0.1:{listener.getsockname()[1]}")
    thread.join()
    listener.close()
    assert out.startswith(("error proto: ", "error retry: ")), out
    assert "TLS" in out and "no complete answer" not in out, out


def test_slow_handshake(probe, root):
    """One byte each 20 ms does not stretch the deadline."""
    listener = socket.create_server(("127.0.0.1", 0))

    def drip():
        connection, _ = listener.accept()
        try:
            while True:
                for byte in b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb\x03\x03" + b"a" * 100:
                    connection.sendall(bytes([byte]))
                    time.sleep(0.02)
        except OSError:
            pass

    threading.Thread(target=drip, daemon=True).start()
    before = time.monotonic()
    out = probe("--ca", root.pair.cert, "--deadline", 500, f"https://127.0.0.1:{listener.getsockname()[1]}")
    listener.close()
    assert "no complete answer within 500 ms (TLS handshake)" in out, out
    assert time.monotonic() - before < 5
