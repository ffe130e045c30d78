"""FreeSWITCH's call detail records, as mod_cdr_csv, mod_json_cdr and mod_xml_cdr write them."""

from reconciliation.formats.freeswitch.documents import FreeSwitchJson, FreeSwitchXml
from reconciliation.formats.freeswitch.rows import FreeSwitchCsv

__all__ = ["FreeSwitchCsv", "FreeSwitchJson", "FreeSwitchXml"]
