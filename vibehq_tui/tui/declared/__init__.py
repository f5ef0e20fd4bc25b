"""What a command is, and the declarations of all of them, one module for each part of the screens."""
