"""Files as answers to a browser or a program."""

import tempfile
from typing import Final

from django.http import FileResponse, HttpResponse, StreamingHttpResponse

from common.instants import today
from metrics.exports.csv_file import Style, csv_of
from metrics.exports.document import Document
from metrics.exports.xlsx_file import CONTENT_TYPE, write_xlsx

_IN_MEMORY: Final = 1024 * 1024


def file_name(name: str, form: str) -> str:
    return f"{name}-{today():%Y-%m-%d}.{form}"


def csv_answer(
    document: Document, style: Style, name: str = "calls", sheet: int = 0
) -> StreamingHttpResponse:
    """The document's table as a streamed download."""
    lines = csv_of(document.sheets[sheet], style, document)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{file_name(name, "csv")}"'
    response["X-Accel-Buffering"] = "no"
    return response


def xlsx_answer(document: Document, name: str = "calls") -> FileResponse:
    """The document as a workbook; on disk, not in memory, while it is made and sent."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  (the answer closes it)
    write_xlsx(document, file)
    file.seek(0)
    return FileResponse(
        file, as_attachment=True, filename=file_name(name, "xlsx"), content_type=CONTENT_TYPE
    )


def pdf_answer(content: bytes, name: str = "calls") -> HttpResponse:
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{file_name(name, "pdf")}"'
    return response
