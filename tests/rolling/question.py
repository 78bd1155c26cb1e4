"""One question for A records over UDP (RFC 1035), without a cache, a retry or a library in between."""

import os
import struct


def ask(name, recursion=True):
    """The query; its first two bytes are its number."""
    flags = 0x0100 if recursion else 0
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return os.urandom(2) + struct.pack("!5H", flags, 1, 0, 0, 0) + labels + b"\0\0\x01\0\x01"


def read(message, query):
    """[(address, ttl)] in the order of the answer; ValueError when it is no good answer."""
    if len(message) < 12 or message[:2] != query[:2]:
        raise ValueError("foreign answer")
    flags, questions, answers = struct.unpack_from("!3H", message, 2)
    if flags & 0x000f:
        raise ValueError(f"rcode {flags & 0x000f}")
    at, found = 12, []
    for _ in range(questions):
        at = _skip_name(message, at) + 4
    for _ in range(answers):
        at = _skip_name(message, at)
        kind, _, ttl, size = struct.unpack_from("!HHIH", message, at)
        at += 10
        if kind == 1 and size == 4:
            found.append((".".join(map(str, message[at:at + 4])), ttl))
        at += size
    return found


def _skip_name(message, at):
    while message[at]:
        if message[at] >= 0xc0:
            return at + 2
        at += 1 + message[at]
    return at + 1
