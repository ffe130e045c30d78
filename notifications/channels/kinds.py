"""Which kinds of channels there are."""

from collections.abc import Mapping
from typing import Final

from notifications.channels import by_email, discord, others, slack, teams, telegram, webhook
from notifications.channels.base import Kind
from notifications.models.channels import ChannelKind

KINDS: Final[Mapping[str, Kind]] = {
    ChannelKind.EMAIL: by_email,
    ChannelKind.SLACK: slack,
    ChannelKind.TEAMS: teams,
    ChannelKind.TELEGRAM: telegram,
    ChannelKind.DISCORD: discord,
    ChannelKind.WEBHOOK: webhook,
    ChannelKind.APPRISE: others,
}
