"""How a person calls: their own choice among what the administrator offers."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import roles
from accounts.requests import PageRequest
from calls.models import DialChoice, DialLink


@require_POST
@permission_required(roles.TRACK_CALLS, raise_exception=True)
def choose(request: PageRequest) -> HttpResponse:
    """Saves the choice; an empty one leaves it to the team or the site."""
    given = request.POST.get("link", "")
    links = {str(link.pk): link for link in DialLink.objects.offered(request.user)}
    if given and given not in links:
        messages.error(request, _("This way to call is not offered any more. Choose another."))
        return redirect("me")
    DialChoice.of_user(request.user, links.get(given))
    link = DialLink.objects.of(request.user)
    messages.success(request, _("You call with %(name)s now.") % {"name": link.title})
    return redirect("me")
