"""Others that people would pick instead: how each is started, and spoken to over the same loopback TCP."""
