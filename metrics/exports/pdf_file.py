"""A document as PDF, laid out by WeasyPrint from a template of ours; fetches nothing."""

from typing import Any, Final, NoReturn

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from metrics.exports.document import INSTANT, TEXT, Document, Head, Sheet

ROWS_A_TABLE: Final = 200  # as many as people read on paper; the layout takes seconds
MOST_WORDS: Final = 7  # columns of words that a page of the common size has room for


_VARIANT: Final = {"pdf_variant": "pdf/ua-1"}  # for everybody: tagged


class PdfUnavailable(Exception):
    """The libraries that draw text are not installed; the message says so to people."""


def pdf_of(document: Document, **context: Any) -> bytes:
    """The file. `context` is for what only the template of paper shows. Raises PdfUnavailable."""
    return written(laid_out(document, **context))


def laid_out(document: Document, **context: Any) -> Any:
    """The pages of the file, as a weasyprint.Document. Raises PdfUnavailable."""
    html = render_to_string(
        "metrics/document_pdf.html",
        {
            "document": document,
            "tables": [_cut(sheet) for sheet in document.sheets],
            "language": get_language(),
            "wide": any(map(_is_wide, document.sheets)),
            **context,
        },
    )
    return pages_of(html, "document_pdf")


def pages_of(html: str, *styles: str) -> Any:
    """The page laid out with those of our style sheets. Raises PdfUnavailable."""
    try:
        import weasyprint
    except OSError as error:
        raise PdfUnavailable(
            _("PDF files cannot be made on this server: an administrator must install Pango.")
        ) from error
    folder = settings.BASE_DIR / "static/css"
    sheets = [weasyprint.CSS(filename=folder / f"{style}.css") for style in styles]
    page = weasyprint.HTML(string=html, url_fetcher=_fetch_nothing)
    return page.render(stylesheets=sheets, **_VARIANT)


def written(pages: Any) -> bytes:
    """The file of laid out pages."""
    pdf: bytes = pages.write_pdf(**_VARIANT)
    return pdf


def _cut(sheet: Sheet) -> dict[str, Any]:
    """The rows of a table that paper has room for, and whether there are more."""
    rows: list[list[tuple[Head, Any]]] = []
    for row in sheet.rows():
        if len(rows) == ROWS_A_TABLE:
            return {"sheet": sheet, "rows": rows, "cut": ROWS_A_TABLE}
        rows.append(list(zip(sheet.heads, row, strict=True)))
    return {"sheet": sheet, "rows": rows, "cut": 0}


def _is_wide(sheet: Sheet) -> bool:
    """Whether the table needs larger paper; an instant takes the room of two words."""
    words = sum({TEXT: 1, INSTANT: 2}.get(head.kind, 0) for head in sheet.heads)
    return words > MOST_WORDS


def _fetch_nothing(url: str, *args: Any, **kwargs: Any) -> NoReturn:
    raise ValueError("a document of ours needs nothing from elsewhere")
