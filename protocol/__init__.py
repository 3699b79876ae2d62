"""What is said: frames, names, limits, error codes and passwords, shared by both sides.

Pure: nothing here does I/O, looks at a clock or draws a random number, but for the salt of a stored hash. Bots may
import it.
"""
