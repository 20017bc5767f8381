"""Django forms in the design's markup: set as FORM_RENDERER, so every form renders this way by itself."""

from copy import deepcopy
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.forms.forms import DeclarativeFieldsMetaclass
from django.forms.renderers import BaseRenderer
from django.forms.widgets import Input
from django.template import engines
from django.utils.safestring import SafeString

from crm.lib.errors import CrmError
from crm.web.fields import RowsWidget

# The class of a control by its kind; kinds that are missing style themselves (a group of radio buttons).
_CLASSES: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.CheckboxInput, "check"),
    (forms.Textarea, "textarea"),
    (forms.SelectMultiple, "select"),
    (forms.RadioSelect, ""),
    (forms.CheckboxSelectMultiple, ""),
    (forms.Select, "select"),
    (forms.FileInput, "input"),
    (forms.HiddenInput, ""),
    (Input, "input"),
)


class DesignField(BoundField):
    """A bound field that knows the design: `.field` with label, control, help and error."""

    def as_design(
        self,
        *,
        wide: bool = False,
        label: str | None = None,
        size: str = "",
        after: str = "",
        help: str | None = None,  # noqa: A002 -- the template's word
        attrs: dict[str, Any] | None = None,
    ) -> SafeString:
        """Render the whole field.

        `wide` spans the grid, `size` is "sm" or "lg", `label` and `help` replace the field's ("" drops the help),
        `after` is markup beside the label, `attrs` are further attributes of the control (False drops one).
        """
        if help is not None:
            self.help_text = help
        extra = dict(attrs or {})
        if size:
            extra["class"] = f"input-{size}"
        context = {"field": self, "wide": wide, "label": self.label if label is None else label, "after": after}
        context["control"] = self.as_widget(attrs=extra)
        return SafeString(self.form.renderer.render(self.template_name, context))

    def get_context(self) -> dict[str, Any]:
        return {"field": self, "wide": False, "label": self.label, "after": "", "control": self.as_widget()}

    @property
    def kind(self) -> str:
        """What the template tells apart: "check" (label beside the control), "group" (a legend), or "input"."""
        widget = self.field.widget
        if isinstance(widget, forms.CheckboxInput):
            return "check"
        return "group" if widget.use_fieldset else "input"

    @property
    def marks_required(self) -> bool:
        """Whether required fields carry a star: only where others may stay empty, else every field would."""
        fields = self.form.fields.values()
        return any(not field.required and not isinstance(field, forms.BooleanField) for field in fields)

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        widget = widget or self.field.widget
        built = super().build_widget_attrs(attrs, widget)
        own = " ".join(filter(None, (widget.attrs.get("class"), attrs.get("class"))))
        design = next((cls for kind, cls in _CLASSES if isinstance(widget, kind)), "")
        # A check box may ask to look like a switch.
        if design and not (design == "check" and "switch" in own):
            built["class"] = f"{design} {own}".strip()
        if isinstance(widget, forms.Textarea) and widget.attrs.get("rows") == forms.Textarea().attrs["rows"]:
            built.update(rows=3, cols=False)  # it grows with its text
        if isinstance(widget, RowsWidget):
            built["aria-label"] = str(self.label)
        return built


class FieldRenderer(BaseRenderer):
    """Renders forms and fields by the Jinja2 templates in `templates/forms/`, and plain widgets by Django's."""

    form_template_name = "forms/form.html"
    formset_template_name = "forms/formset.html"
    field_template_name = "forms/field.html"
    bound_field_class = DesignField

    def get_template(self, template_name: str) -> Any:
        return engines["jinja2"].get_template(template_name)


class _Fields(dict[str, forms.Field]):
    """The fields that a class of forms declares. Django copies every one of them for each form, which takes longer than
    all else that a form does; these are shared."""

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, forms.Field]:
        return dict(self)


class _QuickForms(DeclarativeFieldsMetaclass):
    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> Any:
        made: Any = super().__new__(cls, name, bases, attrs)
        made.base_fields = _Fields(made.base_fields)
        return made


class QuickForm(forms.BaseForm, metaclass=_QuickForms):
    """A form of many fields that is made all day. Its fields are those of the class: what one form wants otherwise, it
    changes in its `own_field`."""

    def own_field(self, name: str) -> Any:
        """A field that is this form's alone, and may be changed."""
        self.fields[name] = deepcopy(self.base_fields[name])
        return self.fields[name]


CUSTOM = "custom_"  # before the key of an organisation's own field, so that it is no other field of a form


def add_error(form: forms.BaseForm, error: CrmError) -> None:
    """Put an action's error on the form: on the fields it names that the form shows, else above them all."""
    placed = False
    for name, message in error.fields.items():
        shown = next((n for n in (name, CUSTOM + name) if n in form.fields), None)
        if shown:
            form.add_error(shown, str(message))
            placed = True
    if not placed:
        form.add_error(None, str(error))
