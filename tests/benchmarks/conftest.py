"""Prints the ratios that the benchmarks measure; absolute times say little on a shared machine."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    session = getattr(config, "_benchmarksession", None)
    for bench in getattr(session, "benchmarks", []):
        for name, value in bench.extra_info.items():
            terminalreporter.write_line(f"{bench.name}: {name} {value}")
