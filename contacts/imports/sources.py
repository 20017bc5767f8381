"""How other CRMs export: which one a header comes from, and which column fills which field."""

from __future__ import annotations

import re

from contacts.imports.parsing import normal
from contacts.imports.targets import Target

# Headers that only this system writes, in normal form.
_MARKS: dict[str, frozenset[str]] = {
    "hubspot": frozenset(
        normal(name)
        for name in (
            "Record ID", "Contact owner", "Deal owner", "Lifecycle Stage", "Lead Status", "Deal Stage", "Deal Name",
            "Associated Company", "Associated Company IDs", "Associated Contact IDs", "Original Source",
            "Last Modified Date", "Associated Deal IDs", "Company owner",
        )
    ),
    "salesforce": frozenset(
        normal(name)
        for name in (
            "IsDeleted", "MasterRecordId", "AccountId", "SystemModstamp", "LastModifiedById", "StageName", "OwnerId",
            "IsPrivate", "CreatedById", "HasOptedOutOfEmail", "Opportunity Name", "Opportunity Owner", "Mailing Street",
            "Account Owner", "Fiscal Period", "Lead Owner", "Company / Account", "Mailing Zip/Postal Code",
        )
    ),
    "pipedrive": frozenset(),
}  # fmt: skip
_PIPEDRIVE = re.compile(r"^(person|deal|organization|lead)\s+-\s+", re.IGNORECASE)
SOURCES = {"hubspot": "HubSpot", "salesforce": "Salesforce", "pipedrive": "Pipedrive", "other": ""}


def bare(header: str) -> str:
    """A header without Pipedrive's prefix ("Person - Name"), in normal form."""
    return normal(_PIPEDRIVE.sub("", header.strip()))


def recognise(header: list[str]) -> str:
    """Which system a file comes from: "hubspot", "salesforce", "pipedrive" or "other"."""
    if sum(bool(_PIPEDRIVE.match(name.strip())) for name in header) >= max(2, len(header) // 3):
        return "pipedrive"
    names = {normal(name) for name in header}
    scores = {source: len(names & marks) for source, marks in _MARKS.items()}
    best = max(scores, key=lambda source: scores[source])
    return best if scores[best] >= 2 else "other"


def record_type_of(header: list[str]) -> str:
    """Whether a header is of contacts or of deals: "contact" or "deal"."""
    prefixes = [match[1].lower() for name in header if (match := _PIPEDRIVE.match(name.strip()))]
    if prefixes:
        return "deal" if prefixes.count("deal") > len(prefixes) / 2 else "contact"
    names = {normal(name) for name in header}
    deal_marks = {
        "deal name",
        "deal stage",
        "stagename",
        "opportunity name",
        "stage",
        "closedate",
        "close date",
        "amount",
        "pipeline",
    }
    contact_marks = {"first name", "firstname", "last name", "lastname", "email", "phone number", "job title"}
    return "deal" if len(names & deal_marks) > len(names & contact_marks) else "contact"


def map_columns(header: list[str], target: Target) -> dict[int, str]:
    """The field that each column fills, by its name; columns that nothing is known of are left out.

    A field that takes one value is filled by the first column that names it most precisely: the order of a field's
    names is their rank.
    """
    found: dict[int, str] = {}
    for field in target.fields:
        ranked = []
        for number, name in enumerate(header):
            if number in found:
                continue
            rank = rank_of(bare(name), field.names)
            if rank is not None:
                ranked.append((rank, number))
        for _rank, number in sorted(ranked) if field.kind == "many" else sorted(ranked)[:1]:
            found[number] = field.key
    return found


def rank_of(name: str, names: tuple[str, ...]) -> int | None:
    """How precisely a header in normal form names a field: 0 is best, None is not at all."""
    try:
        return names.index(name)
    except ValueError:
        return None
