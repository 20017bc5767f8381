"""The component macros, the style guide made of them, and what templates must not contain."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import engines
from jinja2 import Environment, nodes
from jinja2.exceptions import UndefinedError
from markupsafe import Markup

from crm.web.components import SAMPLES, component_files, guides, macro_names
from crm.web.jinja import html_attrs, icon, icon_names
from crm.web.samples import Sample

TEMPLATES = Path(settings.BASE_DIR) / "templates"
ICON_CALL = re.compile(r"""\bicon\(\s*["']([a-z0-9-]+)["']""")


@pytest.fixture
def env() -> Environment:
    return engines["jinja2"].env


def _used_in_samples(env: Environment, file: str) -> set[str]:
    source = env.loader.get_source(env, file)[0]
    macros = {node.name: node for node in env.parse(source).body if isinstance(node, nodes.Macro)}
    used: set[str] = set()
    waiting = [SAMPLES]
    while waiting:
        for call in macros[waiting.pop()].find_all(nodes.Call):
            name = call.node.name if isinstance(call.node, nodes.Name) else ""
            if name in macros and name not in used:
                used.add(name)
                waiting.append(name)
    return used


def test_every_macro_shown_in_the_guide(env: Environment) -> None:
    missing = {
        f"{file}: {name}"
        for file in component_files(env)
        for name in macro_names(env, file)
        if name not in _used_in_samples(env, file)
    }
    assert missing == set()


def test_guide_renders_every_file(env: Environment) -> None:
    shown = guides(env, Sample())
    assert [guide.file for guide in shown] == component_files(env)
    assert [guide.file for guide in shown if not guide.about or not guide.samples.strip()] == []


def test_guide_prints_parameters(env: Environment) -> None:
    (badges,) = (guide for guide in guides(env, Sample()) if guide.file == "components/badges.html")
    (badge,) = (signature for signature in badges.signatures if signature.name == "badge")
    assert (badge.parameters, badge.wraps) == ('text, tone="gray", mark="", cls="", attrs={}', False)


def test_macro_names_unique(env: Environment) -> None:
    names = [name for file in component_files(env) for name in macro_names(env, file)]
    assert sorted(names) == sorted(set(names))


def test_unknown_component_named(env: Environment) -> None:
    with pytest.raises(UndefinedError, match="nonsense"):
        env.from_string("{{ ui.nonsense() }}").render()


def test_component_escapes_what_people_typed(env: Environment) -> None:
    html = env.from_string("{{ ui.badge(text, attrs={'title': text}) }}").render(text='<b>"x"</b>')
    assert html == (
        '<span class="badge" data-tone="gray" title="&lt;b&gt;&#34;x&#34;&lt;/b&gt;">'
        "&lt;b&gt;&#34;x&#34;&lt;/b&gt;</span>"
    )


def test_undefined_name_is_an_error(env: Environment) -> None:
    with pytest.raises(UndefinedError):
        env.from_string("{{ nothing_here }}").render()


def test_attrs_leave_out_what_is_empty() -> None:
    given = {"hx_get": "/a?b=1&c=2", "disabled": True, "hidden": False, "title": "", "id": None, "data-n": 0}
    assert html_attrs(given) == Markup(' hx-get="/a?b=1&amp;c=2" disabled data-n="0"')


def test_icon_that_is_not_in_the_sprite_refused() -> None:
    with pytest.raises(LookupError, match=r"static/icons\.txt"):
        icon("no-such-icon")


def test_icons_named_in_templates_are_in_the_list() -> None:
    named = {name for file in TEMPLATES.rglob("*.html") for name in ICON_CALL.findall(file.read_text())}
    assert named - icon_names() == set()


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("style attribute", r"<[^>]*\sstyle="),
        ("event handler", r"<[^>]*\son[a-z]+="),
        ("hx-on", r"hx-on"),
        ("script element with text", r"<script(?![^>]*\bsrc=)[^>]*>"),
        ("style element", r"<style"),
        ("address of another host", r"(?:src|href)=[\"']https?://"),
    ],
)
def test_templates_hold_nothing_that_the_policy_refuses(what: str, pattern: str) -> None:
    found = [
        str(file.relative_to(TEMPLATES)) for file in TEMPLATES.rglob("*.html") if re.search(pattern, file.read_text())
    ]
    assert found == [], what


def test_every_template_compiles(env: Environment) -> None:
    names = [name for name in env.list_templates() if not name.startswith("django/forms/")]
    for name in names:
        env.get_template(name)
    assert "base.html" in names
