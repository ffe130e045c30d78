from typing import Any

class ChannelLayerManager:
    def set(self, key: str, layer: Any) -> Any: ...

channel_layers: ChannelLayerManager

def get_channel_layer(alias: str = "default") -> Any: ...
