"""Contacts in the administration, each with its numbers."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calls.admin.pages import EditableLines
from calls.models import Contact, ContactNumber, NumberKind
from calls.models.contact_number import distinct, with_preferred
from calls.services.contacts import link_calls
from common.generics import ModelAdmin, ModelForm


class ContactForm(ModelForm[Contact]):
    class Meta:
        model = Contact
        fields = ["external_id"]  # ContactAdmin names the others

    def clean_external_id(self) -> str:
        reference: str = self.cleaned_data["external_id"]
        others = Contact.objects.filter(external_id=reference).exclude(pk=self.instance.pk)
        if reference and others.exists():
            raise forms.ValidationError(_("Another contact has this reference."))
        return reference


class NumberInline(EditableLines[ContactNumber, Contact]):
    """All numbers of a contact, the preferred one first. Who may change the contact may change
    them."""

    model = ContactNumber
    fields = ("number", "kind")
    extra = 1

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("calls.view_contact")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("calls.change_contact")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        change = obj is not None and self.has_change_permission(request)
        return change or request.user.has_perm("calls.add_contact")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request)


@admin.register(Contact)
class ContactAdmin(ModelAdmin[Contact]):
    form = ContactForm
    fields = ("name", "phone", "company", "external_id", "team", "owner", "notes")
    list_display = ("called", "number", "company", "team", "owner")
    list_filter = ("team",)
    list_select_related = ("team", "owner")
    list_per_page = 50
    show_full_result_count = False
    inlines = (NumberInline,)
    search_fields = ("name",)  # draws the box; get_search_results knows more
    autocomplete_fields = ("team", "owner")

    @admin.display(description=gettext_lazy("name"), ordering="name_key")
    def called(self, contact: Contact) -> str:
        return contact.name

    @admin.display(description=gettext_lazy("phone"), ordering="phone")
    def number(self, contact: Contact) -> str:
        return contact.pretty_phone

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        return queryset.search(search_term), False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        link_calls(form.instance)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """The numbers are written as a whole, by the contact: it knows which is preferred."""
        formset.save(commit=False)  # so that the history says what has changed
        contact = form.instance
        rows = [
            (row.cleaned_data["number"], row.cleaned_data["kind"])
            for row in formset.forms
            if row not in formset.deleted_forms and row.cleaned_data.get("number")
        ]
        if not change:
            rows.insert(0, (contact.phone, NumberKind.OTHER))
        elif "phone" in form.changed_data or not rows:
            rows = with_preferred(distinct(rows), contact.phone)
        contact.set_numbers(rows)
