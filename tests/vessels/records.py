"""The registration, and nothing else."""

from crm.enums import Role
from crm.records.registry import Field, FieldType, RecordType, Relation, registry
from tests.vessels.models import Flag, Sailor, Vessel

SAILOR = RecordType(
    key="sailor",
    model=Sailor,
    label="Sailor",
    label_plural="Sailors",
    icon="users",
    fields=(
        Field("name", "Name", FieldType.TEXT, required=True, filterable=True),
        Field("boarded_at", "Boarded", FieldType.DATETIME, filterable=True),
        Field("vessel", "Vessel", FieldType.LOOKUP, path="vessel_id", target="vessel", filterable=True),
    ),
)


def register() -> None:
    """Registers the type "vessel", and "sailor", which has no pages."""
    registry.register_related(SAILOR)
    registry.register(
        RecordType(
            key="vessel",
            model=Vessel,
            label="Vessel",
            label_plural="Vessels",
            icon="target",
            name_sort_path="name_norm",
            search_paths=("name_norm",),
            search_words=("name_norm",),
            list_columns=("flag", "crew", "value", "launched", "seaworthy", "owner", "tags"),
            fields=(
                Field("name", "Name", FieldType.TEXT, sort_path="name_norm", required=True, filterable=True),
                Field("flag", "Flag", FieldType.CHOICE, choices=Flag, filterable=True, tones={"no": "red"}),
                Field("crew", "Crew", FieldType.NUMBER, sortable=True, filterable=True),
                Field("value", "Value", FieldType.MONEY, currency_path="currency", sortable=True, filterable=True),
                Field("launched", "Launched", FieldType.DATE, sortable=True, filterable=True),
                Field("seaworthy", "Seaworthy", FieldType.CHECKBOX, filterable=True),
                Field(
                    "owner",
                    "Owner",
                    FieldType.MEMBER,
                    path="owner_id",
                    filterable=True,
                    label_paths=("owner__user__name",),
                ),
                Field("call_sign", "Call sign", FieldType.TEXT),
                Field("secret_code", "Secret code", FieldType.TEXT, secret=True),
                Field("tags", "Tags", FieldType.TAGS, filterable=True, visible_to=frozenset({Role.ADMIN, Role.REP})),
                Field("created_at", "Created", FieldType.DATETIME, filterable=True, editable=False),
            ),
            relations=(Relation("sailors", "Sailors", "sailor", "vessel_id"),),
        )
    )
