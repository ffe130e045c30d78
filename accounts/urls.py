"""Signing in and out, and one's own account."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.urls import path
from django.views.i18n import set_language

from accounts import views

urlpatterns = [
    path("login/", views.SignIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("language/", login_not_required(set_language), name="set_language"),
    path("me/", views.me, name="me"),
    path("me/language/", views.me_language, name="me_language"),
    path("me/password/", views.PasswordChange.as_view(), name="password_change"),
    path("me/preferences/", views.me_preferences, name="me_preferences"),
    path("me/keys/", views.me_key, name="me_key"),
    path("me/keys/<int:pk>/revoke/", views.me_key_revoke, name="me_key_revoke"),
]
