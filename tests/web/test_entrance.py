"""Pages for people who are not signed in, through the whole stack."""

import re

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)


def _controls(html: str) -> dict[str, str]:
    inputs = re.findall(r'<input [^>]*name="(\w+)"[^>]*>', html)
    autocomplete = {}
    for tag in re.findall(r"<input [^>]*>", html):
        name = re.search(r'name="(\w+)"', tag)
        found = re.search(r'autocomplete="([^"]+)"', tag)
        if name and found:
            autocomplete[name.group(1)] = found.group(1)
    assert "csrfmiddlewaretoken" in inputs
    return autocomplete


@pytest.mark.parametrize(
    ("path", "controls"),
    [
        ("/auth/login/", {"login": "username", "password": "current-password"}),
        ("/auth/signup/", {"email": "email", "password1": "new-password"}),
        ("/auth/password/", {"email": "email"}),
    ],
)
def test_password_managers_know_the_fields(client: Client, path: str, controls: dict[str, str]) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert controls.items() <= _controls(response.content.decode()).items()


def test_pages_carry_the_policy_and_no_inline_code(client: Client) -> None:
    response = client.get("/auth/login/")
    assert response["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)", response.content.decode())


def test_form_with_a_stale_token_is_told_to_reload() -> None:
    response = Client(enforce_csrf_checks=True).post("/auth/login/", {"login": "a@x.example", "password": "x"})
    assert response.status_code == 403
    assert "Reload it and send the form again" in response.content.decode()


def test_page_that_is_not_there_says_so_without_navigation(client: Client) -> None:
    response = client.get("/nonsense/")
    html = response.content.decode()
    assert (response.status_code, "This page is not here" in html, "sidebar" in html) == (404, True, False)


def test_organisation_asks_strangers_to_sign_in(client: Client) -> None:
    response = client.get("/w/nonsense/contacts/?q=a")
    assert (response.status_code, response["Location"]) == (
        302,
        "/auth/login/?next=%2Fw%2Fnonsense%2Fcontacts%2F%3Fq%3Da",
    )
    htmx = client.get("/w/nonsense/contacts/", headers={"HX-Request": "true"})
    assert (htmx.status_code, htmx["HX-Redirect"]) == (200, "/auth/login/")
