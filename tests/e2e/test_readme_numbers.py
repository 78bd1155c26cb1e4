"""README.md of the project and its pages in docs/: a number that they state is the one in the sources. See README.md here."""

import re

import pytest
import readme
from cloudflare.settings import Settings
from constants import value, version_of
from program import ROOT

TEXT = " ".join(word for page in readme.PAGES for word in (ROOT / page).read_text().split())
LIMITS = " ".join((ROOT / "docs/limits.md").read_text().split())
WORDS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
NUMBER = rf"\d[\d,.]*\d|\d|\b(?:{'|'.join(WORDS)})\b"
# Of Cloudflare there is no constant of ours: it is the stand-in that refuses what it would.
CONTENT = Settings.content_total

# What they say, with {} where a number stands, and these numbers: of the sources' constants.
STATED = [
    ("{} instances of a service", "CONSUL_INSTANCES_MAX"),
    ("{} records of a name", "RECORDS_MAX"),
    ("a program of 32 bit: {} of each", "RECORDS_MAX_32"),
    ("{} entries of `records`", "CONFIG_RECORDS_MAX"),
    ("Up to {} services have a blocking query each", "SERVICES_SINGLE_MAX"),
    ("and {} connections read those", "SERVICES_READERS"),
    ("{} names that services claim", "CLAIMS_MAX"),
    ("{} KiB of such tags of a service", "CLAIMS_TAGS_CAP / 1024"),
    ("{} KiB of JSON for one instance", "JSON_ELEMENT_MAX / 1024"),
    ("`run` takes {} services and {} backends, {} tags and {} entries of metadata of a service, {} words of all commands",
     "RUN_SERVICES_MAX", "RUN_BACKENDS_MAX", "RUN_TAGS_MAX", "RUN_METAS_MAX", "RUN_WORDS_MAX"),
    ("{} MiB for one answer", "HTTP_BODY_MAX / 1048576"),
    ("Cloudflare itself takes {} characters of addresses per name", CONTENT),
    ("about {} IPv4 addresses", CONTENT // len("255.255.255.255")),
    ("({} of them; `search` with {} domains", "RESOLVE_SERVERS_MAX", "RESOLVE_SEARCH_MAX"),
    ("Of IPv4 and IPv6 addresses, {} in all", "ADDRESSES_MAX"),
    ("shorter than the {} minutes for which Cloudflare blocks", "BUSY_MS / 60000"),
    ("is believed past {} s with a 429, or past {} s otherwise", "BUSY_MS / 1000", "HINT_MS / 1000"),
    ("session TTLs of {} s and a lock delay of {} s", "LEADER_TTL_SEC", "LEADER_LOCK_DELAY_SEC"),
    ("{} hexadecimal digits", "RECORD_ID_CAP - 1"),
    ("A server may send {} certificates, {} KiB", "CHAIN_MAX", "CHAIN_BYTES_MAX / 1024"),
    ("Of more than {} names it shows", "HTML_OPEN_MAX"),
    ("by zone ({} of them, the others in one)", "METRICS_ZONES_MAX"),
    ("`/health` lists {} names", "HEALTH_RECORDS_MAX"),
    ("where more than {} names of a zone change at once", "REPORT_LINES_MAX"),
    ("RSA keys have at most {} bits, a server's at least {}", "KEY_RSA_MAX", "TLS_RSA_MIN"),
]
# Numbers among the limits that are no constant: parts of names, other programs, plain counting.
OTHERS = ["TLS 1.2 only", "P-256, P-384 and P-521", "TLS 1.3", "ChaCha20-Poly1305", "IPv4", "IPv6", "SHA-256, 384 or 512", "Consul older than 1.9",
          "these two steps"]


def pattern(phrase):
    return re.escape(phrase).replace(r"\{\}", f"({NUMBER})")


def number(text):
    return WORDS.get(text) or float(text.replace(",", ""))


@pytest.mark.parametrize("stated", STATED, ids=lambda s: s[0])
def test_a_number_is_that_of_the_sources(stated):
    phrase, *constants = stated
    found = re.findall(pattern(phrase), TEXT)
    assert len(found) == 1, f"README.md and docs/ say {len(found)} times: {phrase}"
    numbers = found[0] if isinstance(found[0], tuple) else found
    for text, constant in zip(numbers, constants, strict=True):
        expected = value(constant) if isinstance(constant, str) else constant
        assert number(text) == expected, f"{phrase}: {text}, {constant} is {expected}"


def test_each_number_among_the_limits_is_compared(default_of):
    left = LIMITS.replace(f"--retry-for {default_of('--retry-for')}", "")
    for phrase in [s[0] for s in STATED] + OTHERS:
        left = re.sub(pattern(phrase), "", left)
    assert not re.findall(NUMBER, left), left


@pytest.fixture
def default_of(run):
    text = run("help", "settings").expect(0).out

    def find(flag):
        return re.search(rf"^  {flag} .*\n.*\[(.*)\]$", text, re.M)[1]

    return find


def test_defaults_in_the_text(default_of):
    assert f"`--retry-for {default_of('--retry-for')}` is shorter than" in TEXT
    assert int(default_of("--retry-for")) < value("BUSY_MS / 1000")
    assert f"where Consul is not at {default_of('--consul')}, `CONSUL_HTTP_ADDR`" in TEXT
    assert f"In Consul it is a service `{default_of('--register-as')}` whose check" in TEXT


def test_ranges_are_those_of_help(run):
    """What help says of a setting's range stands in its row."""
    text = run("help", "settings").expect(0).out
    rows = {readme.key_of(cells): cells for cells in readme.read_table((ROOT / "README.md").read_text(), "flag")}
    ranges = re.findall(r"^  (--[a-z-]+)(?: \S+)?   (\w+).*\n.*?(\d+ to \d+)", text, re.M)
    assert ranges
    for flag, name, span in ranges:
        assert re.search(rf"\b{span}\b", rows[flag, name][3]), f"{flag}: {span}"


def test_others_take_over_within_a_second():
    assert "the others take over within a second of its SIGTERM" in TEXT
    assert value("WATCH_FINISH_MS") < value("WATCH_LEAVE_MS") <= 1000


def test_versions_of_third_parties():
    assert f"[BearSSL](https://bearssl.org) {version_of('bearssl.sh')} and jsmn {version_of('jsmn.sh')}" in TEXT
