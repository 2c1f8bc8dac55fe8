"""The pages for people: a request in, HTML out; what programs get is made elsewhere.

In:  the request, and from its application's state the running `service` and the `named_queries`, where they are.
Out: the start page, the query page and the page of a problem. They load nothing from any other host, and a content
     security policy holds the browser to that.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final, Protocol

from fastapi import APIRouter, FastAPI
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from payergraph.namespaces import PREFIXES
from payergraph.queries import MARK, shipped_queries
from payergraph.store.manifest import Manifest

__all__ = ["home_page", "mount_static", "problem_page", "query_page", "router"]

_HERE: Final = Path(__file__).parent
_SECURITY: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""What a page may load: its own host. The editor sets styles of elements, hence `unsafe-inline` for those."""
_LINKS: Final = (
    '</openapi.json>; rel="service-desc"; type="application/vnd.oai.openapi+json", </docs>; rel="service-doc"'
)
_OTHER: Final = "other"
"""The heading of questions without a tag."""

router = APIRouter(include_in_schema=False)


class Question(Protocol):
    """What the pages show of a named query."""

    @property
    def name(self) -> str:
        """Its name in addresses."""

    @property
    def summary(self) -> str:
        """The question in words."""

    @property
    def text(self) -> str:
        """The question in SPARQL."""


@router.api_route("/", methods=["GET", "HEAD"])
async def _home(request: Request) -> Response:
    return home_page(request)


def mount_static(app: FastAPI) -> None:
    """Serve the style sheet, the icon and the query editor below `/static`."""
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")


def home_page(request: Request) -> HTMLResponse:
    """Return the start page: what this is, how much it holds, and what can be asked."""
    questions = _questions(request)
    page = _render(request, "home.html", "/", groups=_by_tag(questions), count=len(questions))
    page.headers["Link"] = _LINKS
    return page


def query_page(request: Request) -> HTMLResponse:
    """Return the SPARQL editor, with our prefixes and the named queries as examples."""
    groups = _by_tag(_questions(request))
    examples = [question for _, group in groups for question in group]
    root = _root(request)
    settings = {
        "endpoint": f"{root}/sparql",
        "prefixes": PREFIXES,
        "examples": [{"name": question.name, "text": _editable(question)} for question in examples],
    }
    address = str(request.url.replace(path=settings["endpoint"], query="", fragment=""))
    return _render(request, "query.html", "/sparql", groups=groups, settings=settings, address=address)


def problem_page(request: Request, problem: Mapping[str, object]) -> HTMLResponse:
    """Return the page for an error.

    :param problem: an RFC 9457 body: `title`, `status`, `detail`, and where known `instance` and `did_you_mean`
    """
    shown = {"title": "Error", "status": 500, "detail": "", "instance": ""} | dict(problem)
    page = _render(request, "problem.html", "", problem=shown, close=problem.get("did_you_mean") or ())
    page.status_code = int(str(shown["status"]))
    return page


@cache
def _templates() -> Environment:
    loader = FileSystemLoader(_HERE / "templates")
    return Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def _render(request: Request, template: str, here: str, **values: object) -> HTMLResponse:
    text = (
        _templates()
        .get_template(template)
        .render(root=_root(request), here=here, manifest=_manifest(request), **values)
    )
    return HTMLResponse(text, headers=_SECURITY)


def _root(request: Request) -> str:
    """Return the path below which a proxy serves this application; mostly none."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def _manifest(request: Request) -> Manifest | None:
    service = getattr(request.app.state, "service", None)
    return service.snapshot.manifest if service is not None else None


def _questions(request: Request) -> Sequence[Question]:
    """Return the questions of the application; where it has none of its own, the shipped ones."""
    own: Iterable[Question] | Mapping[str, Question] | None = getattr(request.app.state, "named_queries", None)
    if own is None:
        return tuple(shipped_queries().values())
    return tuple(own.values() if isinstance(own, Mapping) else own)


def _editable(question: Question) -> str:
    """Return the text of a question without the header that documents it: its summary stays as a comment."""
    lines = (line for line in question.text.splitlines() if not line.startswith(MARK.rstrip()))
    return "\n".join([f"# {question.summary}", *lines]) + "\n"


def _by_tag(questions: Iterable[Question]) -> list[tuple[str, list[Question]]]:
    """Group questions by their first tag, the largest group first."""
    groups: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        tags: Sequence[str] = getattr(question, "tags", ()) or (_OTHER,)
        groups[tags[0].capitalize()].append(question)
    return sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
