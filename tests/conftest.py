"""Settings for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

from ffbench.threads import usable_cores, variables, wait_without_spinning

# Before anything loads PyTorch. The processes of `make test` share the cores, and what they start does too.
wait_without_spinning()
for name, count in variables(max(1, usable_cores() // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))).items():
    os.environ.setdefault(name, count)

# The same examples each time, and no deadline: a busy machine must not fail a property.
settings.register_profile("ffbench", deadline=None, derandomize=True)
settings.load_profile("ffbench")
