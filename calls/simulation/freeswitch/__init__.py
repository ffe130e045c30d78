"""A FreeSWITCH that is not there: the records it sends, and its event socket."""

from calls.simulation.freeswitch.records import BUILDER

__all__ = ["BUILDER"]
