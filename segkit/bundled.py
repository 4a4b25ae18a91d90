"""The sample data that comes with segkit: in a wheel inside the package, in a checkout beside it."""

from __future__ import annotations

from pathlib import Path

from segkit.errors import EngineError


def folder() -> Path:
    """The folder of the sample data."""
    package = Path(__file__).parent
    for candidate in (package / "sample_data", package.parent / "sample_data"):
        if (candidate / "contacts.parquet").is_file():
            return candidate
    raise EngineError("the sample data is not installed", fix="install segkit from its wheel or its checkout")
