"""The component macros of `templates/components/`, gathered under one name: `ui.badge(...)`, `ui.avatar(...)`.

A file may hold several macros. Its macro `samples(sample)` shows every one of them and feeds the style guide.
"""

from dataclasses import dataclass
from typing import Any

from django.template import engines
from jinja2 import Environment, nodes
from jinja2.runtime import Macro
from markupsafe import Markup

FOLDER = "components/"
ENGINE = "jinja2"
SAMPLES = "samples"


class Components:
    """Namespace of macros. Reads a component file when the first of its macros is used; in DEBUG after every change."""

    def __init__(self, env: Environment) -> None:
        self._env = env
        self._files: dict[str, str] = {}

    def __getattr__(self, name: str) -> Macro:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._files:
            self._files = self._index()
        if name not in self._files:
            raise AttributeError(f"No component macro {name!r} in templates/{FOLDER}")
        macro: Macro = getattr(self._env.get_template(self._files[name]).module, name)
        if not self._env.auto_reload:
            self.__dict__[name] = macro
        return macro

    def _index(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for file in component_files(self._env):
            for macro in macro_names(self._env, file):
                if macro in found:
                    raise RuntimeError(f"Component {macro!r} is defined in {found[macro]} and in {file}")
                found[macro] = file
        return found


def components() -> Components:
    """The macros, for views that answer single pieces of a page: `components().deal_card(card)` is its markup."""
    engine: Any = engines[ENGINE]
    found: Components = engine.env.globals["ui"]
    return found


@dataclass(frozen=True, slots=True)
class Signature:
    """One macro as the style guide prints it: `badge(text, tone="gray")`, and whether it wraps a block."""

    name: str
    parameters: str
    wraps: bool


@dataclass(frozen=True, slots=True)
class Guide:
    """One component file in the style guide."""

    title: str
    file: str
    about: str
    signatures: list[Signature]
    samples: Markup


def component_files(env: Environment) -> list[str]:
    """Template names of all component files, sorted."""
    return sorted(name for name in env.list_templates() if name.startswith(FOLDER))


def macro_names(env: Environment, file: str) -> list[str]:
    """Names of the macros a component file offers, in order, without `samples` and private ones."""
    return [m.name for m in _macros(env, file) if m.name != SAMPLES and not m.name.startswith("_")]


def guides(env: Environment, sample: object) -> list[Guide]:
    """Render the samples of every component file, for the style guide; `sample` holds the data they show."""
    result = []
    for file in component_files(env):
        title = file.removeprefix(FOLDER).removesuffix(".html").replace("_", " ").capitalize()
        module: Any = env.get_template(file).module
        signatures = [_signature(m) for m in _macros(env, file) if m.name != SAMPLES and not m.name.startswith("_")]
        result.append(Guide(title, file, _about(env, file), signatures, Markup(module.samples(sample))))  # noqa: S704 -- our own macro
    return result


def _source(env: Environment, file: str) -> str:
    assert env.loader is not None
    return env.loader.get_source(env, file)[0]


def _macros(env: Environment, file: str) -> list[nodes.Macro]:
    return [node for node in env.parse(_source(env, file)).body if isinstance(node, nodes.Macro)]


def _about(env: Environment, file: str) -> str:
    source = _source(env, file).lstrip()
    if not source.startswith("{#"):
        return ""
    return " ".join(source[2 : source.index("#}")].strip(" -").split())


def _signature(macro: nodes.Macro) -> Signature:
    required = len(macro.args) - len(macro.defaults)
    parts = []
    for position, argument in enumerate(macro.args):
        default = macro.defaults[position - required] if position >= required else None
        parts.append(argument.name if default is None else f"{argument.name}={_literal(default)}")
    wraps = any(name.name == "caller" for name in macro.find_all(nodes.Name))
    return Signature(macro.name, ", ".join(parts), wraps)


def _literal(node: nodes.Expr) -> str:
    try:
        return repr(node.as_const()).replace("'", '"')
    except nodes.Impossible:
        return "..."
