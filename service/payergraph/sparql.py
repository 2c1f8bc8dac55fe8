r"""The guard: the text of a SPARQL query in, what it wants out, and nothing that would leave this store.

In:  query text as a user sent it.  Out: its `Outline` (form, dataset); `QueryRefusedError` for an update or SERVICE;
     and, for a text that the engine cannot parse, a `QuerySyntaxError` with line and column.

Rules: SPARQL 1.1 Query, section 19 (https://www.w3.org/TR/sparql11-query/#sparqlGrammar). The engine really executes
SERVICE, so a query could reach addresses inside the user's network: three walls stand before that.

1. `examine`: a tokenizer (one regular expression) finds the word, and is not fooled by strings, comments, IRIs,
   variables and prefixed names.
2. `confirm_local`: the engine reads some texts differently from the specification's tokens. It takes `SERVICEex:a {`
   and `service:a {` for SERVICE, and in `(1<2#>"` it sees "less than" and a comment where the tokens are an IRI and
   a string. So, wherever the letters s-e-r-v-i-c-e stand in a text at all, the engine's own parser is asked: it must
   also accept the text with those letters masked, which it does where they are part of a name, string or comment, and
   does not where they are the keyword.
3. The workers that evaluate have no network (see `worker_process`).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from typing import Final, NamedTuple
from urllib.parse import urljoin

from pyoxigraph import Store

from payergraph.errors import QueryRefusedError, QuerySyntaxError

__all__ = ["Form", "Outline", "Token", "confirm_local", "examine", "syntax_error", "tokens"]


class Form(StrEnum):
    """What a query asks for, and with it the family of formats of the answer."""

    SELECT = "SELECT"
    ASK = "ASK"
    CONSTRUCT = "CONSTRUCT"
    DESCRIBE = "DESCRIBE"

    @property
    def gives_graph(self) -> bool:
        """Whether the answer is RDF; otherwise it is rows or a yes or no."""
        return self in (Form.CONSTRUCT, Form.DESCRIBE)


class Token(NamedTuple):
    """A piece of a query that is neither blank nor comment."""

    kind: str
    text: str
    start: int


@dataclass(frozen=True)
class Outline:
    """What a query wants, read from its tokens alone."""

    form: Form | None
    """None where no form was recognised: the engine will say what is wrong."""
    default_graphs: tuple[str, ...]
    """IRIs behind FROM. With several, a triple that two of them state counts once only if they are merged first."""
    named_graphs: tuple[str, ...]
    """IRIs behind FROM NAMED."""
    repeatable: bool
    """Whether the same data give the same answer: no NOW, RAND, UUID, STRUUID or BNODE."""


UPDATE_VERBS: Final = frozenset({"INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD"})
"""Words that begin an update, and that no query has: https://www.w3.org/TR/sparql11-update/."""
_VOLATILE: Final = frozenset({"NOW", "RAND", "UUID", "STRUUID", "BNODE"})
_FORMS: Final = frozenset(Form)

