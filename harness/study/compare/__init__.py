"""What a change to Nova made worse: the same cases on the changed code and on what it was changed from."""
