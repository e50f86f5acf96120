"""`ffbench app`: the leaderboard in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def open_app(
    places: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(
            help="Stores, folders of runs, or records, also by URL (s3://BUCKET/STORE); "
            "default: the records that ship with ffbench, and runs."
        ),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the page.")] = 8501,
    address: Annotated[
        str, typer.Option("--address", help="Address to listen on; the default is this machine alone.")
    ] = "127.0.0.1",
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
) -> None:
    """Serve the leaderboard as a page until Ctrl-C."""
    import os
    import sys
    from importlib.util import find_spec

    from ffbench.errors import UsageError
    from ffbench.extras import MissingExtraError, install
    from ffbench.results.store.places import local_copy

    for place in places or []:
        if not local_copy(place).path.exists():
            raise UsageError(f"{place}: no such record, store or folder of runs")
    for package in ("streamlit", "plotly"):
        if find_spec(package) is None:
            raise MissingExtraError(f"the leaderboard needs {package}: {install('leaderboard')}")
    spec = find_spec("ffbench.leaderboard")
    if spec is None or not spec.submodule_search_locations:
        raise UsageError("this installation of ffbench has no leaderboard: install it again")
    script = Path(spec.submodule_search_locations[0]) / "app.py"
    options = [f"--server.port={port}", f"--server.address={address}", f"--server.headless={str(not browser).lower()}"]
    command = [
        sys.executable,
        "-m",
        "ffbench.leaderboard.serve",
        "run",
        str(script),
        *options,
        "--",
        *map(str, places or []),
    ]
    shown = "127.0.0.1" if address in ("0.0.0.0", "::") else f"[{address}]" if ":" in address else address
    print(f"The leaderboard opens at http://{shown}:{port}; Ctrl-C ends it.", flush=True)
    os.execv(sys.executable, command)
