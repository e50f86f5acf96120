"""The regression check as text, and as JUnit XML for CI services."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from ffbench.evaluation.regression.check import CheckResult, Finding
from ffbench.io import atomic


def report_lines(result: CheckResult) -> list[str]:
    """Return a table of all numbers, marked where they changed (!) or are new (+), and a last line with the counts."""
    rows = [("", "case", "number", "baseline", "now", "")]
    rows += [
        (_mark(one), one.case, one.what, _value(one.expected), _value(one.found), one.verdict)
        for one in result.findings
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    counts = f"{len(result.findings)} numbers, {result.changed} changed" + (f", {result.new} new" if result.new else "")
    return [*lines, *(f"note: {note}" for note in result.notes), counts]


def write_junit(path: Path | str, findings: Sequence[Finding]) -> None:
    """Write the findings as JUnit XML: a test suite, a test case a number.

    Raises:
        DataError: the file cannot be written.
    """
    failures = sum(not finding.passed for finding in findings)
    suite = ElementTree.Element(
        "testsuite", name="ffbench check", tests=str(len(findings)), failures=str(failures), errors="0", skipped="0"
    )
    for finding in findings:
        case = ElementTree.SubElement(suite, "testcase", classname=finding.case, name=finding.what)
        if not finding.passed:
            message = f"baseline {_value(finding.expected)}, now {_value(finding.found)}: {finding.verdict}"
            ElementTree.SubElement(case, "failure", message=message)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    atomic.write_bytes(path, ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def _value(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _mark(finding: Finding) -> str:
    if finding.passed:
        return " "
    return "+" if finding.new else "!"