_NAME_START: Final = (
    r"A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f"
    r"\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
"""PN_CHARS_BASE."""
_NAME: Final = rf"{_NAME_START}_0-9\u00b7\u0300-\u036f\u203f-\u2040"
"""What variables are made of; names of prefixes and blank nodes may also hold `-` and, inside, `.`."""
_ESCAPED: Final = r"%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?#@%]"
"""PLX."""
_PREFIX: Final = rf"[{_NAME_START}](?:[{_NAME}.-]*[{_NAME}-])?"
_LOCAL: Final = rf"(?:[{_NAME}:]|{_ESCAPED})(?:(?:[{_NAME}:.-]|{_ESCAPED})*(?:[{_NAME}:-]|{_ESCAPED}))?"

_TOKEN: Final = re.compile(
    rf"""
      (?P<blank>    [ \t\r\n]+ | \#[^\r\n]* )
    | (?P<iri>      <(?:[^<>"{{}}|^`\\\x00-\x20]|\\[uU][0-9A-Fa-f]{{4}})*+> )
    | (?P<string>   \"\"\" (?:[^"\\]|\\.|"(?!""))*+ \"\"\"  |  ''' (?:[^'\\]|\\.|'(?!''))*+ '''
                  | " (?:[^"\\\n\r]|\\.)*+ "  |  ' (?:[^'\\\n\r]|\\.)*+ ' )
    | (?P<variable> [?$] [{_NAME}]+ )
    | (?P<language> @ [A-Za-z]+ (?:-[A-Za-z0-9]+)* )
    | (?P<node>     _: [{_NAME}] (?:[{_NAME}.-]*[{_NAME}-])? )
    | (?P<name>     (?:{_PREFIX})? : (?:{_LOCAL})? )
    | (?P<number>   (?:[0-9]+(?:\.[0-9]*)? | \.[0-9]+) (?:[eE][+-]?[0-9]+)? )
    | (?P<word>     [A-Za-z_][0-9A-Za-z_]* )
    | (?P<sign>     . )
    """,
    re.VERBOSE | re.DOTALL,
)
_LETTERS: Final = re.compile(r"s(?=ervice)", re.IGNORECASE | re.ASCII)
_POSITION: Final = re.compile(r"error at (\d+):(\d+): (?:expected )?(.*)", re.DOTALL)
_MEANINGS: Final = {
    "Prefix not found": "a prefix is used that no PREFIX line declares",
    "IRI parsing failed": "an IRI is malformed, or relative without a BASE",
    "variable that is unbound": "SELECT names a variable that is neither grouped nor aggregated",
}
"""Faults that the engine reports among what it expected: what they mean to the author of the query."""
_LONGEST_KEYWORD: Final = 32
"""Room for the longest keyword that the engine tries (ENCODE_FOR_URI)."""
_SHOWN: Final = 40
"""Characters of the query that an error shows. What the parser expected in their place is not shown: a page of
character classes, in which the one that the author forgot is not to be found."""


def tokens(query: str) -> Iterator[Token]:
    """Give the tokens of a query, without blanks and comments; any text has tokens, a wrong one too.

    >>> [token.text for token in tokens("ASK { ?s a 'SERVICE' } # LOAD")]
    ['ASK', '{', '?s', 'a', "'SERVICE'", '}']
    """
    for match in _TOKEN.finditer(query):
        kind = match.lastgroup
        if kind is not None and kind != "blank":
            yield Token(kind, match.group(), match.start())


@lru_cache(maxsize=256)
def examine(query: str) -> Outline:
    """Return what a query wants, or refuse it: the first wall.

    :raises QueryRefusedError: if it is an update, or calls another service; its text says why

    >>> examine("SELECT * FROM <http://example.org/g> { ?s ?p ?o }").default_graphs
    ('http://example.org/g',)
    """
    found = list(tokens(query))
    form: Form | None = None
    words: set[str] = set()
    clauses: list[int] = []
    depth = 0
    for at, token in enumerate(found):
        if token.kind == "word":
            word = token.text.upper()
            words.add(word)
            _refuse_word(word)
            if depth == 0 and word in _FORMS:
                form = form or Form(word)
            elif depth == 0 and word == "FROM":
                clauses.append(at)
        elif token.kind == "name":
            _refuse_glued_service(found, at, depth)
        elif token.kind == "sign":
            depth += (token.text == "{") - (token.text == "}")
    default_graphs, named_graphs = _dataset(found, clauses) if clauses else ((), ())
    return Outline(form, default_graphs, named_graphs, _VOLATILE.isdisjoint(words))


def _refuse_word(word: str) -> None:
    """Refuse the words that change data or leave this store."""
    if word in UPDATE_VERBS:
        raise QueryRefusedError(
            f"{word} begins an update, and this service only reads. Change the data files and build again."
        )
    if word in ("SERVICE", "SERVICESILENT"):
        raise QueryRefusedError(
            "SERVICE would make this server call another one, so it is refused. "
            "Query the other endpoint yourself and pass what it answers in a VALUES block."
        )


def _refuse_glued_service(found: Sequence[Token], at: int, depth: int) -> None:
    """Refuse `SERVICEex:a {` and `service:a {`: one name by the grammar, SERVICE and a name to the engine."""
    if depth == 0 or not found[at].text.lower().startswith("service"):
        return
    followed = at + 1 < len(found) and found[at + 1].text == "{"
    if followed and found[at - 1].text.upper() != "GRAPH":
        _refuse_word("SERVICE")


def _dataset(found: Sequence[Token], clauses: Sequence[int]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the IRIs behind FROM and behind FROM NAMED."""
    base, prefixes = "", dict[str, str]()
    for at, token in enumerate(found[: clauses[0]]):
        word = token.text.upper() if token.kind == "word" else ""
        if word == "BASE" and found[at + 1].kind == "iri":
            base = _resolve(base, found[at + 1].text[1:-1])
        elif word == "PREFIX" and at + 2 < len(found) and found[at + 2].kind == "iri":
            prefixes[found[at + 1].text.removesuffix(":")] = _resolve(base, found[at + 2].text[1:-1])
    graphs: tuple[list[str], list[str]] = [], []
    for at in clauses:
        named = at + 1 < len(found) and found[at + 1].text.upper() == "NAMED"
        graph = found[at + 1 + named] if at + 1 + named < len(found) else None
        if graph is not None and graph.kind == "iri":
            graphs[named].append(_resolve(base, graph.text[1:-1]))
        elif graph is not None and graph.kind == "name":
            prefix, _, local = graph.text.partition(":")
            graphs[named].append(prefixes.get(prefix, "") + re.sub(r"\\(.)", r"\1", local))
    return tuple(graphs[0]), tuple(graphs[1])


def _resolve(base: str, iri: str) -> str:
    """Resolve an IRI against BASE; `urljoin` alone would lose the empty fragment at the end of many prefixes."""
    return urljoin(base, iri) + "#" * (iri.endswith("#") and base != "")


@cache
def _nothing() -> Store:
    """Return an empty store: what is evaluated on it reads nothing and, masked, calls nobody."""
    return Store()


def confirm_local(query: str) -> None:
    """Make sure that the engine too sees no SERVICE in a text that passed `examine`: the second wall.

    Costs nothing where the letters do not occur, else one parse. Call it where a runaway can be stopped: the engine
    evaluates an ASK at once, though on an empty store.

    :raises QuerySyntaxError: if the text without these letters does not parse
    """
    masked, occurrences = _LETTERS.subn("z", query)
    if not occurrences:
        return
    try:
        _nothing().query(masked)
    except SyntaxError as error:
        refused = syntax_error(error, query)
        raise QuerySyntaxError(
            f"{refused.problem} (SERVICE, if it is meant, is refused here)", line=refused.line, column=refused.column
        ) from error


def syntax_error(error: SyntaxError, query: str = "") -> QuerySyntaxError:
    """Return the engine's syntax error as ours, with line and column, both counted from 1.

    :param query: its text; with it the error names the very token at which the parser stopped

    >>> syntax_error(SyntaxError("error at 1:13: expected OPTIONAL"), "ASK { SELEC * }").detail
    "Line 1, column 7: the parser stopped at 'SELEC'"
    """
    match = _POSITION.match(str(((_padded(query) if query else None) or error).msg))
    if match is None:
        return QuerySyntaxError(str(error.msg))
    line, column, expected = int(match[1]), int(match[2]), match[3]
    meaning = next((meaning for fault, meaning in _MEANINGS.items() if fault in expected), "")
    token = _stopped_at(query, line, column, expected, before=bool(meaning)) if query else None
    if token is None:
        return QuerySyntaxError(meaning or "the text is no SPARQL query", line=line, column=column)
    line = query.count("\n", 0, token.start) + 1
    column = token.start - query.rfind("\n", 0, token.start)
    where = f"the parser stopped at {token.text[:_SHOWN]!r}" if token.text else "the query ends too early"
    return QuerySyntaxError(f"{where}: {meaning}" if meaning else where, line=line, column=column)


def _padded(query: str) -> SyntaxError | None:
    """Return the engine's error for a text with room behind it, and with the letters of SERVICE masked.

    The engine reports how far it read, not where it stopped: behind the keyword that it tried, or the end of the text.
    With room behind the text the keyword always fits, so that `_stopped_at` can take its length off.
    """
    try:
        _nothing().query(_LETTERS.sub("z", query) + "\n" + " " * _LONGEST_KEYWORD)
    except SyntaxError as error:
        return error
    return None


def _stopped_at(query: str, line: int, column: int, expected: str, *, before: bool) -> Token:
    """Return the token at which the parser stopped; an empty one at the end of the text."""
    at = sum(len(text) + 1 for text in query.split("\n")[: line - 1]) + column - 1
    keyword = re.fullmatch(r"(?:one of )?([A-Z][A-Z0-9_]+)(?:, [A-Z][A-Z0-9_]+)*(?:, \[_\])?", expected)
    if keyword is not None:
        at -= len(keyword[1])
    end = Token("end", "", len(query.rstrip()))
    if before:
        return max((token for token in tokens(query) if token.start < at), key=lambda token: token.start, default=end)
    return next((token for token in tokens(query) if token.start + len(token.text) > at), end)
