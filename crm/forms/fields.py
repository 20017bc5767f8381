"""Forms of the settings of custom fields. They parse; what may be is decided by crm.actions.fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from crm.actions.field_choices import INSTEAD
from crm.actions.field_sorting import can_sort
from crm.actions.fields import NO_DEFAULT, FieldSettings, Option
from crm.enums import FieldLevel, Role
from crm.models import CustomField
from crm.records import schema, stored
from crm.records.forms import form_field
from crm.records.registry import FieldType, registry
from crm.tenancy.context import Actor
from crm.web.fields import MoneyField
from crm.web.formats import TONES

TONE_NAMES = {
    "blue": _("Blue"), "cyan": _("Cyan"), "teal": _("Teal"), "green": _("Green"), "amber": _("Amber"),
    "orange": _("Orange"), "red": _("Red"), "pink": _("Pink"), "violet": _("Violet"), "gray": _("Grey"),
}  # fmt: skip
NOTHING = "-"  # the choice of none
# What is said of the default of a new field whose choices have no values yet.
BY_NAME = {
    FieldType.CHOICE: _("One of the choices, by its name."),
    FieldType.MULTI_CHOICE: _("Choices by their names, separated by semicolons."),
}
RESULTS = (
    (FieldType.NUMBER, _("A number")), (FieldType.PERCENT, _("A percentage")), (FieldType.TEXT, _("Text")),
    (FieldType.CHECKBOX, _("Yes or no")),
)  # fmt: skip


class OptionsWidget(forms.Widget):
    """Rows of a name and a colour, in order."""

    template_name = "forms/options.html"
    use_fieldset = True

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"].update(options=list(value or ()), tones=[(tone, TONE_NAMES[tone]) for tone in TONES])
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Option]:
        if not isinstance(data, MultiValueDict):
            return list(data.get(name) or ())
        columns = (data.getlist(name), data.getlist(f"{name}-tone"), data.getlist(f"{name}-value"))
        rows = zip(*columns, strict=False)
        return [Option(label.strip(), tone, value) for label, tone, value in rows if label.strip()]

    def id_for_label(self, id_: str) -> str:
        return ""


class OptionsField(forms.Field):
    """The choices of a picklist; cleans to a list of Option."""

    widget = OptionsWidget


class FieldForm(forms.Form):
    """A custom field of one type: what can be said about it depends on the type."""

    label = forms.CharField(label=_("Name"), max_length=80)
    key = forms.SlugField(
        label=_("Key"), max_length=40, required=False,
        help_text=_("For imports, formulas and programs. Made of the name when left empty; it can't be changed later."),
    )  # fmt: skip
    group = forms.CharField(
        label=_("Section"),
        max_length=60,
        required=False,
        help_text=_("The heading it stands under on a record's page."),
    )
    help = forms.CharField(label=_("Help text"), max_length=200, required=False)
    target = forms.ChoiceField(label=_("Points at"))
    options = OptionsField(label=_("Choices"))
    formula = forms.CharField(
        label=_("Formula"), widget=forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"}),
        help_text=_("Name fields by their keys, such as round(amount * probability / 100, 2)."),
    )  # fmt: skip
    result = forms.ChoiceField(label=_("What comes out"), choices=RESULTS)
    required = forms.BooleanField(label=_("Required"), required=False)
    unique = forms.BooleanField(label=_("No two records may have the same value"), required=False)
    encrypted = forms.BooleanField(
        label=_("Encrypted"), required=False,
        help_text=_("Shown on a record's page alone; not in lists, filters, search, exports and history."),
    )  # fmt: skip
    sortable = forms.BooleanField(
        label=_("Lists can be sorted by it"), required=False,
        help_text=_("For three fields of text and three others. Sorting starts when all records are prepared."),
    )  # fmt: skip

    def __init__(
        self,
        *args: Any,
        record_type: str,
        kind: str,
        actor: Actor,
        currency: str,
        row: CustomField | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kind, self.row, self.record_type = FieldType(kind), row, record_type
        targets: Any = self.fields["target"]
        targets.choices = [(known.key, known.label_plural) for known in registry]
        for name in self._left_out():
            del self.fields[name]
        for option in row.options if row is not None else ():
            if f"{INSTEAD}{option['value']}" in self.data:
                self.ask_instead({option["value"]: option["label"]})
        self._add_default(actor, currency)

    def _left_out(self) -> set[str]:
        """What means nothing for the type, and what is fixed once the field is made."""
        kind, row = self.kind, self.row
        out = set()
        if kind not in (FieldType.CHOICE, FieldType.MULTI_CHOICE):
            out.add("options")
        if kind != FieldType.LOOKUP or self.row is not None:
            out.add("target")
        if kind != FieldType.FORMULA:
            out |= {"formula", "result"}
        else:
            out |= {"required"}
        fixed = self.row is not None
        if fixed or kind not in (FieldType.TEXT, FieldType.NUMBER, FieldType.EMAIL, FieldType.PHONE, FieldType.URL):
            out.add("unique")
        if fixed or kind not in (FieldType.TEXT, FieldType.LONG_TEXT, FieldType.NUMBER):
            out.add("encrypted")
        if not can_sort(self.record_type, kind, encrypted=row is not None and row.encrypted):
            out.add("sortable")
        return out | ({"key"} if fixed else set())

    def _add_default(self, actor: Actor, currency: str) -> None:
        """Asks for a default with the control that records have for the field. The choices of a new field stand in the
        same form, so their default is told by name."""
        row = self.row
        if self.kind in NO_DEFAULT or (row is not None and (row.unique or row.encrypted)):
            return
        control: forms.Field
        if row is None and self.kind in BY_NAME:
            control = forms.CharField(help_text=BY_NAME[self.kind])
        else:
            shown = schema.field_of(row or CustomField(kind=self.kind, record_type=self.record_type, key="default"))
            currency = stored.currency_of(shown, {shown.key: shown.default}) or currency
            control = form_field(replace(shown, required=False, help=""), actor, currency=currency)
        control.required = False
        control.label = _("Ticked in new records") if self.kind == FieldType.CHECKBOX else _("Default for new records")
        self.fields["default"] = control
        # Above the boxes that are ticked or not.
        names = [name for name in self.fields if name != "default"]
        place = names.index("required")
        self.order_fields([*names[:place], "default", *names[place:]])

    def ask_instead(self, labels: Mapping[str, str]) -> None:
        """Asks what records get instead of choices that are taken away; by value what they are called."""
        assert self.row is not None
        left = [o for o in self.row.options if o["value"] in self.data.getlist("options-value")]
        choices = [("", ""), *((o["value"], o["label"]) for o in left), (NOTHING, _("No value"))]
        for value, label in labels.items():
            text = _("Records with “%(choice)s” get") % {"choice": label}
            self.fields[f"{INSTEAD}{value}"] = forms.ChoiceField(label=text, choices=choices)
        names = [name for name in self.fields if not name.startswith(INSTEAD)]
        place = names.index("options") + 1
        self.order_fields([*names[:place], *(n for n in self.fields if n.startswith(INSTEAD)), *names[place:]])

    def given(self) -> FieldSettings:
        """What create_field and update_field take."""
        data = dict(self.cleaned_data)
        asked = {name: data.pop(name) for name in list(data) if name.startswith(INSTEAD)}
        instead = {name.removeprefix(INSTEAD): "" if value == NOTHING else value for name, value in asked.items()}
        default = self._default(data.pop("default", self.row.default if self.row else None))
        fixed = {name: getattr(self.row, name) for name in ("unique", "encrypted", "target")} if self.row else {}
        return FieldSettings(**{"kind": self.kind, **fixed, **data, "default": default, "instead": instead})

    def _default(self, value: Any) -> Any:
        control = self.fields.get("default")
        if isinstance(control, MoneyField):
            return None if value is None else {"amount": value, "currency": control.currency}
        if self.row is None and self.kind == FieldType.MULTI_CHOICE:
            return [name.strip() for name in value.split(";") if name.strip()]
        return None if value is False else value  # an unticked box is no default

    @staticmethod
    def values_of(row: CustomField) -> dict[str, Any]:
        """What the form of a field begins with."""
        plain = ("label", "group", "help", "formula", "result", "required")
        options = [Option(o["label"], o.get("tone") or "gray", o["value"]) for o in row.options]
        default = stored.read(schema.field_of(row), {row.key: row.default})
        return {
            **{name: getattr(row, name) for name in plain},
            "options": options,
            "default": str(default) if isinstance(default, UUID) else default,
            "sortable": bool(row.sort_slot),
        }


class AccessForm(forms.Form):
    """What each role may do with a field."""

    def __init__(self, *args: Any, levels: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for role in schema.LIMITED_ROLES:
            choices = [(v, label) for v, label in FieldLevel.choices if role != Role.READONLY or v != FieldLevel.EDIT]
            usual = FieldLevel.READ if role == Role.READONLY else FieldLevel.EDIT
            self.fields[role] = forms.ChoiceField(
                label=Role(role).label, choices=choices, initial=levels.get(role, usual)
            )
