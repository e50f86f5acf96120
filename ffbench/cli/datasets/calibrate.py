"""Finds the points of the face mesh network on the head anew: `python -m ffbench.cli.datasets.calibrate OUT.json`.

Whoever changes the heads or the network runs it once and commits the file; it is no command of `ffbench`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ffbench.cli.shared.console import progress_bar
from ffbench.io.atomic import write_text
from ffbench.synth.heads.makehuman import load_makehuman
from ffbench.texturing.calibrate import PEOPLE, calibrate


def main() -> None:
    """Write the points, one a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--people", type=int, default=PEOPLE)
    arguments = parser.parse_args()
    with progress_bar("calibrating", "people") as progress:
        points = calibrate(load_makehuman(), arguments.people, progress)
    about = "The 468 points of the face mesh network on MakeHuman's base mesh: vertices, weights, spread in dm."
    lines = ",\n".join(f"    {json.dumps(point)}" for point in points)
    write_text(arguments.out, f'{{\n  "about": {json.dumps(about)},\n  "points": [\n{lines}\n  ]\n}}\n')


if __name__ == "__main__":
    main()
