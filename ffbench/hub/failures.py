"""What the hub answers when it gives or takes nothing, as one line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ffbench.errors import DataError, FfbenchError, reason

_LOG_IN = "log in with `hf auth login`, or set HF_TOKEN"


@contextlib.contextmanager
def naming_repository(name: object, doing: str) -> Iterator[None]:
    """Turn what huggingface_hub raises into a DataError that names the repository.

    Args:
        name: the repository, as the user wrote it.
        doing: what cannot be done where no other reason is known, such as `be fetched`.

    Raises:
        DataError: the body raised anything but an error of ffbench's.
    """
    from huggingface_hub import errors

    try:
        yield
    except (FfbenchError, MemoryError):
        raise
    except errors.GatedRepoError as error:
        raise DataError(name, f"its owner must grant access to it; ask on its page, then {_LOG_IN}") from error
    except errors.RepositoryNotFoundError as error:
        raise DataError(name, f"there is no such model repository, or it is private: {_LOG_IN}") from error
    except errors.RevisionNotFoundError as error:
        raise DataError(name, "the repository has no such branch, tag or commit") from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        said = error.server_message or f"the hub answered {status}"
        hint = f"; {_LOG_IN}, as one who may" if status in (401, 403) else ""
        raise DataError(
            name, f"cannot {doing} ({reason(Exception(said)).removeprefix('Exception: ')}){hint}"
        ) from error
    except Exception as error:  # of the network, of the hub's cache, or of the transfer's own library
        raise DataError(name, f"cannot {doing} ({reason(error)})") from error
