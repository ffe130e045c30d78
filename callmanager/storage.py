"""Static files named by their content, and compressed once, when they are collected."""

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Gzip alone: Brotli, used wherever it is installed, takes ten times as long at every start."""

    def create_compressor(self, **kwargs: Any) -> Compressor:
        return super().create_compressor(**kwargs | {"use_brotli": False})
