import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cloudflare.client import Client
from cloudflare.plugin import authority, cloudflare, cloudflare_dns, start_cloudflare

__all__ = ["authority", "client", "cloudflare", "cloudflare_dns", "start_cloudflare"]


@pytest.fixture
def client(cloudflare):
    with Client(cloudflare) as client:
        yield client
