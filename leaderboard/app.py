"""What Streamlit runs: `ffbench app PLACE...`, or `streamlit run leaderboard/app.py -- PLACE...`.

PLACE is a store, a folder of runs, or a record, as `ffbench leaderboard` takes them; without one, `submissions` and
`runs` of the current folder; where there are no `submissions`, the records that ship with ffbench.
"""

from __future__ import annotations

import sys

from ffbench.leaderboard.shell import main

main(sys.argv[1:])
