"""Runs mutations through the readers and counts: `python -m tests.fuzz.campaign 20000`."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ffbench.errors import DataError
from tests.fuzz.targets import Target, targets


@dataclass
class Count:
    """What became of the mutations of one reader."""

    tried: int = 0
    refused: int = 0
    accepted: int = 0
    seconds: float = 0.0
    grown_mb: float = 0.0


def fuzz(target: Target, count: int, folder: Path, seed: int = 0) -> Count:
    """Read `count` damaged files; raises on the first that is neither refused with a DataError nor read rightly."""
    rng = np.random.default_rng([seed, *target.name.encode()])
    path = folder / f"file{target.suffix}"
    valid = set()
    for content in target.seeds:
        path.write_bytes(content)
        valid.add(target.read(path))
    done = Count()
    clock, memory = time.perf_counter(), _peak_mb()
    while done.tried < count:
        content = target.damage(target.seeds, rng)
        path.write_bytes(content)
        done.tried += 1
        try:
            read = target.read(path)
        except DataError as error:
            done.refused += 1
            if len(str(error).splitlines()) != 1:
                raise AssertionError(f"{target.name}: the error is not one line: {error}") from error
            continue
        except Exception as error:
            raise AssertionError(f"{target.name}: mutation {done.tried} raises {error!r}: {content[:200]!r}") from error
        done.accepted += 1
        if target.protected and read not in valid:
            raise AssertionError(f"{target.name}: mutation {done.tried} is accepted as something else: {content!r}")
    done.seconds, done.grown_mb = time.perf_counter() - clock, _peak_mb() - memory
    return done


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(count: int) -> None:
    """Fuzz all readers and print a table."""
    warnings.simplefilter("ignore")
    print("| reader | damaged files | refused | accepted | peak memory grew by | files/s |")
    print("| :--- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as name:
        for target in targets(Path(name)):
            done = fuzz(target, count, Path(name))
            print(
                f"| {target.name} | {done.tried} | {done.refused} | {done.accepted} | {done.grown_mb:.0f} MB "
                f"| {done.tried / done.seconds:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]))
