"""Django's cache on Redis, without a new client for every word that is asked."""

from functools import cached_property
from typing import Any, Final, cast

from django.core.cache.backends import redis

from common.sliding_window import Rate, Usage

# common.sliding_window.Window.take and .give_back, where all processes see one window. Its groups
# stand one after another: first, last, how many.
_TAKE: Final = """
local now, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local period, step = tonumber(ARGV[3]), tonumber(ARGV[4])
local kept = redis.call('GET', KEYS[1])
local groups, count = {}, 0
kept = kept and cmsgpack.unpack(kept) or {}
for i = 1, #kept, 3 do
    if kept[i + 1] > now - period then
        for j = i, i + 2 do groups[#groups + 1] = kept[j] end
        count = count + kept[i + 2]
    end
end
local is_allowed = count < limit
if is_allowed then
    count = count + 1
    if #groups == 0 or now - groups[#groups - 2] >= step then
        for _, value in ipairs({now, now, 0}) do groups[#groups + 1] = value end
    end
    groups[#groups - 1] = math.max(groups[#groups - 1], now)
    groups[#groups] = groups[#groups] + 1
    redis.call('SET', KEYS[1], cmsgpack.pack(groups), 'PX', period)
end
return {count, is_allowed and 1 or 0, groups[2] + period - now, groups[#groups - 2]}
"""
_GIVE_BACK: Final = """
local kept = redis.call('GET', KEYS[1])
local groups = {}
kept = kept and cmsgpack.unpack(kept) or {}
for i = 1, #kept, 3 do
    local many = kept[i + 2] - (kept[i] == tonumber(ARGV[1]) and 1 or 0)
    if many > 0 then
        for _, value in ipairs({kept[i], kept[i + 1], many}) do groups[#groups + 1] = value end
    end
end
if #groups > 0 then
    redis.call('SET', KEYS[1], cmsgpack.pack(groups), 'KEEPTTL')
else
    redis.call('DEL', KEYS[1])
end
"""


class CacheClient(redis.RedisCacheClient):
    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        """One serves all threads; making one takes half a millisecond."""
        return self._client_of_all

    def take(self, key: Any, rate: Rate, now: int) -> Usage:
        asked = [now, rate.limit, rate.period, rate.step]
        count, is_allowed, wait, place = self._take(keys=[key], args=asked)
        return Usage(rate.limit, count, bool(is_allowed), wait, place)

    def give_back(self, key: Any, place: int) -> None:
        self._give_back(keys=[key], args=[place])

    @cached_property
    def _take(self) -> Any:
        return self._client_of_all.register_script(_TAKE)

    @cached_property
    def _give_back(self) -> Any:
        return self._client_of_all.register_script(_GIVE_BACK)

    @cached_property
    def _client_of_all(self) -> Any:
        return super().get_client(None, write=True)


class RedisCache(redis.RedisCache):
    def __init__(self, server: Any, params: dict[str, Any]):
        super().__init__(server, params)
        self._class = CacheClient

    def take(self, key: str, rate: Rate, now: int) -> Usage:
        """See common.rate_limits.take; `now` in milliseconds."""
        return self._counters.take(self.make_and_validate_key(key), rate, now)

    def give_back(self, key: str, place: int) -> None:
        self._counters.give_back(self.make_and_validate_key(key), place)

    @property
    def _counters(self) -> CacheClient:
        return cast(CacheClient, self._cache)
