"""Finding: what a caller typed in, the node that it means out; or what was meant instead.

In:  ids, labels, codes with or without their system.  Out: nodes of the graph; `NotFoundError` with close names.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

import pyoxigraph as ox

from payergraph.errors import NotFoundError, ParameterError
from payergraph.lookups.reading import Reader
from payergraph.lookups.terms import CODES, PAYERS, id_of, kebab, node, text_of
from payergraph.namespaces import BASE, name

__all__ = ["close_names", "code_kind", "find_code", "find_payers", "register_keys", "require"]

_SUGGESTED: Final = 3
_LIKENESS: Final = 0.6
_SHARED: Final = 2
"""First characters that a suggestion shares with what was asked for: codes are too many to compare with each."""


def require(reader: Reader, path: str, curie: str) -> ox.NamedNode | None:
    """The node at a path below the base, if it is an instance of a class; None where it is not."""
    found = node(path)
    return found if found is not None and name(curie).value in reader.classes(found) else None


def close_names(asked: str, names: Iterable[str]) -> list[str]:
    """The names that are most like the one asked for, the likest first; upper and lower case are one."""
    known = {known.casefold(): known for known in sorted(names)}
    return [known[found] for found in get_close_matches(asked.casefold(), known, n=_SUGGESTED, cutoff=_LIKENESS)]


def code_kind(reader: Reader, code: ox.NamedNode) -> str | None:
    """The class of a code as the register states it; None for what is no code."""
    kinds = [kebab(text_of(kind)) for kind in reader.objects(code, "rdf:type", CODES)]
    return kinds[0] if kinds and reader.text(code, "skos:notation", CODES) is not None else None


def find_code(reader: Reader, text: str, *, parameter: str = "code") -> ox.NamedNode:
    """The code that is meant by `cpt:64454`, by its IRI, or by `64454` where one system only has it.

    :raises NotFoundError: if there is none; close ones are suggested
    :raises ParameterError: if several systems have it
    """
    asked = id_of(text)
    system, colon, notation = asked.partition(":")
    if not colon:
        return _only(reader, asked, parameter)
    found = node(f"code/{system}/{notation}")
    if found is None or code_kind(reader, found) is None:
        raise NotFoundError("code", asked, close=_close_codes(reader, system, notation))
    return found


def find_payers(reader: Reader, text: str) -> list[ox.NamedNode]:
    """The payer with this id, IRI or label; for a family, its members.

    :raises NotFoundError: if there is none; close ids are suggested
    """
    asked = id_of(text)
    if payer := require(reader, f"payer/{asked}", "pg:Payer"):
        return [payer]
    labels = {asked.casefold(): family} if (family := require(reader, f"family/{asked}", "pg:PayerFamily")) else {}
    ids = []
    for curie in ("pg:PayerFamily", "pg:Payer"):
        for found in reader.subjects("rdf:type", name(curie), PAYERS):
            ids.append(id_of(found.value))
            names = (*reader.objects(found, "skos:prefLabel"), *reader.objects(found, "skos:altLabel"))
            labels |= {text_of(label).casefold(): found for label in names}
    meant = labels.get(asked.casefold())
    if meant is None:
        raise NotFoundError("payer", text, close=close_names(asked, ids) or close_names(asked, labels))
    return reader.subjects("pg:family", meant, PAYERS) if "family/" in meant.value else [meant]


def register_keys(reader: Reader) -> list[str]:
    """The first parts of the ids of codes, such as those of `…/code/<key>/…`, in order."""
    start = f"{BASE}code/"
    codes = (code for code, _ in reader.pairs("skos:notation", CODES))
    return sorted({code.value.removeprefix(start).partition("/")[0] for code in codes})


def _only(reader: Reader, notation: str, parameter: str) -> ox.NamedNode:
    found = reader.subjects("skos:notation", ox.Literal(notation), CODES)
    if len(found) > 1:
        raise ParameterError(parameter, f"several systems have {notation!r}", allowed=[id_of(c.value) for c in found])
    if not found:
        raise NotFoundError("code", notation, close=_close_codes(reader, "", notation))
    return found[0]


def _close_codes(reader: Reader, system: str, notation: str) -> list[str]:
    """Ids of codes like the one asked for: the same notation elsewhere, else notations that start alike."""
    elsewhere = [id_of(code.value) for code in reader.subjects("skos:notation", ox.Literal(notation.upper()), CODES)]
    if elsewhere:
        return elsewhere[:_SUGGESTED]
    start = notation[:_SHARED].upper()
    ids = {
        text_of(known): id_of(code.value)
        for code, known in reader.pairs("skos:notation", CODES)
        if text_of(known).startswith(start) and id_of(code.value).startswith(f"{system}:" if system else "")
    }
    return [ids[found] for found in close_names(notation, ids)]
