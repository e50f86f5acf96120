"""Takes weights over from the authors' released DecFlow and from GMA, key by key.

Both name their parameters as GMA's code does (`fnet.layer1.0.conv1.weight`, `update_block.gru.convz1.bias`,
...). Every key of theirs must be known and every value of ours must be filled: what is left out is named
with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from ffbench.errors import MethodError

from .networks.gma import CONTEXT, HIDDEN, DecFlow
from .semantic.resnet import from_pytorchcv
from .tensors import describe, fill

_ENCODERS = {"fnet": "feature_encoder", "cnet": "context_encoder"}
_DECODERS = {"update_block": "facial_decoder", "update_block_head": "head_decoder"}
_ENCODER_PARTS = {"conv1": "stem", "norm1": "norm", "conv2": "project"}
_DECODER_PARTS = {
    "encoder.convc1": "motion.correlation1",
    "encoder.convc2": "motion.correlation2",
    "encoder.convf1": "motion.flow1",
    "encoder.convf2": "motion.flow2",
    "encoder.conv": "motion.merge",
    "flow_head.conv1": "flow_head.0",
    "flow_head.conv2": "flow_head.2",
    "mask.0": "mask_head.0",
    "mask.2": "mask_head.2",
    "aggregator.to_v": "aggregator.value",
}
_FUSION_PARTS = {
    "change_dim": "bridge",
    "res1.conv1": "conv1",
    "res1.bn1": "norm1",
    "res1.conv2": "conv2",
    "res1.bn2": "norm2",
    "res1.adjustment": "shortcut",
}
_GRU = re.compile(r"gru\.conv([zrq])([12])\.(weight|bias)")
_DIRECTIONS = {"1": "horizontal", "2": "vertical"}


@dataclass(frozen=True)
class LoadReport:
    """What became of every key.

    `loaded` maps each of their keys to the parameters of ours that it went into, `ignored` maps each that
    was not used to the reason, and `kept` lists the parameters of ours that have no counterpart and stay as
    they were initialised.
    """

    loaded: dict[str, tuple[str, ...]]
    ignored: dict[str, str]
    kept: tuple[str, ...]


def is_official(tensors: Mapping[str, torch.Tensor]) -> bool:
    """Tell whether these are the weights of the authors' DecFlow: two update blocks of GMA's naming."""
    return any(_bare(key).startswith("update_block_head.") for key in tensors)


def load_official(network: DecFlow, tensors: Mapping[str, torch.Tensor], source: str = "checkpoint") -> LoadReport:
    """Fill the network with the authors' released weights.

    Args:
        network: of `PaperConfig(semantic="dad3d", semantic_input="symmetric")`, which is what their code is.
        tensors: their state dict, with or without the prefix `module.`.
        source: named in errors.

    Raises:
        MethodError: keys or shapes that do not fit, or values that are not finite; the network is left as it was.
    """
    if network.config.semantic != "dad3d":
        raise MethodError(f"{source}: the authors' weights need the semantic encoder 'dad3d' in the network")
    return _load(network, tensors, source, {block: (name,) for block, name in _DECODERS.items()}, may_keep=())


def load_gma(
    network: DecFlow, tensors: Mapping[str, torch.Tensor], source: str = "checkpoint", *, head: bool = True
) -> LoadReport:
    """Fill encoders, attention and decoders from a GMA checkpoint (paper, section 5.1).

    The fusion block, which GMA lacks, starts as the identity on the context network's features; the semantic
    encoder stays as it is.

    Args:
        network: filled in place.
        tensors: GMA's state dict.
        source: named in errors.
        head: whether the head decoder is filled too. The released code fills what has GMA's names, and so leaves it
            as it was drawn.

    Raises:
        MethodError: as for `load_official`.
    """
    decoders = {"update_block": tuple(_DECODERS.values()) if head else (_DECODERS["update_block"],)}
    may_keep = ("fusion.", "semantic.") if head else ("fusion.", "semantic.", "head_decoder.")
    return _load(network, tensors, source, decoders, may_keep)


def _load(
    network: DecFlow,
    tensors: Mapping[str, torch.Tensor],
    source: str,
    decoders: Mapping[str, tuple[str, ...]],
    may_keep: tuple[str, ...],
) -> LoadReport:
    bare = {_bare(key): value for key, value in tensors.items()}
    own = network.state_dict()
    filled: dict[str, torch.Tensor] = {}
    loaded: dict[str, tuple[str, ...]] = {}
    ignored: dict[str, str] = {}
    unknown: list[str] = []
    gates: dict[str, dict[str, torch.Tensor]] = {}
    for key, value in bare.items():
        block, _, rest = key.partition(".")
        if reason := _reason_to_ignore(key):
            ignored[key] = reason
        elif block in decoders and (match := _GRU.fullmatch(rest)):
            names = []
            for decoder in decoders[block]:
                unit = f"{decoder}.{_DIRECTIONS[match[2]]}"
                gates.setdefault(unit, {})[f"{match[1]}.{match[3]}"] = value
                names += _gru_names(unit, match[1], match[3])
            loaded[key] = tuple(names)
        else:
            names = [name for name in _translate(key, decoders) if name in own]
            if names:
                loaded[key] = tuple(names)
                filled.update(dict.fromkeys(names, value))
            else:
                unknown.append(key)
    for unit, parts in gates.items():
        filled.update(_gru(unit, parts, source))
    kept = tuple(key for key in own if key not in filled and key.startswith(may_keep)) if may_keep else ()
    missing = [key for key in own if key not in filled and key not in kept and not key.endswith("num_batches_tracked")]
    if missing or unknown:
        raise MethodError(f"{source}: weights of another network: {describe(missing, unknown)}")
    fill(network, {**{key: own[key] for key in kept}, **filled}, source)
    return LoadReport(loaded, ignored, kept)


def _bare(key: str) -> str:
    return key.removeprefix("module.")


def _reason_to_ignore(key: str) -> str | None:
    if key.startswith("att.pos_emb."):
        return "position embedding: attention is by content alone"
    if re.match(r"cnet\.layer[23]\.0\.norm3\.", key):
        return "a second name of the shortcut's normalisation"
    if key.startswith("dad_encoder.model.") and from_pytorchcv(key.removeprefix("dad_encoder.model.")) is None:
        return "stage of the semantic encoder beyond stride 8"
    return None


def _translate(key: str, decoders: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return our names of one of their keys; none if it is not known."""
    block, _, rest = key.partition(".")
    part, _, leaf = rest.rpartition(".")
    if block in _ENCODERS:
        if match := re.fullmatch(r"layer([123])\.([01])\.(.+)", rest):
            index = 2 * (int(match[1]) - 1) + int(match[2])
            return [f"{_ENCODERS[block]}.blocks.{index}.{match[3].replace('downsample', 'shortcut')}"]
        return [f"{_ENCODERS[block]}.{_ENCODER_PARTS[part]}.{leaf}"] if part in _ENCODER_PARTS else []
    if block in decoders:
        ours = "aggregator.gamma" if rest == "aggregator.gamma" else None
        if part in _DECODER_PARTS:
            ours = f"{_DECODER_PARTS[part]}.{leaf}"
        return [f"{decoder}.{ours}" for decoder in decoders[block]] if ours else []
    if key == "att.to_qk.weight":
        return ["attention.query_key.weight"]
    if key.startswith("dad_encoder.model."):
        return [f"semantic.{from_pytorchcv(key.removeprefix('dad_encoder.model.'))}"]
    for theirs, ours in _FUSION_PARTS.items():
        if key.startswith(f"{theirs}."):
            return [f"fusion.{ours}.{key.removeprefix(f'{theirs}.')}"]
    return []


