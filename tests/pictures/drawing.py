"""SVG of our own, legible on light and dark: the three roles, and what a terminal shows."""

import re
from html import escape

SANS = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
# Light, and where the reader prefers dark.
COLOURS = {
    "paper": ("#f6f8fa", "#161b22"), "card": ("#ffffff", "#0d1117"), "line": ("#8c959f", "#6e7681"),
    "ink": ("#1f2328", "#e6edf3"), "dim": ("#57606a", "#9aa4af"), "accent": ("#0b4f9e", "#82bdff"),
    "green": ("#116329", "#6fdd8b"), "yellow": ("#7a4a00", "#e8b84a"), "red": ("#a40e26", "#ff9a92"),
    "cyan": ("#0b5c6b", "#76d5e5"),
}
SGR = {"31": "red", "32": "green", "33": "yellow", "36": "cyan"}


def style(names, fonts):
    """Each colour is a class, for text and as .NAME-line for strokes."""
    def rules(i):
        return "".join(f".{n}{{fill:{COLOURS[n][i]}}}.{n}-line{{stroke:{COLOURS[n][i]}}}" for n in names)
    return f"<style>{fonts}{rules(0)}@media(prefers-color-scheme:dark){{{rules(1)}}}</style>"


def document(width, height, title, parts):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img"><title>{escape(title)}</title>', *parts, "</svg>", ""])


# ---- a terminal -----------------------------------------------------------------------------------------------------------

COLUMN, LINE, EDGE = 7.8, 19, 16  # of a character of 13 pixels


def terminal(command, output):
    """What is typed and what comes of it, with the colours that the program gave it."""
    lines = [f"$ {command}", *output.splitlines()]
    columns = max(len(re.sub(r"\x1b\[\d*m", "", line)) for line in lines)
    width, height = round(columns * COLUMN + 2 * EDGE), len(lines) * LINE + 2 * EDGE
    parts = [style(["paper", "ink", *SGR.values()], f"text{{font:13px {MONO};white-space:pre}}"),
             f'<rect class="paper" width="{width}" height="{height}" rx="8"/>']
    for n, line in enumerate(lines):
        colour = next((SGR[code] for code in re.findall(r"\x1b\[(\d+)m", line) if code in SGR), "ink")
        text = re.sub(r"\x1b\[\d*m", "", line)
        # Of this width, whatever font there is: columns stay columns.
        parts.append(f'<text class="{colour}" xml:space="preserve" x="{EDGE}" y="{EDGE + 14 + n * LINE}" '
                     f'textLength="{len(text) * COLUMN:.1f}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>')
    return document(width, height, command, parts)


# ---- the three roles ------------------------------------------------------------------------------------------------------

def box(x, y, width, height, lines, copies=1):
    """A card with centred lines: (class, text)."""
    parts = [f'<rect class="card line-line" x="{x + 6 * n}" y="{y - 6 * n}" width="{width}" height="{height}" rx="8"/>'
             for n in reversed(range(copies))]
    top = y + (height - 20 * len(lines)) / 2 + 15
    return parts + [f'<text class="{kind}" x="{x + width / 2:g}" y="{top + 20 * n:g}">{escape(text)}</text>'
                    for n, (kind, text) in enumerate(lines)]


def arrow(x1, y1, x2, y2, *words):
    """A line with a head; what it says stands above its middle, or right of one that goes up."""
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    parts = [f'<line class="accent-line" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" marker-end="url(#head)"/>']
    for n, word in enumerate(words):
        if x1 == x2:
            parts.append(f'<text class="small accent" x="{x + 8:g}" y="{y + 4:g}" style="text-anchor:start">{escape(word)}</text>')
        else:
            parts.append(f'<text class="small accent" x="{x:g}" y="{y - 8 - 15 * (len(words) - 1 - n):g}">{escape(word)}</text>')
    return parts


def roles():
    fonts = (f"text{{font:14px {SANS};text-anchor:middle}}.title{{font-size:13px;font-weight:600}}.small{{font-size:12px}}"
             f".code{{font:13px {MONO}}}rect,line{{stroke-width:1.5}}")
    names = ["paper", "card", "line", "ink", "dim", "accent"]
    parts = [
        style(names, fonts),
        '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="accent" d="M0 0L8 4L0 8z"/></marker>',
        '<rect class="paper" width="860" height="262" rx="8"/>',
        *box(16, 34, 180, 112, [("title ink", "application containers"), ("code accent", "dnsbuddy run"),
                                ("small dim", "starts the application,"), ("small dim", "drains it before a stop")], 3),
        *arrow(216, 90, 292, 90, "registers,", "checks"),
        *box(296, 34, 120, 112, [("title ink", "Consul"), ("small dim", "services"), ("small dim", "and their health")]),
        *arrow(506, 90, 422, 90, "follows"),
        *box(508, 34, 188, 112, [("title ink", "container cloudflare"), ("code accent", "dnsbuddy watch"),
                                 ("small dim", "page, /metrics, /health"), ("small dim", "or a handler: dnsbuddy sync")]),
        *arrow(698, 90, 748, 90, "writes"),
        *box(752, 34, 92, 112, [("title ink", "Cloudflare"), ("small dim", "records of"), ("small dim", "the name")]),
        *box(16, 204, 828, 42, [("ink", "clients")]),
        *arrow(106, 202, 106, 150, "connect to who is healthy"),
        *arrow(798, 202, 798, 150),
        '<text class="small accent" x="790" y="180" style="text-anchor:end">look up www.example.com</text>',
    ]
    return document(860, 262, "the three roles of dnsbuddy", parts)
