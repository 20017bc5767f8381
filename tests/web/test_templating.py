"""Templates call functions and macros as Jinja2 does, and those that always answer the same when they are compiled."""

import pytest
from jinja2 import Environment, pass_context
from markupsafe import Markup

from crm.web.templating import QuickEnvironment

MACRO = "{% macro box(text, cls='x') %}<b class='{{ cls }}'>{{ text }}{{ caller() if caller }}</b>{% endmacro %}"
TEXTS = [
    "{{ shout('a<b') }}",
    "{{ shout(name) }}{{ shout(word=name) }}",
    MACRO + "{{ box(name) }}{{ box(name, cls='y') }}{% call box('in') %}<i>{{ name }}</i>{% endcall %}",
    "{% for n in (1, 2) %}{% set here = n %}{{ seen('here') }}{{ seen('name') }}{% endfor %}",
    "{{ 'a' ~ name ~ 1 }}{{ name|e }}{{ name|safe }}{{ none }}{{ 7 }}{{ 1.5 }}{{ 'plain' }}{{ \"it's\" }}{{ [name] }}",
    "{% set kept %}<u>{{ name }}</u>{% endset %}{{ kept }}{{ kept ~ name }}{{ mark(kept) }}{{ name|upper }}",
    "{{ mark('m') }}{{ mark(name) }}{{ mark('m', *(1,)) if false else '' }}",
]


@pass_context
def seen(context, name):
    return f"[{context.get(name)}]"


def filled(env):
    env.globals.update(
        shout=lambda word: word.upper(), seen=seen, mark=lambda name, size=1: Markup("<i>{}</i>").format(name)
    )
    return env


@pytest.mark.parametrize("text", TEXTS)
def test_templates_say_what_jinja_makes_of_them(text):
    quick = filled(QuickEnvironment(autoescape=True))
    quick.constants = ("mark",)
    plain = filled(Environment(autoescape=True))
    assert quick.from_string(text).render(name="<Ada>") == plain.from_string(text).render(name="<Ada>")


def test_constants_are_asked_for_once_and_only_with_constants():
    asked = []

    def mark(name, size=1):
        asked.append((name, size))
        return Markup("<i>{}</i>").format(name)

    env = QuickEnvironment(autoescape=True)
    env.constants = ("mark",)
    env.globals["mark"] = mark
    template = env.from_string("{{ mark('a', size=2) }}{{ mark(name) }}")
    assert [template.render(name=name) for name in "xy"] == ["<i>a</i><i>x</i>", "<i>a</i><i>y</i>"]
    assert asked == [("a", 2), ("x", 1), ("y", 1)]


def test_an_unknown_icon_is_an_error_when_the_template_is_made():
    def icon(name):
        raise LookupError(name)

    env = QuickEnvironment()
    env.constants = ("icon",)
    env.globals["icon"] = icon
    with pytest.raises(LookupError, match="nope"):
        env.from_string("{% if false %}{{ icon('nope') }}{% endif %}")
