"""Protocols that pages have opened, kept for all visitors."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ffbench.protocol import Protocol
from ffbench.registry import load_protocol


@st.cache_resource(max_entries=8, show_spinner="Opening the dataset; a mini dataset is made on first use")
def protocol(name: str, folder: str | None = None) -> Protocol[Any]:
    """Open a protocol on a folder, or on its default dataset.

    Raises:
        DataError: the dataset is not there, or not as it should be.
    """
    return load_protocol(name, data=folder)
