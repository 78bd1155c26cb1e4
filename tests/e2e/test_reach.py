"""Ways to both sides: proxies, unix sockets, Consul over TLS with certificate, token, password."""

import ssl
import subprocess

import pytest
from consul import Consul
from fake_consul import instance
from program import NAME
from proxy import Proxy

MASTER = "00000000-1111-2222-3333-444444444444"


def ips(*last):
    return [f"192.0.2.{n}" for n in last]


# -- proxies

@pytest.fixture
def start_proxy():
    proxies = []

    def begin(*args, **keys):
        proxies.append(Proxy(*args, **keys))
        return proxies[-1]
    yield begin
    for proxy in proxies:
        proxy.stop()


@pytest.fixture
def parts(fake, cloudflare):
    fake.instances = [instance("192.0.2.1")]
    return {"consul": fake, "cloudflare": cloudflare}


OUTSIDE = "https://api.cloudflare.test/client/v4"  # not on loopback, where no proxy is used


def through(run, parts, code=0, **env):
    return run("sync", "--retry-for", "0", "--timeout", "2", "web", NAME, **parts,
               env={"CF_API_URL": OUTSIDE, **env}).expect(code)


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_cloudflare_by_way_of_a_proxy(run, parts, start_proxy, name):
    """The proxy looks the name up: no resolver of ours could."""
    cf = parts["cloudflare"]
    proxy = start_proxy(cf.port)
    through(run, parts, **{name: proxy.url("me:pa%20ss@")})
    assert cf.contents(NAME) == ips(1) and len(proxy.requests) == 1
    head = proxy.requests[0]
    assert head.startswith("CONNECT api.cloudflare.test:443 HTTP/1.1\r\n")
    assert "Host: api.cloudflare.test:443\r\n" in head
    assert "Proxy-Authorization: Basic bWU6cGEgc3M=\r\n" in head
    assert "Bearer" not in head


@pytest.mark.parametrize("name", ["https_proxy", "ALL_PROXY"])
def test_a_bad_proxy_is_told_by_the_name_that_set_it(run, parts, name):
    done = through(run, parts, 78, **{name: "socks5://me:pa55@127.0.0.1:1"})
    assert f"dnsbuddy sync: {name}: only http:// proxies" in done.err and "pa55" not in done.err


@pytest.mark.parametrize("no_proxy, used", [
    ("api.cloudflare.test", False), ("*", False), ("example.org,cloudflare.test", False), (".test", False),
    ("example.org", True), ("loudflare.test", True), ("", True)])
def test_no_proxy(run, parts, start_proxy, no_proxy, used):
    """Without it nobody knows the name."""
    proxy = start_proxy(parts["cloudflare"].port)
    through(run, parts, 0 if used else 1, https_proxy=proxy.url(), no_proxy=no_proxy)
    assert bool(proxy.requests) is used


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "LOCALHOST"])
def test_loopback_goes_without_a_proxy(run, parts, start_proxy, host):
    """At the proxy it is another machine's: Consul's tools do the same."""
    cf = parts["cloudflare"]
    proxy = start_proxy(cf.port)
    through(run, parts, https_proxy=proxy.url("me:pa55@"), CF_API_URL=cf.url.replace("localhost", host))
    assert cf.contents(NAME) == ips(1) and not proxy.requests


def test_plain_consul_goes_without_a_proxy(run, parts, start_proxy):
    proxy = start_proxy(parts["cloudflare"].port)
    through(run, parts, https_proxy=proxy.url(), http_proxy="http://127.0.0.1:1")
    assert len(proxy.requests) == 1 and len(parts["consul"].requests) == 1


@pytest.mark.parametrize("status, code, words", [
    ("407 Proxy Authentication Required", 77, "407"), ("502 Bad Gateway", 1, "502"),
    ("200x", 1, ""), ("garbage", 1, "")])
def test_a_proxy_that_refuses(run, parts, start_proxy, status, code, words):
    proxy = start_proxy(parts["cloudflare"].port, status)
    done = through(run, parts, code=code, https_proxy=proxy.url("u:verysecret@"))
    assert "proxy" in done.last["error"] and "verysecret" not in done.err
    assert words in done.last["error"]
    assert not parts["cloudflare"].calls()


def test_a_proxy_that_is_not_there(run, parts):
    done = through(run, parts, code=1, https_proxy="http://127.0.0.77:1")
    assert "127.0.0.77" in done.last["error"] and "proxy" in done.last["error"]


# -- unix socket, path prefix

def test_consul_at_a_unix_socket(run, start_fake, cloudflare, tmp_path):
    fake = start_fake([instance("192.0.2.1")], unix=tmp_path / "consul.sock")
    run("sync", "web", NAME, cloudflare=cloudflare, consul=fake).expect(0)
    assert cloudflare.contents(NAME) == ips(1)
    assert fake.requests[0].headers["host"] == "localhost"


