"""The plug-in for Wireshark: ``xccos.lua`` beside this module, and where Wireshark looks for it.

The rule that matters: one script for Wireshark 3.x and 4.x, therefore for Lua 5.1 to 5.4.
"""

from __future__ import annotations

NAME = "xccos.lua"

PLACES = (
    "Linux, macOS: ~/.local/lib/wireshark/plugins",
    r"Windows: %APPDATA%\Wireshark\plugins",
)
"""Where Wireshark looks for the Lua scripts of one person; Help > About > Folders has it as
``Personal Lua Plugins``."""


def plugin_source() -> bytes:
    """Return the plug-in, a Lua script in UTF-8."""
    from importlib.resources import files  # loads twenty modules

    return files("analyzer.wireshark").joinpath(NAME).read_bytes()
