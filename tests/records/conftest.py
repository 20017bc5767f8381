"""What tests of records share."""

import pytest

from tests.records.harbour import Harbour


@pytest.fixture
def port() -> Harbour:
    """A private organisation with a rep, their manager, an admin, a reader, and a rep who sees none of it."""
    return Harbour()
