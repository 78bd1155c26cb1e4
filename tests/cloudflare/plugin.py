"""pytest fixtures around the stand-in; a conftest.py imports those it wants."""

import pytest

from cloudflare.dns import available
from cloudflare.server import Cloudflare
from cloudflare.tls import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """One root certificate for all tests of a run."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def start_cloudflare(authority):
    """start_cloudflare(**arguments of Cloudflare): as many stand-ins as a test wants.

    At the end each is stopped, and has to have seen no request that breaks the schemas. A test that
    sends such requests clears server.journal.violations after looking at them.
    """
    servers = []

    def start(*args, **keys):
        servers.append(Cloudflare(*args, **{"authority": authority, **keys}))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
    for server in servers:
        assert not server.violations, "\n".join(server.violations)


@pytest.fixture
def cloudflare(start_cloudflare):
    """A stand-in with the zone example.com, its records in memory."""
    return start_cloudflare()


@pytest.fixture
def cloudflare_dns(start_cloudflare):
    """The same with its records in PowerDNS."""
    if not available():
        pytest.skip("pdns_server is not installed")
    return start_cloudflare(dns=True)
