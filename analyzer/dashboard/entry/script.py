"""What Streamlit runs for ``xccos dashboard``."""

from __future__ import annotations

import sys

from analyzer.dashboard.main import main

if __name__ == "__main__":
    main(sys.argv[1:])
