"""Every address of the site as a table of who gets in, and walks over all of them.

The tables are read across: Alice's things, as seen by nobody (not signed in), by herself, by Bob of
her team, by Carol of another, by Sue who supervises hers, by Sam who supervises the other, and by
Ada, the administrator.
"""

import datetime as dt
import io
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, User
from calls import services
from calls.contacts import files, importer
from calls.models import CallLog, Contact, DialLink, ProviderAccount
from calls.providers.base import ProviderEvent
from calls.services import disputes
from calls.telephony import intake
from common.instants import now, to_ms
from metrics.exports import jobs
from metrics.models import Export, SavedView
from notifications.bell import tell
from notifications.models import (
    Alert,
    Channel,
    Delivery,
    ReportSchedule,
    Rule,
    WebhookEndpoint,
)
from notifications.models.rules import Kind
from notifications.rules import standard
from notifications.schedules.unsubscribing import address_of
from notifications.webhooks import endpoints
from reconciliation import imports
from reconciliation.models import PriceList, ProviderRecord, RecordImport
from tests.support.people import People, make_call
from upkeep.backups.places import name_at
from upkeep.models import Backup
from webphone.models import PhoneLine

VIEWERS = ("nobody", "alice", "bob", "carol", "sue", "sam", "ada")

PAGES = """
GET  /                               302  200  200  200  200  200  200
GET  /cards/                         302  200  200  200  200  200  200
GET  /recent/                        302  200  200  200  200  200  200
GET  /timer/                         302  200  200  200  200  200  200
GET  /contacts/                      302  200  200  200  200  200  200
GET  /contacts/import/               302  200  200  200  200  200  200
POST /contacts/import/               302  400  400  400  400  400  400
GET  /contacts/import/{import}/      302  200  404  404  404  404  404
POST /contacts/import/{import}/      302  302  404  404  404  404  404
POST /contacts/import/{import}/undo/ 302  302  404  404  404  404  404
GET  /contacts/export.csv            302  200  200  200  200  200  200
GET  /contacts/export.xlsx           302  200  200  200  200  200  200
GET  /contacts/export.vcf            302  200  200  200  200  200  200
GET  /contacts/{contact}/            302  200  404  404  404  404  200
GET  /contacts/{contact}/edit/       302  200  404  404  404  404  200
POST /contacts/{contact}/edit/       302  302  404  404  404  404  302
GET  /contacts/{contact}/merge/      302  200  404  404  404  404  200
GET  /contacts/{contact}/merge/?other={other} 302 200 404 404 404 404 200
POST /contacts/{contact}/merge/      302  302  404  404  404  404  302
GET  /contacts/{contact}/delete/     302  200  404  404  404  404  200
POST /contacts/{contact}/delete/     302  302  404  404  404  404  302
GET  /calls/current/                 302  200  200  200  200  200  200
GET  /calls/unconfirmed/             302  200  200  200  200  200  200
GET  /calls/                         302  200  200  200  200  200  200
GET  /calls/totals/                  302  302  302  302  302  302  302
GET  /calls/export.csv               302  200  200  200  200  200  200
GET  /calls/export.xlsx              302  200  200  200  200  200  200
GET  /calls/export.pdf               302  200  200  200  200  200  200
GET  /exports/                       302  200  200  200  200  200  200
POST /exports/new/                   302  302  302  302  302  302  302
GET  /exports/{export}/file/         302  200  404  404  404  404  404
POST /exports/{export}/cancel/       302  302  404  404  404  404  404
GET  /reports/                       302  403  403  403  200  200  200
GET  /reports/export.csv             302  403  403  403  200  200  200
GET  /reports/export.xlsx            302  403  403  403  200  200  200
GET  /reports/export.pdf             302  403  403  403  200  200  200
GET  /reports/statement/             302  200  200  200  200  200  200
GET  /reports/statement.pdf          302  200  200  200  200  200  200
GET  /reports/statement.pdf?agent={alice} 302 200 404 404 200 404 200
GET  /reports/statement/?team={red}  302  404  404  404  200  404  200
GET  /reports/schedules/             302  200  200  200  200  200  200
POST /reports/send/                  302  302  302  302  302  302  302
GET  /reports/schedules/new/         302  200  200  200  200  200  200
POST /reports/schedules/new/         302  400  400  400  400  400  400
GET  /reports/schedules/{schedule}/  302  200  404  404  404  404  404
GET  /reports/schedules/{schedule}/edit/ 302 200 404 404 404 404 404
POST /reports/schedules/{schedule}/edit/ 302 400 404 404 404 404 404
GET  /reports/schedules/{schedule}/mail/ 302 200 404 404 404 404 404
POST /reports/schedules/{schedule}/pause/ 302 302 404 404 404 404 404
POST /reports/schedules/{schedule}/send/ 302 302 404 404 404 404 404
POST /reports/schedules/{schedule}/delete/ 302 302 404 404 404 404 404
GET  /reports/unsubscribe/{leaving}/ 200  200  200  200  200  200  200
POST /reports/unsubscribe/{leaving}/ 200  200  200  200  200  200  200
GET  /records/                       302  403  403  403  200  200  200
GET  /records/import/                302  403  403  403  403  403  200
POST /records/import/                302  403  403  403  403  403  400
GET  /records/import/{record_import}/ 302 403  403  403  403  403  200
POST /records/import/{record_import}/ 302 403  403  403  403  403  302
POST /records/import/{record_import}/undo/ 302 403 403 403 403 403 302
POST /records/import/{record_import}/cancel/ 302 403 403 403 403 403 302
GET  /records/import/{record_import}/faults.csv 302 403 403 403 403 403 200
GET  /records/differences/           302  403  403  403  200  200  200
GET  /records/differences/accept/    302  403  403  403  403  403  200
POST /records/differences/accept/    302  403  403  403  403  403  302
POST /records/differences/{difference}/accept/ 302 403 403 403 403 403 302
POST /records/differences/{difference}/keep/ 302 403 403 403 403 403 302
GET  /records/missing/               302  403  403  403  200  200  200
POST /records/fetch/                 302  403  403  403  403  403  400
GET  /records/bill/                  302  403  403  403  403  403  200
GET  /records/bill/export.csv        302  403  403  403  403  403  200
GET  /records/prices/                302  403  403  403  403  403  200
GET  /records/prices/new/            302  403  403  403  403  403  200
POST /records/prices/new/            302  403  403  403  403  403  400
GET  /records/prices/{price_list}/   302  403  403  403  403  403  200
POST /records/prices/{price_list}/   302  403  403  403  403  403  400
POST /records/prices/{price_list}/delete/ 302 403 403 403 403 403 302
GET  /team/                          302  403  403  403  200  200  200
GET  /team/?team={red}               302  403  403  403  200  404  200
GET  /organization/                  302  403  403  403  403  403  200
GET  /wall/                          302  403  403  403  200  200  200
GET  /wall/?team={red}               302  403  403  403  200  404  200
GET  /agents/{alice}/                302  200  404  404  200  404  200
GET  /plots/                         302  200  200  200  200  200  200
GET  /plots/?team={red}              302  404  404  404  200  404  200
GET  /figures/calls_made/            302  200  200  200  200  200  200
GET  /figures/calls_made/?team={red} 302  404  404  404  200  404  200
GET  /figures/calls_made/check/      302  200  200  200  200  200  200
GET  /figures/calls_made/check/?agent={alice} 302 200 404 404 200 404 200
GET  /views/                         302  200  200  200  200  200  200
POST /views/                         302  302  302  302  302  302  302
GET  /views/{view}/                  302  302  404  404  404  404  404
POST /views/{view}/rename/           302  302  404  404  404  404  404
POST /views/{view}/delete/           302  302  404  404  404  404  404
GET  /rules/                         302  403  403  403  200  200  200
GET  /rules/new/long_call/           302  403  403  403  200  200  200
POST /rules/new/long_call/           302  403  403  403  302  400  302
GET  /rules/new/long_call/preview/   302  403  403  403  302  302  302
GET  /rules/new/disk_full/           302  403  403  403  404  404  200
GET  /rules/new/nothing/             302  403  403  403  404  404  404
GET  /rules/{rule}/                  302  403  403  403  200  404  200
GET  /rules/{rule}/edit/             302  403  403  403  200  404  200
POST /rules/{rule}/edit/             302  403  403  403  302  404  302
POST /rules/{rule}/switch/           302  403  403  403  302  404  302
POST /rules/{rule}/snooze/           302  403  403  403  302  404  302
GET  /rules/{rule}/delete/           302  403  403  403  200  404  200
POST /rules/{rule}/delete/           302  403  403  403  302  404  302
GET  /rules/{whole}/                 302  403  403  403  200  200  200
GET  /rules/{whole}/edit/            302  403  403  403  404  404  200
POST /rules/{whole}/switch/          302  403  403  403  404  404  302
GET  /alerts/                        302  200  200  200  200  200  200
GET  /notifications/                 302  200  200  200  200  200  200
GET  /notifications/bell/            302  200  200  200  200  200  200
GET  /notifications/{alert}/words/   302  200  404  404  404  404  404
POST /notifications/{alert}/read/    302  302  404  404  404  404  404
POST /notifications/read/            302  302  302  302  302  302  302
GET  /webhooks/                      302  403  403  403  403  403  200
POST /webhooks/                      302  403  403  403  403  403  400
GET  /webhooks/{webhook}/            302  403  403  403  403  403  200
POST /webhooks/{webhook}/            302  403  403  403  403  403  400
POST /webhooks/{webhook}/test/       302  403  403  403  403  403  302
POST /webhooks/{webhook}/switch/     302  403  403  403  403  403  302
POST /webhooks/{webhook}/secret/     302  403  403  403  403  403  200
POST /webhooks/{webhook}/old-secret/ 302  403  403  403  403  403  302
POST /webhooks/{webhook}/again/      302  403  403  403  403  403  302
POST /webhooks/{webhook}/delete/     302  403  403  403  403  403  302
GET  /phone/                         302  200  200  200  200  200  200
GET  /phone/config/                  302  409  404  404  404  404  404
GET  /phone/who/?number=88887777     302  200  404  404  404  404  404
POST /phone/events/                  302  400  404  404  404  404  404
POST /alerts/{alert}/acknowledge/    302  302  404  404  302  404  302
GET  /me/                            302  200  200  200  200  200  200
GET  /me/password/                   302  200  200  200  200  200  200
POST /me/language/                   302  302  302  302  302  302  302
POST /me/preferences/                302  302  302  302  302  302  302
POST /me/dialing/                    302  302  302  302  302  302  302
POST /me/keys/                       302  200  200  200  200  200  200
POST /me/keys/{key}/revoke/          302  302  404  404  404  404  404
GET  /login/                         200  302  302  302  302  302  302
POST /hooks/generic/pbx/             403  403  403  403  403  403  403
POST /hooks/generic/nobody/          403  403  403  403  403  403  403
POST /hooks/nothing/pbx/             404  404  404  404  404  404  404
POST /language/                      302  302  302  302  302  302  302
POST /logout/                        302  302  302  302  302  302  302
GET  /channels/                      302  200  200  200  200  200  200
GET  /channels/new/mine/email/       302  200  200  200  200  200  200
POST /channels/new/mine/email/       302  302  302  302  302  302  302
GET  /channels/new/mine/slack/       302  404  404  404  404  404  404
GET  /channels/new/organisation/slack/ 302 404 404  404  404  404  200
GET  /channels/new/organisation/no/  302  404  404  404  404  404  404
GET  /channels/{channel}/            302  200  404  404  404  404  404
POST /channels/{channel}/            302  302  404  404  404  404  404
POST /channels/{channel}/test/       302  302  404  404  404  404  404
POST /channels/{channel}/switch/     302  302  404  404  404  404  404
GET  /channels/{channel}/delete/     302  200  404  404  404  404  404
POST /channels/{channel}/delete/     302  302  404  404  404  404  404
GET  /channels/{shared}/             302  404  404  404  404  404  200
POST /channels/{shared}/test/        302  404  404  404  404  404  302
POST /channels/{shared}/delete/      302  404  404  404  404  404  302
GET  /channels/deliveries/           302  200  200  200  200  200  200
POST /channels/deliveries/{delivery}/again/ 302 302 404 404  404  404  404

GET  /disputes/                      302  200  200  200  200  200  200
GET  /calls/{ended}/                 302  200  404  404  200  404  200
GET  /calls/{ended}/statement/       302  200  404  404  200  404  200
GET  /calls/{ended}/statement.pdf    302  200  404  404  200  404  200
POST /calls/{ended}/note/            302  302  404  404  404  404  404
POST /calls/{ended}/outcome/         302  302  404  404  302  404  302
POST /calls/{ended}/contact/         302  302  404  404  302  404  302
POST /calls/{ended}/save/            302  302  404  404  302  404  302
POST /calls/{ended}/correct/         302  403  403  403  302  404  302
POST /calls/{ended}/dispute/         302  302  404  404  404  404  404
POST /calls/{disputed}/decide/       302  403  403  403  302  404  302
POST /calls/{ended}/decide/          302  403  403  403  404  404  404
POST /calls/{estimated}/accept/      302  403  403  403  302  404  302
POST /calls/{estimated}/confirm/     302  302  404  404  404  404  404
POST /calls/start/                   302  302  302  302  302  302  302
POST /calls/{running}/hold/          302  302  404  404  404  404  404
POST /calls/{running}/keep/          302  302  404  404  404  404  404
POST /calls/{ended}/ready/           302  302  404  404  404  404  404
POST /calls/{ended}/disposition/     302  302  404  404  404  404  404
GET  /calls/{ended}/ended/           302  302  404  404  404  404  404
POST /calls/{running}/end/           302  302  404  404  404  404  404
"""

