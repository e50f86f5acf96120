"""Coverage-guided fuzzing of one reader, by atheris: `python -m tests.fuzz.guided "run record" SECONDS`.

Atheris has wheels for Python 3.11 to 3.13 and is installed by hand. Only the branches of ffbench's own code guide it.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ffbench"]):
    from ffbench.errors import DataError
    from tests.fuzz.targets import targets


def main(name: str, seconds: int) -> None:
    """Fuzz for a while; libFuzzer ends the process, with an error if a file was neither refused nor read rightly."""
    warnings.simplefilter("ignore")
    folder = Path(tempfile.mkdtemp(prefix="ffbench-guided-"))
    (target,) = [target for target in targets(folder) if target.name == name]
    path, corpus = folder / f"file{target.suffix}", folder / "corpus"
    corpus.mkdir()
    valid = set()
    for number, content in enumerate(target.seeds):
        (corpus / str(number)).write_bytes(content)
        path.write_bytes(content)
        valid.add(target.read(path))

    def one(content: bytes) -> None:
        path.write_bytes(content)
        try:
            read = target.read(path)
        except DataError as error:
            if len(str(error).splitlines()) != 1:
                raise AssertionError(f"{name}: the error is not one line: {error}") from error
            return
        if target.protected and read not in valid:
            raise AssertionError(f"{name}: accepted as something else")

    arguments = [str(corpus), f"-max_total_time={seconds}", f"-artifact_prefix={folder}/", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *arguments, f"-max_len={4 * max(map(len, target.seeds))}"], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
