"""Form fields beyond Django's: money, and several e-mail addresses or phone numbers with one primary."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from crm.lib.amounts import parse_amount
from crm.lib.money import exponent

_LARGEST = 10**15  # minor units; far inside a bigint, so that sums of many fit, too


class MoneyWidget(forms.TextInput):
    """A text input with the currency beside it."""

    template_name = "forms/money.html"

    def __init__(self, currency: str = "", attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"inputmode": "decimal", "autocomplete": "off", **(attrs or {})})
        self.currency = currency

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["currency"] = self.currency
        return context


class MoneyField(forms.Field):
    """An amount in one currency; cleans to minor units (an int), or None when empty."""

    widget = MoneyWidget
    default_error_messages = {
        "invalid": _("Enter an amount such as 1200 or 1,200.50."),
        "negative": _("Enter an amount of zero or more."),
        "too_large": _("This amount is too large."),
    }

    def __init__(self, *, currency: str = "EUR", allow_negative: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.allow_negative = allow_negative
        self.set_currency(currency)

    def set_currency(self, currency: str) -> None:
        """Choose the currency, for forms whose record brings its own. Call it in the form's `__init__`."""
        self.currency = currency
        self.digits = exponent(currency)
        if isinstance(self.widget, MoneyWidget):
            self.widget.currency = currency

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values:
            return None
        if isinstance(value, int):
            return value
        try:
            minor = parse_amount(str(value), self.digits)
        except ValueError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error
        if minor < 0 and not self.allow_negative:
            raise ValidationError(self.error_messages["negative"], code="negative")
        if abs(minor) > _LARGEST:
            raise ValidationError(self.error_messages["too_large"], code="too_large")
        return minor

    def prepare_value(self, value: Any) -> Any:
        """Show minor units as an amount without grouping, which `to_python` reads in every language."""
        if not isinstance(value, int):
            return value
        amount = Decimal(value).scaleb(-self.digits)
        return f"{amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount:f}"

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(initial) != self.to_python(data))
        except ValidationError:
            return True


class DateField(forms.DateField):
    """A day, with the browser's own picker."""

    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class DateTimeField(forms.DateTimeField):
    """A moment in the reader's time zone, with the browser's own picker; cleans to an aware datetime."""

    widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})


@dataclass(frozen=True, slots=True)
class Row:
    """One of several values: an address or a number, its kind ("work"), and whether it is the primary one."""

    value: str
    kind: str = ""
    primary: bool = False


class RowsWidget(forms.Widget):
    """Rows of value, kind and a primary mark; forms.js adds and removes them. Without script there is one row more."""

    template_name = "forms/rows.html"
    use_fieldset = True

    def __init__(
        self,
        input_type: str = "text",
        kinds: Sequence[tuple[str, Any]] = (),
        attrs: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(attrs)
        self.input_type = input_type
        self.kinds = kinds
        self.row_errors: dict[int, str] = {}

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        rows = [row for row in value or [] if isinstance(row, Row)]
        context["widget"].update(
            rows=[(f"r{index}", row, index) for index, row in enumerate(rows or [Row("", primary=True)])],
            input_type=self.input_type,
            kinds=self.kinds,
            autocomplete={"email": "email", "tel": "tel"}.get(self.input_type, "off"),
        )
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Row]:
        if not isinstance(data, MultiValueDict):
            rows: list[Row] = data.get(name) or []
            return rows
        values, keys = data.getlist(name), data.getlist(f"{name}-key")
        kinds = data.getlist(f"{name}-kind")
        primary = data.get(f"{name}-primary")
        rows = []
        for index, text in enumerate(values):
            key = keys[index] if index < len(keys) else ""
            kind = kinds[index] if index < len(kinds) else ""
            if text.strip():
                rows.append(Row(text.strip(), kind, bool(key) and key == primary))
        return rows

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data

    def id_for_label(self, id_: str) -> str:
        return ""


class RowsField(forms.Field):
    """Several values, each cleaned by `child`; cleans to a list of Row with exactly one primary, or an empty list."""

    default_error_messages = {
        "twice": _("%(value)s is here twice."),
        "too_many": _("Enter at most %(limit)d."),
    }

    def __init__(
        self,
        child: forms.Field,
        *,
        kinds: Sequence[tuple[str, Any]] = (),
        input_type: str = "text",
        limit: int = 20,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("widget", RowsWidget(input_type, kinds))
        kwargs.setdefault("required", False)
        super().__init__(**kwargs)
        self.child, self.kinds, self.limit = child, dict(kinds), limit

    def to_python(self, value: Any) -> list[Row]:
        rows: list[Row] = list(value or [])
        if len(rows) > self.limit:
            raise ValidationError(self.error_messages["too_many"], code="too_many", params={"limit": self.limit})
        cleaned, problems = [], []
        for row in rows:
            try:
                text = self.child.clean(row.value)
            except ValidationError as error:
                problems += [f"{row.value}: {message}" for message in error.messages]
                continue
            cleaned.append(Row(text, row.kind if row.kind in self.kinds else "", row.primary))
        if problems:
            raise ValidationError(problems)
        return self._one_primary(cleaned)

    def _one_primary(self, rows: list[Row]) -> list[Row]:
        seen: set[str] = set()
        for row in rows:
            if row.value in seen:
                raise ValidationError(self.error_messages["twice"], code="twice", params={"value": row.value})
            seen.add(row.value)
        primary = next((i for i, row in enumerate(rows) if row.primary), 0)
        return [Row(row.value, row.kind, i == primary) for i, row in enumerate(rows)]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != list(data or [])
