"""How much data there is."""

from __future__ import annotations

from dataclasses import dataclass

TEAM = 50  # members of a team in the measured organisation, its manager among them
STAGES = 6  # open ones of every pipeline
OTHER_MEMBERS = 10  # of each organisation that is not measured


@dataclass(frozen=True)
class Scale:
    """Contacts of all organisations together; half of them belong to the organisation that is measured.

    Accounts, deals and activities follow: a tenth, a tenth, and twice as many. Three quarters of the deals belong to
    the measured organisation, two thirds of those are open: a twentieth of `contacts` stands on its board.
    """

    name: str
    contacts: int
    others: int  # organisations beside the measured one
    members: int = 1000  # of the measured one; each owns as many records as the next

    def __post_init__(self) -> None:
        if self.contacts % 40 or self.accounts // 2 % self.others or self.members % TEAM:
            raise ValueError(f"The parts of {self} do not come out even.")

    @property
    def accounts(self) -> int:
        """Companies of all organisations."""
        return self.contacts // 10

    @property
    def deals(self) -> int:
        """Deals of all organisations."""
        return self.contacts // 10

    @property
    def activities(self) -> int:
        """Timeline entries of all organisations."""
        return self.contacts * 2

    @property
    def own_deals(self) -> int:
        """Deals of the measured organisation."""
        return self.deals // 4 * 3

    @property
    def open_deals(self) -> int:
        """Cards on the board of the measured organisation."""
        return self.contacts // 20

    # Members of the measured organisation have numbers from 1: the first of each team of 50 manages it, the last two
    # are read-only and an admin. Requests are spread over several people, so that each asks for another record.
    @property
    def reps(self) -> list[int]:
        """The members measured as reps: three of each team."""
        return [team * TEAM + seat for seat in (7, 23, 41) for team in range(self.members // TEAM)]

    @property
    def managers(self) -> list[int]:
        """The members measured as managers."""
        return [team * TEAM + 1 for team in range(self.members // TEAM)]

    @property
    def admin(self) -> int:
        """The member measured as an admin."""
        return self.members


SCALES = {
    "small": Scale("small", 10_000, others=4),
    "medium": Scale("medium", 100_000, others=20),
    "large": Scale("large", 1_000_000, others=100),
}
