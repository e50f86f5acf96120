"""The Plotly figures of the pages."""