API = """
GET  /api/calls/log                  401  200  200  200  200  200  200
GET  /api/calls/export.csv           401  200  200  200  200  200  200
GET  /api/calls/export.xlsx          401  200  200  200  200  200  200
GET  /api/calls/active               401  200  200  200  200  200  200
POST /api/calls/start                401  201  201  201  201  201  201
GET  /api/calls/{ended}              401  200  404  404  200  404  200
GET  /api/calls/{running}            401  200  404  404  200  404  200
POST /api/calls/{running}/answer     401  200  404  404  404  404  404
POST /api/calls/{running}/hold       401  200  404  404  404  404  404
POST /api/calls/{running}/resume     401  200  404  404  404  404  404
POST /api/calls/{running}/pause      401  200  404  404  404  404  404
POST /api/calls/{running}/unpause    401  200  404  404  404  404  404
POST /api/calls/{running}/heartbeat  401  200  404  404  404  404  404
POST /api/calls/{ended}/ready        401  200  404  404  404  404  404
POST /api/calls/{ended}/disposition  401  200  404  404  404  404  404
POST /api/calls/{ended}/dispute      401  201  404  404  404  404  404
POST /api/calls/end                  401  200  404  404  404  404  404
GET  /api/metrics/me                 401  200  200  200  200  200  200
GET  /api/metrics/team               401  403  403  403  200  200  200
GET  /api/metrics/organization       401  403  403  403  403  403  200
GET  /api/events                     401  200  200  200  200  200  200
GET  /api/reports/summary            401  403  403  403  200  200  200
GET  /api/reports/summary.csv        401  403  403  403  200  200  200
GET  /api/reports/summary.xlsx       401  403  403  403  200  200  200
GET  /api/reports/teams              401  403  403  403  200  200  200
GET  /api/reports/teams.csv          401  403  403  403  200  200  200
GET  /api/reports/teams.xlsx         401  403  403  403  200  200  200
GET  /api/reports/agents             401  403  403  403  200  200  200
GET  /api/reports/agents.csv         401  403  403  403  200  200  200
GET  /api/reports/agents.xlsx        401  403  403  403  200  200  200
GET  /api/reports/days               401  403  403  403  200  200  200
GET  /api/reports/days.csv           401  403  403  403  200  200  200
GET  /api/reports/days.xlsx          401  403  403  403  200  200  200
GET  /api/contacts                   401  200  200  200  200  200  200
GET  /api/contacts/{contact}         401  200  404  404  404  404  200
GET  /api/schema                     401  200  200  200  200  200  200
GET  /api/docs                       401  200  200  200  200  200  200
"""

