"""The leaderboard as pages in a browser (Streamlit). `ffbench app` starts it."""
