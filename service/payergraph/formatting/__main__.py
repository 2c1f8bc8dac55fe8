"""The formatter on the command line: `python -m payergraph.formatting [--check] [PATH…]`.

Exit codes: 0 all files are (now) in form · 1 with --check, some are not, or a file cannot be formatted · 2 wrong call.
"""

from pathlib import Path
from typing import Annotated

import typer

from payergraph import resources
from payergraph.errors import PayergraphError
from payergraph.formatting import format_files


def main(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files or folders; default: the shipped folders.")] = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if a file is not in form.")] = False,
) -> None:
    """Bring Turtle and TriG files into our form. Either all files are written or, on any fault, none."""
    try:
        changed = format_files(paths or [resources.ONTOLOGY, resources.DATA, resources.SHAPES], check=check)
    except PayergraphError as error:
        typer.echo(error.detail, err=True)
        raise typer.Exit(error.exit_code) from error
    for path in changed:
        typer.echo(f"{path}: {'not in form; run make format' if check else 'formatted'}", err=True)
    if check and changed:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
