"""Uploads the files of a model repository in one commit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ffbench.extras import naming_extra
from ffbench.hub.failures import naming_repository
from ffbench.hub.names import PREFIX, check_repository


def upload(repository: str, files: Mapping[str, Path | str], *, private: bool = False) -> str:
    """Make a repository, if there is none, and commit files to it; what else it holds stays.

    Args:
        repository: `owner/name`, a model repository that the user may write.
        files: the file or the text to upload, by its path in the repository.
        private: whether a repository that is made is seen by its owner alone; else as its owner's account has it.

    Returns:
        The name by which the commit is loaded, `hf:owner/name@commit`.

    Raises:
        MissingExtraError: huggingface_hub is not installed.
        UsageError: `repository` is none.
        DataError: the hub cannot be reached or refuses.
    """
    check_repository(repository)
    with naming_extra(f"{PREFIX}{repository}"):
        from huggingface_hub import CommitOperationAdd, HfApi
    with naming_repository(f"{PREFIX}{repository}", "be written"):
        hub = HfApi()
        hub.create_repo(repository, private=private or None, exist_ok=True)
        commit = hub.create_commit(
            repository,
            [
                CommitOperationAdd(path, content.encode() if isinstance(content, str) else content)
                for path, content in files.items()
            ],
            commit_message="Model, card and results by ffbench",
        )
    return f"{PREFIX}{repository}@{commit.oid}"
