"""Making untrusted text fit to be shown, glyphs, and the forms of numbers and times."""
