"""A person who signs in, and their sessions. Both are global: one person may belong to several organisations."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from crm.tenancy.fields import DatabaseUUID7, new_id


class UserManager(BaseUserManager["User"]):
    """Finds people by their normalised e-mail address."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=normalize_email(username or ""))


def normalize_email(address: str) -> str:
    """An e-mail address as it is stored and compared: trimmed, lower case."""
    return address.strip().lower()


class User(AbstractBaseUser):
    """A person. What they may do is on their memberships, never here."""

    id = models.UUIDField(primary_key=True, default=new_id, db_default=DatabaseUUID7(), editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    locale = models.CharField(max_length=10, default="en")
    time_zone = models.CharField(max_length=60, default="", blank=True)  # empty: the organisation's
    theme = models.CharField(max_length=6, default="", blank=True)  # light, dark, or empty: the system's
    shortcuts = models.BooleanField(default=True)  # single-key shortcuts (WCAG 2.1.4: they can be switched off)
    is_active = models.BooleanField(default=True)
    is_demo = models.BooleanField(default=False)
    date_joined = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = normalize_email(self.email)
        super().save(*args, **kwargs)

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        """The name that other members see."""
        return self.name or self.email.split("@")[0]


class Session(AbstractBaseSession):
    """A signed-in browser. Kept in the database: revoking one holds at once in every process."""

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    created_at = models.DateTimeField(auto_now_add=True)
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("force_update"):
            # When, where and in which browser it began stays as it was.
            kwargs["update_fields"] = ["session_data", "expire_date", "user"]
        super().save(*args, **kwargs)

    @classmethod
    def get_session_store_class(cls) -> Any:
        from crm.web.sessions import SessionStore  # noqa: PLC0415 -- the store needs this model

        return SessionStore


class RateLimit(models.Model):
    """How often something was tried in a window of time (crm.lib.ratelimit). Global; keys are hashes."""

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField()
    expires_at = models.DateTimeField(db_index=True)
