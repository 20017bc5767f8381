"""A migration operation that makes a table searchable: functions that find rows by indexes which row-level security
keeps the application's role from.

Operators such as `@@` and LIKE are not leakproof: under a policy PostgreSQL would look at every row first. So the
functions run with their owner's rights, and apply themselves, before their LIMIT, what the policies of the table say:
the organisation that is entered, and what the actor reaches. They answer ids; the records are read under row-level
security again. None of them takes an organisation.

For a table `t` there are, as far as it has what they need:

- `t_prefixed(sought, most)`: columns that begin with the text;
- `t_worded(query, most)`: rows with the words of keel_word_query(text), or of keel_alike_query;
- `t_fragments(sought, most)`: rows with an address or a number that has the text anywhere.

Each answers (id, exact, own, moment, told), the best first: what is equal before what begins so, the actor's own
before others', the newest first. `told` is the address or number that was found, or the address whose words were.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from crm.tenancy.grants import DefinerFunctions
from crm.tenancy.operations import Owned, Through, _Sql
from crm.tenancy.searchsql import NOTHING, Match, begins, noted, of_everybody, ranked, shared_ids

MANY = 300  # matches of a whole organisation that are held against the actor's reach one by one
WINDOW = 200  # of more matches, those that are ranked: the first found that the actor sees
PREFIX_WINDOW = 20  # of more rows that begin with a text, those that are ranked: the first of each column
FEW = 3000  # own rows that are looked through rather than all that match
FEW_OWN = 1000  # the same where much is expected to match
SHORT = 5  # letters of a word that much is expected to begin with
FIRST_WORD = "substr(split_part(query::text, '''', 2), 7)"  # of a query of lexemes with an organisation's six digits
NEWEST = 300  # of more own rows, those looked through so that they are not missed among others'
SHOWN = 100  # hits that are shown at most; more are ids for a list, and nothing is told of them
_PREFIX = "low text := btrim(keel_norm(sought)); digits text := keel_number_fragment(sought);"
HITS = f"hits uuid[]; bound integer := greatest(most, CASE WHEN everything THEN {WINDOW} ELSE {MANY} END);"


@dataclass(frozen=True)
class Fragments:
    """Addresses or numbers that are found by any part of them.

    `column` is SQL with `{c}` for the table: the searched one, or a child `table` whose column `key` names the record;
    `told` the column that holds it as people write it.
    """

    column: str
    told: str
    kind: Literal["address", "number"]
    table: str = ""
    key: str = ""


class Searchable(_Sql):
    """The functions, the dictionary's trigger and the grants of a table that is searched.

    `rows` is what EnableTenancy was given. `names` are normalised columns that prefixes are looked up in; `addresses`
    and `numbers` are pairs of such a column and the one that holds it as people write it. `words` is the SQL of the
    normalised text whose words are indexed, with `{t}` for the row, and `written` the columns it is made of; `having`
    limits it to rows that have such a text, as the index does. `moment` is the column that tells which is newer. The
    indexes stand in the models (crm.tenancy.indexes).
    """

    def __init__(
        self,
        table: str,
        rows: Owned | Through,
        *,
        words: str,
        written: tuple[str, ...],
        having: str = "",
        names: tuple[str, ...] = (),
        addresses: tuple[tuple[str, str], ...] = (),
        numbers: tuple[tuple[str, str], ...] = (),
        fragments: tuple[Fragments, ...] = (),
        moment: str = "updated_at",
    ) -> None:
        self.table, self.rows, self.words, self.written, self.having = table, rows, words, tuple(written), having
        self.names, self.addresses, self.numbers = tuple(names), tuple(addresses), tuple(numbers)
        self.fragments, self.moment = tuple(fragments), moment
        self._parents = rows.parents if isinstance(rows, Through) else ()
        self._shares = [owned.shares for _column, _table, owned in self._parents] or [getattr(rows, "shares", "")]

    def deconstruct(self) -> Any:
        kwargs: dict[str, Any] = {"table": self.table, "rows": self.rows}
        for name in ("words", "written", "having", "names", "addresses", "numbers", "fragments", "moment"):
            if getattr(self, name):
                kwargs[name] = getattr(self, name)
        return self.__class__.__name__, [], kwargs

    def describe(self) -> str:
        return f"Search of {self.table}"

    def forward(self) -> list[str]:
        made = self._functions()
        shared = [
            f"GRANT EXECUTE ON FUNCTION {shares}_ids(boolean) TO keel_definer" for shares in self._shares if shares
        ]
        return [
            *made.values(), *shared, *self._handed_over(), *self._dictionary(), self._fill(),
        ]  # fmt: skip

    def backward(self) -> list[str]:
        return [
            f"DROP TRIGGER note_words ON {self.table}",
            *(f"DROP FUNCTION {signature}" for signature in (self._noting, *self._functions())),
        ]

    def again(self) -> SearchedAgain:
        """The operation that makes the functions anew, as they are made now."""
        _name, _args, kwargs = self.deconstruct()
        return SearchedAgain(**kwargs)

    # ------------------------------------------------------------ functions

    def _functions(self) -> dict[str, str]:
        """The SQL of the functions by their signatures."""
        made = {f"{self.table}_worded(tsquery, integer)": self._worded()}
        if self.names or self.addresses or self.numbers:
            made[f"{self.table}_prefixed(text, integer)"] = self._prefixed()
        if self.fragments:
            made[f"{self.table}_fragments(text, integer)"] = self._fragments()
        return made | self._parts()

    def _parts(self) -> dict[str, str]:
        """The SQL of functions that only those others call."""
        has_prefixes = self.names or self.addresses or self.numbers
        return {f"{self.table}_prefixed_few(text, integer)": self._prefixed_few()} if has_prefixes else {}

    def _handed_over(self) -> list[str]:
        """Statements that make all of them the definer's."""
        private = list(self._parts())
        public = [signature for signature in self._functions() if signature not in private]
        # Like a trigger's, they are not for the application to call.
        own = DefinerFunctions(private, [], trigger=True).forward()
        return [*DefinerFunctions(public, self._grants()).forward(), *own]

    def _grants(self) -> list[str]:
        parents = [table for _column, table, _owned in self._parents]
        children = [part.table for part in self.fragments if part.table]
        tables = dict.fromkeys([self.table, *parents, *children, *(shares for shares in self._shares if shares)])
        return [f"SELECT ON {table}" for table in tables]

    def _function(self, name: str, parameters: str, declared: str, body: str, *, plans: str = "custom") -> str:
        """A function that answers found rows; `body` may use who acts and what is shared with them. Its statements are
        planned for the values of each call, or, with `plans` "generic", once."""
        shared = " ".join(f"{shared_ids(n)} uuid[];" for n in range(len(self._shares)))
        return f"""CREATE FUNCTION {self.table}_{name}({parameters})
    RETURNS TABLE (id uuid, exact boolean, own boolean, moment timestamptz, told text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_{plans}_plan
    SET max_parallel_workers_per_gather = 0 AS $$
#variable_conflict use_column
DECLARE
    org uuid := app_org(); me uuid := app_member(); members uuid[] := app_members();
    everything boolean := coalesce(app_reach() = 'all', false);
    {shared}
    {declared}
BEGIN
    IF org IS NULL THEN RETURN; END IF;
    {body}
END $$"""

    def _prefixes(self) -> list[tuple[str, str, str]]:
        """Columns that prefixes are looked up in: with the variable that each is held against, and what is told."""
        told = [(column, "low", f"t.{written}") for column, written in self.addresses]
        told += [(column, "digits", f"t.{written}") for column, written in self.numbers]
        return [*((column, "low", NOTHING) for column in self.names), *told]

    def _beginning(self, rows: str) -> str:
        """SELECT of those of some rows that begin with the text."""
        columns = self._prefixes()
        any_of = " OR ".join(begins(column, low) for column, low, _written in columns)
        exact = " OR ".join(f"t.{column} = {low}" for column, low, _written in columns)
        saying = " ".join(
            f"WHEN {begins(column, low)} THEN {written}" for column, low, written in columns if written != NOTHING
        )
        return f"{self._select(exact, f'CASE {saying} END' if saying else NOTHING)} FROM ({rows}) t WHERE {any_of}"

    def _prefixed(self) -> str:
        branches = [
            f"{self._select(f't.{column} = {low}', written)} {self._live()}"
            f" AND {begins(column, low)} AND {self._sees()} ORDER BY t.{column} LIMIT {PREFIX_WINDOW}"
            for column, low, written in self._prefixes()
        ]
        newest = f"SELECT * {self._live()} AND t.owner_id = me ORDER BY t.updated_at DESC, t.id DESC LIMIT {NEWEST}"
        body = f"""IF low = '' THEN RETURN; END IF;
    IF {self._few(FEW_OWN)} THEN RETURN QUERY SELECT * FROM {self.table}_prefixed_few(sought, most); RETURN; END IF;
    {self._share()}
    {ranked([*branches, self._beginning(newest)])}"""
        return self._function("prefixed", "sought text, most integer", _PREFIX, body)

    def _prefixed_few(self) -> str:
        """For those who own little. Nothing in it depends on values: planning it each time would take longer."""
        rows = [self._beginning(f"SELECT t.* {source} OFFSET 0") for source in self._reached()]
        body = f"{self._share()}\n    {ranked(rows)}"
        return self._function("prefixed_few", "sought text, most integer", _PREFIX, body, plans="generic")

    def _worded(self) -> str:
        text = self.words.format(t="m")
        words = f"keel_word_vector(m.org_id, {text}) @@ query"
        # To take a text apart takes ten times as long as to look for a word in it: for one of all that are sought, or
        # for each of those that may be meant.
        likely = f"CASE WHEN one IS NULL THEN {text} ~ any_of ELSE strpos({text}, one) > 0 END"
        lexemes = "regexp_matches(sought::text, '''.{6}([^'']+)''', 'g')"
        one = f"CASE WHEN strpos(query::text, '|') = 0 THEN {FIRST_WORD} END"
        declared = f"{HITS} sought tsquery := query; any_of text; one text := {one};"
        live = "m.deleted_at IS NULL" + (f" AND {self.having.format(t='m')}" if self.having else "")
        told = f"m.{self.addresses[0][1]}" if self.addresses else NOTHING
        match = Match(self.table, "id", live, words, told, likely)
        prepared = f"any_of := (SELECT string_agg(m[1], '|') FROM {lexemes} m);"
        searched = "query := keel_known_words(query);"
        body = "IF query IS NULL THEN RETURN; END IF;\n    " + self._matching(
            [match], prepared, f"length(one) <= {SHORT}", searched
        )
        return self._function("worded", "query tsquery, most integer", declared, body)

    def _fragments(self) -> str:
        matches, declared = [], [HITS]
        for part in self.fragments:
            column = part.column.format(c="m")
            grams = f"keel_gram_vector(m.org_id, {column}) @@ {part.kind}_grams"
            live = "" if part.table else "m.deleted_at IS NULL AND "
            has = f"({part.kind}_grams IS NOT NULL AND {column} LIKE keel_anywhere({part.kind}_part))"
            matches.append(Match(part.table or self.table, part.key or "id", live + grams, has, f"m.{part.told}"))
        for kind in ("address", "number"):
            declared += [f"{kind}_part text := keel_{kind}_fragment(sought);",
                         f"{kind}_grams tsquery := keel_gram_query({kind}_part);"]  # fmt: skip
        body = "IF address_grams IS NULL AND number_grams IS NULL THEN RETURN; END IF;\n    " + self._matching(matches)
        return self._function("fragments", "sought text, most integer", "\n    ".join(declared), body)

    def _matching(self, matches: list[Match], prepared: str = "", common: str = "", searched: str = "") -> str:
        """Finds by index what matches in the organisation. Few hits, or hits of somebody who sees everything, are taken
        as they are. Of more, what the actor sees is looked for among what they reach, if they own little, else among
        the hits, as many of which are theirs. Where a lot is expected to match (`common`, a condition), those who own
        little are spared the index. `prepared` are statements that rows which are read without it need, `searched` what
        the index needs."""
        everybodys = of_everybody(matches)
        limit = f"LIMIT greatest(most, {WINDOW})"
        exactly = " OR ".join(match.is_of(self.table) for match in matches)
        mine = f"{self._live()} AND {self._sees()} AND t.owner_id = me AND cardinality(hits) > bound AND ({exactly})"
        told = ", ".join(f"(SELECT min({m.told}) {m.of('r.id')})" for m in matches if m.told != NOTHING)
        told = f"CASE WHEN most <= {SHOWN} THEN coalesce({told}) END" if told else NOTHING
        chosen = f"{self._select()} {self._live()} AND t.id = ANY (hits) AND {self._sees()}"
        few = ranked([f"{self._select()} {source} AND ({exactly})" for source in self._reached()], told)
        if self._parents:
            # A text takes longer to take apart than to find: so the two are met in the index.
            reached = " UNION ALL ".join(f"SELECT t.id {source}" for source in self._reached())
            own = " UNION ALL ".join(f"({match.everybodys()} AND m.{match.key} = ANY (hits))" for match in matches)
            few = f"hits := ARRAY({reached}); hits := ARRAY({own});\n    {ranked([chosen], told)}"
        among = f"{self._select()} {self._among(matches)} WHERE {self._where()} AND {self._sees()} {limit}"
        first, ready = "", f"{self._share()} {prepared}"
        if common and not self._parents:  # of what is seen through other records, those who own little may reach a lot
            first = f"IF {common} AND {self._few(FEW_OWN)} THEN {ready} {few} RETURN; END IF;"
        return f"""{first}
    {searched}
    hits := ARRAY(SELECT m.id FROM ({everybodys}) m LIMIT bound + 1);
    IF cardinality(hits) = 0 THEN RETURN; END IF;
    {ready}
    IF everything OR cardinality(hits) <= bound THEN
    {ranked([chosen, f"{self._select()} {mine} {limit}"], told)}
    ELSIF {self._few(FEW)} THEN
    {few}
    ELSE
    {ranked([among], told)}
    END IF;"""

    def _among(self, matches: list[Match]) -> str:
        """FROM of what matches in the organisation, looked up before it is asked who sees it."""
        if len(matches) == 1 and matches[0].table == self.table:
            return f"FROM ({matches[0].everybodys('m.*')} OFFSET 0) t"
        return f"FROM ({of_everybody(matches)} OFFSET 0) m JOIN {self.table} t ON t.id = m.id"

    # ------------------------------------------------------------ rows, and who sees them

    def _share(self) -> str:
        """Statements that find out what is shared with the actor."""
        asked = " ".join(f"{shared_ids(n)} := {shares}_ids(false);" for n, shares in enumerate(self._shares) if shares)
        return f"IF NOT everything THEN {asked} END IF;" if asked else ""

    def _few(self, limit: int) -> str:
        """The condition that the actor does not see everything and owns few rows."""
        own = f"FROM {self.table} t WHERE t.org_id = org AND t.owner_id = ANY (members) AND t.deleted_at IS NULL"
        return f"NOT everything AND (SELECT count(*) FROM (SELECT {own} LIMIT {limit} + 1) own) <= {limit}"

    def _select(self, exact: str = "false", told: str = NOTHING) -> str:
        return f"SELECT t.id, t.owner_id, t.{self.moment} AS moment, {exact} AS exact, {told} AS told"

    def _where(self) -> str:
        """The condition that a row is the organisation's, not in the recycle bin, and has a text."""
        return "t.org_id = org AND t.deleted_at IS NULL" + (f" AND {self.having.format(t='t')}" if self.having else "")

    def _live(self) -> str:
        """FROM and WHERE of such rows."""
        return f"FROM {self.table} t WHERE {self._where()}"

    def _sees(self) -> str:
        """The condition that the actor sees the row, as the policy `visible` says it; and that what it belongs to is
        not in the recycle bin."""
        if not self._parents:
            return f"(everything OR t.owner_id = ANY (members) OR t.id = ANY ({shared_ids(0)}))"
        whens = " ".join(
            f"WHEN t.{column} IS NOT NULL THEN EXISTS (SELECT FROM {table} p WHERE p.id = t.{column}"
            f" AND p.deleted_at IS NULL AND (everything OR t.owner_id = ANY (members) OR p.owner_id = ANY (members)"
            f" OR p.id = ANY ({shared_ids(n)})))"
            for n, (column, table, _owned) in enumerate(self._parents)
        )
        return f"CASE {whens} ELSE everything OR t.owner_id = ANY (members) END"

    def _reached(self) -> list[str]:
        """FROM and WHERE of the rows that an actor sees who does not see everything; each has an index of its own."""
        if not self._parents:
            # Of an array of ids the planner weighs every one.
            shared = f"FROM unnest({shared_ids(0)}) s (id) JOIN {self.table} t ON t.id = s.id WHERE {self._where()}"
            own = "t.owner_id = ANY (members)"
            return [f"{self._live()} AND {own}", *([f"{shared} AND NOT {own}"] if self._shares[0] else [])]
        sources = [f"{self._live()} AND t.owner_id = ANY (members) AND {self._sees()}"]
        for n, (column, table, _owned) in enumerate(self._parents):
            first = "".join(f" AND t.{former} IS NULL" for former, _table, _o in self._parents[:n])
            sources.append(
                f"FROM {self.table} t JOIN {table} p ON p.id = t.{column} WHERE {self._where()}{first}"
                f" AND p.org_id = org AND p.deleted_at IS NULL"
                f" AND (p.owner_id = ANY (members) OR p.id = ANY ({shared_ids(n)}))"
            )
        return sources

    # ------------------------------------------------------------ the dictionary

    @property
    def _noting(self) -> str:
        """The signature of the trigger's function."""
        return f"{self.table}_note_words()"

    def _dictionary(self) -> list[str]:
        """The trigger that writes down new words."""
        function = f"""CREATE FUNCTION {self._noting} RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO crm_searchword (id, org_id, word, created_at)
    SELECT uuidv7(), new.org_id, w.word, now()
      FROM (SELECT DISTINCT word FROM {noted(self.words.format(t="new"))}) w
      LEFT JOIN LATERAL (SELECT true AS known FROM crm_searchword k
                          WHERE k.org_id = new.org_id AND k.word = w.word LIMIT 1) k ON true
     WHERE k.known IS NULL;
    RETURN NULL;
END $$"""
        event = f"AFTER INSERT OR UPDATE OF {', '.join(self.written)} ON {self.table} FOR EACH ROW"
        when = f" WHEN ({self.having.format(t='new')})" if self.having else ""
        trigger = f"CREATE TRIGGER note_words {event}{when} EXECUTE FUNCTION {self._noting}"
        return [function, trigger, *DefinerFunctions([self._noting], [], trigger=True).forward()]

    def _fill(self) -> str:
        """Writes down the words of the rows that are there, one organisation after the other."""
        having = f" AND {self.having.format(t='t')}" if self.having else ""
        return f"""DO $$
DECLARE entered uuid;
BEGIN
    PERFORM set_config('app.reach', 'all', true), set_config('app.write', 'all', true);
    FOR entered IN SELECT keel_due_orgs('all') LOOP
        PERFORM set_config('app.org_id', entered::text, true);
        INSERT INTO crm_searchword (id, org_id, word, created_at)
        SELECT uuidv7(), entered, word, now() FROM (
            SELECT word FROM {self.table} t, {noted(self.words.format(t="t"))} WHERE t.org_id = entered{having}
            EXCEPT SELECT k.word FROM crm_searchword k WHERE k.org_id = entered) new_words;
    END LOOP;
    PERFORM set_config(name, '', true) FROM unnest(ARRAY['app.org_id', 'app.reach', 'app.write']) AS name;
END $$"""


class SearchedAgain(Searchable):
    """The functions and the trigger of a table that is searched already, as they are made now, with the words that the
    trigger would have written; made by `Searchable.again`."""

    def describe(self) -> str:
        return f"Search of {self.table} anew"

    def forward(self) -> list[str]:
        made = self._functions()
        dropped = [f"DROP FUNCTION IF EXISTS {signature}" for signature in made]
        noting = [f"DROP TRIGGER note_words ON {self.table}", f"DROP FUNCTION {self._noting}", *self._dictionary()]
        return [*dropped, *made.values(), *self._handed_over(), *noting, self._fill()]

    def backward(self) -> list[str]:
        return []  # as they were made before is not known any more, and they answer the same


def made_again(*modules: str) -> list[SearchedAgain]:
    """`again` of each operation of some migrations, which are named by their modules."""
    operations = (each for name in modules for each in import_module(name).Migration.operations)
    return [each.again() for each in operations if isinstance(each, Searchable)]
