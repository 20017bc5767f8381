"""Addresses of pages: of the organisation that is shown, and from elsewhere, such as mails, jobs and other pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import get_script_prefix, get_urlconf, reverse, set_script_prefix

from crm.models import Organization


def path_to(name: str, *args: Any, **kwargs: Any) -> str:
    """The path of a route of the URLconf in use; under an organisation it carries `/w/<slug>` by itself.

    What Django's `reverse` answers, which needs ten times as long. Raises NoReverseMatch.
    """
    if kwargs:
        return reverse(name, args=args or None, kwargs=kwargs)
    if not args:
        return get_script_prefix() + _plain_path(name, get_urlconf())
    shape = _path_shape(name, get_urlconf(), tuple([None if isinstance(arg, UUID) else arg for arg in args]))
    return get_script_prefix() + shape.format(*args)


@lru_cache(maxsize=2048)
def _path_shape(name: str, urlconf: str | None, args: tuple[Any, ...]) -> str:
    """The path of a route below the script prefix, with `{n}` in place of the arguments that are None: any UUID."""
    holes = {n: UUID(int=n) for n, arg in enumerate(args) if arg is None}
    path = reverse(name, urlconf=urlconf, args=[holes.get(n, arg) for n, arg in enumerate(args)])
    path = path.removeprefix(get_script_prefix()).replace("{", "{{").replace("}", "}}")
    for n, hole in holes.items():
        path = path.replace(str(hole), f"{{{n}}}")
    return path


@lru_cache(maxsize=512)
def _plain_path(name: str, urlconf: str | None) -> str:
    """The path of a route without arguments, below the script prefix. A page's shell names two dozen of them."""
    return reverse(name, urlconf=urlconf).removeprefix(get_script_prefix())


@contextmanager
def _prefix(value: str) -> Iterator[None]:
    former = get_script_prefix()
    set_script_prefix(value)
    try:
        yield
    finally:
        set_script_prefix(former)


def org_path(org: Organization, name: str, *args: Any, **kwargs: Any) -> str:
    """The path of a page inside an organisation, whatever page is being shown: "/w/acme/contacts/"."""
    with _prefix(f"/w/{org.slug}/"):
        return reverse(name, urlconf=settings.ORG_URLCONF, args=args or None, kwargs=kwargs or None)


def global_path(name: str, *args: Any, **kwargs: Any) -> str:
    """The path of a page outside of any organisation, whatever page is being shown: "/auth/login/"."""
    with _prefix("/"):
        return reverse(name, urlconf=settings.ROOT_URLCONF, args=args or None, kwargs=kwargs or None)


def home_path(org: Organization) -> str:
    """Where an organisation begins: "/w/acme/"."""
    return f"/w/{org.slug}/"


def org_url(org: Organization, name: str, *args: Any, **kwargs: Any) -> str:
    """An absolute link into an organisation. Made from BASE_URL, never from a request's Host header."""
    return settings.BASE_URL + org_path(org, name, *args, **kwargs)


def global_url(name: str, *args: Any, **kwargs: Any) -> str:
    """An absolute link outside of any organisation. Made from BASE_URL, never from a request's Host header."""
    return settings.BASE_URL + global_path(name, *args, **kwargs)
