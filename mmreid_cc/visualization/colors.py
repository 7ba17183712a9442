"""Colours that can be distinguished with any colour vision, and their meaning.

Source: Okabe and Ito, *Color Universal Design* (2008).
"""

GREEN = '#009E73'
VERMILION = '#D55E00'
BLUE = '#0072B2'
ORANGE = '#E69F00'
SKY = '#56B4E9'
PURPLE = '#CC79A7'
BLACK = '#000000'
GREY = '#6E6E6E'

CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
"""For curves and groups, in this order. Beyond these, markers must differ, too."""
