"""Who talks to whom: clients, front ends, services and rooms, with what went between them."""

from __future__ import annotations
