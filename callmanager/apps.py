from django.contrib.admin import apps as admin


class CallManagerAdminConfig(admin.AdminConfig):
    default_site = "callmanager.admin_site.CallManagerAdminSite"
