"""Guest operating systems: what they report of themselves, and how fast they start and stop."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class System:
    """An operating system as the guest's integration services describe it."""

    name: str
    version: str
    edition: str
    windows: bool
    boot: float
    """Seconds from power on until the integration services answer."""
    shutdown: float
    """Seconds a clean shutdown takes."""

    @property
    def resizes(self) -> bool:
        """It can be given more or less static memory while it runs: Windows since 10 and 2016."""
        return self.boot > 5 and not (self.windows and self.version.startswith("6."))


SYSTEMS: dict[str, System] = {
    "ws2025": System("Windows Server 2025 Datacenter", "10.0.26100", "8", True, 24, 14),
    "ws2022": System("Windows Server 2022 Datacenter", "10.0.20348", "8", True, 26, 15),
    "ws2022core": System("Windows Server 2022 Standard", "10.0.20348", "7", True, 20, 12),
    "ws2019": System("Windows Server 2019 Standard", "10.0.17763", "7", True, 30, 18),
    "ws2016": System("Windows Server 2016 Standard", "10.0.14393", "7", True, 36, 20),
    "ws2012r2": System("Windows Server 2012 R2 Standard", "6.3.9600", "7", True, 34, 22),
    "w11": System("Windows 11 Enterprise", "10.0.26100", "4", True, 22, 12),
    "w10": System("Windows 10 Enterprise LTSC 2021", "10.0.19044", "125", True, 24, 13),
    "ubuntu24": System("Ubuntu 24.04.2 LTS", "6.8.0-60-generic", "", False, 14, 7),
    "ubuntu22": System("Ubuntu 22.04.5 LTS", "5.15.0-139-generic", "", False, 14, 7),
    "debian12": System("Debian GNU/Linux 12 (bookworm)", "6.1.0-37-amd64", "", False, 12, 6),
    "rhel9": System("Red Hat Enterprise Linux 9.5 (Plow)", "5.14.0-503.el9", "", False, 18, 9),
    "alma9": System("AlmaLinux 9.5 (Teal Serval)", "5.14.0-503.el9", "", False, 17, 8),
    "sles15": System("SUSE Linux Enterprise Server 15 SP6", "6.4.0-150600.21", "", False, 19, 9),
    "freebsd14": System("FreeBSD 14.2-RELEASE", "14.2-RELEASE", "", False, 15, 7),
    "none": System("", "", "", False, 5, 0),
}
"""``none``: an appliance or an installer without integration services."""
