"""The dashboard: ``streamlit run app.py``, or ``xccos dashboard``."""

from __future__ import annotations

from analyzer.dashboard.main import main

if __name__ == "__main__":
    main()