def test_no_unix_socket_there(run, cloudflare, tmp_path):
    path = tmp_path / "none.sock"
    done = run("sync", "web", NAME, cloudflare=cloudflare, env={
        "CONSUL_HTTP_ADDR": f"unix://{path}", "DNSBUDDY_RETRY_FOR": "0"}).expect(1)
    assert str(path) in done.last["error"] and "/v1/health/service/web" in done.last["error"]
    assert done.last["error"].count(str(path)) == 1


def test_a_path_prefix(run, parts):
    through(run, parts, CONSUL_HTTP_ADDR=parts["consul"].address + "/pre/fix/", CF_API_URL=parts["cloudflare"].url)
    assert parts["consul"].requests[0].path == "/pre/fix/v1/health/service/web"


# -- a real Consul with TLS, client certificates and ACLs that deny

def issue(authority, stem, usage, names=("IP:127.0.0.1", "DNS:localhost")):
    """A certificate of the tests' root. Returns its files: (certificate, key)."""
    cert, key, request, extra = (authority.folder / f"{stem}.{e}"
                                 for e in ("pem", "key", "csr", "ext"))
    extra.write_text(f"subjectAltName={','.join(names)}\nbasicConstraints=CA:FALSE\n"
                     f"keyUsage=digitalSignature\nextendedKeyUsage={usage}\n")
    for command in (
            ["req", "-new", "-config", authority.folder / "ca.cnf", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={stem}", "-keyout", key, "-out",
             request],
            ["x509", "-req", "-in", request, "-CA", authority.ca_file, "-CAkey",
             authority.key_file, "-CAcreateserial", "-days", "30", "-extfile", extra, "-out",
             cert]):
        subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True)
    return cert, key


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, authority):
    """An agent that wants a certificate and a token. Attribute `env`: how to reach it."""
    cert, key = issue(authority, "consul", "serverAuth,clientAuth")
    client_cert, client_key = issue(authority, "dnsbuddy", "clientAuth")
    agent = Consul(tmp_path_factory.mktemp("guarded"), token=MASTER, https=True, config={
        "ca_file": str(authority.ca_file), "cert_file": str(cert), "key_file": str(key),
        "verify_incoming_https": True,
        "acl": {"enabled": True, "default_policy": "deny", "tokens": {"master": MASTER}}})
    agent.until(lambda: agent.call("GET", "/v1/acl/token/self"))
    agent.env = {"CONSUL_HTTP_ADDR": f"127.0.0.1:{agent.tls_port}", "CONSUL_HTTP_SSL": "true",
                 "CONSUL_CACERT": authority.ca_file, "CONSUL_CLIENT_CERT": client_cert,
                 "CONSUL_CLIENT_KEY": client_key, "CONSUL_HTTP_TOKEN": MASTER}
    yield agent
    agent.stop()


def knock(run, guarded, cloudflare, code, **env):
    service = guarded.service(*ips(1, 2))
    cloudflare.seed(NAME, "A", "192.0.2.9")
    env = {**guarded.env, "DNSBUDDY_RETRY_FOR": "0", **env}
    return run("sync", service, NAME, cloudflare=cloudflare, env=env).expect(code)


def test_consul_over_tls(run, guarded, cloudflare):
    knock(run, guarded, cloudflare, 0)
    assert cloudflare.contents(NAME) == ips(1, 2)


def test_a_token_from_a_file(run, guarded, cloudflare, tmp_path):
    (tmp_path / "token").write_text(MASTER + "\n")
    knock(run, guarded, cloudflare, 0, CONSUL_HTTP_TOKEN=None,
          CONSUL_HTTP_TOKEN_FILE=tmp_path / "token")


def test_without_our_certificate(run, guarded, cloudflare):
    done = knock(run, guarded, cloudflare, 1, CONSUL_CLIENT_CERT=None, CONSUL_CLIENT_KEY=None)
    assert "certificate" in done.last["error"] and cloudflare.contents(NAME) == ips(9)


def test_consul_with_an_unknown_root(run, guarded, cloudflare):
    done = knock(run, guarded, cloudflare, 1, CONSUL_CACERT=None)
    assert done.last["kind"] == "tls" and not cloudflare.listener.seen
    knock(run, guarded, cloudflare, 0, CONSUL_CACERT=None, CONSUL_HTTP_SSL_VERIFY="false")


def test_the_name_of_consuls_server(run, guarded, cloudflare):
    done = knock(run, guarded, cloudflare, 1, CONSUL_TLS_SERVER_NAME="server.dc1.consul")
    assert "server.dc1.consul" in done.last["error"]
    knock(run, guarded, cloudflare, 0, CONSUL_TLS_SERVER_NAME="localhost")


