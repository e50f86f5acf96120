"""Corruptions of clips of a face that are consistent in time, in five severities, the same for everybody.

`catalog` names them, and makes the frames that are asked for.
"""
