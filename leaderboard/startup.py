"""What is done once, before the first visitor is served."""

from __future__ import annotations

from functools import cache

from streamlit import net_util

from .work.private import remove_abandoned


@cache
def prepare() -> None:
    """Remove what a killed server left behind, and keep this one from asking other hosts.

    Streamlit asks a host on the internet for the address of this machine, to print it and to compare the origin of
    visitors with it. No setting stops that. Without an answer such origins are refused, as they are offline;
    `server.corsAllowedOrigins` is there for those who want one.
    """
    remove_abandoned()
    net_util.get_external_ip = lambda: None