ADMIN = """
GET  /admin/                                       302  403  403  403  403  403  200
GET  /admin/login/                                 302  302  302  302  302  302  302
GET  /admin/jsi18n/                                302  403  403  403  403  403  200
GET  /admin/autocomplete/                          302  403  403  403  403  403  403
GET  /admin/password_change/                       302  403  403  403  403  403  200
GET  /admin/accounts/user/                         302  403  403  403  403  403  200
GET  /admin/accounts/user/add/                     302  403  403  403  403  403  200
GET  /admin/accounts/user/{alice}/change/          302  403  403  403  403  403  200
GET  /admin/accounts/user/{alice}/password/        302  403  403  403  403  403  200
GET  /admin/accounts/team/                         302  403  403  403  403  403  200
GET  /admin/accounts/team/{red}/change/            302  403  403  403  403  403  200
GET  /admin/accounts/apikey/                       302  403  403  403  403  403  200
GET  /admin/accounts/apikey/add/                   302  403  403  403  403  403  200
GET  /admin/accounts/apikey/{key}/change/          302  403  403  403  403  403  200
GET  /admin/calls/contact/                         302  403  403  403  403  403  200
GET  /admin/calls/contact/{contact}/change/        302  403  403  403  403  403  200
GET  /admin/calls/disposition/                     302  403  403  403  403  403  200
GET  /admin/calls/disposition/add/                 302  403  403  403  403  403  200
GET  /admin/calls/diallink/                        302  403  403  403  403  403  200
GET  /admin/calls/diallink/add/                    302  403  403  403  403  403  200
GET  /admin/calls/diallink/{link}/change/          302  403  403  403  403  403  200
GET  /admin/calls/calllog/                         302  403  403  403  403  403  200
GET  /admin/calls/calllog/add/                     302  403  403  403  403  403  403
GET  /admin/calls/calllog/{ended_pk}/change/       302  403  403  403  403  403  200
GET  /admin/calls/calllog/{ended_pk}/correct/      302  403  403  403  403  403  200
GET  /admin/calls/calllog/{nobodys}/assign/        302  403  403  403  403  403  200
GET  /admin/calls/calllog/{ended_pk}/assign/       302  403  403  403  403  403  404
GET  /admin/calls/provideraccount/                 302  403  403  403  403  403  200
GET  /admin/calls/provideraccount/add/             302  403  403  403  403  403  200
GET  /admin/calls/provideraccount/{pbx}/change/    302  403  403  403  403  403  200
POST /admin/calls/provideraccount/{pbx}/try/       302  403  403  403  403  403  302
GET  /admin/calls/provideridentity/                302  403  403  403  403  403  200
GET  /admin/calls/provideridentity/add/            302  403  403  403  403  403  200
GET  /admin/calls/rawevent/                        302  403  403  403  403  403  200
GET  /admin/calls/rawevent/add/                    302  403  403  403  403  403  403
GET  /admin/calls/calllog/{ended_pk}/delete/       302  403  403  403  403  403  200
GET  /admin/webphone/phoneline/                    302  403  403  403  403  403  200
GET  /admin/webphone/phoneline/add/                302  403  403  403  403  403  200
GET  /admin/webphone/phoneline/{line}/change/      302  403  403  403  403  403  200
GET  /admin/metrics/usermetrics/                   302  403  403  403  403  403  200
GET  /admin/metrics/usermetrics/add/               302  403  403  403  403  403  403
GET  /admin/metrics/usermetrics/{alice}/change/    302  403  403  403  403  403  200
GET  /admin/metrics/dailymetrics/                  302  403  403  403  403  403  200
GET  /admin/metrics/dailymetrics/add/              302  403  403  403  403  403  403
GET  /admin/upkeep/workerbeat/                     302  403  403  403  403  403  200
POST /admin/upkeep/workerbeat/run/                 302  403  403  403  403  403  302
GET  /admin/upkeep/jobrun/                         302  403  403  403  403  403  200
GET  /admin/upkeep/jobrun/add/                     302  403  403  403  403  403  403
GET  /admin/upkeep/removal/                        302  403  403  403  403  403  200
GET  /admin/upkeep/removal/add/                    302  403  403  403  403  403  403
GET  /admin/upkeep/removal/forget/                 302  403  403  403  403  403  200
POST /admin/upkeep/removal/forget/                 302  403  403  403  403  403  200
GET  /admin/upkeep/backup/                         302  403  403  403  403  403  200
GET  /admin/upkeep/backup/add/                     302  403  403  403  403  403  403
GET  /admin/upkeep/backup/{backup}/change/         302  403  403  403  403  403  200
GET  /admin/upkeep/backup/{backup}/file/           302  403  403  403  403  403  200
POST /admin/upkeep/backup/now/                     302  403  403  403  403  403  302
"""


