"""The command line as a user runs it: a process of its own, its output and its exit code."""

import csv
import io
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def run(shipped_store: Path) -> Run:
    """Run a command over the shipped data, or another store."""

    def run(
        *words: str | Path, store: Path = shipped_store, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).with_name("payergraph"), *words],
            env=os.environ | {"PAYERGRAPH_STORE": str(store), "NO_COLOR": "1", "COLUMNS": "200"},
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return run


def test_a_named_query_answers(run: Run) -> None:
    words = ("query", "stances-on-a-code", "--param", "code=cpt:64454", "--param", "date=2023-06-01")
    done = run(*words, "--param", "payer=payer:anthem", "--format", "csv")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {row["stance"].rsplit("/")[-1] for row in rows} == {
        "stance-investigational",
        "stance-not-medically-necessary",
    }


@pytest.mark.parametrize(
    ("name", "starts"), [("json", "{"), ("xml", "<?xml"), ("csv", "units"), ("tsv", "?units"), ("table", "")]
)
def test_results_come_in_the_format_asked_for(name: str, starts: str, run: Run) -> None:
    done = run("query", "unit-limits-of-a-code", "--param", "code=cpt:64454", "--format", name)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(starts)
    assert "edit-setting-practitioner" in done.stdout


def test_a_file_and_standard_input_are_queries_too(run: Run, tmp_path: Path) -> None:
    query = "ASK { <https://w3id.org/payergraph/code/cpt/64454> ?p ?o }"
    (tmp_path / "ask.rq").write_text(query)
    for done in (
        run("query", tmp_path / "ask.rq", "--format", "json"),
        run("query", "-", "--format", "json", text=query),
    ):
        assert json.loads(done.stdout)["boolean"] is True


def test_a_graph_comes_as_turtle(run: Run) -> None:
    done = run("query", "-", text="CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o } LIMIT 3")
    assert done.returncode == 0
    assert "@prefix pg:" in done.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("query", "stance-on-a-code"), "stances-on-a-code"),
        (("query", "stances-on-a-code"), "needs it"),
        (("query", "stances-on-a-code", "--param", "colour=red"), "no such parameter"),
        (("query", "stances-on-a-code", "--param", "code=cpt:64454", "--param", "date=today"), "no date"),
        (("query", "stances-on-a-code", "--param", "code"), "name=value"),
        (("query", "no-such-file.rq"), "no-such-file.rq"),
        (("query", "doubts", "--format", "yaml"), "csv"),
        (("export", "--format", "yaml"), "trig"),
        (("validate", "no-such-folder"), "no-such-folder"),
        (("serve", "--port", "99999"), "port"),
        (("serve", "--colour"), "No such option"),
        (("no-such-command",), "No such command"),
    ],
)
def test_a_wrong_call_says_what_to_do_and_exits_with_2(words: tuple[str, ...], says: str, run: Run) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("SELECT ?s WHERE {\n  ?s ?p }", "Line 2"),
        ("INSERT DATA { <a:a> <a:b> <a:c> }", "only read"),
        ("SELECT * WHERE { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }", "SERVICE"),
        ("LOAD <http://127.0.0.1:1/>", "LOAD"),
    ],
)
def test_a_query_that_is_wrong_or_refused_says_why(text: str, says: str, run: Run) -> None:
    done = run("query", "-", text=text)
    assert done.returncode == 2
    assert says.lower() in done.stderr.lower()


@pytest.mark.parametrize("make", [lambda store: None, lambda store: (store / "current").mkdir(parents=True)])
def test_a_store_without_a_snapshot_says_to_build(make: Callable[[Path], object], run: Run, tmp_path: Path) -> None:
    make(tmp_path / "store")
    done = run("query", "doubts", store=tmp_path / "store")
    assert done.returncode == 1
    assert "payergraph build" in done.stderr


def test_validate_reports_with_file_and_line_and_exits_with_1(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "faulty.trig"
    path.write_text(
        "@base <https://w3id.org/payergraph/> .\n@prefix pg: <ontology#> .\n"
        "<source/e> {\n  <source/e#position-1> a pg:CoveragePosition .\n}\n"
    )
    done = run("validate", path)
    assert done.returncode == 1
    assert re.search(rf"{re.escape(str(path))}:4: violation: ", done.stdout)
    findings = json.loads(run("validate", path, "--format", "json").stdout)["findings"]
    assert {finding["file"] for finding in findings} == {str(path)}


def test_malformed_data_is_told_with_file_and_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "malformed.trig"
    path.write_text("@prefix pg: <https://example.org/> .\npg:a {\n  pg:b pg:c .\n")
    done = run("build", "--data", path, store=tmp_path / "store")
    assert done.returncode == 1
    assert f"{path}, line" in done.stderr
    assert not (tmp_path / "store" / "current").exists()


def test_the_export_is_a_file_by_its_suffix(run: Run, tmp_path: Path) -> None:
    for suffix, holds in (("nq", b"<https://w3id.org/payergraph/code/cpt/64454>"), ("ttl", b"@prefix"), ("trig", b"{")):
        output = tmp_path / f"dataset.{suffix}"
        assert run("export", "-o", output).returncode == 0
        assert holds in output.read_bytes()
    assert not list(tmp_path.glob("*.part"))


def test_a_port_in_use_is_told_and_exits_with_2(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("serve", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "in use" in done.stderr


def test_help_names_every_command(run: Run) -> None:
    done = run("--help")
    assert done.returncode == 0
    for command in ("build", "serve", "validate", "query", "export"):
        assert command in done.stdout
        assert "Example:" in run(command, "--help").stdout
