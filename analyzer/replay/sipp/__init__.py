"""SIPp scenarios of one dialog of a script: its client's part and its server's."""

from __future__ import annotations
