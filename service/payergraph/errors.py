"""What can go wrong, as one tree: each error carries its facts, its HTTP status and its exit code.

PayergraphError
├── CallError                 the call was wrong: exit code 2
│   ├── ParameterError        a parameter that is unknown, missing or of the wrong type (400)
│   ├── NotFoundError         no such query, code, payer, policy or page (404)
│   ├── QuerySyntaxError      SPARQL that does not parse, with its position (400)
│   ├── QueryRefusedError     update, SERVICE or LOAD: this service only reads (403)
│   ├── NotAcceptableError    no representation that the client accepts (406)
│   ├── BodyTooLargeError     a request body over the limit (413)
│   └── UnsupportedMediaTypeError   a body in a format that is not read here (415)
├── DataError                 the data fell short: exit code 1
│   ├── SourceSyntaxError     a file that does not parse, with file and line
│   ├── InvalidDataError      SHACL violations: the report is attached
│   └── StoreError            no snapshot, a broken one, or one that another build holds
└── LimitError                a limit of the service was reached (503, Retry-After)

The rooms raise these; `api.problems` turns them into RFC 9457 bodies and `cli` into exit codes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from payergraph.validation import Report

__all__ = [
    "BodyTooLargeError",
    "CallError",
    "DataError",
    "InvalidDataError",
    "LimitError",
    "NotAcceptableError",
    "NotFoundError",
    "ParameterError",
    "PayergraphError",
    "QueryRefusedError",
    "QuerySyntaxError",
    "SourceSyntaxError",
    "StoreError",
    "UnsupportedMediaTypeError",
]


class PayergraphError(Exception):
    """Anything that payergraph reports to the person who called it."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    exit_code: ClassVar[int] = 1

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    @property
    def members(self) -> Mapping[str, object]:
        """The facts of the error beside its `detail`: members of the problem body, by name."""
        return {}


class CallError(PayergraphError):
    """The call was wrong: the caller can mend it."""

    status = 400
    title = "Bad request"
    exit_code = 2


class ParameterError(CallError):
    """A parameter that is unknown, missing, or of the wrong type."""

    title = "Wrong parameter"

    def __init__(self, parameter: str, problem: str, *, allowed: Sequence[str] = ()) -> None:
        choices = f" Use one of: {', '.join(allowed)}." if allowed else ""
        super().__init__(f"Parameter {parameter!r}: {problem}.{choices}")
        self.parameter = parameter
        self.allowed = tuple(allowed)

    @property
    def members(self) -> Mapping[str, object]:
        """The parameter and, where they are a closed set, its allowed values."""
        return {"parameter": self.parameter, "allowed": list(self.allowed)}


class NotFoundError(CallError):
    """Nothing by that name is in the graph, or no such page."""

    status = 404
    title = "Not found"

    def __init__(self, what: str, name: str, *, close: Sequence[str] = ()) -> None:
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        super().__init__(f"There is no {what} {name!r} here.{hint}")
        self.close = tuple(close)

    @property
    def members(self) -> Mapping[str, object]:
        """Names that are close to the one asked for."""
        return {"did_you_mean": list(self.close)}


class QuerySyntaxError(CallError):
    """SPARQL that does not parse."""

    title = "SPARQL syntax error"

    def __init__(self, problem: str, *, line: int | None = None, column: int | None = None) -> None:
        where = f"Line {line}, column {column}: " if line is not None else ""
        super().__init__(f"{where}{problem}")
        self.problem = problem
        self.line = line
        self.column = column

    @property
    def members(self) -> Mapping[str, object]:
        """Where in the query text the parser stopped, both counted from 1."""
        return {"line": self.line, "column": self.column}


class QueryRefusedError(CallError):
    """An update, SERVICE or LOAD: this service only reads its own graph."""

    status = 403
    title = "Query refused"


class NotAcceptableError(CallError):
    """None of the formats that the client accepts is served here."""

    status = 406
    title = "Not acceptable"

    def __init__(self, accept: str, offered: Sequence[str]) -> None:
        super().__init__(f"No format here matches Accept: {accept}. Ask for one of: {', '.join(offered)}.")
        self.offered = tuple(offered)

    @property
    def members(self) -> Mapping[str, object]:
        """The media types that are served here."""
        return {"offered": list(self.offered)}


class BodyTooLargeError(CallError):
    """A request body over the limit."""

    status = 413
    title = "Body too large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than {limit} bytes. Send less at once, or raise PAYERGRAPH_BODY_BYTES.")
        self.limit = limit

    @property
    def members(self) -> Mapping[str, object]:
        """The limit, in bytes."""
        return {"limit": self.limit}


class UnsupportedMediaTypeError(CallError):
    """A request body in a format that is not read here."""

    status = 415
    title = "Unsupported media type"

    def __init__(self, media_type: str, accepted: Sequence[str]) -> None:
        choices = ", ".join(accepted)
        super().__init__(f"A body of type {media_type or 'unknown'!r} is not read here. Send one of: {choices}.")
        self.accepted = tuple(accepted)

    @property
    def members(self) -> Mapping[str, object]:
        """The media types that are read here."""
        return {"accepted": list(self.accepted)}


class DataError(PayergraphError):
    """The data fell short of what must hold."""

    status = 422
    title = "Data error"


class SourceSyntaxError(DataError):
    """A file or body that does not parse."""

    title = "Syntax error"

    def __init__(self, path: Path | str, problem: str, *, line: int | None = None, column: int | None = None) -> None:
        where = f", line {line}" if line is not None else ""
        super().__init__(f"{path}{where}: {problem}")
        self.path = str(path)
        self.line = line
        self.column = column

    @property
    def members(self) -> Mapping[str, object]:
        """The file or body, and where in it the parser stopped, counted from 1."""
        return {"path": self.path, "line": self.line, "column": self.column}


class InvalidDataError(DataError):
    """Data with SHACL violations: nothing was loaded."""

    title = "Invalid data"

    def __init__(self, report: "Report") -> None:
        super().__init__(f"{len(report.violations)} violations. Nothing was switched: mend the data and build again.")
        self.report = report


class StoreError(DataError):
    """A store that cannot be used: no snapshot, a broken one, or one that another build holds."""

    status = 503
    title = "Store not ready"


class LimitError(PayergraphError):
    """A limit of the service was reached; the same call may succeed later."""

    status = 503
    title = "Limit reached"

    def __init__(self, detail: str, *, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        """Seconds after which to try again."""

    @property
    def members(self) -> Mapping[str, object]:
        """Seconds after which the same call may succeed."""
        return {"retry_after": self.retry_after}
