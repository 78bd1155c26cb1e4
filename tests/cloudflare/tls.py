"""Certificates made on the spot with the openssl command, and server contexts for them."""

import ssl
import subprocess
import zlib
from pathlib import Path

CURVE = "ec_paramgen_curve:P-256"
CONFIG = """[req]
prompt = no
distinguished_name = name
x509_extensions = root
[name]
CN = stand-in test root
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""
NAMES = ("localhost", "127.0.0.1", "api.cloudflare.test")


def _openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"openssl {args[0]}: {done.stderr.strip()}")


class Authority:
    """A root certificate (EC P-256) of our own in `folder`: the one there, else a new one.

    `ca_file` is what a client trusts.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca_file, self.key_file = self.folder / "ca.pem", self.folder / "ca.key"
        if self.ca_file.exists() and self.key_file.exists():
            return  # a stand-in that was restarted: who trusted it goes on to
        config = self.folder / "ca.cnf"  # ours, since the machine's own may add anything
        config.write_text(CONFIG)
        _openssl("req", "-x509", "-config", config, "-newkey", "ec", "-pkeyopt", CURVE,
                 "-nodes", "-days", "3650", "-keyout", self.key_file, "-out", self.ca_file)

    def issue(self, names=NAMES, days=365):
        """A server certificate for these names; the same again if asked again. Returns its files:
        (certificate, key)."""
        stem = f"leaf-{zlib.crc32(','.join(names).encode()):08x}-{days}"
        cert, key, request, extra = (
            self.folder / f"{stem}.{e}" for e in ("pem", "key", "csr", "ext"))
        if cert.exists():
            return cert, key
        sans = ",".join(("IP:" if n.replace(".", "").isdigit() else "DNS:") + n for n in names)
        extra.write_text(f"subjectAltName={sans}\nbasicConstraints=CA:FALSE\n"
                         "keyUsage=digitalSignature\nextendedKeyUsage=serverAuth\n")
        _openssl("req", "-new", "-config", self.folder / "ca.cnf", "-newkey", "ec",
                 "-pkeyopt", CURVE, "-nodes", "-subj", f"/CN={names[0]}", "-keyout", key,
                 "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.ca_file, "-CAkey", self.key_file,
                 "-days", days, "-extfile", extra, "-CAcreateserial", "-out", cert)
        return cert, key


def server_context(cert, key, low=ssl.TLSVersion.TLSv1_2, high=ssl.TLSVersion.MAXIMUM_SUPPORTED,
                   tickets=True):
    """A context that resumes sessions by id, and by ticket unless `tickets` is false."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if low < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = low, high
    context.load_cert_chain(cert, key)
    # Else OpenSSL forgets the session of a client that closes without close_notify.
    context.options |= ssl.OP_IGNORE_UNEXPECTED_EOF
    context.set_alpn_protocols(["http/1.1"])
    if not tickets:
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    return context
