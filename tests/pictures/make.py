#!/usr/bin/python3
"""make.py: README's pictures, into docs/pictures: `make pictures`. tests/e2e/test_pictures.py says when it is time to."""

import tempfile

from scene import PLAN, ROOT, Scene  # first: it says where the others are
from browser import Browser
from drawing import roles, terminal
from png import small, text_of, with_text

FOLDER = ROOT / "docs/pictures"
WIDTH = 880


def screenshot(url):
    """All of the page, as wide as a README is."""
    with Browser(WIDTH, 400) as page:
        page.go(url)
        height = page.value("Math.ceil(document.body.getBoundingClientRect().bottom)") + 16
        page.call("Emulation.setDeviceMetricsOverride", width=WIDTH, height=height, deviceScaleFactor=1, mobile=False)
        return page.screenshot()


def main():
    FOLDER.mkdir(exist_ok=True)
    made, page = {"roles.svg": roles().encode()}, FOLDER / "page.png"
    with tempfile.TemporaryDirectory() as folder, Scene(folder) as scene:
        made["plan.svg"] = terminal("dnsbuddy " + " ".join(PLAN), scene.plan()).encode()
        url, before = scene.watch(), scene.page()
        # It shows what time it is: one that is not stale stays.
        if not page.exists() or text_of(page.read_bytes()) != before:
            picture = screenshot(url)
            assert scene.page() == before, "the page has changed meanwhile"
            made["page.png"] = with_text(small(picture), before)
    for name, data in made.items():
        (FOLDER / name).write_bytes(data)
        print(f"  {len(data):6} docs/pictures/{name}")


if __name__ == "__main__":
    main()
