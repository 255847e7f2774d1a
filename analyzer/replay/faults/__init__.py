"""Faults by rule: what a play says and hears is lost, late, doubled, damaged or refused.

The rule: the same rules and the same seed do the same to the same messages, and every fault that
was made is told in the notes of the outcome.
"""

from __future__ import annotations

from analyzer.replay.faults.files import read_rules
from analyzer.replay.faults.parse import parse_rule
from analyzer.replay.faults.rules import Rule
from analyzer.replay.faults.wrapper import Faulty

__all__ = ["Faulty", "Rule", "parse_rule", "read_rules"]
