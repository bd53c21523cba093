"""Composition: settings, routes, processes and the command line. Nothing else knows everything."""