def rows(table: str) -> Iterator[tuple[str, str, dict[str, int]]]:
    """(method, address, {viewer: status}), one a line."""
    for line in table.strip().split("\n"):
        if line:
            method, address, *statuses = line.split()
            yield method, address, dict(zip(VIEWERS, map(int, statuses), strict=True))


def written_export(owner: User) -> Export:
    export = jobs.request_export(owner, jobs.CSV, QueryDict())
    jobs.write(export.pk)
    return export


def make_channels(people: People) -> tuple[Channel, Channel, Delivery]:
    """Alice's mail, the organisation's too, and a message to Alice that was given up."""
    own = Channel(name="Her mail", kind="email", owner=people.alice)
    own.secrets = {"address": "alice@example.org"}
    shared = Channel(name="The office", kind="email")
    shared.secrets = {"address": "office@example.org"}
    for channel in (own, shared):
        channel.save()
    moment = now()
    fault = {"message": "No connection to %(host)s could be made.", "values": {"host": "here"}}
    given_up = Delivery.objects.create(
        channel=own, due_at=moment, give_up_at=moment, state="dead", attempts=24, fault=fault
    )
    return own, shared, given_up


def make_records(account: ProviderAccount, call: CallLog) -> tuple[RecordImport, ProviderRecord]:
    """A file of records that is looked at, and a record that an earlier one left to be decided."""
    assert call.end_time is not None
    rows = b"Start;End;Extension;Number\n2026-02-03 10:00:00;2026-02-03 10:01:00;1001;88887777\n"
    draft = imports.start(account, None, "calls.csv", io.BytesIO(rows))
    imports.examine(draft)
    done = RecordImport.objects.create(
        account=account, file_name="before.csv", format="table", state=RecordImport.DONE
    )
    difference = ProviderRecord.objects.create(
        account=account,
        brought_by=done,
        call=call,
        key="1",
        outcome=ProviderRecord.DIFFERENT,
        reasons=["end"],
        start_time=call.start_time,
        answered_time=call.answered_time,
        end_time=call.end_time + dt.timedelta(minutes=1),
        status=call.status,
    )
    return draft, difference


