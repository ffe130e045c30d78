"""The API of contacts."""

from functools import partial

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import person_of
from accounts.throttling import LimitedView
from api.contact_bodies import ContactBody
from api.queries import PageQuery, SearchQuery, check_names, checked, paged
from api.schema import CONTACT_ID
from api.serializers import answers
from calls.history.pagination import page_of_contacts
from calls.models import Contact
from calls.services.contacts import link_calls


class ContactViewSet(LimitedView, viewsets.ViewSet):
    """The contacts one may see. A new contact is one's own, unless it is given to a team."""

    lookup_value_regex = "[0-9]{1,18}"

    def find(self, request: Request, pk: str) -> Contact:
        return get_object_or_404(Contact.objects.visible_to(person_of(request)), pk=int(pk))

    def find_to_change(self, request: Request, pk: str) -> Contact:
        contact = self.find(request, pk)
        if not Contact.objects.editable_by(person_of(request)).filter(pk=contact.pk).exists():
            raise PermissionDenied(
                _("This contact is shared. Ask your supervisor or an administrator to change it.")
            )
        return contact

    @extend_schema(
        summary="Contacts, oldest first",
        parameters=[SearchQuery, PageQuery],
        responses=answers({200: ContactBody(many=True)}, 400),
    )
    def list(self, request: Request) -> Response:
        query = request.query_params
        check_names(query, {*SearchQuery().fields, *PageQuery().fields})
        wanted = checked(SearchQuery, query.dict())
        contacts = Contact.objects.visible_to(person_of(request)).search(wanted["search"])
        contacts = contacts.prefetch_related("numbers")
        return paged(
            request,
            partial(page_of_contacts, contacts),
            lambda found: list(ContactBody(found, many=True).data),
        )

    @extend_schema(
        summary="New contact",
        request=ContactBody,
        responses=answers({201: ContactBody}, 400, 403, 413, 415),
    )
    def create(self, request: Request) -> Response:
        body = self._checked(request)
        shared = body.validated_data.get("team_id") is not None
        link_calls(body.save(owner=None if shared else person_of(request)))
        return Response(body.data, status=201)

    @extend_schema(
        summary="One contact", parameters=[CONTACT_ID], responses=answers({200: ContactBody}, 404)
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(ContactBody(self.find(request, pk)).data)

    @extend_schema(
        summary="Replace a contact",
        parameters=[CONTACT_ID],
        request=ContactBody,
        responses=answers({200: ContactBody}, 400, 403, 404, 413, 415),
    )
    def update(self, request: Request, pk: str) -> Response:
        return self._change(request, pk, partial=False)

    @extend_schema(
        summary="Change a contact",
        parameters=[CONTACT_ID],
        request=ContactBody(partial=True),
        responses=answers({200: ContactBody}, 400, 403, 404, 413, 415),
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        return self._change(request, pk, partial=True)

    @extend_schema(
        summary="Delete a contact",
        parameters=[CONTACT_ID],
        responses=answers({204: None}, 403, 404),
    )
    def destroy(self, request: Request, pk: str) -> Response:
        self.find_to_change(request, pk).delete()
        return Response(status=204)

    def _change(self, request: Request, pk: str, partial: bool) -> Response:
        body = self._checked(request, self.find_to_change(request, pk), partial)
        link_calls(body.save())
        return Response(body.data)

    def _checked(
        self, request: Request, contact: Contact | None = None, partial: bool = False
    ) -> ContactBody:
        context = {"viewer": person_of(request)}
        body = ContactBody(contact, data=request.data, partial=partial, context=context)
        body.is_valid(raise_exception=True)
        return body
