"""The style sheet of all pages. Words in capitals stand for colors, which `theme.apply` puts in."""

from __future__ import annotations

STYLE = """
<style>
.stMainBlockContainer { padding-top: 4rem; }
.stMainBlockContainer h1 { font-size: 2.1rem; overflow-wrap: anywhere; }
.stMainBlockContainer [data-testid=stHtml] p { overflow-wrap: anywhere; }
.stMainBlockContainer h2 { font-size: 1.4rem; padding-top: 0.6rem; }
/* Streamlit's own grey has a contrast of 4.2 on white. */
[data-testid=stCaptionContainer], [data-testid=stCaptionContainer] * { color: SOFT; opacity: 1; }
.ff-picture { width: 100%; max-width: 440px; border-radius: 8px; }
.ff-wide { width: 100%; border-radius: 6px; }
.ff-strip { display: block; max-width: 720px; border-radius: 0; margin-bottom: 2px; }
.ff-still { display: none; }
@media (prefers-reduced-motion: reduce) {
  .ff-moving { display: none; }
  .ff-still { display: block; }
}
.ff-facts { display: grid; grid-template-columns: minmax(6rem, 10rem) 1fr; gap: 0.3rem 1rem;
  margin: 0 !important; padding: 0 !important; }
.ff-facts dt { color: SOFT; font-size: 0.875rem; margin: 0 !important; }
.ff-facts dd { margin: 0 !important; overflow-wrap: anywhere; }
.ff-scroll { overflow-x: auto; max-width: 100%; }
.ff-table { border-collapse: separate; border-spacing: 2px; font-size: 0.9rem; line-height: 1.25; }
.ff-table th { font-weight: 600; text-align: left; vertical-align: bottom; padding: 4px 8px; max-width: 8.5rem; }
.ff-table th[scope=row] { position: sticky; left: 0; background: GROUND; min-width: 8.5rem; max-width: 13rem;
  overflow-wrap: anywhere; z-index: 1; vertical-align: middle; }
.ff-table td { text-align: center; padding: 4px 8px; border-radius: 4px; min-width: 4.2rem; }
.ff-table a { color: LINK; text-decoration: underline; text-underline-offset: 2px; }
.ff-table td a { color: inherit; text-decoration: none; display: block; }
.ff-table td a:hover, .ff-table td a:focus-visible { text-decoration: underline; }
.ff-small { display: block; font-size: 0.78rem; font-weight: 400; }
.ff-line { display: grid; grid-template-columns: minmax(7rem, 17rem) 1fr; gap: 0 0.8rem; align-items: center;
  min-height: 2rem; margin-bottom: 0.1rem; }
.ff-name { text-align: right; font-size: 0.875rem; line-height: 1.2; overflow-wrap: anywhere; }
.ff-track, .ff-ticks { position: relative; height: 1.25rem; margin: 0 0.6rem; }
.ff-track { border-bottom: 1px solid LINE; }
.ff-ticks span { position: absolute; transform: translateX(-50%); font-size: 0.78rem; color: SOFT; }
.ff-interval { position: absolute; top: 0.45rem; height: 0.32rem; opacity: 0.5; border-radius: 2px; }
.ff-dot { position: absolute; top: 0.3rem; width: 0.62rem; height: 0.62rem; margin-left: -0.31rem; border: 2px solid;
  border-radius: 50%; }
.ff-claimed, .ff-reported { border-radius: 0; }
.ff-claimed { transform: rotate(45deg); }
.ff-kind { margin-left: 1rem; white-space: nowrap; }
.ff-kind .ff-dot { position: static; display: inline-block; margin: 0 0.35rem 0 0; }
/* White on the lighter blue of dark ground has a contrast of 2.3. */
[data-testid=stMultiSelect] span[title] { color: CHIP; }
[data-testid=stMultiSelect] span[title] ~ * { color: CHIP; fill: CHIP; }
[data-testid^=stBaseButton-primary], [data-testid^=stBaseButton-primary] * { color: CHIP; }
@media (max-width: 640px) {
  .ff-table th[scope=row] { min-width: 6.5rem; max-width: 7.5rem; }
  .ff-table { font-size: 0.82rem; }
  .ff-facts { grid-template-columns: 1fr; gap: 0 1rem; }
  .ff-line { grid-template-columns: 7rem 1fr; gap: 0 0.4rem; }
  .ff-facts dd { margin-bottom: 0.5rem !important; }
  .stMainBlockContainer { padding-top: 3.5rem; padding-left: 1rem; padding-right: 1rem; }
  .stMainBlockContainer h1 { font-size: 1.7rem; }
}
</style>
"""
