"""Django's classes that tell the type checker whose they are: `ModelForm[User]`.

Django itself does not let them be subscripted yet, so at runtime `ModelForm[User]` is `ModelForm`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as ModelAdmin
    from django.contrib.admin import TabularInline as TabularInline
    from django.contrib.auth.admin import UserAdmin as UserAdmin
    from django.contrib.auth.forms import AdminUserCreationForm as AdminUserCreationForm
    from django.contrib.auth.forms import UserChangeForm as UserChangeForm
    from django.core.paginator import Paginator as Paginator
    from django.db.models import BinaryField as BinaryField
    from django.db.models import CharField as CharField
    from django.db.models import TextField as TextField
    from django.forms import BaseFormSet as BaseFormSet
    from django.forms import BaseInlineFormSet as BaseInlineFormSet
    from django.forms import ModelForm as ModelForm
    from django.forms import ModelMultipleChoiceField as ModelMultipleChoiceField
else:
    from django.utils.module_loading import import_string

    _HOMES = {
        "AdminUserCreationForm": "django.contrib.auth.forms",
        "BaseFormSet": "django.forms",
        "BaseInlineFormSet": "django.forms",
        "BinaryField": "django.db.models",
        "CharField": "django.db.models",
        "ModelAdmin": "django.contrib.admin",
        "ModelForm": "django.forms",
        "ModelMultipleChoiceField": "django.forms",
        "Paginator": "django.core.paginator",
        "TabularInline": "django.contrib.admin",
        "TextField": "django.db.models",
        "UserAdmin": "django.contrib.auth.admin",
        "UserChangeForm": "django.contrib.auth.forms",
    }

    class _Subscriptable:
        def __init__(self, cls: type):
            self._cls = cls

        def __getitem__(self, _arguments: Any) -> type:
            return self._cls

    def __getattr__(name: str) -> Any:
        """Imported when asked for: some of them need models that are not loaded before."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return _Subscriptable(import_string(f"{_HOMES[name]}.{name}"))
