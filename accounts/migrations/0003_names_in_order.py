"""Keys: lists in the order of names, and user names whose capitals do not matter."""

import unicodedata

from django.db import migrations, models

_AFTER_N = "n\U0010ffff"
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe"})


def name_key(name):
    """common.text.name_key as it was: what a migration did must not change with the code."""
    seen = "".join(char for char in name if unicodedata.category(char) != "Cf")
    text = " ".join(seen.casefold().split())
    text = unicodedata.normalize("NFKD", text).replace("n\u0303", _AFTER_N)
    text = "".join(char for char in text if not unicodedata.combining(char))
    return text.translate(_LETTERS).encode(errors="replace")


def sign_in_key(username):
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())


def fill(apps, schema_editor):
    """Of names that differ in capitals only, one has the key: the one without, else the first. The
    others keep their own spelling for a key, which no other key is like, and sign in with it."""
    user_model, team_model = apps.get_model("accounts", "User"), apps.get_model("accounts", "Team")
    for team in team_model.objects.only("name").iterator():
        team_model.objects.filter(pk=team.pk).update(name_key=name_key(team.name))
    taken = set()
    users = user_model.objects.order_by("pk")
    for user in sorted(users, key=lambda user: user.username != sign_in_key(user.username)):
        shown = f"{user.first_name} {user.last_name}".strip() or user.username
        key = sign_in_key(user.username)
        key = user.username if key in taken else key
        taken.add(key)
        keys = {"name_key": name_key(shown), "username_key": key}
        user_model.objects.filter(pk=user.pk).update(**keys)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_keys_and_notifications")]
    operations = [
        migrations.AddField("team", "name_key", models.BinaryField(default=b"")),
        migrations.AddField("user", "name_key", models.BinaryField(default=b"")),
        migrations.AddField(
            "user", "username_key", models.CharField(default="", editable=False, max_length=600)
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField(
            "user",
            "username_key",
            models.CharField(editable=False, max_length=600, unique=True),
        ),
        migrations.AlterModelOptions(
            "team",
            {
                "ordering": ["name_key", "pk"],
                "verbose_name": "team",
                "verbose_name_plural": "teams",
            },
        ),
    ]
