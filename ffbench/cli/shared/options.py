"""Options that several commands share, so that they have one name and one meaning everywhere."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from ffbench.errors import UsageError

if TYPE_CHECKING:
    from ffbench.protocol import Protocol


class PrecisionName(str, Enum):
    """What a network computes in."""

    fp32 = "fp32"
    bf16 = "bf16"
    fp16 = "fp16"


# Optional[...], not `X | None`: these are evaluated at run time, and Python 3.10 is supported.
Method = Annotated[
    str,
    typer.Option(
        "--method",
        "-m",
        help="A method of `ffbench methods list`: family[/variant][:checkpoint]. Or code of your own, which is run: "
        "path/to/net.py:MyNet, package.module:MyNet. Or a model folder (config.json, model.safetensors), also from the "
        "hub: hf:OWNER/NAME[@REVISION].",
    ),
]
Weights = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--weights",
        help="Checkpoint file or model folder, also of the hub, or `random` (untrained: for speed only, never ranked).",
    ),
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1, ...")]
Iterations = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--iterations", min=1, help="Update steps of a recurrent network."),
]
PrecisionOption = Annotated[PrecisionName, typer.Option("--precision", help="What a network computes in.")]
Compile = Annotated[
    bool, typer.Option("--compile", help="Have PyTorch compile the network: a slow first pair, faster ones after it.")
]
Refine = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--refine", metavar="variational", help="Refine the method's facial flow; NAME+variational is the same."
    ),
]
FaceSize = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(
        "--face-size", metavar="N", help="Run the method on the face alone, scaled to N px; NAME+faceN is the same."
    ),
]
SaveConfidence = Annotated[
    bool,
    typer.Option(
        "--save-confidence",
        help="Also write each pixel's confidence, 0 to 1: the method's own, or else forward-backward consistency.",
    ),
]
Start = Annotated[int, typer.Option("--start", min=0, help="First frame of a clip, counted from 0.")]
End = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--end", min=1, help="Frame of a clip to stop before; default: its end."),
]
Stride = Annotated[int, typer.Option("--stride", min=1, help="Take every n-th pair of a clip.")]
Places = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Argument(
        help="Stores, folders of runs, or records, also by URL (s3://BUCKET/STORE); "
        "default: runs, or else the records that ship with ffbench."
    ),
]
StoreName = Annotated[str, typer.Option("--store", help="Store of records: a folder, or a URL (s3://BUCKET/STORE).")]
Data = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--data",
        "-d",
        help="A folder, a .zip or .tar, a folder of these, or a clip; default: FFBENCH_DATA, else a mini dataset.",
    ),
]
Variant = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--variant", help="Reading of the metric, such as paper or official."),
]
ProtocolOptions = Annotated[
    list[str],
    typer.Option(
        "--option",
        "-o",
        metavar="KEY=VALUE",
        help="Option of the protocol, such as flow=expression; may be repeated. See `ffbench protocols show NAME`.",
    ),
]
ProtocolOrImages = Annotated[
    str,
    typer.Option("--protocol", "-p", help="Protocol, or a folder of its images alone, as `ffbench export` writes it."),
]
NOTHING_FOUND = "found no face, or nothing else to go by: the flow is zero, or that of the whole image"
Rehash = Annotated[
    bool, typer.Option("--rehash", help="Hash every file of the dataset anew, whatever is remembered of it.")
]
HubDataset = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--dataset", metavar="OWNER/NAME", help="Benchmark dataset of the hub; also write `.eval_results`."),
]
RecordsUrl = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--url", help="Where the records can be seen, for `.eval_results`."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON to stdout and nothing else.")]


def parse_assignments(assignments: list[str]) -> dict[str, str]:
    """Turn `key=value` strings into a mapping.

    Raises:
        UsageError: a string without `=`, or a key given twice.
    """
    parsed: dict[str, str] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key:
            raise UsageError(f"option '{assignment}': expected KEY=VALUE")
        if key in parsed:
            raise UsageError(f"option '{key}' is given twice")
        parsed[key] = value
    return parsed


def protocol_or_images(name: str, data: Path | None, variant: str | None, assignments: dict[str, str]) -> Protocol[Any]:
    """Load a protocol, or the images of one whose labels are elsewhere, if `name` is a folder of such.

    Raises:
        UsageError: an unknown protocol, or options where there are only images.
        DataError: the dataset or the folder is not as it should be.
    """
    from ffbench.registry import load_protocol
    from ffbench.submissions.export.images import ProtocolImages, is_export

    if not is_export(Path(name)):
        return load_protocol(name, data=data, variant=variant, options=assignments)
    if data is not None or variant is not None or assignments:
        raise UsageError(f"{name}: holds images of one dataset and variant; leave --data, --variant and --option out")
    return ProtocolImages(Path(name))
