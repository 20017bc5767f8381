"""Takes the few files the browser needs out of `node_modules` into `static/vendor/`: `python -m crm.web.assets`.

Run after `npm ci`, before collectstatic. Standard library only, since it runs before anything else is set up.
The icon sprite holds exactly the icons named in `static/icons.txt`, and our own mark.
"""

import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "static" / "vendor"
ICON_LIST = ROOT / "static" / "icons.txt"
ICONS = MODULES / "lucide-static" / "icons"

# Packages name the subsets themselves; the style sheet that uses them is ours (static/css/fonts.css).
FILES = {
    "sortablejs/Sortable.min.js": "sortable.min.js",
    "sortablejs/LICENSE": "sortable.LICENSE.txt",
    "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2": "inter-latin.woff2",
    "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2": "inter-latin-ext.woff2",
    "@fontsource-variable/inter/LICENSE": "inter.LICENSE.txt",
    "lucide-static/LICENSE": "icons.LICENSE.txt",
}

MARK = (
    '<symbol id="mark" viewBox="0 0 24 24"><rect width="24" height="24" rx="6.5" fill="#3557dd"/>'
    '<path d="M7 6.5v11M7.4 13 16 6.8M10.6 11l6 6.5" fill="none" stroke="#fff" stroke-width="2.3" '
    'stroke-linecap="round" stroke-linejoin="round"/></symbol>'
)


# Icons that style sheets draw by themselves, where a page would repeat the markup of one hundreds of times.
MASKS = (
    "calendar",
    "clock",
    "file-text",
    "hourglass",
    "mail",
    "message-square",
    "pencil",
    "phone",
    "square-check",
    "sticky-note",
    "triangle-alert",
    "video",
)


def main() -> int:
    """Copy the files and build the sprite. Returns the exit status; problems are one line on stderr."""
    try:
        VENDOR.mkdir(parents=True, exist_ok=True)
        for source, target in FILES.items():
            shutil.copyfile(MODULES / source, VENDOR / target)
        names = icon_names(ICON_LIST.read_text(encoding="utf-8"))
        (VENDOR / "icons.svg").write_text(sprite(names, ICONS), encoding="utf-8")
        (VENDOR / "icons.css").write_text(masks(MASKS, ICONS), encoding="utf-8")
    except FileNotFoundError as error:
        sys.stderr.write(f"{error.filename} is missing: run `npm ci --ignore-scripts`, or check static/icons.txt\n")
        return 1
    return 0


def icon_names(text: str) -> list[str]:
    """Names in the list, one a line, sorted and without repeats."""
    return sorted({line.strip() for line in text.splitlines() if line.strip()})


def sprite(names: list[str], folder: Path) -> str:
    """Build one SVG with a symbol per icon. Raises FileNotFoundError for a name the folder does not have."""
    symbols = [_symbol(name, (folder / f"{name}.svg").read_text(encoding="utf-8")) for name in names]
    head = '<svg xmlns="http://www.w3.org/2000/svg"><!-- Lucide icons, ISC: icons.LICENSE.txt -->'
    return "\n".join([head, *symbols, MARK, "</svg>", ""])


def masks(names: Iterable[str], folder: Path) -> str:
    """Build a style sheet that gives each icon as `--i-<name>`, and as `--i` to what carries data-icon="<name>"."""
    properties, rules = [], []
    for name in names:
        body = _body(name, (folder / f"{name}.svg").read_text(encoding="utf-8"))
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#000" stroke-width="1.9" '
            f'stroke-linecap="round" stroke-linejoin="round">{body}</svg>'
        )
        properties.append(f'    --i-{name}: url("data:image/svg+xml,{quote(svg, safe=" =:/")}");')
        rules.append(f'  [data-icon="{name}"] {{ --i: var(--i-{name}); }}')
    head = "/* Lucide icons, ISC: icons.LICENSE.txt */\n@layer tokens {\n  :root {"
    return "\n".join([head, *properties, "  }", *rules, "}", ""])


def _symbol(name: str, svg: str) -> str:
    return f'<symbol id="{name}" viewBox="0 0 24 24">{_body(name, svg)}</symbol>'


def _body(name: str, svg: str) -> str:
    inner = re.search(r"<svg[^>]*>(.*)</svg>", svg, re.DOTALL)
    if inner is None:
        raise ValueError(f"{name}.svg is no SVG file")
    return re.sub(r"\s*\n\s*", "", inner.group(1)).replace(" />", "/>")


if __name__ == "__main__":
    raise SystemExit(main())
