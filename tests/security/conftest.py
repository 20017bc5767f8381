"""A private organisation with records that a rep can't see, for the tests about what that rep may do."""

import pytest

from tests.security.hidden import Private, entangle, make_private


@pytest.fixture
def world() -> Private:
    """The rep's records, and hidden ones beside them."""
    return make_private()


@pytest.fixture
def tied(world: Private) -> Private:
    """The same, every record of the rep tied to hidden ones."""
    entangle(world)
    return world
