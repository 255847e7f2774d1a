"""Tests of flows: what a client is documented to do, and how far it got."""
