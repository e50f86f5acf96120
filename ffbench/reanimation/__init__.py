"""Reanimated faces: photographs of people, moved by a motion that is known at every pixel.

A library without protocol: `portraits.portrait.prepare_portrait` fits a surface to a photograph, `pairs.reanimate`
moves it.
"""
