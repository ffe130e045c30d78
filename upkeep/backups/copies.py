"""A copy of each backup in another place: a folder, or a storage that speaks S3 (`BACKUP_COPY_TO`).

Where the storage is and who we are there, the environment says: AWS_ENDPOINT_URL,
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION.
"""

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from upkeep.backups import archive
from upkeep.backups.places import (
    UNFINISHED,
    BackupError,
    backups_in,
    clear_unfinished,
    give_to_owner,
    keep_on_disk,
    need_room,
    plain_words,
    prepared_folder,
)
from upkeep.backups.rotation import names_that_go

_S3: Final = "s3://"
_LONGEST_ERROR: Final = 300  # characters


def copy(backup: Path, sha256: str, good: Collection[str]) -> str:
    """Copies the backup to where BACKUP_COPY_TO says, and removes there what need not stay; the
    address of the copy. BackupError with the reason where that cannot be done."""
    if settings.BACKUP_COPY_TO.startswith(_S3):
        return _to_storage(backup, sha256, good)
    return _to_folder(backup, sha256, good)


def _to_folder(backup: Path, sha256: str, good: Collection[str]) -> str:
    folder = prepared_folder(Path(settings.BACKUP_COPY_TO).absolute())
    clear_unfinished(folder)
    need_room(folder, backup.stat().st_size)
    part = folder / f"{UNFINISHED}{backup.name}"
    with plain_words(folder):
        try:
            shutil.copyfile(backup, part)
            part.chmod(0o600)
            keep_on_disk(part)
            if archive.sha256_of(part) != sha256:
                raise BackupError(_("The copy in %(path)s is another one.") % {"path": folder})
            give_to_owner(part)
            part.replace(folder / backup.name)
        finally:
            part.unlink(missing_ok=True)
        keep_on_disk(folder)
        for name in names_that_go((path.name for path in backups_in(folder)), good):
            (folder / name).unlink(missing_ok=True)
    return str(folder / backup.name)


def _to_storage(backup: Path, sha256: str, good: Collection[str]) -> str:
    bucket, prefix = _bucket_and_prefix()
    client, faults = _client()
    try:
        client.upload_file(
            str(backup), bucket, prefix + backup.name, ExtraArgs={"Metadata": {"sha256": sha256}}
        )
        there = client.head_object(Bucket=bucket, Key=prefix + backup.name)
        if there["ContentLength"] != backup.stat().st_size:
            raise BackupError(_("The copy in %(path)s is another one.") % {"path": bucket})
        _rotate_storage(client, bucket, prefix, good)
    except faults as error:
        reason = {"place": settings.BACKUP_COPY_TO, "reason": str(error)[:_LONGEST_ERROR]}
        raise BackupError(_("%(place)s cannot be written: %(reason)s") % reason) from error
    return f"{_S3}{bucket}/{prefix}{backup.name}"


def _bucket_and_prefix() -> tuple[str, str]:
    place = urlsplit(settings.BACKUP_COPY_TO)
    prefix = place.path.strip("/")
    return place.netloc, f"{prefix}/" if prefix else ""


def _client() -> tuple[Any, tuple[type[Exception], ...]]:
    """Of the storage, and what it raises. Without the package, or what it needs to know, a
    BackupError."""
    try:
        import boto3
        from boto3.exceptions import Boto3Error
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise BackupError(
            _("A copy in an S3 storage needs a package: pip install -r requirements-s3.txt.")
        ) from error
    patience = Config(connect_timeout=10, read_timeout=60, retries={"max_attempts": 4})
    faults = (Boto3Error, BotoCoreError, ClientError)
    try:
        return boto3.client("s3", config=patience), faults
    except (*faults, ValueError) as error:
        raise BackupError(
            _("%(place)s cannot be written: %(reason)s")
            % {"place": settings.BACKUP_COPY_TO, "reason": str(error)[:_LONGEST_ERROR]}
        ) from error


def _rotate_storage(client: Any, bucket: str, prefix: str, good: Collection[str]) -> None:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    listed = [one["Key"].removeprefix(prefix) for page in pages for one in page.get("Contents", ())]
    for name in names_that_go(listed, good):
        client.delete_object(Bucket=bucket, Key=prefix + name)
