"""Receivers that a test registers and that are gone after it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from crm.events import Delivery, receives
from crm.events.registry import forget


@dataclass(eq=False)
class Ear:
    """Records what it is told; `fail` makes it raise while it returns an error."""

    heard: list[Delivery] = field(default_factory=list)
    fail: Callable[[Delivery], Exception | None] = lambda _delivery: None

    def __call__(self, delivery: Delivery) -> None:
        error = self.fail(delivery)
        if error is not None:
            raise error
        self.heard.append(delivery)

    @property
    def numbers(self) -> list[int]:
        """The `number` of each event heard, in order."""
        return [delivery.payload["number"] for delivery in self.heard]


@pytest.fixture
def listen() -> Iterator[Callable[..., Ear]]:
    """`listen("name")` gives an Ear that receives events of that name."""
    ears: list[Ear] = []

    def register(*names: str) -> Ear:
        ear = Ear()
        ear.receiver_key = f"ear{len(ears)}"  # type: ignore[attr-defined]
        ears.append(ear)
        receives(*names)(ear)
        return ear

    yield register
    for ear in ears:
        forget(ear)
