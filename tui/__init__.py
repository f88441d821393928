"""hvdeck: a terminal control deck for Microsoft Hyper-V."""

__version__ = "0.1.0"
