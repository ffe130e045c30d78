"""What providers in the cloud let people download: lists of calls as CSV or Excel."""

from reconciliation.formats.exports.aircall import AircallCsv
from reconciliation.formats.exports.ringcentral import RingCentralCsv
from reconciliation.formats.exports.teams import TeamsCsv
from reconciliation.formats.exports.threecx import ThreeCxCsv
from reconciliation.formats.exports.twilio import TwilioCsv
from reconciliation.formats.exports.zoom import ZoomCsv

__all__ = ["AircallCsv", "RingCentralCsv", "TeamsCsv", "ThreeCxCsv", "TwilioCsv", "ZoomCsv"]
