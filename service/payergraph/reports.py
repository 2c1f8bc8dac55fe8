"""A validation report as people and programs read it: a `Report` in, text, JSON, Turtle or SARIF out.

SARIF 2.1.0 is what code hosts show beside the lines of a change:
https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import orjson

from payergraph.namespaces import shorten
from payergraph.validation import Finding, Report

__all__ = ["FORMATS", "to_dict", "to_json", "to_sarif", "to_text", "to_turtle"]

_LEVELS: Final = {"violation": "error", "warning": "warning", "info": "note"}


def to_text(report: Report) -> str:
    """One line per finding, `file:line: severity: message (node, shape)`, and the counts."""
    lines = [_line(finding) for finding in report.findings]
    counts = Counter(str(finding.severity) for finding in report.findings)
    total = ", ".join(f"{counts[severity]} {severity}s" for severity in _LEVELS)
    return "\n".join([*lines, f"{'conforms' if report.conforms else 'does not conform'}: {total}"]) + "\n"


def to_dict(report: Report) -> dict[str, Any]:
    """The report as JSON types: `conforms`, and `findings` with every fact of each; absent values are None."""
    return {"conforms": report.conforms, "findings": [_facts(finding) for finding in report.findings]}


def to_json(report: Report) -> str:
    """The report as JSON, for programs."""
    return orjson.dumps(to_dict(report), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def to_turtle(report: Report) -> str:
    """The report graph as pySHACL made it."""
    return report.graph.serialize(format="turtle")


def to_sarif(report: Report) -> str:
    """The report as SARIF: one rule per shape, one result per finding that has a place."""
    rules = sorted({finding.shape for finding in report.findings})
    log = {
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [
            {
                "tool": {"driver": {"name": "payergraph", "rules": [{"id": shorten(rule)} for rule in rules]}},
                "results": [_result(finding) for finding in report.findings],
            }
        ],
    }
    return orjson.dumps(log, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


FORMATS: Final[dict[str, Callable[[Report], str]]] = {
    "text": to_text,
    "json": to_json,
    "turtle": to_turtle,
    "sarif": to_sarif,
}
"""Renderers by the name that the command line uses."""


def _line(finding: Finding) -> str:
    where = f"{finding.place}: " if finding.place else ""
    return f"{where}{finding.severity}: {finding.message} ({finding.focus}, {shorten(finding.shape)})"


def _facts(finding: Finding) -> dict[str, Any]:
    place = finding.place
    return {
        "severity": finding.severity,
        "scope": finding.scope,
        "message": finding.message,
        "shape": finding.shape,
        "component": finding.component,
        "focus": finding.focus,
        "path": finding.path,
        "value": finding.value,
        "graph": finding.graph,
        "file": str(place.path) if place else None,
        "line": place.line if place else None,
    }


def _result(finding: Finding) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": shorten(finding.shape),
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message} ({finding.focus})"},
    }
    if finding.place:
        result["locations"] = [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": finding.place.path.as_posix()},
                    "region": {"startLine": finding.place.line},
                }
            }
        ]
    return result
