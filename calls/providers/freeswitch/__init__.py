"""FreeSWITCH, by the call records that it sends."""

from calls.providers.freeswitch.adapter import FreeSwitch

__all__ = ["FreeSwitch"]
