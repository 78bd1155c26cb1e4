#!/usr/bin/python3
"""The stand-in as a program: prints one line of JSON when ready, runs until SIGTERM or SIGINT."""

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

if not __package__:  # run as a program, or imported from within this folder
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cloudflare.control import Control
from cloudflare.dns import PowerDNS
from cloudflare.server import Cloudflare

__all__ = ["Cloudflare", "PowerDNS", "main"]


def arguments(argv):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--dir", required=True, help="for certificates, journal.jsonl and the database")
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--host", default="127.0.0.1", help="address to listen on")
    p.add_argument("--name", action="append", default=[], help="further name in the certificate")
    p.add_argument("--zone", action="append", metavar="NAME[=ID]", help="default: example.com")
    p.add_argument("--dns", action="store_true", help="serve the records with PowerDNS")
    p.add_argument("--dns-port", type=int, default=0)
    p.add_argument("--control-port", type=int, default=0)
    p.add_argument("--db", help="file of the records; default with --dns: DIR/records.sqlite3")
    p.add_argument("--token", help="default: one is made up")
    p.add_argument("--email")
    p.add_argument("--key")
    p.add_argument("--http", action="store_true", help="no TLS")
    p.add_argument("--set", action="append", default=[], metavar="NAME=JSON",
                   help="a knob of settings.py, as strict=false or 'user_agent=\"curl\"'")
    return p.parse_args(argv)


def main(argv=None):
    args = arguments(argv)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    zones = dict(z.partition("=")[::2] for z in args.zone or ["example.com"])
    knobs = {name: json.loads(value) for name, value in (s.split("=", 1) for s in args.set)}
    with Cloudflare({name: zone_id or None for name, zone_id in zones.items()}, dns=args.dns,
                    dns_port=args.dns_port, database=args.db, folder=args.dir,
                    https=not args.http, host=args.host, port=args.port, names=args.name,
                    journal_file=True, **knobs) as server:
        if args.token:
            server.token = server.add_token(args.token)
        if args.key:
            server.add_key(args.email or "ops@example.com", args.key)
        with Control(server, args.host, args.control_port) as control:
            print(json.dumps(ready(server, control)), flush=True)
            stop.wait()


def ready(server, control):
    return {
        "url": server.url, "ca_file": server.ca_file, "token": server.token,
        "zones": {z.name: z.id for z in server.store.zones.values()}, "control": control.url,
        "journal": str(server.folder / "journal.jsonl"), "pid": os.getpid(),
        "dns": server.dns and {"host": server.dns.host, "port": server.dns.port,
                               "pid": server.dns.pid},
    }


if __name__ == "__main__":
    main()
