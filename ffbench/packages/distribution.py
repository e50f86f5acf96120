"""The package that a method came from."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Distribution(BaseModel):
    """Name and version of an installed package, as pip shows them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
