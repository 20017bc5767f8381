"""Jinja2's environment, with three short cuts: a page calls some two hundred functions and escapes twice as many
values, and a third of its time went into how Jinja2 does both."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from types import FunctionType
from typing import Any

from jinja2 import Environment, Template, nodes
from jinja2.runtime import Context, Macro
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

SPECIAL = re.compile("[&<>\"']")  # what HTML says in another way


def quick_escape(value: Any) -> str:
    """A value as HTML. Text with nothing to escape stays what it is: the page is put together from texts anyway, and
    making a Markup of each takes longer than looking for what to escape."""
    kind = type(value)
    if kind is Markup or (kind is str and not SPECIAL.search(value)):
        return value  # type: ignore[no-any-return]
    return escape(value)


class QuickTemplate(Template):
    """Puts values out by `quick_escape`."""

    @classmethod
    def _from_namespace(
        cls,
        environment: Environment,
        namespace: MutableMapping[str, Any],
        globals: MutableMapping[str, Any],  # noqa: A002
    ) -> Template:
        namespace["escape"] = quick_escape
        return super()._from_namespace(environment, namespace, globals)


class QuickContext(Context):
    """Calls plain functions and macros straight away. Jinja2 first asks each of them what it wants to be passed."""

    def call(self, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Calls what a template names, as Jinja2's `call` does."""
        kind = type(obj)
        # What a loop or block has set is passed for functions that take the context.
        if kind is FunctionType and not kwargs and not hasattr(obj, "jinja_pass_arg"):
            return obj(*args)
        if kind is Macro:
            kwargs.pop("_block_vars", None)
            kwargs.pop("_loop_vars", None)
            return obj(self.eval_ctx, *args, **kwargs)
        return super().call(obj, *args, **kwargs)


class QuickEnvironment(Environment):
    """Calls the functions named in `constants` when a template is compiled, wherever their arguments are constants."""

    context_class = QuickContext
    template_class = QuickTemplate
    constants: tuple[str, ...] = ()  # globals that always answer the same

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        return super()._generate(_Constants(self).visit(source), *args, **kwargs)


class _Constants(NodeTransformer):
    def __init__(self, env: QuickEnvironment) -> None:
        self._env = env

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 -- the visitor's name for it
        """The answer of a call, where it is known already."""
        self.generic_visit(node)
        named = isinstance(node.node, nodes.Name) and node.node.name in self._env.constants
        if not named or node.dyn_args or node.dyn_kwargs:
            return node
        try:
            args = [arg.as_const() for arg in node.args]
            kwargs = {arg.key: arg.value.as_const() for arg in node.kwargs}
        except nodes.Impossible:
            return node
        value = self._env.globals[node.node.name](*args, **kwargs)  # type: ignore[attr-defined]
        return nodes.Const(value, lineno=node.lineno)
