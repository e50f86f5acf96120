"""The tables of README.md and docs/results.md, made from the records that ship: `make readme`.

Each stands between `<!-- table NAME -->` and `<!-- end of table -->`, and whatever is between is replaced. With
`--check` nothing is written, and pages that differ are named.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ffbench.io.escape import markdown
from ffbench.results.numbers import format_value
from ffbench.results.ranking.compare import compare
from ffbench.results.ranking.comparison import Comparison
from ffbench.results.record.row import Row
from ffbench.results.record.run_record import read_record
from ffbench.results.report.compare_text import difference_cells
from ffbench.results.report.leaderboard import BoardLine, BoardTable, leaderboard
from ffbench.results.report.leaderboard_formats import interval_cell, position_cell, ranks_cell, value_cell
from ffbench.results.store.records import read_rows

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "docs" / "results.md")
_BLOCK = re.compile(r"(<!-- table (\S+) -->\n).*?(<!-- end of table -->)", re.DOTALL)
Columns = Mapping[str, tuple[str, str]]
"""By heading: metric and group."""


@dataclass(frozen=True)
class Wanted:
    """A board, by protocol, variant and those options that tell it from others, and the columns beside its score."""

    protocol: str
    variant: str
    options: Mapping[str, str] = field(default_factory=dict)
    columns: Columns = field(default_factory=dict)


_EXPRESSION = {"flow": "expression", "derive_head": "rigid"}
_SCALES = {scale: ("epe", f"scale={scale}") for scale in ("1/20", "1/15", "1/10", "1/5")}
BOARDS: Mapping[str, Wanted] = {
    "clips": Wanted(
        "clip_landmarks",
        "standard",
        columns={
            "non-rigid part": ("epe_nonrigid", "all"),
            "1 frame apart": ("epe", "gap=01"),
            "20 frames apart": ("epe", "gap=20"),
        },
    ),
    "robustness": Wanted(
        "clip_robustness",
        "clips",
        columns={
            "changed by over 1 px, %": ("changed_1px", "all"),
            "H.264": ("robustness", "corruption=h264"),
            "hand": ("robustness", "corruption=hand"),
            "exposure": ("robustness", "corruption=exposure"),
        },
    ),
    "reanimated": Wanted(
        "reanimated_faces",
        "surface",
        columns={
            "micro motion": ("epe", "scale=micro"),
            "head flow": ("epe_head", "all"),
            "expression flow": ("epe_expression", "all"),
        },
    ),
    "ck": Wanted("ck_landmarks", "paper", columns={"non-rigid part": ("epe_nonrigid", "all")}),
    "ck_vertices": Wanted("ck_vertices", "paper"),
    "mead": Wanted("mead_vertices", "paper"),
    "ffn": Wanted("ffn_motion_scale", "paper", columns=_SCALES),
    "head": Wanted("ffn_head", "paper"),
    "expression": Wanted(
        "ffn_expression",
        "paper",
        columns={
            "where it is 0 to 0.5 px": ("epe", "0-0.5 px"),
            "0.5 to 1 px": ("epe", "0.5-1 px"),
            "1 to 2 px": ("epe", "1-2 px"),
        },
    ),
    "casme2": Wanted("casme2_5", "clean", _EXPRESSION, columns={"macro F1": ("macro_f1", "all")}),
    "casme2_3": Wanted("casme2_3", "clean", _EXPRESSION, columns={"macro F1": ("macro_f1", "all")}),
}
COMPARED = {"decflow-against-dis_fine": ("decflow-c", "dis_fine")}
"""By name of the table: two methods that are compared on all boards above."""


def fill(text: str, rows: Sequence[Row]) -> str:
    """Return a page with its tables made anew.

    Raises:
        KeyError: a table that is not among `BOARDS` and `COMPARED`.
    """
    tables = leaderboard(rows)
    found = {name: _board(wanted, tables) for name, wanted in BOARDS.items()}
    by_path = {row.path: row for row in rows}

    def made(block: re.Match[str]) -> str:
        name = block[2]
        if name in COMPARED:
            lines = _compared(*COMPARED[name], list(found.values()), by_path)
        else:
            lines = _table(BOARDS[name], found[name], by_path)
        return "\n".join([block[1], *lines, "", block[3]])

    return _BLOCK.sub(made, text)


def _board(wanted: Wanted, tables: Sequence[BoardTable]) -> BoardTable | None:
    """Return the board that is wanted, of the latest version that there is."""
    fitting = [
        table
        for table in tables
        if (table.board.protocol, table.board.variant) == (wanted.protocol, wanted.variant)
        and wanted.options.items() <= json.loads(table.board.options).items()
    ]
    return max(fitting, key=lambda table: table.board.version, default=None)


def _table(wanted: Wanted, table: BoardTable | None, by_path: Mapping[str, Row]) -> list[str]:
    if table is None:
        return [f"*No record of `{wanted.protocol}` ships yet.*"]
    unit = "" if table.unit in ("1", "") else f", {table.unit}"
    headings = ["#", "ranks", "method", f"{table.metric_title}{unit} [95 % interval]", *wanted.columns]
    rows = [_cells(wanted, line) for line in table.lines if line.record in by_path]
    board = table.board
    return [
        f"`{board.protocol}` {board.version}, {markdown(board.dataset)}: **{board.origin}** data, "
        f"{board.reference} reference; {by_path[table.lines[0].record].pairs} pairs.",
        "",
        *_lines(headings, ["---:", "---:", ":---", *["---:"] * (len(headings) - 3)], rows),
    ]


def _cells(wanted: Wanted, line: BoardLine) -> list[str]:
    record = read_record(Path(line.record))
    scores = {(score.metric, score.group): score.value for score in record.scores}
    more = (value_cell(scores.get(place)) for place in wanted.columns.values())
    value = f"{value_cell(line.verified)} [{interval_cell(line)}]"
    return [position_cell(line), ranks_cell(line), f"{markdown(line.title)} (`{line.method}`)", value, *more]


def _compared(a: str, b: str, tables: Sequence[BoardTable | None], by_path: Mapping[str, Row]) -> list[str]:
    rows = []
    for table in tables:
        if table is None:
            continue
        records = {line.method: line.record for line in table.lines if line.record in by_path}
        if a not in records or b not in records:
            continue
        group_by = read_record(Path(records[a])).protocol.group_by
        found: Comparison = compare(by_path[records[a]], by_path[records[b]], group_by)
        whole = found.groups[0]
        name = f"`{table.board.protocol}` ({table.board.origin}), {table.metric_title} [{table.unit}]"
        rows.append([name, format_value(whole.a), format_value(whole.b), *difference_cells(whole)])
    if not rows:
        return [f"*No board has records of both `{a}` and `{b}` yet.*"]
    return _lines(["", f"`{a}`", f"`{b}`", "difference", "95 % interval", "p"], [":---", *["---:"] * 5], rows)


def _lines(headings: Sequence[str], aligned: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (headings, aligned, *rows)]


def main(arguments: Sequence[str]) -> int:
    """Write the pages anew, or with `--check` say which differ; return the exit code."""
    rows = [row for row in read_rows([ROOT / "submissions"]) if row.level == "verified"]
    differ = 0
    for page in PAGES:
        old = page.read_text("utf-8")
        new = fill(old, rows)
        if new == old:
            continue
        if "--check" in arguments:
            name = page.relative_to(ROOT)
            print(
                f"{name}: its tables are not those of the records in submissions/; run `make readme`", file=sys.stderr
            )
            differ = 1
        else:
            page.write_text(new, "utf-8")
    return differ


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
