"""Authentication of live plays: NTLM and Kerberos with signed messages (MS-SIPAE), and Digest.

``client.ClientAuth`` and ``server.ServerAuth`` are the two ends; they have no socket and no clock.
"""

from __future__ import annotations
