"""The admin site, opened by a permission of the roles table instead of a tick on each person."""

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class CallManagerAdminSite(AdminSite):
    site_title = "CallManager"
    site_header = "CallManager"
    index_title = _("Administration")

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.has_perm("accounts.use_admin")
