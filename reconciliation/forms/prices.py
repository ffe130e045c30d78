"""A price list as it is typed in: its first day, its currency, and a line a rate."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from calls.models import ProviderAccount
from common.generics import BaseFormSet, ModelForm
from reconciliation.billing.tariff import Rate
from reconciliation.models import PriceList

MOST_RATES: Final = 500
_EMPTY_ROWS: Final = 4


class AmountField(forms.DecimalField):
    """Takes a comma for decimals, too: people write amounts as they do elsewhere."""

    widget = forms.TextInput

    def __init__(self, **kwargs: Any):
        super().__init__(
            max_digits=12, decimal_places=6, min_value=Decimal(), required=False, **kwargs
        )

    def to_python(self, value: Any) -> Any:
        return super().to_python(str(value or "").replace(",", "."))

    def widget_attrs(self, widget: forms.Widget) -> Any:
        return {"inputmode": "decimal", "autocomplete": "off"}


def as_typed(rates: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What stands in the rows of a list's `rates`."""
    found = (Rate.of(rate).kept for rate in rates)
    return [{**rate, "digits": rate["prefix"] and f"+{rate['prefix']}"} for rate in found]


class RateForm(forms.Form):
    """One rate. A row that is left empty, or emptied, is none."""

    digits = forms.CharField(
        label=_("Prefix"),
        max_length=16,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    direction = forms.ChoiceField(
        label=_("Direction"),
        required=False,
        choices=[
            ("", pgettext_lazy("directions", "both")),
            ("outbound", _("outbound")),
            ("inbound", _("inbound")),
        ],
    )
    per_minute = AmountField(label=_("Per minute"))
    connection = AmountField(label=_("Connection"))
    step = forms.TypedChoiceField(
        label=_("Billed by"),
        coerce=int,
        required=False,
        choices=[
            (60, _("minute")),
            (1, pgettext_lazy("a length", "second")),
            (6, "6 s"),
            (30, "30 s"),
        ],
    )

    def clean_digits(self) -> str:
        prefix = "".join(self.cleaned_data["digits"].removeprefix("+").split())
        if prefix and not (prefix.isascii() and prefix.isdecimal()):
            raise forms.ValidationError(
                _("A prefix is the first digits of a number, such as +34 6.")
            )
        return prefix

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        is_used = found.get("digits") or found.get("connection") is not None
        if is_used and found.get("per_minute") is None and "per_minute" not in self.errors:
            self.add_error("per_minute", _("What does a minute cost?"))
        return found

    @property
    def rate(self) -> Rate | None:
        """None for an empty row."""
        found = self.cleaned_data
        if found.get("per_minute") is None:
            return None
        return Rate(
            found["digits"],
            found["direction"],
            found["per_minute"].normalize(),
            (found["connection"] or Decimal()).normalize(),
            found["step"] or 60,
        )


class _Rates(BaseFormSet[RateForm]):
    def clean(self) -> None:
        seen: set[tuple[str, str]] = set()
        if any(self.errors):
            return
        for form in self.forms:
            rate = form.rate
            if rate is None:
                continue
            if (rate.prefix, rate.direction) in seen:
                form.add_error("digits", _("This prefix stands here twice for one direction."))
            seen.add((rate.prefix, rate.direction))
        if not seen:
            raise forms.ValidationError(_("Write at least one price."))

    @property
    def kept(self) -> list[dict[str, Any]]:
        """As a price list keeps them, by prefix."""
        found = [rate for rate in (form.rate for form in self.forms) if rate is not None]
        return [rate.kept for rate in sorted(found, key=lambda rate: (rate.prefix, rate.direction))]


RatesFormSet = forms.formset_factory(
    RateForm,
    formset=_Rates,
    extra=_EMPTY_ROWS,
    max_num=MOST_RATES,
    absolute_max=MOST_RATES,
    validate_max=True,
)


class CurrencyField(forms.CharField):
    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).upper()


class PriceListForm(ModelForm[PriceList]):
    currency = CurrencyField(
        label=_("Currency"),
        help_text=_("Three letters, such as USD, EUR or CRC."),
        validators=[RegexValidator(r"^[A-Z]{3}\Z", _("Three letters, such as USD."))],
        widget=forms.TextInput(attrs={"maxlength": 3, "autocomplete": "off"}),
    )

    class Meta:
        model = PriceList
        fields = ("account", "valid_from", "currency")
        labels = {"account": _("Phone system")}
        widgets = {"valid_from": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}
        help_texts = {
            "valid_from": _("Calls of this day and later, until the account's next list."),
        }

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        account: Any = self.fields["account"]
        account.queryset = ProviderAccount.objects.order_by("name")
        account.label_from_instance = lambda one: one.name
        self.fields["account"].empty_label = None  # type: ignore[attr-defined]
