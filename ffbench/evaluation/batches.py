"""Pairs read ahead in threads and given in batches of one image size."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ffbench.errors import DataError
from ffbench.protocol import Pair, Protocol

_READERS = 2
_PREFETCH = 2
"""Pairs that are read ahead, beside the batch at hand: bounds memory whatever the number of pairs."""

SHARD_BATCHES = 8
"""Batches of a shard: what is lost with a worker. The same wherever an evaluation runs, for no batch crosses shards."""


def shard_numbers(keys: Sequence[str], batch_size: int) -> dict[str, int]:
    """Return the shard of each pair of an evaluation.

    >>> list(shard_numbers([str(number) for number in range(17)], 1).values())[7:]
    [0, 1, 1, 1, 1, 1, 1, 1, 1, 2]
    """
    return {key: index // (SHARD_BATCHES * batch_size) for index, key in enumerate(keys)}


def read_batches(
    protocol: Protocol[Any],
    keys: Sequence[str],
    batch_size: int,
    problems: list[str],
    shards: Mapping[str, int] | None = None,
) -> Iterator[list[Pair[Any]]]:
    """Read the pairs `keys` in their order; a batch holds at most `batch_size` pairs, all of one size.

    A pair that cannot be read is left out, and its error appended to `problems`. No batch holds pairs of two `shards`.
    """
    batch: list[Pair[Any]] = []
    for pair in read_ahead(protocol, keys, batch_size + _PREFETCH, problems):
        if batch and (
            len(batch) == batch_size
            or pair.image1.shape != batch[0].image1.shape
            or (shards is not None and shards[pair.key] != shards[batch[0].key])
        ):
            yield batch
            batch = []
        batch.append(pair)
    if batch:
        yield batch


def read_ahead(protocol: Protocol[Any], keys: Sequence[str], ahead: int, problems: list[str]) -> Iterator[Pair[Any]]:
    """Read pairs in their order, up to `ahead` of them before they are asked for."""
    waiting: deque[Future[Pair[Any]]] = deque()
    left = iter(keys)
    with ThreadPoolExecutor(_READERS, thread_name_prefix="ffbench-read") as readers:
        try:
            while True:
                while len(waiting) < ahead and (key := next(left, None)) is not None:
                    waiting.append(readers.submit(protocol.load, key))
                if not waiting:
                    return
                try:
                    yield waiting.popleft().result()
                except DataError as error:
                    problems.append(str(error))
        finally:
            for future in waiting:
                future.cancel()
