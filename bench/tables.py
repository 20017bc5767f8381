"""What stands in the loaded tables, as SQL expressions over row numbers (bench/helpers.sql)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench import names
from bench.scale import OTHER_MEMBERS, STAGES, TEAM, Scale
from crm.tenancy.searchsql import noted

CURRENCY = "CASE pick(n, 31, 10) WHEN 0 THEN 'USD' WHEN 1 THEN 'GBP' ELSE 'EUR' END"
STAGE_NAMES = ("Lead", "Qualified", "Discovery", "Proposal", "Negotiation", "Commit", "Won", "Lost")
PROBABILITIES = (10, 25, 40, 60, 75, 90, 100, 0)
TONES = ("gray", "blue", "cyan", "violet", "amber", "green", "green", "red")
TAGS = ("Champion", "Trade fair", "Newsletter", "Reference", "Key site", "Procurement", "Pilot", "At risk")


@dataclass(frozen=True)
class Fill:
    """Rows of one table: `columns` are SQL expressions over `source`; `batch` names the series that is cut up.

    With `rows` the source is filled with `{low}` and `{high}`, a part of 0 to `rows` at a time.
    """

    table: str
    columns: dict[str, str]
    source: str
    rows: int = 0


def array(values: Sequence[object]) -> str:
    """Texts as an SQL array."""
    quoted = ", ".join("'" + str(value).replace("'", "''") + "'" for value in values)
    return f"ARRAY[{quoted}]::text[]"


def series(n_to: str = "n") -> str:
    """The part of a numbered series that a batch makes."""
    return f"generate_series({{low}}::bigint, {{high}} - 1) AS {n_to}"


def fills(scale: Scale) -> list[Fill]:
    """All tables, parents first."""
    records = [*people(scale), *pipelines(scale), *companies(scale), *deals(scale), *timelines(scale)]
    return [*records, *shares(scale), words()]


def people(scale: Scale) -> list[Fill]:
    """Organisations, users, members, teams, tags, rates."""
    every = f"generate_series(0, {scale.others}) AS k"
    member = f"{every}, LATERAL generate_series(1, members_of(k)) AS m"
    role = f"""CASE WHEN k > 0 THEN 'rep' WHEN m = {scale.admin} THEN 'admin' WHEN m = {scale.admin - 1} THEN 'readonly'
        WHEN m % {TEAM} = 1 THEN 'manager' ELSE 'rep' END"""
    user = "uid('user', k * 100000 + m, at(0))"
    email = "'member' || m || '@org' || k || '.example'"
    full_name = f"word({array(names.FIRST)}, k * 1000 + m, 1) || ' ' || word({array(names.LAST)}, k * 1000 + m, 2)"
    return [
        Fill(
            "crm_organization",
            {
                "id": "org(k)", "slug": "CASE WHEN k = 0 THEN 'bench' ELSE 'other-' || k END", "plan": "'free'",
                "name": "'Organisation ' || k", "locale": "'en'", "time_zone": "'Europe/Oslo'",
                "base_currency": "'EUR'",
                "fiscal_year_start": "1", "visibility": "'private'", "created_at": "at(0)", "updated_at": "at(0)",
            },
            every,
        ),
        Fill(
            "crm_user",
            {
                "id": user, "email": email, "password": "'!'", "name": full_name, "locale": "'en'", "is_active": "true",
                "date_joined": "at(0)", "shortcuts": "true",
            },
            member,
        ),
        Fill(
            "crm_membership",
            {
                "id": "member(k, m)", "org_id": "org(k)", "user_id": user, "role": role, "active": "true",
                "version": "1",
                "created_at": "at(0)", "updated_at": "at(0)", "custom": "'{{}}'",
            },
            member,
        ),
        Fill(
            "crm_team",
            {
                "id": "team(t)", "org_id": "org(0)", "name": "'Team ' || t", "version": "1", "created_at": "at(0)",
                "updated_at": "at(0)",
            },
            f"generate_series(0, {scale.members // TEAM - 1}) AS t",
        ),
        Fill(
            "crm_teammember",
            {
                "id": "uid('teammember', m, at(0))", "org_id": "org(0)", "team_id": f"team((m - 1) / {TEAM})",
                "member_id": "member(0, m)", "is_manager": f"m % {TEAM} = 1", "created_at": "at(0)",
            },
            f"generate_series(1, {scale.members}) AS m",
        ),
        Fill(
            "crm_tag",
            {
                "id": "tag(k, t)", "org_id": "org(k)", "name": f"({array(TAGS)})[t + 1]", "version": "1",
                "tone": f"({array(TONES)})[t + 1]", "created_at": "at(0)", "updated_at": "at(0)",
            },
            f"{every}, generate_series(0, {len(TAGS) - 1}) AS t",
        ),
        Fill(
            "crm_exchangerate",
            {
                "id": "uid('rate' || currency, k * 100 + months, at(0))", "org_id": "org(k)", "currency": "currency",
                "rate": "rate + 0.001 * months", "valid_from": "(at(1) - interval '30 days' * months)::date",
                "created_at": "at(0)",
            },
            f"{every}, (VALUES ('USD', 0.92), ('GBP', 1.16)) AS c (currency, rate), generate_series(0, 23) AS months",
        ),
        Fill(
            "crm_notification",
            {
                "id": "uid('notification', m * 100 + i, at(1 - i * 0.01))", "org_id": "org(0)",
                "member_id": "member(0, m)",
                "kind": "'deal.assigned'", "record_type": "'deal'", "record": f"deal(0, m % {scale.own_deals})",
                "data": "'{{\"name\": \"Fleet telematics rollout\", \"by\": \"Jonas Lind\"}}'",
                "created_at": "at(1 - i * 0.01)", "read_at": "CASE WHEN i > 3 THEN at(1) END",
            },
            f"generate_series(1, {scale.members}) AS m, generate_series(0, 9) AS i",
        ),
    ]  # fmt: skip


def pipelines(scale: Scale) -> list[Fill]:
    """One pipeline of six open stages in every organisation."""
    every = f"generate_series(0, {scale.others}) AS k"
    return [
        Fill(
            "deals_pipeline",
            {
                "id": "pipeline(k)", "org_id": "org(k)", "name": "'Sales pipeline'", "is_default": "true",
                "version": "1",
                "created_at": "at(0)", "updated_at": "at(0)",
            },
            every,
        ),
        Fill(
            "deals_stage",
            {
                "id": "stage(k, s)", "org_id": "org(k)", "pipeline_id": "pipeline(k)", "position": "s", "version": "1",
                "name": f"({array(STAGE_NAMES)})[s + 1]", "tone": f"({array(TONES)})[s + 1]",
                "kind": f"CASE s WHEN {STAGES} THEN 'won' WHEN {STAGES + 1} THEN 'lost' ELSE 'open' END",
                "probability": f"({array(PROBABILITIES)})[s + 1]::int",
                "rot_days": f"CASE WHEN s < {STAGES} THEN 14 + s ELSE 0 END", "created_at": "at(0)",
                "updated_at": "at(0)",
            },
            f"{every}, generate_series(0, {STAGES + 1}) AS s",
        ),
    ]  # fmt: skip


def companies(scale: Scale) -> list[Fill]:
    """Accounts and contacts with their child rows."""
    numbered = f"(SELECT n, k_of(n) AS k, rank_of(n) AS r FROM {series()}) x"
    own = f"(SELECT *, at(n::float8 / {scale.contacts}) AS made FROM {numbered}) x"
    owned = f"(SELECT *, at(n::float8 / {scale.accounts}) AS made FROM {numbered}) x"
    # Everything changed at some time between its making and now, so lists by change differ from lists by id.
    changed = "made + (at(1) - made) * (pick(n, 9, 1000) / 1000.0)"
    first, last = f"word({array(names.FIRST)}, n, 11)", f"word({array(names.LAST)}, n, 12)"
    email = f"plain({first}) || '.' || plain({last}) || n || '@company' || r % accounts_of(k) || '.example'"
    phone = "'+47' || lpad(pick(n, 13, 100000000)::text, 8, '0')"
    contact = {"id": "contact(k, r)", "org_id": "org(k)", "contact_id": "contact(k, r)", "created_at": "made"}
    return [
        Fill(
            "contacts_account",
            {
                "id": "account(k, r)", "org_id": "org(k)", "owner_id": "owner(k, r)", "version": "1",
                "currency": "'EUR'",
                "name": f"word({array(names.STEMS)}, n, 1) || ' ' || word({array(names.ENDINGS)}, n, 2) || ' ' || n",
                "domain": "'company' || r || '.example'", "industry": f"word({array(names.INDUSTRIES)}, n, 3)",
                "employee_count": "10 + pick(n, 4, 5000)", "annual_revenue": "pick(n, 5, 1000000) * 10000",
                "phone": phone, "website": "'https://www.company' || r || '.example'",
                "city": f"word({array(names.CITIES)}, n, 6)", "country": f"word({array(names.COUNTRIES)}, n, 6)",
                "created_at": "made", "updated_at": changed,
                "tags": "CASE WHEN pick(n, 7, 4) = 0 THEN ARRAY[tag(k, pick(n, 8, 8))] ELSE '{{}}' END",
            },
            owned, scale.accounts,
        ),
        Fill(
            "contacts_accountdomain",
            {
                "id": "uid('domain', n, made)", "org_id": "org(k)", "account_id": "account(k, r)",
                "domain": "'company' || r || '.example'", "created_at": "made",
            },
            owned, scale.accounts,
        ),
        Fill(
            "contacts_contact",
            {
                **{key: value for key, value in contact.items() if key != "contact_id"},
                "owner_id": "owner(k, r)", "version": "1",
                "updated_at": changed, "first_name": first, "last_name": last,
                "account_id": "CASE WHEN has_account(k, r) THEN account(k, r % accounts_of(k)) END",
                "email": email, "phone": phone, "title": f"word({array(names.TITLES)}, n, 14)",
                "lead_source": "'Trade fair'", "score": "pick(n, 15, 100)",
                "lead_status": f"word({array(('new', 'contacted', 'qualified', 'unqualified'))}, n, 16)",
                "lifecycle": f"word({array(('lead', 'lead', 'mql', 'sql', 'opportunity', 'customer'))}, n, 17)",
                "city": f"word({array(names.CITIES)}, n, 18)", "country": f"word({array(names.COUNTRIES)}, n, 18)",
                "last_activity_at": "at(1 - pick(n, 19, 1000) / 4000.0)",
                "tags": "CASE WHEN pick(n, 20, 3) = 0 THEN ARRAY[tag(k, pick(n, 21, 8))] ELSE '{{}}' END",
            },
            own, scale.contacts,
        ),
        Fill(
            "contacts_contactemail",
            {
                **contact, "id": "uid('email', n * 2 + e, made)", "kind": "CASE WHEN e = 0 THEN 'work' ELSE 'home' END",
                "address": f"CASE WHEN e = 0 THEN {email} ELSE 'private' || n || '@postbox.example' END",
                "is_primary": "e = 0", "position": "e",
            },
            f"{own}, LATERAL generate_series(0, CASE WHEN pick(n, 22, 10) = 0 THEN 1 ELSE 0 END) AS e", scale.contacts,
        ),
        Fill(
            "contacts_contactphone",
            {**contact, "id": "uid('phone', n, made)", "kind": "'work'", "number": phone, "is_primary": "true"},
            own, scale.contacts,
        ),
        Fill(
            "contacts_accountcontact",
            {
                **contact, "id": "uid('link', n, made)", "account_id": "account(k, r % accounts_of(k))",
                "role": f"word({array(('unknown', 'decision_maker', 'champion', 'user'))}, n, 23)",
                "is_primary": "true",
            },
            f"{own} WHERE has_account(k, r)", scale.contacts,
        ),
    ]  # fmt: skip


def deals(scale: Scale) -> list[Fill]:
    """Deals, who has a part in them, and how they came to their stage."""
    numbered = f"SELECT n, deal_k_of(n) AS k, deal_rank_of(n) AS d, at(n::float8 / {scale.deals}) AS made"
    staged = f"(SELECT *, stage_no(d) AS s FROM ({numbered} FROM {series()}) y) x"
    # Cards of a column stand in no order of age or owner.
    everything = f"({numbered} FROM generate_series(0::bigint, {scale.deals} - 1) AS n) y"
    shuffle = "row_number() OVER (PARTITION BY k, stage_no(d) ORDER BY pick(n, 33, 1000000000), n)"
    shuffled = f"(SELECT *, stage_no(d) AS s, {shuffle} AS card FROM {everything}) x"
    is_open = f"s < {STAGES}"
    entered = "made + (at(1) - made) * 0.9"
    deal = {"org_id": "org(k)", "deal_id": "deal(k, d)", "created_at": "made"}
    return [
        Fill(
            "deals_deal",
            {
                "id": "deal(k, d)", "org_id": "org(k)", "owner_id": "owner(k, d)", "version": "1", "created_at": "made",
                "updated_at": "made + (at(1) - made) * (pick(n, 34, 1000) / 1000.0)", "pipeline_id": "pipeline(k)",
                "stage_id": "stage(k, s)", "name": f"word({array(names.PROJECTS)}, n, 35) || ' ' || n",
                "position": "card_key(card)", "account_id": "account(k, d % accounts_of(k))",
                "amount": "(5 + pick(n, 36, 300)) * 100000", "currency": CURRENCY,
                "probability": f"({array(PROBABILITIES)})[s + 1]::int",
                "status": f"CASE WHEN {is_open} THEN 'open' WHEN s = {STAGES} THEN 'won' ELSE 'lost' END",
                "forecast_category": f"CASE WHEN {is_open} THEN 'pipeline' WHEN s = {STAGES} THEN 'closed' "
                "ELSE 'omitted' END",
                "close_date": "(at(1) + interval '1 day' * (pick(n, 37, 120) - 20))::date",
                "closed_on": f"CASE WHEN NOT {is_open} THEN ({entered})::date END",
                "close_reason": f"CASE WHEN {is_open} THEN '' ELSE word({array(names.REASONS)}, n, 38) END",
                "next_step": f"CASE WHEN pick(n, 39, 5) > 0 THEN word({array(names.NEXT_STEPS)}, n, 40) ELSE '' END",
                "next_step_at": "CASE WHEN pick(n, 39, 5) > 0 THEN at(1) + '1 d'::interval * (pick(n, 41, 30) - 8) END",
                "stage_entered_at": entered, "touched_at": "at(1) - interval '1 day' * pick(n, 42, 40)",
            },
            shuffled,
        ),
        Fill(
            "deals_dealcontact",
            {
                **deal, "id": "uid('dealcontact', n * 2 + c, made)", "role": "'unknown'", "is_primary": "c = 0",
                "contact_id": "contact(k, d % accounts_of(k) + c * accounts_of(k))",
            },
            f"{staged}, generate_series(0, 1) AS c", scale.deals,
        ),
        Fill(
            "deals_stagechange",
            {
                **deal, "id": "uid('step', n * 10 + c, moment)", "created_at": "moment", "at": "moment",
                "from_stage_id": "CASE WHEN c > 0 THEN stage(k, c - 1) END",
                "to_stage_id": "stage(k, reached)",
                "by_id": "owner(k, d)", "seconds_in_stage": "c * 86400 * 6",
                "amount": "(5 + pick(n, 36, 300)) * 100000",
                "currency": CURRENCY, "probability": f"({array(PROBABILITIES)})[reached + 1]::int",
                "deal_version": "c + 1",
            },
            f"{staged}, LATERAL (SELECT least(s, {STAGES}) AS last) AS l, LATERAL generate_series(0, last) AS c,"
            " LATERAL (SELECT CASE WHEN c = last THEN s ELSE c END AS reached,"
            " made + (at(1) - made) * 0.15 * c AS moment) AS t", scale.deals,
        ),
    ]  # fmt: skip


def timelines(scale: Scale) -> list[Fill]:
    """Activities, some contacts with many of them, and the audit log of the records."""
    # A square makes old contacts have more than new ones: hundreds where the average has four.
    drawn = (
        "(SELECT n, k, floor((pick(n, 51, 1000000) / 1000000.0) ^ 2 * contacts_of(k))::bigint AS r,"
        f" at(0.02 + 0.98 * n::float8 / {scale.activities}) AS made FROM (SELECT n, k_of(n) AS k FROM {series()}) y) x"
    )
    body = f"word({array(names.BODIES)}, n, 53) || ' ' || word({array(names.BODIES)}, n, 54)"
    on_deal = "pick(n, 55, 4) = 0 AND r % accounts_of(k) < deals_of(k)"
    return [
        Fill(
            "activities_activity",
            {
                "id": "uid('activity', n, made)", "org_id": "org(k)", "version": "1", "created_at": "made",
                "updated_at": "made", "occurred_at": "made", "owner_id": "owner(k, r)", "contact_id": "contact(k, r)",
                "account_id": "CASE WHEN has_account(k, r) THEN account(k, r % accounts_of(k)) END",
                "deal_id": f"CASE WHEN {on_deal} THEN deal(k, r % accounts_of(k)) END",
                "type": f"word({array(('call', 'call', 'note', 'note', 'meeting', 'email'))}, n, 52)",
                "subject": f"word({array(names.SUBJECTS)}, n, 56)",
                "body": body, "duration_seconds": "pick(n, 57, 3600)",
                "outcome": "'connected'", "direction": "'outbound'", "source": "'manual'",
            },
            drawn, scale.activities,
        ),
        _log("contacts_contact", "contact(k, r)", "I", "NULL::jsonb", "k_of(n)", "rank_of(n)", scale.contacts),
        _log("deals_deal", "deal(k, r)", "I", "NULL::jsonb", "deal_k_of(n)", "deal_rank_of(n)", scale.deals),
        _log(
            "contacts_contact", "contact(k, r)", "U", "'{{\"lead_status\": [\"new\", \"contacted\"]}}'::jsonb",
            "k_of(n)", "rank_of(n)", scale.contacts, where="WHERE n % 3 = 0",
        ),
        _log(
            "deals_deal", "deal(k, r)", "U", "'{{\"amount\": [5000000, 7500000]}}'::jsonb", "deal_k_of(n)",
            "deal_rank_of(n)", scale.deals,
        ),
    ]  # fmt: skip


def _log(table: str, row: str, operation: str, diff: str, k: str, rank: str, rows: int, where: str = "") -> Fill:
    return Fill(
        "crm_auditentry",
        {
            "org_id": "org(k)", "table_name": f"'{table}'", "row_id": row, "operation": f"'{operation}'",
            "actor_id": "owner(k, r)", "actor_kind": "'member'", "version": "2" if operation == "U" else "NULL::int",
            "at": f"at(n::float8 / {rows})", "diff": diff,
        },
        f"(SELECT n, {k} AS k, {rank} AS r FROM {series()} {where}) x",
        rows,
    )  # fmt: skip


def shares(scale: Scale) -> list[Fill]:
    """One contact, account and deal in ten is shared with another member, one in five hundred with a team."""

    def share(table: str, model: str, record: str, rows: int) -> Fill:
        permission = (
            "SELECT p.id FROM auth_permission p JOIN django_content_type c ON c.id = p.content_type_id"
            f" WHERE c.app_label || '.' || p.codename = '{model}'"
        )
        return Fill(
            table,
            {
                "id": f"uid('{table}', n, at(0.9))", "org_id": "org(0)", "content_object_id": record,
                "created_at": "at(0.9)", "level": "CASE WHEN n % 2 = 0 THEN 'read' ELSE 'write' END",
                "member_id": f"CASE WHEN n % 50 > 0 THEN member(0, 1 + pick(n, 61, {scale.members})) END",
                "user_id": "NULL::uuid", "permission_id": f"({permission})",
                "team_id": f"CASE WHEN n % 50 = 0 THEN team(pick(n, 62, {scale.members // TEAM})) END",
            },
            f"generate_series(0::bigint, {rows // 10} - 1) AS n",
        )  # fmt: skip

    return [
        share("contacts_contactshare", "contacts.view_contact", "contact(0, n * 10 + n % 10)", scale.contacts // 2),
        share("contacts_accountshare", "contacts.view_account", "account(0, n * 10 + n % 10)", scale.accounts // 2),
        share("deals_dealshare", "deals.view_deal", "deal(0, n * 10 + n % 10)", scale.own_deals),
    ]


def words() -> Fill:
    """The dictionary of each organisation, which a trigger would have written."""
    texts = """SELECT org_id, keel_with_address(full_name_norm, email_norm) AS text FROM contacts_contact
        UNION ALL SELECT org_id, keel_with_address(name_norm, domain) FROM contacts_account
        UNION ALL SELECT org_id, name_norm FROM deals_deal
        UNION ALL SELECT DISTINCT org_id, keel_text(subject, body) FROM activities_activity"""
    each = noted("t.text").replace("{", "{{").replace("}", "}}")
    return Fill(
        "crm_searchword",
        {"id": "uuidv7()", "org_id": "org_id", "word": "word", "created_at": "at(0)"},
        f"(SELECT DISTINCT org_id, word FROM ({texts}) t, {each}) x",
    )


def constants(scale: Scale, now: str) -> dict[str, object]:
    """What helpers.sql is filled with."""
    return {
        "now": now, "members": scale.members, "other_members": OTHER_MEMBERS, "accounts": scale.accounts,
        "contacts": scale.contacts, "deals": scale.deals, "others": scale.others, "stages": STAGES,
    }  # fmt: skip
