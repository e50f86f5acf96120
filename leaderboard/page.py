"""The script that Streamlit runs for each visit and each click."""

from __future__ import annotations

import sys

from ffbench.leaderboard.shell import main

main(sys.argv[1:])
