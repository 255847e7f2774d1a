"""From captures to scripts."""
