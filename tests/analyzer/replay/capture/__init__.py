"""Tests of captures that are written: of scripts and of live plays."""
