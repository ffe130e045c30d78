"""How files name their columns: folded words (common.text.folded), English and Spanish, as people,
Google, Outlook, Thunderbird and address books of phones write them."""

from typing import Final

# Field -> names of its column, the likelier first.
HEADS: Final = {
    "surname": (
        *("apellido", "apellidos", "last name", "surname", "family name", "lastname"),
        *("primer apellido", "apellido paterno"),
    ),
    "second_surname": (
        *("segundo apellido", "apellido materno", "second surname", "second last name"),
    ),
    "middle_name": (
        *("middle name", "additional name", "segundo nombre", "second name", "middlename"),
    ),
    "suffix": ("suffix", "name suffix", "sufijo", "sufijo del nombre"),
    "nickname": ("nickname", "nick name", "apodo", "alias", "sobrenombre", "seudonimo"),
    "name": (
        *("first name", "given name", "firstname", "nombre de pila", "primer nombre"),
        *("nombre", "nombres", "name", "contacto", "contact", "cliente", "customer"),
        *("nombre completo", "full name", "display name", "nombre y apellidos"),
    ),
    "whole_name": (
        *("nombre completo", "full name", "display name", "nombre para mostrar"),
        *("nombre a mostrar", "nombre y apellidos", "nombre y apellido", "fullname"),
        *("nombre", "name"),
    ),
    "company": (
        *("empresa", "company", "compania", "organizacion", "organization", "organisation"),
        *("organization name", "organization 1 name", "organisation name", "company name"),
        *("nombre de la empresa", "nombre de empresa", "nombre de la organizacion"),
        *("razon social", "account", "account name"),
    ),
    "external_id": (
        *("referencia", "reference", "ref", "external id", "id externo", "contact id"),
        *("id", "codigo", "code", "uid", "crm id", "id cliente", "record id"),
    ),
}
# Words that tell that a column whose name begins like one of those is something else.
SOMETHING_ELSE: Final = {
    *("prefix", "prefijo", "yomi", "phonetic", "title", "titulo", "puesto", "cargo"),
    *("assistant", "asistente", "ayudante", "manager", "gerente", "director"),
    *("spouse", "conyuge", "children", "hijos", "type", "tipo", "label", "etiqueta"),
    *("department", "departamento", "mail", "email", "correo", "postal", "zip"),
    *("government", "gubernamental", "fiscal", "tax"),
}
# A column is of numbers if its name has one of these words or is one of these names ...
NUMBER_WORDS: Final = {
    *("phone", "phones", "telephone", "telefono", "telefonos", "tel", "telf", "tlf", "tfno"),
    *("movil", "mobile", "celular", "cell", "cel", "cellphone", "cellular", "whatsapp"),
    *("fax", "pager", "radiotelefono", "localizador", "buscapersonas"),
    *("centralita", "conmutador", "telefonico", "telefonica"),
}
NUMBER_HEADS: Final = {
    *("numero", "number", "contact number", "numero de contacto", "particular", "particular 2"),
    *("callback", "isdn", "rdsi", "devolucion de llamada"),
}
# ... or has nothing but these, and numbers below it ...
KINDS_ALONE: Final = {
    *("trabajo", "oficina", "casa", "domicilio", "hogar", "principal", "otro", "personal"),
    *("work", "business", "office", "home", "main", "other", "1", "2", "3"),
}
# ... and has none of these: something about a number, or somebody else's.
NO_NUMBERS: Final = {
    *("type", "tipo", "label", "etiqueta", "ext", "extension", "anexo", "code", "codigo"),
    *("country", "pais", "prefix", "prefijo", "carrier", "operador", "operadora"),
    *("email", "mail", "correo", "date", "fecha", "note", "notes", "nota", "notas"),
    *("verified", "assistant", "asst", "asistente", "ayudante"),
}
# Words of a column that tells the kind of another's numbers, and words that say nothing.
LABELS: Final = {"type", "tipo", "label", "etiqueta", "kind", "clase"}
FILLING: Final = {"value", "valor", "number", "numero", "de", "del", "of", "the"}
# A column that has nothing but these words has the number that is meant to be called first, and so
# has one with such a word.
JUST_NUMBERS: Final = {
    *("phone", "telephone", "telefono", "tel", "number", "numero"),
    *("contact", "contacto", "de"),
}
PREFERRED: Final = {"primary", "preferred", "preferido", "principal"}
