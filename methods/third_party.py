"""What the adapters of other people's packages share."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence a package's printing, warnings and log while it is imported or builds a network.

    Standard output may be carrying JSON, and what these packages say (compiled extras that are not there) is
    of no use to the user.
    """
    disabled = logging.root.manager.disable
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(disabled)
