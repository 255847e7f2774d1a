"""Carriers of plays over the network: TCP and TLS, as a client, a server, or many clients."""

from __future__ import annotations
