"""The living style guide: every component, rendered by its own macro."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template import engines
from django.views.decorators.http import require_GET

from crm.web.components import guides
from crm.web.formats import TONES
from crm.web.htmx import render_page
from crm.web.jinja import icon_names
from crm.web.samples import Sample


@require_GET
def styleguide(request: HttpRequest) -> HttpResponse:
    """Show all components; for people who are signed in, and for everybody while developing."""
    if not (settings.DEBUG or request.user.is_authenticated):
        raise Http404
    env = engines["jinja2"].env  # type: ignore[attr-defined]
    context = {
        "guides": guides(env, Sample()),
        "icons": sorted(icon_names()),
        "tones": TONES,
        "surfaces": ("surface", "surface-2", "surface-3", "canvas", "raised"),
    }
    return render_page(request, "styleguide.html", context)