def make_price_list(account: ProviderAccount) -> PriceList:
    rate = {"prefix": "506", "direction": "", "per_minute": "0.02", "connection": "0", "step": 60}
    day = dt.date(2026, 1, 1)
    return PriceList.objects.create(account=account, valid_from=day, currency="USD", rates=[rate])


def written_backup() -> Backup:
    """A backup with a file, whatever is in that."""
    begun = now()
    settings.BACKUP_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = settings.BACKUP_DIR / name_at(begun)
    file.write_bytes(b"packed")
    return Backup.objects.create(name=file.name, begun_at=begun, ended_at=begun, size=6)


def make_things(people: People) -> dict[str, Any]:
    """What the addresses name: Alice's calls, contact, key and file, and her team."""
    ended = make_call(people.alice, 60, ago=7200, contact_phone="8765 4321")
    disputed = make_call(people.alice, 60, ago=9000)
    disputes.dispute(disputed, people.alice, "I never talked that long")
    begun = now() - dt.timedelta(days=1)
    estimated, _ = services.start_call(
        people.alice, reported=services.ReportedTime(begun, explicit=True)
    )
    services.close_stale_calls()
    running, _ = services.start_call(people.alice)
    contact = Contact(name="Elena", owner=people.alice)
    contact.set_numbers([("88887777", "mobile"), ("22221001", "work")])
    other = Contact.objects.create(name="Elena Mora", phone="88887778", owner=people.alice)
    pbx = ProviderAccount.objects.create(kind="generic", name="pbx")
    event = ProviderEvent("started", "c1", to_ms(begun), agents=("1999",))
    (nobodys,) = intake.record(pbx, [event], received=now())
    sheet = files.read(b"name,phone\nElena,88887777")
    draft = importer.draft(people.alice, "contacts.csv", sheet, None, False)
    standard.lay("default")  # a test with a server has emptied the tables
    rule = Rule.objects.create(kind=Kind.LONG_CALL, team=people.red, tell_agent=True)
    alert = Alert.objects.create(
        rule=rule,
        kind=rule.kind,
        occasion="its first",
        call=ended,
        agent=people.alice,
        facts={"seconds": 30},
        reached_at=now(),
    )
    tell(alert, [people.alice])
    webhook = WebhookEndpoint(name="CRM", url="http://127.0.0.1/hook")
    endpoints.add(webhook)
    records, difference = make_records(pbx, ended)
    own, shared, delivery = make_channels(people)
    schedule = ReportSchedule.objects.create(
        owner=people.alice, name="Her week", every="week", at=dt.time(8), next_at=now()
    )
    # An account without an address: its window says so, and connects to nothing.
    phone = ProviderAccount.objects.create(kind="webphone", name="phone")
    line = PhoneLine.objects.create(user=people.alice, account=phone, sip_user="alice")
    return {
        "disputed": disputed.call_id,
        "line": line.pk,
        "record_import": records.pk,
        "price_list": make_price_list(pbx).pk,
        "difference": difference.pk,
        "rule": rule.pk,
        "whole": Rule.objects.get(standard="long_call").pk,
        "alert": alert.pk,
        "channel": own.pk,
        "shared": shared.pk,
        "delivery": delivery.pk,
        "schedule": schedule.pk,
        "leaving": address_of(schedule, people.alice).split("/")[-2],
        "pbx": pbx.pk,
        "nobodys": nobodys.pk,
        "alice": people.alice.pk,
        "red": people.red.pk,
        "ended": ended.call_id,
        "ended_pk": ended.pk,
        "estimated": estimated.call_id,
        "running": running.call_id,
        "contact": contact.pk,
        "other": other.pk,
        "view": SavedView.objects.create(owner=people.alice, name="Hers", path="/").pk,
        "import": draft.pk,
        "link": DialLink.objects.create(kind="callto").pk,
        "key": ApiKey.issue(people.alice, "her program")[0].pk,
        "export": written_export(people.alice).token,
        "webhook": webhook.pk,
        "backup": written_backup().pk,
    }


