"""What the machine and the server do while a run is measured, watched from another process."""
