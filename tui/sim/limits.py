"""The limits of the WinRM service, as a host tells them."""

from __future__ import annotations

CONFIG = "http://schemas.microsoft.com/wbem/wsman/1/config"
_CONFIG = """
<cfg:MaxEnvelopeSizekb>500</cfg:MaxEnvelopeSizekb>
<cfg:MaxTimeoutms>60000</cfg:MaxTimeoutms>
<cfg:MaxBatchItems>32000</cfg:MaxBatchItems>
<cfg:MaxProviderRequests>4294967295</cfg:MaxProviderRequests>
<cfg:Service>
<cfg:MaxConcurrentOperations>4294967295</cfg:MaxConcurrentOperations>
<cfg:MaxConcurrentOperationsPerUser>1500</cfg:MaxConcurrentOperationsPerUser>
<cfg:EnumerationTimeoutms>240000</cfg:EnumerationTimeoutms>
<cfg:MaxConnections>300</cfg:MaxConnections>
<cfg:MaxPacketRetrievalTimeSeconds>120</cfg:MaxPacketRetrievalTimeSeconds>
</cfg:Service>
"""


def config_text() -> str:
    """The limits of the service, as its configuration resource tells them (wsman-wire.md 13)."""
    return f'<cfg:Config xmlns:cfg="{CONFIG}">{_CONFIG.replace(chr(10), "")}</cfg:Config>'
