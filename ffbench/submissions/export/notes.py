"""What lies beside exported images for a person, or a program, that makes predictions without ffbench."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from ffbench.flow.files import SUFFIXES
from ffbench.io.escape import markdown
from ffbench.protocol import DatasetCard, ProtocolCard
from ffbench.submissions.manifest import file_stem

PAIRS, README = "pairs.csv", "README.md"


def image_name(key: str, number: int) -> str:
    """Return where image 1 or 2 of a pair lies in an export."""
    return f"images/{key}_{number}.png"


def pairs_csv(sizes: Mapping[str, tuple[int, int]], backward: bool) -> str:
    """Return a table of pairs: key, the two images, width, height, and the file for each flow.

    Args:
        sizes: (H, W) by key.
        backward: whether the protocol makes use of backward flows.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["key", "image1", "image2", "width", "height", "facial", *(["backward"] if backward else [])])
    for key, (height, width) in sizes.items():
        images = [image_name(key, number) for number in (1, 2)]
        flows = [f"{file_stem('facial', key)}.flo", *([f"{file_stem('backward', key)}.flo"] if backward else [])]
        writer.writerow([key, *images, width, height, *flows])
    return table.getvalue()


def readme(protocol: ProtocolCard, dataset: DatasetCard, pairs: int, backward: bool) -> str:
    """Return a page that says how predictions must be written: layout, axes, sign, units, formats, commands."""
    others = "head/KEY.flo        the part of it that is the rigid motion of the head: every pair, or none\n"
    if backward:
        others += "backward/KEY.flo    flow of image 2 to image 1: every pair, or none\n"
    return f"""# Images of {markdown(protocol.id)} {markdown(protocol.version)}

{pairs} pairs of {markdown(dataset.name)} ({dataset.origin} data), without labels.
`{PAIRS}` lists them, one a line: key, image 1, image 2, width, height, and the file that holds the flow.
`manifest.json` is for ffbench.

## What to write

```
facial/KEY.flo      flow of image 1 to image 2, all that moves: every pair
{others}```

- An array of (height, width, 2), in the size of the images: row y, column x, then (u, v).
- u is the motion in **x, to the right**; v is the motion in **y, down**. What image 1 shows at (x, y), image 2 shows
  at (x + u, y + v).
- In **px** of these images: not divided by the width or height, and scaled up again if your network ran on smaller
  images.
- Finite at every pixel; there is no mark for "not known".
- Formats, by suffix: {", ".join(SUFFIXES)}. `.npy` holds (H, W, 2) or (2, H, W) floating-point
  numbers; `.mat` (version 5: `save -v7`) an H x W x 2 array `flow`, or `u` and `v`; `.pfm` three channels (x, y,
  unused); `.png` is KITTI's 16-bit code, every pixel valid. A picture of the flow in colors cannot be scored.

In Python, `numpy.save("facial/KEY.npy", flow.astype("float32"))` is enough.

## How to check it

```
ffbench validate FLOWS -p THIS_FOLDER        # names, sizes, and whether the flows look swapped, backward or scaled
ffbench bundle FLOWS -p THIS_FOLDER --out net.bundle
```
"""
