"""The files that go along with a report: PDF and Excel, as large as a mail may be."""

import io
from typing import Final

from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import EXPORT_CALLS
from metrics.exports import jobs
from metrics.exports.pdf_file import PdfUnavailable, pdf_of
from metrics.exports.responses import file_name
from metrics.exports.xlsx_file import CONTENT_TYPE, write_xlsx
from notifications.schedules.contents import Report

Attachment = tuple[str, bytes, str]  # name, content, type
MOST_BYTES: Final = 7_000_000  # together: many servers refuse mails of 10 MB, a third is encoding


def files_of(
    report: Report, viewer: User, *, pdf: bool, excel: bool
) -> tuple[list[Attachment], list[str]]:
    """The files, and a sentence for each that was asked for and is not there."""
    files: list[Attachment] = []
    notes: list[str] = []
    if report.subject.wanted is not None and not viewer.has_perm(EXPORT_CALLS):
        return [], [_("There are no files: you may not export calls.")]
    if excel:
        _add_excel(report, files, notes)
    if pdf:
        _add_pdf(report, files, notes)
    return files, notes


def _name(report: Report) -> str:
    return "calls" if report.subject.wanted is not None else "report"


def _add_excel(report: Report, files: list[Attachment], notes: list[str]) -> None:
    too_large = _("The Excel file is too large for a mail. Download it from the page.")
    wanted = report.subject.wanted
    if wanted is not None and jobs.is_large(wanted, jobs.XLSX):
        notes.append(too_large)
        return
    file = io.BytesIO()
    write_xlsx(report.document, file)
    attachment = (file_name(_name(report), "xlsx"), file.getvalue(), CONTENT_TYPE)
    _add(attachment, files, notes, too_large)


def _add_pdf(report: Report, files: list[Attachment], notes: list[str]) -> None:
    try:
        content = pdf_of(report.document, **report.paper)
    except PdfUnavailable as error:
        notes.append(str(error))
        return
    attachment = (file_name(_name(report), "pdf"), content, "application/pdf")
    _add(attachment, files, notes, _("The PDF is too large for a mail. Download it from the page."))


def _add(one: Attachment, files: list[Attachment], notes: list[str], too_large: str) -> None:
    if sum(len(content) for _name, content, _type in [*files, one]) > MOST_BYTES:
        notes.append(too_large)
    else:
        files.append(one)
