"""Forms of the organisation's tags."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from crm import queries
from crm.actions.tags import LONGEST
from crm.web.formats import TONES

COLOURS = {
    "blue": _("Blue"), "cyan": _("Cyan"), "teal": _("Teal"), "green": _("Green"), "amber": _("Amber"),
    "orange": _("Orange"), "red": _("Red"), "pink": _("Pink"), "violet": _("Violet"), "gray": _("Grey"),
}  # fmt: skip


class TagForm(forms.Form):
    """A tag's name and colour."""

    name = forms.CharField(label=_("Name"), max_length=LONGEST)
    tone = forms.ChoiceField(label=_("Colour"), choices=[(tone, COLOURS[tone]) for tone in TONES])


class MergeForm(forms.Form):
    """The tag that another one is merged into."""

    into = forms.ChoiceField(label=_("Merge into"))

    def __init__(self, *args: Any, tag_id: UUID, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = [(str(pk), name) for pk, (name, _tone) in queries.tags().items() if pk != tag_id]
        field: Any = self.fields["into"]
        field.choices = [("", ""), *sorted(others, key=lambda choice: choice[1].casefold())]
