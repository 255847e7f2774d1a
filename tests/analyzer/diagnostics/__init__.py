"""Tests of analyzer.diagnostics."""
