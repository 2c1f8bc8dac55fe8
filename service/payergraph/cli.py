"""The command line: words in, the rooms' functions called, their answers on standard output.

Answers go to standard output, all talk and the progress bar to standard error. Exit codes: 0 done, 1 the data fell
short, 2 the call was wrong. What only one command needs is imported in it: pySHACL and FastAPI take half a second each,
which `payergraph query` need not wait for.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, TypeVar

import pyoxigraph as ox
import typer
from pydantic import ValidationError
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from payergraph import exports
from payergraph.errors import InvalidDataError, NotFoundError, ParameterError, PayergraphError, StoreError
from payergraph.namespaces import PREFIXES, shorten
from payergraph.queries import find, load_queries, named
from payergraph.resources import DATA, VOCABULARIES
from payergraph.settings import Settings
from payergraph.sources import find_files, read
from payergraph.sparql import confirm_local, examine, syntax_error
from payergraph.store import open_current

__all__ = ["app", "main"]

app = typer.Typer(
    name="payergraph",
    help="The open payer policy knowledge graph. Exit codes: 0 done, 1 the data fell short, 2 the call was wrong.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_talk = Console(stderr=True)

_WIDE: Final = 10_000
"""The width of a table that goes to a file: nothing is cut."""

T = TypeVar("T")
Results = ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples

ROW_FORMATS: Final = {
    "csv": ox.QueryResultsFormat.CSV,
    "tsv": ox.QueryResultsFormat.TSV,
    "json": ox.QueryResultsFormat.JSON,
    "xml": ox.QueryResultsFormat.XML,
}
GRAPH_FORMATS: Final = {
    "turtle": ox.RdfFormat.TURTLE,
    "ntriples": ox.RdfFormat.N_TRIPLES,
    "jsonld": ox.RdfFormat.JSON_LD,
}

Store = Annotated[
    Path | None,
    typer.Option(help="Folder of the snapshots. Default: PAYERGRAPH_STORE, else .store.", show_default=False),
]


def main() -> None:
    """Run the command line, with every error of ours as one message and its exit code."""
    try:
        app()
    except PayergraphError as error:
        _talk.print(f"payergraph: {error.detail}", style="red", markup=False, highlight=False, soft_wrap=True)
        if isinstance(error, InvalidDataError):
            from payergraph import reports

            _talk.print(reports.to_text(error.report), markup=False, highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)


@app.command("build")
def build_command(
    data: Annotated[
        list[Path] | None, typer.Option(help="Folder or file of facts; repeatable. Default: the shipped data.")
    ] = None,
    store: Store = None,
    *,
    wait: Annotated[bool, typer.Option(help="Wait for another build of the same store, or fail at once.")] = True,
) -> None:
    """Parse, validate and load the facts into a new snapshot, and switch to it.

    All or nothing: whatever goes wrong, the snapshot that answered before goes on answering.

    Example: payergraph build --data data --data my-facts
    """
    from payergraph.build import build

    settings = _settings(store=store)
    with _progress() as step:
        built = build(settings.store_path, data or [DATA], wait=wait, on_wait=_say, on_step=step)
    for finding in built.report.findings:
        if finding.severity == "warning":
            _say(f"warning: {finding.message} ({finding.focus})")
    print(f"{built.snapshot.manifest.triples} triples in snapshot {built.snapshot.id}")  # noqa: T201 - the answer


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    store: Store = None,
) -> None:
    """Serve SPARQL, the API and the pages; builds first when there is no snapshot.

    Example: payergraph serve --port 8080
    """
    from payergraph.server import serve as run

    settings = _settings(host=host, port=port, store=store)
    try:
        open_current(settings.store_path)
    except StoreError as error:
        from payergraph.build import build

        _say(f"{error.detail} Building.")
        with _progress() as step:
            build(settings.store_path, on_wait=_say, on_step=step)
    run(settings)


@app.command()
def validate(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders. Default: the shipped data.")] = None,
    report_format: Annotated[str, typer.Option("--format", help="One of text, json, turtle, sarif.")] = "text",
) -> None:
    """Judge facts by the shapes, with file and line; exit code 1 on violations.

    References are looked up in the shipped data too, so that one file can be judged by itself.

    Example: payergraph validate data/policies/elevance --format sarif
    """
    from payergraph import reports
    from payergraph.build import check

    render = _choice("format", report_format, reports.FORMATS)
    report = check(read([VOCABULARIES, DATA, *(paths or [])]))
    if paths:
        report = report.within({file.resolve() for file in find_files(paths)})
    sys.stdout.write(render(report))
    if not report.conforms:
        raise typer.Exit(1)


@app.command()
def query(
    name: Annotated[str, typer.Argument(help="A named query, a file, or - for standard input.", show_default=False)],
    param: Annotated[list[str] | None, typer.Option(help="A parameter, name=value; repeatable.")] = None,
    result_format: Annotated[
        str, typer.Option("--format", help="One of table, csv, tsv, json, xml; turtle for graphs.")
    ] = "table",
    columns: Annotated[
        str | None, typer.Option(help="Only these columns of a table, with commas between. Default: all.")
    ] = None,
    store: Store = None,
) -> None:
    """Ask a named query, a query file, or standard input.

    Example: payergraph query stances-on-a-code --param code=cpt:64454 --columns payer_label,stance,version
    """
    text = _query_text(name, param or [])
    examine(text)
    confirm_local(text)
    snapshot = open_current(_settings(store=store).store_path)
    try:
        results = snapshot.store.query(text)
    except SyntaxError as error:
        raise syntax_error(error, text) from error
    _print_results(results, result_format, columns.split(",") if columns else None)


@app.command()
def export(
    output_format: Annotated[
        str | None,
        typer.Option("--format", help=f"One of {', '.join(exports.FORMATS)}. Default: by the suffix of the output."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write. Default: standard output.")
    ] = None,
    store: Store = None,
) -> None:
    """Write the whole dataset; equal data make equal bytes.

    Example: payergraph export --format trig -o payergraph.trig
    """
    by_suffix = {
        ".ttl": "turtle",
        ".trig": "trig",
        ".nq": "nquads",
        ".nt": "ntriples",
        ".jsonld": "jsonld",
        ".rdf": "rdfxml",
    }
    name = output_format or by_suffix.get(output.suffix if output else "", "trig")
    _choice("format", name, exports.FORMATS)
    snapshot = open_current(_settings(store=store).store_path)
    if output is None:
        exports.export(snapshot, sys.stdout.buffer, name)
        return
    unfinished = output.with_name(f"{output.name}.part")
    with unfinished.open("wb") as file:
        exports.export(snapshot, file, name)
    unfinished.replace(output)


def _settings(**flags: object) -> Settings:
    try:
        given = {name: str(value) for name, value in flags.items() if value is not None}
        return Settings(**given)  # type: ignore[arg-type]  # pydantic parses the texts
    except ValidationError as error:
        fault = error.errors()[0]
        raise ParameterError(str(fault["loc"][0]), str(fault["msg"])) from error


def _choice(parameter: str, value: str, choices: Mapping[str, T]) -> T:
    if value not in choices:
        raise ParameterError(parameter, f"{value!r} is not known", allowed=list(choices))
    return choices[value]


def _query_text(name: str, params: Sequence[str]) -> str:
    """The text of a named query with its parameters, of a file, or of standard input."""
    values: dict[str, list[str]] = {}
    for param in params:
        key, equals, value = param.partition("=")
        if not equals:
            raise ParameterError("param", f"{param!r} has no value. Write it as --param name=value")
        values.setdefault(key, []).append(value)
    if name == "-" or Path(name).suffix in {".rq", ".sparql"}:
        text = sys.stdin.read() if name == "-" else _file_text(Path(name))
        return named(text, source=name).bind(values) if values else text
    return find(load_queries(), name).bind(values)


def _file_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise NotFoundError("query file", str(path)) from error


def _print_results(results: Results, result_format: str, columns: Sequence[str] | None) -> None:
    if isinstance(results, ox.QueryTriples):
        graph_format = "turtle" if result_format == "table" else result_format
        chosen = _choice("format", graph_format, GRAPH_FORMATS)
        ox.serialize(results, sys.stdout.buffer, format=chosen, prefixes=PREFIXES)
    elif result_format == "table" and isinstance(results, ox.QuerySolutions):
        _print_table(results, columns)
    else:
        row_format = "json" if result_format == "table" else result_format
        results.serialize(sys.stdout.buffer, _choice("format", row_format, ROW_FORMATS))
    sys.stdout.buffer.flush()


def _print_table(rows: ox.QuerySolutions, columns: Sequence[str] | None) -> None:
    """Rows for people: our IRIs with their prefixes, an empty cell where nothing is bound."""
    names = [variable.value for variable in rows.variables]
    for column in columns or ():
        if column not in names:
            raise ParameterError("columns", f"the query has no column {column!r}", allowed=names)
    table = Table(*(columns or names), box=box.SIMPLE, pad_edge=False)
    for row in rows:
        table.add_row(*(escape(_cell(row[name])) for name in columns or names))
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)
    _say(f"{table.row_count} rows")


def _cell(term: object) -> str:
    if isinstance(term, ox.NamedNode):
        return shorten(term.value)
    return term.value if isinstance(term, ox.Literal | ox.BlankNode) else ""


def _say(text: str) -> None:
    _talk.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """A progress bar on a terminal, plain lines elsewhere."""
    if not _talk.is_terminal:
        yield lambda step: _say(f"build: {step}")
        return
    from payergraph.build import STEPS

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_talk, transient=True) as progress:
        task = progress.add_task("build", total=len(STEPS) - 1)

        def advance(step: str) -> None:
            progress.update(task, description=step, completed=STEPS.index(step))

        yield advance