def _gru_names(unit: str, gate: str, leaf: str) -> list[str]:
    own = f"{unit}.candidate" if gate == "q" else f"{unit}.gates"
    return [f"{unit}.context.bias"] if leaf == "bias" else [f"{own}.weight", f"{unit}.context.weight"]


def _gru(unit: str, parts: Mapping[str, torch.Tensor], source: str) -> dict[str, torch.Tensor]:
    """Split GMA's three convolutions over (state, context, motion) into ours, where the context has its own."""
    absent = [name for name in ("z.weight", "r.weight", "q.weight", "z.bias", "r.bias", "q.bias") if name not in parts]
    if absent:
        raise MethodError(f"{source}: the recurrent unit of {unit} lacks {', '.join(absent)}")
    weights = {gate: parts[f"{gate}.weight"] for gate in "zrq"}
    narrow = [weight for weight in weights.values() if weight.ndim != 4 or weight.shape[1] <= HIDDEN + CONTEXT]
    if narrow:
        raise MethodError(f"{source}: the recurrent unit of {unit} has weights of {tuple(narrow[0].shape)}")
    context = slice(HIDDEN, HIDDEN + CONTEXT)
    moving = {
        gate: torch.cat([weight[:, :HIDDEN], weight[:, HIDDEN + CONTEXT :]], dim=1) for gate, weight in weights.items()
    }
    return {
        f"{unit}.gates.weight": torch.cat([moving["z"], moving["r"]]),
        f"{unit}.candidate.weight": moving["q"],
        f"{unit}.context.weight": torch.cat([weights[gate][:, context] for gate in "zrq"]),
        f"{unit}.context.bias": torch.cat([parts[f"{gate}.bias"] for gate in "zrq"]),
    }
