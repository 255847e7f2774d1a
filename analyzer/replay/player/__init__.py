"""The engine: one end of a play, without sockets and clocks."""

from __future__ import annotations
