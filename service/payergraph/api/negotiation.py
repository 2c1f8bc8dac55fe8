"""Content negotiation: what a client accepts in, the format that it gets out.

In:  an `Accept` header, or the suffix of a path, which beats it; and the formats that a route offers, best first.
Out: one of these formats; `NotAcceptableError` lists them when none fits.

Rules: RFC 9110, section 12.5.1 (https://www.rfc-editor.org/rfc/rfc9110#name-accept). Written here because neither the
standard library nor Starlette has it, and werkzeug, which does, would be a second web framework.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from payergraph.errors import NotAcceptableError, NotFoundError

__all__ = ["GRAPH_FORMATS", "RESULT_FORMATS", "Format", "engine_type", "is_browser", "negotiate"]


class Format(NamedTuple):
    """A format that a route offers."""

    media_type: str
    suffix: str
    """Without its dot. Several media types may share one: the first is what the suffix gives."""

    @property
    def content_type(self) -> str:
        """The header for it: text says that it is UTF-8."""
        return f"{self.media_type}; charset=utf-8" if self.media_type.startswith("text/") else self.media_type


RESULT_FORMATS: Final = (
    Format("application/sparql-results+json", "json"),
    Format("application/json", "json"),
    Format("application/sparql-results+xml", "xml"),
    Format("application/xml", "xml"),
    Format("text/csv", "csv"),
    Format("text/tab-separated-values", "tsv"),
)
"""For the rows of SELECT and the yes or no of ASK."""
GRAPH_FORMATS: Final = (
    Format("text/turtle", "ttl"),
    Format("application/n-triples", "nt"),
    Format("application/rdf+xml", "rdf"),
    Format("application/ld+json", "jsonld"),
    Format("application/trig", "trig"),
    Format("application/n-quads", "nq"),
    Format("application/json", "jsonld"),
    Format("application/xml", "rdf"),
)
"""For RDF; the last two are what programs ask for that know no RDF type."""
HTML: Final = Format("text/html", "html")

_RANGE: Final = re.compile(
    r"""\s*(?P<type>[\w!#$&^.+*-]+)/(?P<subtype>[\w!#$&^.+*-]+)(?P<parameters>(?:\s*;\s*[\w!#$&^.+*-]+
        (?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"]*))?)*)\s*(?:,|$)""",
    re.VERBOSE,
)
_PARAMETER: Final = re.compile(r';\s*(?P<name>[^\s;=]+)\s*(?:=\s*(?P<value>"(?:[^"\\]|\\.)*"|[^\s;,"]*))?')
_ABOUT_NOTHING: Final = frozenset({"charset", "profile", "header", "version"})
"""Parameters that change nothing here: all text is UTF-8, and no format has two shapes."""


class _Range(NamedTuple):
    type: str
    subtype: str
    parameters: frozenset[tuple[str, str]]
    quality: float

    def specificity(self, media_type: str) -> int:
        """How exactly it names a media type: 0 not at all, 1 `*/*`, 2 `type/*`, 3 the type, more with parameters."""
        kind, _, subtype = media_type.partition("/")
        if self.parameters:
            return 0  # none of ours has any
        if self.type == "*" and self.subtype == "*":
            return 1
        if self.type != kind:
            return 0
        return 2 if self.subtype == "*" else 3 if self.subtype == subtype else 0


def negotiate(accept: str | None, offered: Sequence[Format], *, suffix: str | None = None) -> Format:
    """Return the format that a client gets.

    The highest quality wins, where the most exact range that names a format gives its quality; among equals the
    format that is offered first. No header, or one that does not parse, accepts everything.

    :param suffix: of the path, without its dot; beats the header
    :raises NotAcceptableError: if no format that the header accepts is offered
    :raises NotFoundError: if no format has this suffix

    >>> negotiate("text/turtle;q=0.5, application/*", GRAPH_FORMATS).suffix
    'nt'
    """
    if suffix is not None:
        for offer in offered:
            if offer.suffix == suffix:
                return offer
        raise NotFoundError("format", f".{suffix}", close=[f".{offer.suffix}" for offer in offered])
    found = _best(accept or "*/*", tuple(offered))
    if found is None:
        raise NotAcceptableError(accept or "*/*", [offer.media_type for offer in offered])
    return found


def engine_type(chosen: Format, offered: Sequence[Format]) -> str:
    """The media type under which the engine knows a format: the first of those offered with its suffix.

    >>> engine_type(Format("application/json", "json"), RESULT_FORMATS)
    'application/sparql-results+json'
    """
    return next(offer.media_type for offer in offered if offer.suffix == chosen.suffix)


def is_browser(headers: Mapping[str, str]) -> bool:
    """Tell whether a client would rather have a page than data: it accepts HTML more than any RDF or JSON.

    >>> is_browser({"accept": "text/html,application/xml;q=0.9,*/*;q=0.8"}), is_browser({"accept": "*/*"})
    (True, False)
    """
    accept = headers.get("accept", "*/*")
    return _best(accept, (*GRAPH_FORMATS, *RESULT_FORMATS, HTML)) == HTML


@lru_cache(maxsize=512)
def _best(accept: str, offered: tuple[Format, ...]) -> Format | None:
    ranges = list(_ranges(accept)) or [_Range("*", "*", frozenset(), 1.0)]
    best, best_quality = None, 0.0
    for offer in offered:
        exactness, quality = 0, 0.0
        for candidate in ranges:
            specificity = candidate.specificity(offer.media_type)
            if specificity > exactness:
                exactness, quality = specificity, candidate.quality
        if quality > best_quality:
            best, best_quality = offer, quality
    return best


def _ranges(accept: str) -> Iterator[_Range]:
    """Give the media ranges of a header; what does not parse is passed over."""
    at = 0
    while at < len(accept):
        match = _RANGE.match(accept, at)
        if match is None:
            at = accept.find(",", at) + 1 or len(accept)
            continue
        at = match.end()
        quality, parameters = 1.0, set[tuple[str, str]]()
        for parameter in _PARAMETER.finditer(match["parameters"]):
            name, value = parameter["name"].lower(), (parameter["value"] or "").strip('"')
            if name == "q":
                quality = _quality(value)
                break  # what follows are extensions of the header, not of the media type
            if name not in _ABOUT_NOTHING:
                parameters.add((name, value))
        yield _Range(match["type"].lower(), match["subtype"].lower(), frozenset(parameters), quality)


def _quality(value: str) -> float:
    """Return a weight between 0 and 1; 0 for what is none, so that a broken weight never wins."""
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0