def test_an_unknown_token(run, guarded, cloudflare):
    done = knock(run, guarded, cloudflare, 77, CONSUL_HTTP_TOKEN=MASTER.replace("4", "5"))
    assert "ACL not found" in done.last["error"]


def test_an_anonymous_reader_removes_nothing(run, guarded, cloudflare):
    """1.8.7 answers 200 and an empty list, and says nothing of ACLs."""
    knock(run, guarded, cloudflare, 3, CONSUL_HTTP_TOKEN=None)
    assert cloudflare.contents(NAME) == ips(9)


@pytest.mark.parametrize("missing", ["CONSUL_CLIENT_CERT", "CONSUL_CLIENT_KEY"])
def test_half_a_client_certificate(run, guarded, cloudflare, missing):
    done = knock(run, guarded, cloudflare, 78, **{missing: None})
    assert "CONSUL_CLIENT_CERT and CONSUL_CLIENT_KEY" in done.err


@pytest.mark.parametrize("name", ["CONSUL_CACERT", "CONSUL_CLIENT_CERT", "CONSUL_CLIENT_KEY",
                                  "SSL_CERT_FILE"])
@pytest.mark.parametrize("content", [None, "", "no PEM at all"])
def test_bad_pem_files(run, guarded, cloudflare, tmp_path, name, content):
    file = tmp_path / "file.pem"
    if content is not None:
        file.write_text(content)
    done = knock(run, guarded, cloudflare, 78, **{name: file})
    assert name in done.err and str(file) in done.err and not cloudflare.listener.seen


def test_a_password_before_consul(run, start_fake, cloudflare, authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue())
    fake = start_fake([instance("192.0.2.1")], context=context)
    run("sync", "web", NAME, cloudflare=cloudflare, consul=fake, env={
        "CONSUL_CACERT": authority.ca_file, "CONSUL_HTTP_AUTH": "user:pass:word"}).expect(0)
    assert fake.requests[0].headers["authorization"] == "Basic dXNlcjpwYXNzOndvcmQ="


# -- what an agent adds to a registration

AGENT = [
    ({"Address": "192.168.0.55"}, "wan", []),
    ({"Address": "192.168.0.55"}, "lan", []),
    ({"Address": "192.168.0.55"}, "wan,service", ["192.168.0.55"]),
    ({"Address": "192.168.0.55", "wan": "198.51.100.23"}, "wan", ["198.51.100.23"]),
    ({"Address": "192.168.0.55", "lan": "10.0.0.9", "wan": "198.51.100.23"}, "lan", ["10.0.0.9"]),
    ({"Address": "192.168.0.55", "lan": "10.0.0.9"}, "wan", []),
    ({"Address": "192.168.0.55", "wan_ipv4": "198.51.100.23"}, "wan", ["198.51.100.23"]),
    ({"Address": "192.168.0.55", "wan_ipv6": "2001:db8::23"}, "wan", ["2001:db8::23"]),
    ({"Address": "192.168.0.55", "wan": "2001:db8::23"}, "wan", ["2001:db8::23"]),
    ({"Address": "2001:db8::5", "wan": "198.51.100.23"}, "wan", ["198.51.100.23", "2001:db8::5"]),
    ({"wan": "198.51.100.23"}, "wan", ["198.51.100.23"]),
    ({}, "wan", []),
]


@pytest.mark.parametrize("given, sources, published", AGENT)
def test_what_an_agent_adds_is_nobodys_address(run, consul, cloudflare, given, sources, published):
    name = consul.new_name()
    tags = {k: {"Address": v, "Port": 80} for k, v in given.items() if k != "Address"}
    consul.put("/v1/agent/service/register", {"ID": name, "Name": name, "Port": 80, "TaggedAddresses": tags,
                                              **({"Address": given["Address"]} if "Address" in given else {})})
    consul.until(lambda: name in consul.states(name))
    done = run("sync", "--address", sources, name, NAME, consul=consul, cloudflare=cloudflare).expect(0)
    assert cloudflare.contents(NAME) == published
    assert bool(done.find("instances without a usable address are left out")) is not bool(published)


def test_the_commonest_registration_names_the_remedy(run, consul, cloudflare):
    name = consul.new_name()
    consul.put("/v1/agent/service/register", {"ID": name, "Name": name, "Port": 80})
    consul.until(lambda: name in consul.states(name))
    done = run("sync", name, NAME, consul=consul, cloudflare=cloudflare).expect(0)
    line, = done.find("instances without a usable address are left out")
    assert "--address service,node" in line["first"] and name in line["first"]
