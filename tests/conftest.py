"""Settings for all tests."""

from __future__ import annotations

from hypothesis import settings

# The same examples each time, and no deadline: a busy machine must not fail a property.
settings.register_profile("ffbench", deadline=None, derandomize=True)
settings.load_profile("ffbench")
