"""What goes into Wireshark: display filters, and the plug-in that decodes XCCOS there."""

from __future__ import annotations
