"""Content Credentials (C2PA): who made a file, with which model, signed into the file itself."""
