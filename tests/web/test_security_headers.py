"""What browsers are told that a page may do."""

from django.http import HttpResponse
from django.test import RequestFactory, override_settings

from crm.web.security import SecurityHeadersMiddleware, content_security_policy


def test_policy_allows_own_origin_and_the_live_stream_only() -> None:
    assert content_security_policy("http://127.0.0.1:8001/live") == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self' http://127.0.0.1:8001; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "manifest-src 'self'; worker-src 'self'"
    )


def test_policy_with_the_stream_behind_the_same_origin() -> None:
    assert "connect-src 'self';" in content_security_policy("/live")


def test_headers_on_every_answer_and_a_views_own_kept() -> None:
    middleware = SecurityHeadersMiddleware(lambda request: HttpResponse(headers={"Referrer-Policy": "no-referrer"}))
    response = middleware(RequestFactory().get("/"))
    assert response["Content-Security-Policy"].startswith("default-src 'none'")
    assert (response["X-Content-Type-Options"], response["Cross-Origin-Opener-Policy"]) == ("nosniff", "same-origin")
    assert response["Referrer-Policy"] == "no-referrer"
    assert "camera=()" in response["Permissions-Policy"]
    assert "Strict-Transport-Security" not in response


@override_settings(BASE_URL="https://keel.example")
def test_transport_security_where_the_site_is_encrypted() -> None:
    response = SecurityHeadersMiddleware(lambda request: HttpResponse())(RequestFactory().get("/"))
    assert response["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
