"""The browser report: one self-contained file with the timeline, the listing and the figures."""

from wavesim.report.html.page import page_parts
from wavesim.report.html.payload import Panel, replay_panels, run_panel

__all__ = ["Panel", "page_parts", "replay_panels", "run_panel"]
