"""What serves the pages: `ffbench app PLACE...`, or `streamlit run leaderboard/app.py -- PLACE...`.

PLACE is a store, a folder of runs, or a record, as `ffbench leaderboard` takes them; without one, `submissions` and
`runs` of the current folder; where there are no `submissions`, the records that ship with ffbench.
"""

from __future__ import annotations

from pathlib import Path

from streamlit.starlette import App

from ffbench.leaderboard.serve import before_visitors

app = App(Path(__file__).with_name("page.py"), lifespan=before_visitors)
