"""Spanish is complete, and a page is in one language only: the reader's."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from calls import timeline
from tests.support.people import People, make_call

pytestmark = pytest.mark.once

ROOT = Path(settings.BASE_DIR)
Visit = Callable[[str, User | None, str], str]


@pytest.fixture
def read(people: People) -> Visit:
    """read(path, person, language): the page as that reader's browser gets it."""
    make_call(people.alice, status=timeline.FAILED)

    def page(path: str, person: User | None, language: str) -> str:
        client = Client(headers={"accept-language": language})
        if person:
            client.force_login(person)
        return client.get(path).content.decode()

    return page


def test_every_text_is_translated():
    script = [sys.executable, "scripts/check_translations.py"]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


PAGES = [
    ("/", "alice", ["Mi puesto", "Llamada actual", "Fallidas", "TMO"], "My desk"),
    ("/", "alice", ["Llamadas recientes", "Sin llamada", "Fallida"], "Recent calls"),
    ("/contacts/", "alice", ["Contactos", "Nombre, empresa o número"], "Contacts"),
    ("/me/", "alice", ["Mi cuenta", "Claves de API", "Inglés"], "My account"),
    ("/calls/", "sue", ["Todas las llamadas", "Evidencia", "Quitar filtros"], "Clear filters"),
    ("/calls/?start_date=x", "sue", ["Escriba la fecha como AAAA-MM-DD."], "Write a date"),
    ("/team/", "sue", ["Equipo", "En vivo", "Libres", "Hoy"], "Today"),
    ("/organization/", "ada", ["Organización", "En llamada ahora"], "Organisation"),
    ("/admin/", "ada", ["Administración", "Personas", "Cifras diarias"], "Administration"),
    ("/team/", "alice", ["No tiene permiso para abrir esta página."], "You may not open"),
    ("/nowhere/", "alice", ["Aquí no hay nada.", "Volver al inicio"], "There is nothing here."),
    ("/login/", "", ["Iniciar sesión", "Contraseña"], "Sign in"),
]


@pytest.mark.parametrize(("path", "name", "spanish", "english"), PAGES)
def test_a_page_speaks_the_language_of_the_browser(read, people, path, name, spanish, english):
    person = getattr(people, name) if name else None
    in_spanish, in_english = read(path, person, "es-CR"), read(path, person, "en-GB")
    assert '<html lang="es"' in in_spanish
    assert '<html lang="en"' in in_english
    assert [text for text in spanish if text not in in_spanish] == []
    assert [text for text in spanish if text in in_english] == []
    assert (english in in_english, english in in_spanish) == (True, False)


def test_an_unknown_language_reads_the_language_of_the_site(read, people):
    assert '<html lang="es"' in read("/", people.alice, "fi")


def test_the_language_a_person_chose_goes_before_the_browser(read, people):
    User.objects.filter(pk=people.alice.pk).update(language="en")
    alice = User.objects.get(pk=people.alice.pk)
    assert "My desk" in read("/", alice, "es-CR")


@pytest.mark.parametrize(("language", "lower"), [("es", True), ("en", False)])
def test_short_months_are_written_as_the_language_writes_them(read, people, language, lower):
    """Django's own short month begins with a capital in every language; Spanish wants none."""
    (month,) = re.findall(r"<time [^>]*>\d+ (\w+) ", read("/", people.alice, language))
    assert month.islower() == lower
