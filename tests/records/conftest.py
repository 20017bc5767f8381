"""What tests of records share."""

import pytest

from tests.records.company import Company
from tests.records.harbour import Harbour
from tests.records.yard import Yard


@pytest.fixture
def port() -> Harbour:
    """A private organisation with a rep, their manager, an admin, a reader, and a rep who sees none of it."""
    return Harbour()


@pytest.fixture
def company() -> Company:
    """An organisation with one member of each role, and no fields of its own yet."""
    return Company()


@pytest.fixture
def yard(port: Harbour) -> Yard:
    """Ships whose lists are sorted by fields of the organisation's own."""
    return Yard(port)
