"""Short names: the prefixes of a file in, the shortest safe way to write each IRI out.

In:  the prefixes that a file declares and the documents whose statements it holds.
Out: `Names`, which abbreviates IRIs and knows which prefixes were used.

Ours come first, under the names and in the order of `namespaces.PREFIXES`; a file cannot give those names another
meaning, nor those namespaces another name. Then come the file's own. A document that is a graph of the file and has
fragments gets a prefix of its own if the file declares none: `s` and the last part of its IRI, every run of other
characters than letters and digits being one `-` (`s2024-01-03`, `s-undated-1`); where that name is taken, the part
before it is put in front (`sSURG-00142-2024-01-03`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from payergraph.formatting.reading_order import natural
from payergraph.namespaces import BASE, PREFIXES

__all__ = ["Names", "choose_prefixes", "relative"]

_LOCAL: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?")
"""Local names that need no escape in any Turtle parser; a subset of PN_LOCAL (Turtle, section 6.5)."""

_RELATIVE: Final = re.compile(r"(?!/)[^:/?#]*(?:[/?#].*)?")
"""What may follow the base: neither an absolute path nor a first segment that would read as a scheme."""

_DOT_SEGMENT: Final = re.compile(r"(?:^|/)\.{1,2}(?:[/?#]|$)")
"""What a parser removes when it resolves a relative IRI (RFC 3986, section 5.2.4)."""


class Names:
    """Abbreviates IRIs with the prefixes of one file."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self._prefixes = prefixes
        self._by_namespace = {namespace: name for name, namespace in prefixes.items()}
        self._used: set[str] = set()
        self._short: dict[str, str] = {}

    def short(self, iri: str) -> str:
        """Return the IRI as a prefixed name, else relative to the base, else in full."""
        if iri not in self._short:
            self._short[iri] = self._prefixed(iri) or relative(iri)
        return self._short[iri]

    def declarations(self) -> Iterator[str]:
        """Yield the head of the file: its base and the prefixes that were used so far."""
        yield f"@base <{BASE}> ."
        for name, namespace in self._prefixes.items():
            if name in self._used:
                yield f"@prefix {name}: {relative(namespace)} ."

    def _prefixed(self, iri: str) -> str | None:
        cut = max(iri.rfind("#"), iri.rfind("/")) + 1 or iri.rfind(":") + 1
        name = self._by_namespace.get(iri[:cut])
        if name is None or not _LOCAL.fullmatch(iri, cut):
            return None
        self._used.add(name)
        return f"{name}:{iri[cut:]}"


def relative(iri: str) -> str:
    """Return the IRI in angle brackets, relative to the base where every parser resolves that back.

    >>> relative("https://w3id.org/payergraph/policy/")
    '<policy/>'
    """
    rest = iri.removeprefix(BASE)
    if rest and rest != iri and _RELATIVE.fullmatch(rest) and not _DOT_SEGMENT.search(rest):
        return f"<{rest}>"
    return f"<{iri}>"


def choose_prefixes(declared: Mapping[str, str], documents: Iterable[str]) -> dict[str, str]:
    """Return the prefixes that a file may use, in the order in which it declares them.

    :param declared: the prefixes that the file declares now
    :param documents: IRIs of the documents whose fragments the file holds
    """
    known = set(PREFIXES.values())
    own: dict[str, str] = {}
    for name, namespace in sorted(declared.items()):
        if name not in PREFIXES and namespace not in known:
            own[name] = namespace
            known.add(namespace)
    for document in sorted(documents, key=natural):
        if f"{document}#" not in known:
            own[_document_prefix(document, {*PREFIXES, *own})] = f"{document}#"
    return PREFIXES | dict(sorted(own.items(), key=lambda item: natural(item[1])))


def _document_prefix(document: str, taken: set[str]) -> str:
    parts = [part for part in document.removeprefix(BASE).split("/") if part] or [""]
    names = ["s" + re.sub(r"[^A-Za-z0-9]+", "-", "-".join(parts[start:])) for start in range(len(parts) - 1, -1, -1)]
    names += [f"{names[-1]}-{number}" for number in range(2, len(taken) + 3)]
    return next(name for name in names if name not in taken)
