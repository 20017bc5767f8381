"""Tags as people type them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from crm.actions.tags import clean_tags
from crm.lib.errors import Invalid


class TagNamesField(forms.CharField):
    """Names separated by commas; cleans to a list of names. Names that are new become tags when the record is saved."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Tags"))
        kwargs.setdefault("help_text", _("Separate tags by commas."))
        super().__init__(empty_value="", **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Names as one text."""
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> Any:
        """The names, without blanks and repeats. Raises ValidationError for a name that is too long."""
        text = super().clean(value)
        try:
            return list(clean_tags(text.split(",")))
        except Invalid as error:
            raise ValidationError(str(error.fields["tags"])) from error
