"""Two sessions side by side: what one did and the other did not, in the order of the flow."""

from __future__ import annotations
