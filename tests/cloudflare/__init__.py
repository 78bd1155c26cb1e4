"""A stand-in for Cloudflare's v4 API, for tests, demo and bench. README.md says how to use it."""

from cloudflare.call import Answer, ApiError, Call
from cloudflare.dns import PowerDNS
from cloudflare.server import Cloudflare
from cloudflare.settings import Settings

__all__ = ["Answer", "ApiError", "Call", "Cloudflare", "PowerDNS", "Settings"]
