"""The browser report: one self-contained file with the timeline, the listing and the figures."""

from wavesim.report.page.page import Chapter, Story, embedded, filled, page_parts, style_sheet
from wavesim.report.page.payload import Panel, replay_panels, run_panel

__all__ = [
    "Chapter",
    "Panel",
    "Story",
    "embedded",
    "filled",
    "page_parts",
    "replay_panels",
    "run_panel",
    "style_sheet",
]
