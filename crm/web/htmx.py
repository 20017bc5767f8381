"""Answers that are a whole page for a load and one block of the same template for htmx."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.template import engines
from django.template.backends.jinja2 import Jinja2
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event
from jinja2_fragments import render_blocks
from markupsafe import Markup

from crm.web.urls import path_to

LOGIN_PATH = settings.LOGIN_URL


def is_partial(request: HttpRequest) -> bool:
    """Tell whether htmx asks for a part: not for a boosted link and not when it restores a page of the history."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Boosted") != "true"
        and headers.get("HX-History-Restore-Request") != "true"
    )


def targets(request: HttpRequest, element_id: str) -> bool:
    """Tell whether the answer goes into the element with this id, such as "dialog"."""
    return request.headers.get("HX-Target") == element_id


def render_page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    block: str | None = None,
    also: Iterable[str] = (),
    status: int = 200,
) -> HttpResponse:
    """Render `template`: whole for a page load, only `block` for htmx, followed by the blocks of `also`.

    The blocks of `also` travel out of band: their elements carry `hx-swap-oob`. It renders at once, inside the view
    and so inside the request's transaction.
    """
    partial = block is not None and is_partial(request)
    html = render(request, template, context, blocks=(block, *also) if partial and block else ())
    response = HttpResponse(html, status=status)
    if block is not None:
        patch_vary_headers(response, ["HX-Request", "HX-Target"])
        if partial:
            # A browser's back button must not find a fragment where the page was.
            response["Cache-Control"] = "no-store"
    return response


def render_block(request: HttpRequest, template: str, block: str, context: Mapping[str, Any] | None = None) -> str:
    """Render one block of a template to text, whatever kind the request is."""
    return render(request, template, context, blocks=(block,))


def render(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    blocks: Iterable[str] = (),
) -> str:
    """Render a template, or only the named blocks of it, with what every page knows (request, shell, CSRF)."""
    engine = _engine()
    values: dict[str, Any] = {
        "request": request,
        **_csrf(request),
    }
    for processor in engine.template_context_processors:
        values.update(processor(request))
    values.update(context or {})
    names = list(blocks)
    if names:
        return render_blocks(engine.env, template, names, values)
    return engine.env.get_template(template).render(values)


def _csrf(request: Any) -> dict[str, Any]:
    """The token, made when a template asks for it, and once for all parts of an answer."""
    if not hasattr(request, "csrf_values"):
        token = SimpleLazyObject(lambda: get_token(request))
        field = SimpleLazyObject(lambda: Markup('<input type="hidden" name="csrfmiddlewaretoken" value="%s">') % token)
        request.csrf_values = {"csrf_token": token, "csrf_input": field}
    values: dict[str, Any] = request.csrf_values
    return values


@lru_cache(maxsize=1)
def _engine() -> Jinja2:
    engine = engines["jinja2"]
    assert isinstance(engine, Jinja2)
    return engine


def toast(response: HttpResponse, text: str, kind: str = "ok", undo: str | None = None) -> HttpResponse:
    """Add a toast to an answer to htmx. kind: "ok", "info" or "error"; `undo` is the URL that Undo posts to."""
    params = {"text": str(text), "kind": kind, **({"undo": undo} if undo else {})}
    return trigger_client_event(response, "toast", params)


def close_dialog(response: HttpResponse | None = None) -> HttpResponse:
    """Close the dialog the request came from; without a response, answer 204 (nothing is swapped)."""
    return trigger_client_event(response or HttpResponse(status=204), "closeDialog")


def hx_redirect(request: HttpRequest, to: str, *args: Any, **kwargs: Any) -> HttpResponse:
    """Send the person to another page: by header for htmx, by redirect for a form. Takes the name of a route and what
    it needs, or a path."""
    address = to if "/" in to else path_to(to, *args, **kwargs)
    if request.headers.get("HX-Request") == "true":
        return HttpResponseClientRedirect(address)
    return HttpResponseRedirect(address)


def login_redirect(request: HttpRequest) -> HttpResponse:
    """Send a person whose session ended to the log-in page, and back to where they were afterwards.

    htmx would follow a plain redirect and swap the log-in page into a fragment, so it gets the address as a header;
    there the way back leads to the page in the browser, not to the fragment's URL.
    """
    is_htmx = request.headers.get("HX-Request") == "true"
    back = _page_path(request) if is_htmx or request.method not in ("GET", "HEAD") else request.get_full_path()
    address = f"{LOGIN_PATH}?{urlencode({'next': back})}" if back else LOGIN_PATH
    if is_htmx:
        return HttpResponseClientRedirect(address)
    return HttpResponseRedirect(address)


def _page_path(request: HttpRequest) -> str:
    """Path of the page the browser shows, or "" when it is not one of this host's."""
    shown = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer") or "")
    if shown.netloc != request.get_host():
        return ""
    return shown.path + (f"?{shown.query}" if shown.query else "")
