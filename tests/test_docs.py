"""The documentation: examples run, generated pages are fresh, links lead somewhere, nothing is left out."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from docs.generate import PICTURES, pages
from payergraph.api.app import create_app
from payergraph.queries import load_queries
from payergraph.settings import Settings

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted(DOCS.rglob("*.md")),
]
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
LEFT_OUT = "…"
"""A line of a block that stands for any number of lines."""
ADDRESS = "http://127.0.0.1:8000"
"""Where the documentation says that the server is."""
SECTIONS = ["Context and question", "Options considered", "Outcome", "Consequences", "Confirmation"]


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def title_of(value: Any) -> str | None:
    return str(value.relative_to(ROOT)) if isinstance(value, Path) else None


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^ *```.*?^ *```$", "", text_of(page), flags=re.DOTALL | re.MULTILINE)


# Examples ---------------------------------------------------------------------------------------------------------


def examples() -> list[Any]:
    """The commands of all `console` blocks, each with the lines that it shows as its answer."""
    return [
        pytest.param(command, answer, id=f"{page.relative_to(ROOT)}: {' '.join(command.split())[:60]}")
        for page in PAGES
        for block in re.findall(r"^ *```console\n(.*?)^ *```$", text_of(page), re.DOTALL | re.MULTILINE)
        for command, answer in commands(dedent(block))
    ]


def commands(block: str) -> Iterator[tuple[str, list[str]]]:
    """A command begins with `$ ` and goes on while a quotation or a backslash is open; then comes its answer."""
    lines = block.splitlines()
    while lines:
        command = lines.pop(0).removeprefix("$ ")
        while not is_whole(command):
            command += "\n" + lines.pop(0)
        end = next((number for number, line in enumerate(lines) if line.startswith("$ ")), len(lines))
        yield command, lines[:end]
        lines = lines[end:]


def is_whole(command: str) -> bool:
    try:
        shlex.split(command)
    except ValueError:
        return False
    return not command.endswith("\\")


def answer_of(command: str, store: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does who stands in the folder of the repository."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=ROOT,
        env=os.environ | {"PATH": path, "PAYERGRAPH_STORE": str(store), "NO_COLOR": "1", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def fits(shown: list[str], given: list[str]) -> bool:
    """Whether the lines given are those shown, in that order, with others only where `…` stands."""
    if not shown:
        return not given
    if shown[0] == LEFT_OUT:
        return any(fits(shown[1:], given[start:]) for start in range(len(given) + 1))
    return bool(given) and shown[0] == given[0] and fits(shown[1:], given[1:])


def lines_of(answer: str | list[str]) -> list[str]:
    """The lines that say something; how wide a column of a table is does not count."""
    lines = answer.splitlines() if isinstance(answer, str) else answer
    return [re.sub(r"─+", "─", " ".join(line.split())) for line in lines if line.strip()]


@pytest.mark.parametrize(("command", "answer"), examples())
def test_example_answers_as_shown(
    command: str, answer: list[str], shipped_store: Path, request: pytest.FixtureRequest
) -> None:
    program = command.partition(" ")[0]
    if program == "make":
        assert f"\n{command.split()[1]}:" in text_of(ROOT / "Makefile")
        return
    assert program in {"payergraph", "curl"}, "no test runs this program: use another kind of block"
    if program == "curl":
        if not shutil.which("curl"):
            pytest.skip("curl is not installed")
        command = command.replace(ADDRESS, request.getfixturevalue("shipped_server").url)
    done = answer_of(command, shipped_store)
    assert done.returncode == 0, done.stderr
    assert fits(lines_of(answer), lines_of(done.stdout)), f"Shown is another answer than this:\n{done.stdout}"


@pytest.mark.parametrize(
    ("shown", "given", "same"),
    [
        ("a b", "a b", True),
        ("a …", "a b c", True),
        ("… c", "a b c", True),
        ("a … c", "a c", True),
        ("a c", "a b c", False),
        ("… c", "a b", False),
        ("a", "a b", False),
        ("", "a", False),
    ],
)
def test_lines_are_left_out_only_where_it_is_said(shown: str, given: str, same: bool) -> None:
    assert fits(shown.split(), given.split()) is same


# Generated pages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("page", "fresh"), pages().items(), ids=title_of)
def test_generated_page_is_fresh(page: Path, fresh: str) -> None:
    assert text_of(page) == fresh, f"{page.name} is stale: run make docs"


def test_every_picture_has_its_place() -> None:
    assert re.findall(r"<!-- generated: picture of (\w+) -->", text_of(DOCS / "model.md")) == list(PICTURES)


# Links ------------------------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The names by which headings can be linked, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=title_of)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_can_be_reached_from_the_index() -> None:
    reached: set[Path] = set()
    open_pages = [ROOT / "README.md"]
    while open_pages:
        page = open_pages.pop()
        if page in reached:
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)\s#]+\.md)(?:#[^)]*)?\)", prose(page))
        open_pages += [(page.parent / link).resolve() for link in links if "://" not in link]
    assert set(DOCS.rglob("*.md")) - reached == set()


# Completeness -----------------------------------------------------------------------------------------------------


def test_every_folder_is_in_the_readme() -> None:
    tracked = {"ontology", "data", "shapes", "queries", "service", "tests", "benchmarks", "docs"}
    assert set(re.findall(r"\[`(\w+)/`\]", text_of(ROOT / "README.md"))) == tracked
    assert all((ROOT / folder).is_dir() for folder in tracked)


def test_every_setting_is_documented() -> None:
    documented = re.findall(r"^\| `\w+` \| `PAYERGRAPH_(\w+)`", text_of(DOCS / "settings.md"), re.MULTILINE)
    assert [name.lower() for name in documented] == list(Settings.model_fields)


@pytest.mark.parametrize("command", ["build", "export", "query", "serve", "validate"])
def test_every_command_is_documented(command: str) -> None:
    assert f"## payergraph {command}\n" in text_of(DOCS / "command-line.md")


def test_every_query_is_documented() -> None:
    assert re.findall(r"^## (.+)$", text_of(DOCS / "queries.md"), re.MULTILINE) == list(load_queries())


def test_every_route_is_documented(shipped_store: Path) -> None:
    routes = create_app(Settings(store=str(shipped_store))).openapi()["paths"]
    documented = set(re.findall(r"`(?:GET|POST|GET, POST)? ?(/[^`?]*)[^`]*`", text_of(DOCS / "api.md")))
    assert {re.sub(r"\{\w+\}", "{}", route) for route in routes} <= {
        re.sub(r"\{\w+\}", "{}", route) for route in documented
    }


def test_every_scope_of_shapes_is_documented() -> None:
    scopes = {path.name for path in (ROOT / "shapes").iterdir() if path.is_dir()}
    assert scopes <= set(re.findall(r"`shapes/(\w+)/`", text_of(DOCS / "validation.md")))


def test_every_dependency_is_documented() -> None:
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.split(r"[\[<>=]", requirement)[0] for requirement in wanted}
    documented = set(re.findall(r"[\w-]+", text_of(DOCS / "dependencies.md")))
    assert names - documented == set()


def test_every_verb_is_documented() -> None:
    verbs = re.findall(r"^(\w+):.*##", text_of(ROOT / "Makefile"), re.MULTILINE)
    documented = re.findall(r"^\| `make (\w+)` \|", text_of(DOCS / "contributing.md"), re.MULTILINE)
    assert set(documented) == set(verbs)


@pytest.mark.parametrize("page", PAGES, ids=title_of)
def test_named_files_are_there(page: Path) -> None:
    """A path in backquotes that begins with one of our folders is a file or folder, `…` and `<…>` apart."""
    folders = "ontology|data|shapes|queries|service|tests|benchmarks|docs"
    for path in re.findall(rf"`((?:{folders})/[\w.~/-]*)`", prose(page)):
        assert (ROOT / path).exists(), path


# Decisions and changes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", DECISIONS, ids=title_of)
def test_a_decision_tells_what_shows_that_it_holds(page: Path) -> None:
    assert re.findall(r"^## (.+)$", text_of(page), re.MULTILINE) == SECTIONS
    assert re.search(r"`[\w.]+/|`\.ci|NOTICE|make ", text_of(page).partition("## Confirmation")[2])


def test_decisions_are_numbered_without_a_hole() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_the_changelog_speaks_to_its_three_readers() -> None:
    changes = text_of(ROOT / "CHANGELOG.md")
    releases = re.findall(r"^## (.+)$", changes, re.MULTILINE)
    version = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["version"]
    assert "Unreleased" in releases[0]
    assert any(version in release for release in releases)
    assert set(re.findall(r"^### (.+)$", changes, re.MULTILINE)) <= {"Data", "Model", "Program"}


def test_notice_names_whose_rights_are_touched() -> None:
    notice = text_of(ROOT / "NOTICE")
    for name in ("American Medical Association", "Centers for Medicare & Medicaid Services", "YASGUI", "CC BY 4.0"):
        assert name in notice.replace("\n", " ")
