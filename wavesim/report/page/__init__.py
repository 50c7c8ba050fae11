"""The browser report: one self-contained file with the timeline, the listing and the figures."""

from wavesim.report.page.page import page_parts
from wavesim.report.page.payload import Panel, replay_panels, run_panel

__all__ = ["Panel", "page_parts", "replay_panels", "run_panel"]
