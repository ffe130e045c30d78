"""The body of a contact in the API: what programs send, checked, and what they get."""

from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.models import Team
from api.serializers import Choice, Text
from calls.models import Contact, ContactNumber, NumberKind
from calls.models.contact_number import distinct, with_preferred
from common.phones import to_e164

MOST_NUMBERS: Final = 50


class Number(Text):
    """A phone number in any spelling; kept in E.164."""

    default_error_messages = {"no_number": _("This is not a phone number.")}

    def __init__(self, **kwargs: Any):
        super().__init__(**{"max_length": 40} | kwargs)

    def to_internal_value(self, data: Any) -> str:
        number = to_e164(super().to_internal_value(data))
        if not number:
            self.fail("no_number")
        return number


class NumberBody(serializers.Serializer[ContactNumber]):
    number = Number(help_text="Stored as +50651234567.")
    kind = Choice(choices=NumberKind.values, default=NumberKind.OTHER.value)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A PATCH may leave out fields of the contact, not of one of its numbers."""
        if "number" not in attrs:
            raise serializers.ValidationError(
                {"number": [self.fields["number"].error_messages["required"]]}
            )
        return attrs


class ContactBody(serializers.Serializer[Contact]):
    """A contact, both ways. `phone` is the preferred one of its `numbers`: the first. `team` shares
    it with a team that the sender supervises."""

    id = serializers.IntegerField(read_only=True)
    name = Text(max_length=120, trim_whitespace=True)
    phone = Number(
        required=False,
        help_text="The preferred number, stored as +50651234567. Needed unless "
        "there are `numbers`; alone, it replaces the first of them or moves up to it.",
    )
    numbers: serializers.ListSerializer[ContactNumber] = serializers.ListSerializer(
        child=NumberBody(),
        required=False,
        allow_empty=False,
        max_length=MOST_NUMBERS,
        help_text="All of them, the preferred one first; what is sent replaces what is there.",
    )
    company = Text(max_length=120, required=False, allow_blank=True)
    external_id = Text(max_length=100, required=False, allow_blank=True)
    owner = serializers.IntegerField(source="owner_id", read_only=True, allow_null=True)
    team = serializers.IntegerField(
        source="team_id", required=False, allow_null=True, min_value=1, max_value=2**63 - 1
    )

    def validate_team(self, team_id: int | None) -> int | None:
        if team_id is None or (self.instance is not None and self.instance.team_id == team_id):
            return team_id
        scope = self.context["viewer"].scope
        known = team_id in scope.team_ids
        if not (known or (scope.everyone and Team.objects.filter(pk=team_id).exists())):
            raise serializers.ValidationError(_("There is no such team among yours."))
        return team_id

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not self.partial and "phone" not in attrs and "numbers" not in attrs:
            phone = self.fields["phone"]
            raise serializers.ValidationError({"phone": [phone.error_messages["required"]]})
        return attrs

    def create(self, validated_data: dict[str, Any]) -> Contact:
        return self._write(Contact(), validated_data)

    def update(self, instance: Contact, validated_data: dict[str, Any]) -> Contact:
        return self._write(instance, validated_data)

    def _write(self, contact: Contact, values: dict[str, Any]) -> Contact:
        numbers = values.pop("numbers", None)
        if numbers is not None:
            numbers = [(one["number"], one.get("kind", "")) for one in numbers]
            # A program that changes `phone` may send the numbers back as it was given them.
            phone = values.get("phone", contact.phone)
            if phone != contact.phone:
                if self.instance is None:  # there is none that it could replace
                    numbers.append((phone, NumberKind.OTHER))
                numbers = with_preferred(distinct(numbers), phone)
        for name, value in values.items():
            setattr(contact, name, value)
        try:
            with transaction.atomic():
                if numbers is None:
                    contact.save()
                else:
                    contact.set_numbers(numbers)
        except IntegrityError as error:
            message = _("Another contact has this reference already.")
            raise serializers.ValidationError({"external_id": [message]}) from error
        return contact
