"""The kernel's models."""

from crm.models.audit import AuditEntry, ChangeSet
from crm.models.bin import BinEntry, DeletionReceipt
from crm.models.bulk import BulkPart, BulkRun
from crm.models.fields import CustomField, FieldAccess, SealedValue, UniqueValue
from crm.models.membership import Invitation, Membership, Team, TeamMember, Token
from crm.models.money import ExchangeRate
from crm.models.organization import Address, Organization
from crm.models.outbox import OutboxEvent
from crm.models.records import ExternalId, Notification, Tag
from crm.models.search import SearchWord
from crm.models.share import Share
from crm.models.user import RateLimit, Session, User, normalize_email
from crm.models.views import SavedView, ViewMark

__all__ = [
    "Address",
    "AuditEntry",
    "BinEntry",
    "BulkPart",
    "BulkRun",
    "ChangeSet",
    "CustomField",
    "DeletionReceipt",
    "ExchangeRate",
    "ExternalId",
    "FieldAccess",
    "Invitation",
    "Membership",
    "Notification",
    "Organization",
    "OutboxEvent",
    "RateLimit",
    "SavedView",
    "SealedValue",
    "SearchWord",
    "Session",
    "Share",
    "Tag",
    "Team",
    "TeamMember",
    "Token",
    "UniqueValue",
    "User",
    "ViewMark",
    "normalize_email",
]
