"""Formats of what providers' interfaces answer, as reconciliation.fetching keeps it."""

from typing import Final

from reconciliation.formats.base import Format
from reconciliation.formats.fetched.aircall import AircallApi
from reconciliation.formats.fetched.ringcentral import RingCentralApi
from reconciliation.formats.fetched.twilio import TwilioApi
from reconciliation.formats.fetched.zoom import ZoomApi

FETCHED: Final[tuple[Format, ...]] = (TwilioApi(), ZoomApi(), AircallApi(), RingCentralApi())
