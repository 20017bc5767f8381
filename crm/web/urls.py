"""Addresses of pages, wherever they are asked for: links in mails, jobs and other organisations' pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.urls import get_script_prefix, reverse, set_script_prefix

from crm.models import Organization


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
