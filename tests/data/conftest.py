"""Hypothesis as CI wants it: the same cases every run, no deadline on a shared machine; GFDOCS_NIGHTLY=1 searches anew."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("data", deadline=None, derandomize=os.environ.get("GFDOCS_NIGHTLY") != "1")
settings.load_profile("data")
