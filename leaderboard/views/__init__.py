"""One module a page, each with `render`.

Not `pages`: Streamlit runs the files of a folder of that name beside the script by itself.
"""
