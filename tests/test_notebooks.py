"""The notebooks run as they stand, and hold no outputs: what they show is made on the reader's machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed: the extra `dev`")
FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SECONDS = 900


def run(path: Path, folder: Path) -> Any:
    """Run a notebook in `folder` and return it with its outputs; a cell that fails raises."""
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    return notebook


def outputs(notebook: Any, kind: str) -> list[Any]:
    found = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return [output.data[kind] for output in found if kind in output.get("data", {})]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_small_and_hold_no_outputs(path: Path) -> None:
    notebook = json.loads(path.read_text())
    assert path.stat().st_size < 20_000
    for cell in notebook["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        assert not cell.get("attachments")
    assert path.name in (FOLDER.parent / "index.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "tables", "pictures"), [("your_network", 2, 0), ("read_a_record", 3, 3), ("train_on_faces", 0, 4)]
)
def test_notebooks_run(name: str, tables: int, pictures: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Streamlit sets the backend of the process that imports it.
    monkeypatch.delenv("MPLBACKEND", raising=False)
    monkeypatch.setenv("FFBENCH_NOTEBOOK_PAIRS", "3")
    monkeypatch.setenv("FFBENCH_NOTEBOOK_STEPS", "2")
    done = run(FOLDER / f"{name}.ipynb", tmp_path)
    assert len(outputs(done, "text/html")) >= tables
    assert len(outputs(done, "image/png")) == pictures


@pytest.mark.slow
def test_a_notebook_that_fails_is_found(tmp_path: Path) -> None:
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import ffbench\nffbench.no_such_name")])
    nbformat.write(notebook, tmp_path / "wrong.ipynb")
    with pytest.raises(CellExecutionError, match="no_such_name"):
        run(tmp_path / "wrong.ipynb", tmp_path)


def test_all_are_tested() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["read_a_record", "train_on_faces", "your_network"]
