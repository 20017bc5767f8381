"""Whole pages and their blocks, toasts, redirects, errors; without a database."""

import json
from types import SimpleNamespace

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template import engines
from django.test import RequestFactory
from jinja2 import ChoiceLoader, DictLoader

from crm.lib.errors import Conflict, CrmError, Invalid, NotFound, RateLimited
from crm.views import errors as error_views
from crm.web import htmx
from crm.web.errors import ErrorMiddleware, error_response

PAGE = """{% extends "_doc.html" %}
{% block body %}<body>{% block rows %}<ul>{{ ui.badge(word) }}</ul>{% endblock %}
{% block count %}<b id="count" hx-swap-oob="true">{{ count }}</b>{% endblock %}</body>{% endblock %}"""


@pytest.fixture(autouse=True)
def _page(monkeypatch: pytest.MonkeyPatch) -> None:
    env = engines["jinja2"].env
    monkeypatch.setattr(env, "loader", ChoiceLoader([DictLoader({"test/page.html": PAGE}), env.loader]))


def request_for(path: str = "/w/fjord/contacts/?q=a", method: str = "get", **headers: str) -> HttpRequest:
    request = getattr(RequestFactory(), method)(path, headers=headers)
    request.user = SimpleNamespace(is_authenticated=False)
    request.session = {}
    request._messages = []
    return request


def rendered(request: HttpRequest) -> HttpResponse:
    return htmx.render_page(request, "test/page.html", {"word": "New", "count": 3}, block="rows", also=["count"])


def test_page_load_gets_the_whole_page() -> None:
    response = rendered(request_for())
    assert response.content.startswith(b"<!doctype html>")
    assert (response["Vary"], response.headers.get("Cache-Control")) == ("HX-Request, HX-Target", None)


def test_htmx_gets_the_block_and_what_goes_with_it() -> None:
    response = rendered(request_for(**{"HX-Request": "true"}))
    assert response.content.decode().split("\n") == [
        '<ul><span class="badge" data-tone="gray">New</span></ul><b id="count" hx-swap-oob="true">3</b>'
    ]
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("header", ["HX-Boosted", "HX-History-Restore-Request"])
def test_htmx_that_wants_a_page_gets_one(header: str) -> None:
    response = rendered(request_for(**{"HX-Request": "true", header: "true"}))
    assert response.content.startswith(b"<!doctype html>")


def test_toast_added_beside_other_events() -> None:
    response = htmx.close_dialog()
    htmx.toast(response, "Deal moved to Verhandlung – ok", undo="/undo/7/")
    assert response.status_code == 204
    assert json.loads(response["HX-Trigger"]) == {
        "closeDialog": {},
        "toast": {"text": "Deal moved to Verhandlung – ok", "kind": "ok", "undo": "/undo/7/"},
    }
    assert response["HX-Trigger"].isascii()


def test_redirect_by_header_for_htmx_and_plain_otherwise() -> None:
    plain = htmx.hx_redirect(request_for(), "/w/fjord/")
    script = htmx.hx_redirect(request_for(**{"HX-Request": "true"}), "/w/fjord/")
    assert (plain.status_code, plain["Location"]) == (302, "/w/fjord/")
    assert (script.status_code, script["HX-Redirect"], "Location" in script) == (200, "/w/fjord/", False)


def test_login_redirect_comes_back_to_the_page() -> None:
    assert htmx.login_redirect(request_for())["Location"] == "/auth/login/?next=%2Fw%2Ffjord%2Fcontacts%2F%3Fq%3Da"


def test_login_redirect_of_a_fragment_comes_back_to_the_page_around_it() -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/w/fjord/deals/?view=board"}
    response = htmx.login_redirect(request_for("/w/fjord/deals/cards/", **headers))
    assert response["HX-Redirect"] == "/auth/login/?next=%2Fw%2Ffjord%2Fdeals%2F%3Fview%3Dboard"


@pytest.mark.parametrize("origin", ["https://evil.example/x", ""])
def test_login_redirect_never_leads_elsewhere(origin: str) -> None:
    request = request_for("/w/fjord/x/", "post", Referer=origin)
    assert htmx.login_redirect(request)["Location"] == "/auth/login/"


ERRORS = [
    (NotFound(), 404, "not_found"),
    (Http404("secret"), 404, "not_found"),
    (PermissionDenied(), 403, "forbidden"),
    (Conflict("Not saved. Jonas was faster."), 409, "conflict"),
    (Invalid("Not saved.", fields={"amount": "Too large."}), 422, "invalid"),
    (CrmError("No.", code="deal.closed"), 400, "deal.closed"),
]


@pytest.mark.parametrize(("error", "status", "code"), ERRORS)
def test_error_on_a_page_load_is_a_page(error: Exception, status: int, code: str) -> None:
    response = ErrorMiddleware(HttpResponse).process_exception(request_for(), error)
    assert (response.status_code, response.rollback) == (status, True)
    html = response.content.decode()
    assert f'<span class="state-code">{status}</span>' in html
    assert "secret" not in html


@pytest.mark.parametrize(("error", "status", "code"), ERRORS)
def test_error_for_htmx_is_a_toast_and_swaps_nothing(error: Exception, status: int, code: str) -> None:
    response = ErrorMiddleware(HttpResponse).process_exception(request_for(**{"HX-Request": "true"}), error)
    toast = json.loads(response["HX-Trigger"])["toast"]
    assert (response.status_code, response["HX-Reswap"], response.content, response.rollback) == (
        status,
        "none",
        b"",
        True,
    )
    assert toast["kind"] == "error"
    assert toast["text"]


@pytest.mark.parametrize(("error", "status", "code"), ERRORS)
@pytest.mark.parametrize("path", ["/api/v1/deals", "/w/fjord/deals/"])
def test_error_for_a_program_is_a_problem_document(error: Exception, status: int, code: str, path: str) -> None:
    response = ErrorMiddleware(HttpResponse).process_exception(request_for(path, Accept="application/json"), error)
    body = json.loads(response.content)
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    assert (body["status"], body["code"], response.rollback) == (status, code, True)


def test_problem_names_the_fields() -> None:
    response = error_response(request_for("/api/v1/deals"), Invalid("Not saved.", fields={"amount": "Too large."}))
    assert json.loads(response.content)["errors"] == {"amount": ["Too large."]}


def test_rate_limit_says_when_to_come_back() -> None:
    assert error_response(request_for(), RateLimited(retry_after=30))["Retry-After"] == "30"


def test_fault_of_the_program_stays_an_exception() -> None:
    assert ErrorMiddleware(HttpResponse).process_exception(request_for(), ValueError("boom")) is None


def test_server_error_asks_nothing_of_the_session() -> None:
    class Broken:
        @property
        def is_authenticated(self) -> bool:
            raise RuntimeError("the database is gone")

    request = request_for("/w/fjord/deals/")
    request.user = Broken()
    request.request_id = "9f3c-71ab"
    response = error_views.server_error(request)
    assert response.status_code == 500
    assert "9f3c-71ab" in response.content.decode()


def test_server_error_for_htmx_swaps_nothing() -> None:
    response = error_views.server_error(request_for(**{"HX-Request": "true"}))
    assert (response.status_code, response["HX-Reswap"]) == (500, "none")


def test_refused_form_token_says_to_reload() -> None:
    response = error_views.csrf_failure(request_for("/w/fjord/x/", "post"))
    assert response.status_code == 403
    assert "Reload it" in response.content.decode()
