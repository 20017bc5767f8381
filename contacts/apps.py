"""Contacts and accounts."""

from django.apps import AppConfig


class ContactsConfig(AppConfig):
    """People and companies: records, duplicates, import."""

    name = "contacts"
