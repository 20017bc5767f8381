"""The style guide's page."""

import pytest
from django.test import Client

from tests.factories import make_user
from tests.support.web import session_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_styleguide_shown_to_people_who_are_signed_in(client: Client, settings) -> None:
    client.cookies[settings.SESSION_COOKIE_NAME] = session_for(make_user())
    response = client.get("/styleguide/")
    assert response.status_code == 200
    assert response.content.count(b'class="card c6"') > 12


def test_styleguide_not_there_for_strangers(client: Client) -> None:
    assert client.get("/styleguide/").status_code == 404
