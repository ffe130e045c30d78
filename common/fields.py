"""Columns that follow from others."""

from typing import Any

from django.db import models

from common.generics import BinaryField
from common.text import name_key


class NameKeyField(BinaryField[bytes, bytes]):
    """The `name_key` of the attribute `source`, for lists that the database sorts.

    It is written with its row, `bulk_create` included; `bulk_update` and `update` do not know it.
    """

    def __init__(self, source: str, **kwargs: Any):
        self.source = source
        super().__init__(default=b"", **kwargs)

    def deconstruct(self) -> Any:
        """A plain column for migrations, which must not change with this class."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.BinaryField", args, kwargs

    def clone(self) -> "NameKeyField":
        return NameKeyField(self.source)

    def pre_save(self, model_instance: models.Model, add: bool) -> bytes:
        key = name_key(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, key)
        return key
