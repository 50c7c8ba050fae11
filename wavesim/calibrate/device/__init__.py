"""Devices: a GPU through hip-python, a virtual one, and what is sent to them."""
