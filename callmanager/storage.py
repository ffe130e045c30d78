"""Static files named by their content, and compressed once, when they are collected."""

import os
from collections.abc import Iterator
from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Gzip alone: Brotli, used wherever it is installed, takes ten times as long at every start."""

    def create_compressor(self, **kwargs: Any) -> Compressor:
        return super().create_compressor(**kwargs | {"use_brotli": False})

    def post_process(self, *args: Any, **options: Any) -> Iterator[Any]:
        """What is compressed may be read by all, as the rest: a proxy may serve it."""
        os.umask(0o022)
        yield from super().post_process(*args, **options)
