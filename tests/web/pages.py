"""A few pages made of the shell and its components, for the browser tests of their behaviour."""

from pathlib import Path

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import path

from crm.lib.errors import Conflict
from crm.web import htmx
from crm.web.fields import RowsField

HERE = Path(__file__).parent / "templates"
TEMPLATES = {"test/page.html": (HERE / "page.html").read_text(), "test/form.html": (HERE / "form.html").read_text()}


class ContactForm(forms.Form):
    note = forms.CharField(required=False)
    name = forms.CharField()
    emails = RowsField(forms.EmailField(), kinds=[("work", "Work"), ("home", "Home")], input_type="email")


# What the server was asked to do, in order.
done: list[str] = []


def index(request: HttpRequest) -> HttpResponse:
    return htmx.render_page(request, "test/page.html")


def new(request: HttpRequest) -> HttpResponse:
    form = ContactForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        emails = ", ".join(f"{row.value}{' primary' if row.primary else ''}" for row in form.cleaned_data["emails"])
        done.append(f"add {form.cleaned_data['name']} {emails}".strip())
        return htmx.toast(htmx.close_dialog(), "Contact added", undo="/undo/")
    return htmx.render_page(
        request, "test/form.html", {"form": form}, block="form", status=422 if form.is_bound else 200
    )


def undo(request: HttpRequest) -> HttpResponse:
    done.append(f"undo by {request.method}")
    return htmx.toast(HttpResponse(status=204), "Taken back")


def thing(request: HttpRequest) -> HttpResponse:
    done.append(f"thing by {request.method}")
    return HttpResponse(status=204)


def plain(request: HttpRequest) -> HttpResponse:
    done.append(f"plain by {request.method}")
    return htmx.hx_redirect(request, "/")


def conflict(request: HttpRequest) -> HttpResponse:
    raise Conflict("Not saved. Jonas Lind was faster.")


def broken(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<h1>proxy error</h1>", status=502)


urlpatterns = [
    path("", index),
    path("next/", index),
    path("new/", new),
    path("undo/", undo),
    path("thing/", thing),
    path("plain/", plain),
    path("conflict/", conflict),
    path("broken/", broken),
]
