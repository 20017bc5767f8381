"""The Jinja2 environment of every page: what templates may call, and how values are shown.

Component macros are reached as `ui.<macro>` (see `crm.web.components`), so that a block rendered alone for htmx finds
them without an import of its own.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, Undefined
from markupsafe import Markup, escape

from crm.lib.mail import delivery_note
from crm.web import formats
from crm.web.cards import deal_card
from crm.web.components import Components
from crm.web.nav import Entry, create, nav
from crm.web.samples import Sample
from crm.web.templating import QuickEnvironment
from crm.web.urls import global_path, path_to

_FORM_TEMPLATES = Path(django.__file__).parent / "forms" / "jinja2"

# Linked on every page, weakest layer first; sheets of one screen family are linked by its pages (block `styles`).
STYLE_SHEETS = (
    "css/tokens.css",
    "vendor/icons.css",
    "css/fonts.css",
    "css/base.css",
    "css/components/buttons.css",
    "css/components/forms.css",
    "css/components/marks.css",
    "css/components/cards.css",
    "css/components/overlays.css",
    "css/components/tables.css",
    "css/components/lists.css",
    "css/layout.css",
    "css/screens/common.css",
)

# No eval and no style element, so that it runs under the strict CSP. Pages are not kept in the browser's storage:
# they hold customers' data, and going back asks the server. A refused form (422) is swapped like an accepted one.
# What comes is htmx's at once: with a delay, Enter in a new form would send it as a page of its own.
HTMX_CONFIG = {
    "allowEval": False,
    "allowScriptTags": False,
    "includeIndicatorStyles": False,
    "historyCacheSize": 0,
    "refreshOnHistoryMiss": True,
    "scrollIntoViewOnBoost": False,
    "timeout": 30000,
    "defaultSettleDelay": 0,
    "responseHandling": [
        {"code": "204", "swap": False},
        {"code": "[23]..", "swap": True},
        {"code": "422", "swap": True},
        {"code": "[45]..", "swap": False, "error": True},
    ],
}


def environment(**options: Any) -> Environment:
    """Build the environment; called once by Django's Jinja2 engine with its OPTIONS."""
    options["loader"] = ChoiceLoader([options["loader"], FileSystemLoader(_FORM_TEMPLATES)])
    options.update(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    options["auto_reload"] = settings.DEBUG
    options["cache_size"] = -1
    env = QuickEnvironment(**options, extensions=["jinja2.ext.i18n"])  # autoescape is on, above
    env.constants = ("icon", "static")
    env.policies["ext.i18n.trimmed"] = True
    env.install_gettext_translations(translation, newstyle=True)  # type: ignore[attr-defined]
    env.globals.update(_=gettext, gettext=gettext)
    env.globals.update(
        static=static if settings.DEBUG else lru_cache(maxsize=512)(static),
        part=Parts(env).part,
        url=path_to,
        global_url=lru_cache(maxsize=256)(global_path),
        url_exists=url_exists,
        nav_of=lambda role: existing(nav.shown_to(role)),
        page_of=lambda record_type: nav.id_of(record_type.list_pages) or record_type.key,
        create_of=lambda role: existing(create.shown_to(role)),
        icon=icon,
        html_attrs=html_attrs,
        ui=Components(env),
        tone_for=formats.tone_for,
        currency_symbol=formats.currency_symbol,
        mail_note=delivery_note,
        sample_deals=Sample().deals,
        draw_deal_card=deal_card,
        lang=lang,
        style_sheets=STYLE_SHEETS,
        htmx_config=json.dumps(HTMX_CONFIG, separators=(",", ":")),
    )
    env.filters.update(formats.FILTERS)
    return env


def gettext(message: Any, **values: Any) -> Markup:
    """A text of a template in the reader's language, with `values` escaped into it.

    What Jinja2's newstyle gettext answers, without asking the catalogue again for what was asked before.
    """
    if values:
        return _translated(str(message), translation.get_language()) % values
    return _plain(str(message), translation.get_language())


@lru_cache(maxsize=8192)
def _translated(message: str, _language: str | None) -> Markup:
    return Markup(translation.gettext(message))  # noqa: S704 -- texts of templates and catalogues


@lru_cache(maxsize=8192)
def _plain(message: str, language: str | None) -> Markup:
    return _translated(message, language) % {}


PARTS_MOST = 5000  # pieces of markup that a process keeps, a few kilobytes each at most


class Parts:
    """Pieces of the shell that are the same on every page: rendered once per language and values, then kept."""

    def __init__(self, env: Environment) -> None:
        self._env = env
        self._kept: dict[tuple[Any, ...], Markup] = {}

    def part(self, template: str, **values: Any) -> Markup:
        """The template's markup with these values (hashable) and nothing of the request.

        Links to pages depend on the organisation too: then `Shell.frame` is one of the values.
        """
        key = (template, translation.get_language(), *values.values())
        kept = self._kept.get(key)
        if kept is None or self._env.auto_reload:
            if len(self._kept) >= PARTS_MOST:
                self._kept.clear()
            kept = Markup(self._env.get_template(template).render(values))  # noqa: S704 -- rendered escaped
            self._kept[key] = kept
        return kept


@lru_cache(maxsize=256)
def url_exists(name: str, *, everywhere: bool = False) -> bool:
    """Tell whether an argument-free route exists, inside organisations or (`everywhere`) among the global ones.

    The shell asks this for entries that another app brings, since navigation shows only what exists.
    """
    try:
        reverse(name, urlconf=settings.ROOT_URLCONF if everywhere else settings.ORG_URLCONF)
    except NoReverseMatch:
        return False
    return True


def existing(entries: list[Entry]) -> list[Entry]:
    """The entries whose pages exist."""
    return [entry for entry in entries if url_exists(entry.url_name)]


@lru_cache(maxsize=1)
def icon_names() -> frozenset[str]:
    """Names in `static/icons.txt`: the sprite holds these and no others."""
    text = (settings.BASE_DIR / "static" / "icons.txt").read_text()
    return frozenset(line for line in text.split() if line) | {"mark"}


@lru_cache(maxsize=1024)
def icon(name: str, cls: str = "") -> Markup:
    """Return the markup of one icon of the sprite, hidden from screen readers.

    Raises LookupError for a name that is not in `static/icons.txt`: the browser would show nothing.
    """
    if name not in icon_names():
        raise LookupError(f"No icon {name!r}: add it to static/icons.txt and run `python -m crm.web.assets`")
    classes = "mark" if name == "mark" else "icon"
    href = f"{static('vendor/icons.svg')}#{name}"
    return Markup('<svg class="{}" aria-hidden="true"><use href="{}"/></svg>').format(
        f"{classes} {cls}".strip(),
        href,
    )


def html_attrs(values: dict[str, Any] | None) -> Markup:
    """Return ` name="value"` pairs, escaped. True gives a bare attribute; False, None and "" leave it out.

    An `x if y` without else leaves it out, too. Underscores in names become hyphens.
    """
    if not values:
        return Markup("")
    parts = []
    for name, value in values.items():
        if isinstance(value, Undefined) or value is None or value is False or value == "":
            continue
        key = _attr_name(name)
        parts.append(f" {key}" if value is True else f' {key}="{escape(value)}"')
    return Markup("".join(parts))  # noqa: S704 -- escaped above


@lru_cache(maxsize=1024)
def _attr_name(name: str) -> str:
    return str(escape(name.replace("_", "-")))


def lang() -> str:
    """The reader's language as an HTML `lang` value."""
    return translation.get_language() or "en"
