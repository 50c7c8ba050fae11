"""The conductor: a kernel file is loaded, executed, timed and analysed."""