def body_of(address: str, things: dict[str, Any]) -> dict[str, Any]:
    """What a POST to `address` sends so that only the sender can be what is wrong with it."""
    if address.endswith("/correct/"):
        call = CallLog.objects.known_as(things["ended"])
        assert call is not None
        times = {"start": call.start_time, "end": call.end_time}
        written = {
            name: f"{timezone.localtime(time):%Y-%m-%dT%H:%M:%S}" for name, time in times.items()
        }
        return written | {"status": call.status, "reason": "The agent said so"}
    if address == "/api/calls/end":
        return {"call_id": str(things["running"])}
    if address == "/contacts/{contact}/merge/":
        return {"other": str(things["other"])}
    if address in ("/rules/new/long_call/", "/rules/{rule}/edit/"):
        red = f"team-{things['red']}"
        said = {"scope": red, "amount": "10", "unit": "minutes", "tell_agent": "on"}
        return said | {"cool_down_seconds": "0"}
    return {
        "/admin/upkeep/workerbeat/run/": {"name": "metrics.tasks.tidy_exports"},
        "/calls/{ended}/dispute/": {"reason": "I never talked that long"},
        "/calls/{disputed}/decide/": {"reason": "No trace of it", "decision": "rejected"},
        "/api/calls/{ended}/dispute": {"reason": "I never talked that long"},
        "/api/calls/{ended}/disposition": {"disposition": ""},
        "/webhooks/{webhook}/again/": {"number": "1"},
        "/records/import/{record_import}/": {"take": "1"},
        "/records/differences/{difference}/keep/": {"reason": "She wrote it down."},
        "/views/": {"name": "My month", "path": "/", "query": "period=month"},
        "/views/{view}/rename/": {"name": "A new name"},
        "/me/keys/": {"name": "A program"},
        "/exports/new/": {"form": "csv"},
        "/notifications/read/": {"until": "1"},
        "/channels/new/mine/email/": {"name": "Mail", "address": "a@example.org"},
        "/channels/{channel}/": {"name": "Mail"},
        "/me/language/": {"language": "es"},
        "/language/": {"language": "es"},
        "/contacts/import/{import}/": {"name": "0", "phone": "1", "duplicates": "skip"},
        "/calls/{running}/end/": {"status": "COMPLETED"},
        "/calls/{ended}/contact/": {"name": "Beto"},
        "/calls/{ended}/save/": {"name": "Beto"},
        "/contacts/{contact}/edit/": {"name": "Elena", "number_0": "88887777"},
    }.get(address, {})


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def answers(table: str, things: dict[str, Any], client: Client) -> dict[str, Any]:
    """What `viewer` is answered at each address, each as if it were the first that was asked."""
    found = {}
    for method, address, _ in rows(table):
        url, body, cookies = address.format(**things), body_of(address, things), client.cookies
        client.cookies = deepcopy(cookies)
        with transaction.atomic():
            if method == "GET":
                found[f"GET {address}"] = client.get(url)
            elif url.startswith("/api/"):
                found[f"POST {address}"] = client.post(url, body, "application/json")
            else:
                found[f"POST {address}"] = client.post(url, body)
            transaction.set_rollback(True)
        client.cookies = cookies
    return found
