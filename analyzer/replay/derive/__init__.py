"""From a capture to a script: ``build.derive`` is the entry."""
