"""Builders that the tests share: packets, conversations, and how results are looked at."""
