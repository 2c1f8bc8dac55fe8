"""Named queries: `.rq` files in, typed questions out.

In:  a folder of query files. The header of a file is YAML behind `#+ ` (the grlc convention), so that the file is
     plain SPARQL to every client; each parameter is an ordinary variable with an example value in a block of its
     own, `VALUES ?name { … }`, so that the file runs as it stands.
Out: `NamedQuery`: its documentation, and `bind`, which puts terms in place of the example values. Terms are
     serialised by the RDF library; a caller's text never becomes part of a query.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, get_args

import pyoxigraph as ox
import yaml

from payergraph.errors import NotFoundError, ParameterError, SourceSyntaxError
from payergraph.namespaces import BASE, PREFIXES, QUERY_GRAPH
from payergraph.resources import QUERIES

__all__ = [
    "NamedQuery",
    "Parameter",
    "describe",
    "find",
    "load_queries",
    "named",
    "read_header",
    "shipped_queries",
    "to_iri",
]

MARK: Final = "#+ "
"""What starts a header line: a comment to SPARQL, so every client runs the file as it is."""

Kind = Literal["iri", "date", "string", "integer", "boolean"]

_XSD: Final = PREFIXES["xsd"]
_VALUES: Final = re.compile(r"VALUES\s+\?(?P<name>\w+)\s*\{[^}]*\}")
_UNBOUND: Final = "UNDEF"
_FORM: Final = re.compile(r"^\s*(SELECT|ASK|CONSTRUCT|DESCRIBE)\b", re.MULTILINE)


@dataclass(frozen=True)
class Parameter:
    """What a query may be asked with."""

    name: str
    kind: Kind
    description: str
    required: bool = False
    default: str | None = None
    """`today`, or the lexical form of a value; None leaves the variable free."""

    def parse(self, value: str) -> ox.NamedNode | ox.Literal:
        """Return the term of a caller's text.

        :raises ParameterError: if the text is not of the parameter's kind
        """
        text = value.strip()
        if self.kind == "iri":
            return ox.NamedNode(to_iri(text, parameter=self.name))
        if self.kind == "date":
            return ox.Literal(_date(self.name, text), datatype=ox.NamedNode(f"{_XSD}date"))
        if self.kind == "string":
            return ox.Literal(value)
        pattern = r"[+-]?[0-9]+" if self.kind == "integer" else "true|false"
        if not re.fullmatch(pattern, text):
            raise ParameterError(self.name, f"{value!r} is no {self.kind}")
        return ox.Literal(text, datatype=ox.NamedNode(f"{_XSD}{self.kind}"))


@dataclass(frozen=True)
class NamedQuery:
    """A question with a name: documentation, parameters and text."""

    name: str
    summary: str
    description: str
    tags: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    text: str

    @property
    def form(self) -> str:
        """SELECT, ASK, CONSTRUCT or DESCRIBE."""
        match = _FORM.search(self.text)
        assert match, self.name  # noqa: S101 - load_queries has looked
        return match[1]

    def bind(self, values: Mapping[str, Sequence[str]], *, today: date | None = None) -> str:
        """Return the query text with a caller's values in place of the example values.

        :param values: texts by parameter name; several texts for one parameter mean any of them
        :param today: what `today` stands for; default the current day
        :raises ParameterError: for an unknown parameter, a missing one, or a value of the wrong kind
        """
        names = [parameter.name for parameter in self.parameters]
        for name in values:
            if name not in names:
                raise ParameterError(name, f"query {self.name!r} has no such parameter", allowed=names)
        rows = {
            parameter.name: self._row(parameter, values.get(parameter.name, ()), today) for parameter in self.parameters
        }

        def block(match: re.Match[str]) -> str:
            name = match["name"]
            return f"VALUES ?{name} {{ {rows[name]} }}" if name in rows else match[0]

        return _VALUES.sub(block, self.text)

    def _row(self, parameter: Parameter, texts: Sequence[str], today: date | None) -> str:
        if texts:
            return " ".join(str(parameter.parse(text)) for text in texts)
        if parameter.default is not None:
            default = (today or date.today()).isoformat() if parameter.default == "today" else parameter.default
            return str(parameter.parse(default))
        if parameter.required:
            raise ParameterError(parameter.name, f"query {self.name!r} needs it: {parameter.description}")
        return _UNBOUND


def load_queries(folder: Path = QUERIES) -> dict[str, NamedQuery]:
    """Return the queries of a folder by name, in the order of their names.

    :raises SourceSyntaxError: if a file has no good header, or a parameter no `VALUES` block
    """
    files = sorted(folder.rglob("*.rq"))
    return {path.stem: named(path.read_text(encoding="utf-8"), source=str(path)) for path in files}


@cache
def shipped_queries() -> Mapping[str, NamedQuery]:
    """The shipped queries, read once by a process that serves them."""
    return load_queries()


def find(queries: Mapping[str, NamedQuery], name: str) -> NamedQuery:
    """Return the query of that name.

    :raises NotFoundError: if there is none; names that are close are suggested
    """
    if name not in queries:
        raise NotFoundError("query", name, close=get_close_matches(name, queries, n=3))
    return queries[name]


def read_header(text: str, *, source: str = "<query>") -> dict[str, Any]:
    r"""Return the header of a query file; empty where there is none.

    :raises SourceSyntaxError: if the lines behind `#+ ` are no YAML mapping

    >>> read_header("#+ summary: Who covers it?\nASK {}")
    {'summary': 'Who covers it?'}
    """
    lines = [line.removeprefix(MARK.rstrip()).removeprefix(" ") for line in text.splitlines() if line.startswith("#+")]
    try:
        header = yaml.safe_load("\n".join(lines)) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise SourceSyntaxError(source, f"the header is no YAML: {error}", line=mark.line + 1 if mark else 1) from error
    if not isinstance(header, dict):
        raise SourceSyntaxError(source, "the header is no mapping. Write `#+ key: value`.", line=1)
    return header


def to_iri(text: str, *, parameter: str = "iri") -> str:
    """Return the IRI that a text stands for: an IRI, a name with one of our prefixes, or a path of ours.

    :raises ParameterError: if it is none of these

    >>> to_iri("cpt:64454") == to_iri("code/cpt/64454") == "https://w3id.org/payergraph/code/cpt/64454"
    True
    """
    prefix, colon, local = text.partition(":")
    if colon and not local.startswith("//") and prefix in PREFIXES:
        text = PREFIXES[prefix] + local
    elif "://" not in text and "/" in text:
        text = BASE + text
    try:
        return ox.NamedNode(text).value
    except ValueError as error:
        problem = f"{text!r} is no IRI. Write it in full, or with a prefix, as in cpt:64454"
        raise ParameterError(parameter, problem) from error


def describe(queries: Mapping[str, NamedQuery]) -> Iterator[ox.Quad]:
    """Yield the queries as RDF: SHACL executables in the vocabulary of the SIB SPARQL examples."""
    graph = ox.NamedNode(QUERY_GRAPH)
    for query in queries.values():
        node = ox.NamedNode(f"{QUERY_GRAPH}{query.name}")
        for predicate, term in _description(query):
            yield ox.Quad(node, ox.NamedNode(predicate), term, graph)


def _description(query: NamedQuery) -> Iterator[tuple[str, ox.NamedNode | ox.Literal]]:
    rdf, rdfs, sh, schema = (PREFIXES[prefix] for prefix in ("rdf", "rdfs", "sh", "schema"))
    form = query.form.title()
    yield f"{rdf}type", ox.NamedNode(f"{sh}SPARQLExecutable")
    yield f"{rdf}type", ox.NamedNode(f"{sh}SPARQL{form}Executable")
    yield f"{rdfs}label", ox.Literal(query.summary, language="en")
    if query.description:
        yield f"{rdfs}comment", ox.Literal(query.description, language="en")
    yield f"{sh}{query.form.lower()}", ox.Literal(query.text)
    for tag in query.tags:
        yield f"{schema}keywords", ox.Literal(tag)
    yield f"{schema}target", ox.NamedNode(f"{BASE}sparql")


def named(text: str, *, source: str) -> NamedQuery:
    """Return the query of a text with a header, such as a user's own file.

    :param source: the name under which errors speak of it
    :raises SourceSyntaxError: if it has no good header, or a parameter no `VALUES` block
    """
    path = Path(source)
    header = read_header(text, source=source)
    if not header.get("summary"):
        raise SourceSyntaxError(path, "a query needs a header with a summary. Write `#+ summary: …`.", line=1)
    if not _FORM.search(text):
        raise SourceSyntaxError(path, "no SELECT, ASK, CONSTRUCT or DESCRIBE at the start of a line", line=1)
    blocks = {match["name"] for match in _VALUES.finditer(text)}
    parameters = tuple(_parameter(path, name, facts) for name, facts in (header.get("parameters") or {}).items())
    for parameter in parameters:
        if parameter.name not in blocks:
            raise SourceSyntaxError(path, f"no block `VALUES ?{parameter.name} {{ … }}` for its parameter", line=1)
    return NamedQuery(
        name=path.stem,
        summary=str(header["summary"]).strip(),
        description=str(header.get("description", "")).strip(),
        tags=tuple(header.get("tags", ())),
        parameters=parameters,
        text=text,
    )


def _parameter(path: Path, name: str, facts: Mapping[str, Any]) -> Parameter:
    kind = facts.get("type", "iri")
    if kind not in get_args(Kind):
        raise SourceSyntaxError(
            path, f"parameter {name!r} has type {kind!r}; use one of {', '.join(get_args(Kind))}", line=1
        )
    default = facts.get("default")
    return Parameter(
        name=name,
        kind=kind,
        description=str(facts.get("description", "")),
        required=bool(facts.get("required", False)),
        default=None if default is None else str(default),
    )


def _date(parameter: str, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ParameterError(parameter, f"{text!r} is no date. Write it as 2026-01-31") from error
