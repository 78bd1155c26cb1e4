"""The page of a watch with 1,024 names in a browser, wide and narrow, without a script."""

import json
import re
import urllib.request

import pytest
from browser import PROGRAM, Browser
from consul import free_ports
from watching import Scene, until

pytestmark = pytest.mark.skipif(not PROGRAM, reason="no Chromium here")

ZONES = [f"zone-{n:02}.example" for n in range(16)]
NAMES_N = 1024
SIZES = {"wide": (1280, 900), "narrow": (390, 844)}
FAILING = ["n0100.zone-04.example", "n0200.zone-08.example"]  # Cloudflare refuses their records
HELD = "n0305.zone-01.example"
ADDRESS, OTHER = "192.0.2.1", "192.0.2.2"


def name_of(n):
    return f"n{n:04}.{ZONES[n % len(ZONES)]}"


@pytest.fixture
def address(consul, cloudflare, start, tmp_path):
    """Where a watch listens that has come to rest."""
    scene, listen = Scene(consul, cloudflare, start), f"127.0.0.1:{free_ports(1)[0]}"
    site = scene.site(ADDRESS, name=name_of(0))
    site.checked = False
    names = [name_of(n) for n in range(NAMES_N)]
    for zone in ZONES:
        cloudflare.add_zone(zone)
    for name in FAILING:
        cloudflare.poison(name=name, message='no <b>such</b> "record"')
    cloudflare.seed_many([{"name": name, "type": "A", "content": ADDRESS}
                          for name in names if name not in FAILING]
                         + [{"name": HELD, "type": "A", "content": OTHER}])
    file = tmp_path / "many.json"
    file.write_text(json.dumps({"records": [
        {"service": site.service, "record": name, "min_records": 2 if name == HELD else 1}
        for name in names]}))
    watch = scene.watch(None, "--config", file, "--listen", listen)
    watch.wait_for("watching")

    def is_at_rest():
        with urllib.request.urlopen(f"http://{listen}/metrics") as answer:
            text = answer.read().decode()
        return f"\ndnsbuddy_records_in_sync {NAMES_N - 3}\n" in text and "\ndnsbuddy_records_held 1\n" in text
    until(is_at_rest, 60, watch.text)
    watch.wait_for("retrying", 2)
    yield f"http://{listen}/"
    watch.stop()


def check_layout(page, width):
    """Nothing has to be moved sideways, and nothing is drawn over something else."""
    assert page.value("[innerWidth, document.documentElement.scrollWidth]") == [width, width]
    assert page.value("document.querySelectorAll('script, [onclick], link, img').length") == 0
    assert page.value("""(() => {
        const boxes = [...document.querySelectorAll('.zone, .row, details, form, header')]
            .map(e => e.getBoundingClientRect())
        return boxes.filter((b, i) => b.left < 0 || b.right > innerWidth
                                      || i && b.top < boxes[i - 1].bottom - 2).length
    })()""") == 0


def rows(page):
    return page.value("[...document.querySelectorAll('.row > a, details h2')].map(e => e.innerText)")


@pytest.mark.parametrize("size", SIZES)
def test_page(address, size):
    width, height = SIZES[size]
    with Browser(width, height) as page:
        page.go(address)
        check_layout(page, width)
        # Trouble is what is seen first: all of it, and at once.
        assert rows(page) == [*FAILING, HELD]
        for name in FAILING:
            assert page.box(f".row a[href$='{name}']")[3] <= height
        text = page.value("document.body.innerText")
        assert re.search(r"1024 names: 2 failing, 1 held, (\d+ syncing, )?10\d\d in sync", text)
        assert "64 names, all in sync" in text and "64 names: 1 failing, 63 in sync" in text
        assert 'no <b>such</b> "record"' in text
        assert len(page.value("[...document.querySelectorAll('.zone')].map(e => e.innerText)")) == len(ZONES)

        # By the form: a part of a name.
        page.click("input[name=name]")
        page.type("N010")
        page.loaded(lambda: page.click("button"))
        check_layout(page, width)
        assert sorted(rows(page)) == sorted(name_of(n) for n in range(100, 110))
        assert page.value("document.querySelectorAll('details[open]').length") == 10
        assert page.value("document.querySelector('input').value") == "N010"

        # By the links: a zone, in it a name, and all of it again.
        page.loaded(lambda: page.click("form a"))
        page.loaded(lambda: page.click(".zone > a", 1))
        zone = page.value("new URL(location).searchParams.get('zone')")
        check_layout(page, width)
        assert sorted(rows(page)) == [name for n in range(NAMES_N) if (name := name_of(n)).endswith(zone)]
        name = rows(page)[0]
        assert name in FAILING  # worst first
        page.loaded(lambda: page.click(".row > a"))
        check_layout(page, width)
        assert rows(page) == [name]

        # By an address: a state, and what does not fit a page.
        page.go(address + "?state=in+sync")
        seen = []
        while True:
            check_layout(page, width)
            seen += rows(page)
            if not page.box(".note > a"):
                break
            page.value("document.querySelector('.note > a').scrollIntoView()")
            page.loaded(lambda: page.click(".note > a"))
        assert sorted(seen) == sorted(set(map(name_of, range(NAMES_N))) - {*FAILING, HELD})


def test_dark(address):
    """Dark where the user wants it, and then light on dark, everywhere."""
    def luminance(colour):
        parts = [int(n) / 255 for n in re.findall(r"\d+", colour)[:3]]
        return sum(w * (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4)
                   for w, p in zip((0.2126, 0.7152, 0.0722), parts))

    for dark in (False, True):
        with Browser(1280, 900, dark=dark) as page:
            page.go(address + f"?name={FAILING[0]}")
            ground = luminance(page.value("getComputedStyle(document.body).backgroundColor"))
            assert (ground < 0.1) == dark
            colours = page.value("""[...document.querySelectorAll('h1, h2, b, span, small, a, dt, .why, code, input')]
                .map(e => { let at = e, back
                    do back = getComputedStyle(at).backgroundColor
                    while (back == 'rgba(0, 0, 0, 0)' && (at = at.parentElement))
                    return [getComputedStyle(e).color, back] })""")
            for colour, back in colours:
                low, high = sorted((luminance(colour), luminance(back)))
                assert (high + 0.05) / (low + 0.05) >= 4.5, (colour, back)  # WCAG 2.2, 1.4.3
