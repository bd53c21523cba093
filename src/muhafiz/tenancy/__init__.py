"""Which rows a connection may see at all: tenant separation below the code."""
